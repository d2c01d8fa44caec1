package appliance

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/oneclaw/oneclawd/appliance/attest"
	"github.com/oneclaw/oneclawd/appliance/operator"
	"github.com/oneclaw/oneclawd/appliance/seal"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
)

// quorumWait is how long shares are kept that wait for the others.
const quorumWait = 15 * time.Minute

// SealFile is where the sealed PIN of this configuration is.
func (c Config) SealFile() string { return filepath.Join(c.Data, "pin.sealed") }

// OpenSealFile opens the sealed PIN of an appliance that is not unsealed. There
// is none where the error is fs.ErrNotExist.
func OpenSealFile(cfg Config) (f *seal.File, err error) {
	about, err := sealSubject(cfg)
	if err != nil {
		return nil, err
	}
	return seal.Open(cfg.SealFile(), about)
}

// sealSubject says whose PIN it is: the appliance's in the data folder.
func sealSubject(cfg Config) (about seal.Subject, err error) {
	db, err := store.Open(store.Config{Path: filepath.Join(cfg.Data, "state.db")})
	if err != nil {
		return about, err
	}
	defer func() { err = andThen(err, db.Close()) }()
	meta, err := db.Meta()
	if errors.Is(err, store.ErrEmpty) {
		return about, ErrNotInitialised
	}
	return subjectOf(meta), err
}

func subjectOf(meta store.Meta) seal.Subject {
	return seal.Subject{Instance: meta.Instance.String(), Purpose: "hsm-pin"}
}

// SealPIN seals a PIN, or passphrase of the local module, that was seen to open
// the module, for recovery and, where the processor derives keys, for this
// machine and image.
func SealPIN(ctx context.Context, cfg Config, pin plain.Bytes, recovery ...seal.Slot) (machine bool, err error) {
	about, err := sealSubject(cfg)
	if err != nil {
		return false, err
	}
	m, err := openModule(ctx, cfg, pin, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		return false, err
	}
	if err := m.Close(); err != nil {
		return false, err
	}
	slots := recovery
	own, err := machineSlot(ctx, cfg)
	switch {
	case errors.Is(err, attest.ErrNoDerivedKeys):
	case err != nil:
		return false, err
	default:
		slots, machine = append(slots, own), true
	}
	return machine, seal.Create(cfg.SealFile(), about, pin, slots...)
}

// machineSlot is a slot for this image on this chip, as it was attested.
func machineSlot(ctx context.Context, cfg Config) (seal.Slot, error) {
	if cfg.Attest.Mode != attestRequired {
		return seal.Slot{}, attest.ErrNoDerivedKeys
	}
	source, found, err := cfg.appraise(ctx, attest.Binding{Nonce: attest.NewNonce()})
	if err != nil {
		return seal.Slot{}, err
	}
	return seal.NewSNPSlot(ctx, source, found.Measurement, found.TCB)
}

// errMoreShares: the share was taken, and more are needed.
var errMoreShares = errors.New("more shares are needed")

// unlock finds the PIN: in the sealed file if there is one, opened by this
// machine or by what an operator typed; as typed; or where the configuration
// says. found is whether there is something to try.
func (d *daemon) unlock(ctx context.Context, c *core, typed operator.Credential) (pin plain.Bytes, found bool, err error) {
	if typed.Kind == operator.PIN && typed.Secret.Len() > 0 {
		return typed.Secret, true, nil
	}
	meta, err := c.db.Meta()
	if errors.Is(err, store.ErrEmpty) {
		return pin, false, ErrNotInitialised
	}
	if err != nil {
		return pin, false, err
	}
	f, err := seal.Open(d.cfg.SealFile(), subjectOf(meta))
	switch {
	case errors.Is(err, fs.ErrNotExist) && typed.Kind != operator.PIN:
		return pin, false, seal.ErrNoSlot.Detail("there is no sealed PIN that this could open; `oneclawd seal pin` makes one")
	case errors.Is(err, fs.ErrNotExist) && d.cfg.Attest.Mode == attestRequired:
		return pin, false, nil // what is in the environment any image could read
	case errors.Is(err, fs.ErrNotExist):
		return d.cfg.credential()
	case err != nil:
		return pin, false, err
	}
	pin, err = d.openSealed(ctx, c, f, typed)
	return pin, err == nil, err
}

// openSealed opens the sealed PIN with what was typed, or by this machine.
func (d *daemon) openSealed(ctx context.Context, c *core, f *seal.File, typed operator.Credential) (plain.Bytes, error) {
	switch typed.Kind {
	case operator.Passphrase:
		return f.Unseal(ctx, seal.Passphrase(typed.Secret))
	case operator.Share:
		return d.addShare(ctx, f, typed.Secret)
	case operator.UpgradeCode:
		if c.attested == nil {
			return plain.Bytes{}, errNotAttested
		}
		own, err := seal.NewSNPSlot(ctx, c.attested.source, c.attested.found.Measurement, c.attested.found.TCB)
		if err != nil {
			return plain.Bytes{}, err
		}
		return f.Upgrade(ctx, typed.Secret, c.attested.found.Measurement, own)
	}
	source, err := d.cfg.evidenceSource()
	if err != nil {
		return plain.Bytes{}, err
	}
	return f.Unseal(ctx, seal.Keys(source))
}

// addShare keeps a share until there are enough of them.
func (d *daemon) addShare(ctx context.Context, f *seal.File, share plain.Bytes) (plain.Bytes, error) {
	if d.quorum == nil {
		q, err := seal.NewQuorum(f, quorumWait)
		if err != nil {
			return plain.Bytes{}, err
		}
		d.quorum = q
	}
	missing, err := d.quorum.Add(share)
	d.missing.Store(int32(missing))
	switch {
	case err != nil:
		return plain.Bytes{}, err
	case missing > 0:
		return plain.Bytes{}, errMoreShares
	}
	defer func() { d.quorum = nil }()
	return f.Unseal(ctx, d.quorum)
}

// pinError is why there is no PIN on a machine that may have one.
type pinError struct{ error }

// Unwrap returns the reason.
func (e pinError) Unwrap() error { return e.error }

// bare is an error without the mark of where it is from, for people.
func bare(err error) error {
	var p pinError
	if errors.As(err, &p) {
		return p.error
	}
	return err
}

// waits reports whether an error at start leaves the appliance waiting for its
// operators, who can open what the machine cannot, instead of ending it.
func waits(err error) bool {
	if !errors.As(err, &pinError{}) {
		return false
	}
	for _, wait := range []error{errNoCredential, attest.ErrNoDerivedKeys, seal.ErrNoSlot, seal.ErrRefused} {
		if errors.Is(err, wait) {
			return true
		}
	}
	return false
}
