package backup_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/backup"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/events"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

var secrets = flag.Int("secrets", 2000, "how many secrets the drill of TestDrill is about")

// world is an appliance without its door.
type world struct {
	testing.TB
	ctx     context.Context
	module  hsm.Module
	db      *store.DB
	archive *events.Archive
	drainer *audit.Drainer
	points  *audit.Checkpointer
	vaults  *vault.Service
	vkey    string
	owner   identity.Principal
	v       vault.Vault
	guest   hsm.Module // "guest", if there is one
}

// Module implements vault.Modules.
func (w *world) Module(name string) (hsm.Module, error) {
	switch {
	case name == "":
		return w.module, nil
	case name == "guest" && w.guest != nil:
		return w.guest, nil
	}
	return nil, hsm.ErrUnavailable
}

// newWorld is a new appliance of one owner and one vault.
func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOn(t, hsmtest.Memory(t))
}

func newWorldOn(t testing.TB, module hsm.Module) *world {
	t.Helper()
	w := &world{TB: t, ctx: t.Context(), module: module}
	kek := must(w.module.NewKEK(w.ctx))(t)
	key := make([]byte, store.KeySize)
	_, _ = rand.Read(key)
	meta := store.Meta{Instance: id.New(), CreatedAt: time.Now().UTC(), KEK: kek, Blobs: map[string][]byte{}}
	meta.StoreKey = must(w.module.Wrap(w.ctx, kek, key, meta.KeyAAD()))(t)
	for _, name := range []string{store.BlobAuditKey, store.BlobTokenKey} {
		meta.Blobs[name] = must(json.Marshal(must(w.module.NewSigningKey(w.ctx))(t)))(t)
	}
	dir := t.TempDir()
	db := must(store.Open(store.Config{Path: filepath.Join(dir, "state.db")}))(t)
	w.ok(db.Init(meta, plain.New(key)))
	w.ok(db.Close())
	w.open(dir)
	org := id.New()
	w.ok(store.Runner[vault.Tx](w.db).Update(w.ctx, func(tx vault.Tx) error {
		if err := tx.PutOrg(identity.Org{ID: org, CreatedAt: time.Now()}); err != nil {
			return err
		}
		w.owner = identity.Principal{Kind: identity.KindUser, ID: id.New(), Org: org, Role: identity.RoleOwner}
		return tx.PutUser(identity.User{ID: w.owner.ID, Org: org, Role: identity.RoleOwner, CreatedAt: time.Now()})
	}))
	w.v = must(w.vaults.Create(w.ctx, w.owner, "payments", ""))(t)
	return w
}

// open opens a data folder as the appliance does, but for the anchor.
func (w *world) open(dir string) {
	w.Helper()
	db := must(store.Open(store.Config{Path: filepath.Join(dir, "state.db")}))(w)
	w.Cleanup(func() { _ = db.Close() })
	meta := must(db.Meta())(w)
	key := plain.New(must(w.module.Unwrap(w.ctx, meta.KEK, meta.StoreKey, meta.KeyAAD()))(w))
	w.ok(db.Unseal(key))
	w.ok(db.Migrate(w.ctx, nil))
	var signing hsm.SigningKey
	w.ok(json.Unmarshal(meta.Blobs[store.BlobAuditKey], &signing))
	archiveKey := must(db.DeriveKey(events.KeyPurpose))(w)
	archive := must(events.Open(events.Config{Dir: filepath.Join(dir, "events"), Key: archiveKey.Reveal()}))(w)
	w.Cleanup(func() { _ = archive.Close() })
	runner := store.Runner[audit.Tx](db)
	w.db, w.archive = db, archive
	w.drainer = &audit.Drainer{DB: runner, Archive: archive}
	w.points = &audit.Checkpointer{
		DB: runner, Anchor: w.module, Instance: meta.Instance,
		Key: audit.Key{Public: signing.Public, Sign: func(ctx context.Context, msg []byte) ([]byte, error) {
			return w.module.Sign(ctx, signing, msg)
		}},
	}
	w.vaults = vault.New(store.Runner[vault.Tx](db), w, nil)
	w.vkey = must(w.points.VerifierKey())(w)
}

// restored is the appliance of a folder that was restored from w's backup.
func (w *world) restored(t testing.TB, dir string) *world {
	r := &world{TB: t, ctx: t.Context(), module: w.module, owner: w.owner, v: w.v}
	r.open(dir)
	return r
}

func (w *world) source() backup.Source {
	return backup.Source{DB: w.db, Archive: w.archive, Key: w.points.Key, Version: "1.2.3"}
}

func (w *world) backup() []byte {
	w.Helper()
	var buf bytes.Buffer
	must(backup.Create(w.ctx, w.source(), &buf, nil))(w)
	return buf.Bytes()
}

func (w *world) options() backup.Options {
	return backup.Options{Keys: w.module, VerifierKey: w.vkey}
}

func path(i int) string  { return fmt.Sprintf("team/%d/secret-%d", i%7, i) }
func value(i int) string { return fmt.Sprintf("CANARY-%d-%x", i, i*7919) }

// put writes secrets [from, to), 16 at a time.
func (w *world) put(from, to int) {
	w.Helper()
	var all sync.WaitGroup
	for lane := range 16 {
		all.Go(func() {
			for i := from + lane; i < to; i += 16 {
				if err := w.tryPut(i); err != nil {
					w.Error(err)
				}
			}
		})
	}
	all.Wait()
}

func (w *world) tryPut(i int) error {
	p, err := vault.ParseSecretPath(path(i))
	if err == nil {
		_, err = w.vaults.Put(w.ctx, w.owner, w.v.ID, p, vault.NewVersion{Value: plain.FromString(value(i))})
	}
	return err
}

// get returns the value of a secret, "" if there is none.
func (w *world) get(i int) string {
	w.Helper()
	_, b, err := w.vaults.Read(w.ctx, w.owner, w.v.ID, must(vault.ParseSecretPath(path(i)))(w))
	if err != nil {
		return ""
	}
	defer b.Wipe()
	return string(b.Reveal())
}

// drain moves all but the newest events to the archive.
func (w *world) drain() {
	w.Helper()
	for {
		if n := must(w.drainer.Drain(w.ctx))(w); n == 0 {
			return
		}
	}
}

func (w *world) verifyLog() *audit.Report {
	w.Helper()
	g := &audit.Log{DB: store.Runner[audit.Tx](w.db), Archive: w.archive, Checkpoints: w.points}
	return must(g.Verify(w.ctx, audit.Scope{Everyone: true}))(w)
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// left lists what is in a folder, which may be missing.
func left(t testing.TB, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if name != dir && err == nil {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func writeFile(t testing.TB, name string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
