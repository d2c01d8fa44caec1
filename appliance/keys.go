package appliance

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
)

// ErrNotInitialised: there is no appliance in the data folder yet.
var ErrNotInitialised = fault.New(fault.Unavailable, "not_initialised",
	"there is no appliance here yet; run `oneclawd init` with the same configuration")

// ErrStateLost: there was an appliance in the data folder, and what decides is gone.
var ErrStateLost = fault.New(fault.Unavailable, "state_lost",
	"state.db is missing or empty, although the folder events is of an appliance that was here: put it back, or restore a backup; a new appliance needs a data folder of its own")

// lost reports whether the store is empty where there was one: the archive is made
// after it. To set up a new appliance there would make keys in the token, and bury
// what is left.
func lost(db *store.DB, data string) error {
	if _, err := db.Meta(); !errors.Is(err, store.ErrEmpty) {
		return nil // it is not empty; whatever else it says is for who reads it
	}
	if left, err := os.ReadDir(filepath.Join(data, "events")); err != nil || len(left) == 0 {
		return nil
	}
	return ErrStateLost
}

// explainDamage says what to do about a record without which nothing starts.
func explainDamage(err error) error {
	if !errors.Is(err, store.ErrDamaged) {
		return err
	}
	return store.ErrDamaged.Detail("%s; restore a backup", fault.As(err).Msg).Because(err)
}

// makeKeys gives a new appliance its keys: the root key in the module, a KEK
// for the store key, the store key itself and the two signing keys.
func makeKeys(ctx context.Context, m hsm.Module, now time.Time) (store.Meta, plain.Bytes, error) {
	fail := func(doing string, err error) (store.Meta, plain.Bytes, error) {
		return store.Meta{}, plain.Bytes{}, fmt.Errorf("%s: %w", doing, err)
	}
	if err := m.Init(ctx); err != nil {
		return fail("making the root key", err)
	}
	meta := store.Meta{Instance: id.New(), CreatedAt: now.UTC(), Blobs: map[string][]byte{}}
	kek, err := m.NewKEK(ctx)
	if err != nil {
		return fail("making a KEK for the store key", err)
	}
	key := make([]byte, store.KeySize)
	_, _ = rand.Read(key)
	meta.KEK = kek
	if meta.StoreKey, err = m.Wrap(ctx, kek, key, meta.KeyAAD()); err != nil {
		return fail("wrapping the store key", err)
	}
	for _, name := range []string{store.BlobTokenKey, store.BlobAuditKey} {
		k, err := m.NewSigningKey(ctx)
		if err != nil {
			return fail("making a signing key", err)
		}
		if meta.Blobs[name], err = json.Marshal(k); err != nil {
			return fail("encoding a signing key", err)
		}
	}
	return meta, plain.New(key), nil
}

// unseal opens the store with the key that only the module can unwrap.
func unseal(ctx context.Context, db *store.DB, m hsm.Module) (store.Meta, error) {
	meta, err := db.Meta()
	if errors.Is(err, store.ErrEmpty) {
		return meta, ErrNotInitialised
	}
	if err != nil {
		return meta, err
	}
	key, err := m.Unwrap(ctx, meta.KEK, meta.StoreKey, meta.KeyAAD())
	if errors.Is(err, hsm.ErrAuthentic) {
		return meta, fmt.Errorf("this HSM's root key does not open the data here; is it the token the appliance was made with? %w", err)
	}
	if err != nil {
		return meta, fmt.Errorf("unwrapping the store key: %w", err)
	}
	p := plain.New(key)
	defer p.Wipe()
	return meta, db.Unseal(p)
}

func signingKey(meta store.Meta, name string) (k hsm.SigningKey, err error) {
	if err := json.Unmarshal(meta.Blobs[name], &k); err != nil {
		return k, fmt.Errorf("the %s of this appliance is unreadable: %w", name, err)
	}
	return k, nil
}
