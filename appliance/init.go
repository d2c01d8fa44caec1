package appliance

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Owner is the first person of a new appliance.
type Owner struct {
	Email, Password string
	Org             string // name of their organisation
	// PIN opens the token, where the configuration does not say how.
	PIN plain.Bytes
}

// Initialised is what Init did.
type Initialised struct {
	KeysMade  bool
	OwnerMade bool
	APIKey    string // the owner's, shown this once; "" if the owner was there
}

// Init makes what a new appliance needs and is not there yet: keys, then the
// first owner. It may be run again after a crash or out of doubt; what exists
// is left alone.
func Init(ctx context.Context, cfg Config, owner Owner, log *slog.Logger) (done Initialised, err error) {
	unlock := func(ctx context.Context, _ *core) (plain.Bytes, error) {
		if err := cfg.admits(ctx); err != nil { // no keys are made on any other machine, either
			return plain.Bytes{}, err
		}
		if owner.PIN.Len() > 0 {
			return owner.PIN.Clone(), nil
		}
		pin, _, err := cfg.credential()
		return pin, err
	}
	c, err := openCore(ctx, cfg, log, opening{unlock: unlock, prepare: func(ctx context.Context, c *core) error {
		_, err := c.db.Meta()
		if !errors.Is(err, store.ErrEmpty) {
			return err
		}
		meta, key, err := makeKeys(ctx, c.module, time.Now())
		if err != nil {
			return err
		}
		defer key.Wipe()
		done.KeysMade = true
		return c.db.Init(meta, key)
	}})
	if err != nil {
		return done, err
	}
	defer func() { err = andThen(err, c.close()) }()
	if done.KeysMade {
		if err := c.record(ctx, audit.ApplianceInit); err != nil {
			return done, err
		}
	}
	has, err := c.identity.HasOwner(ctx)
	if err != nil || has {
		return done, err
	}
	_, done.APIKey, err = c.identity.CreateOwner(ctx, owner.Email, owner.Password, owner.Org)
	done.OwnerMade = err == nil
	return done, err
}

// CheckOwner says what is wrong with an owner before anything is made.
func CheckOwner(o Owner) error {
	if _, err := identity.FoldEmail(o.Email); err != nil {
		return err
	}
	return identity.CheckPasswordRule(o.Password)
}
