package backup_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/backup"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/local"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/identity"
)

var freeze = flag.Bool("freeze", false, "write a folder of testdata for the present schema and format")

// frozen is what must be known of a frozen backup to look into it.
type frozen struct {
	VerifierKey       string
	Org, Owner, Vault id.ID
	Secrets           int
}

// Names in a folder of testdata. The key is a throw-away one of hsm/local.
const (
	frozenBackup = "a.backup"
	frozenAbout  = "about.json"
	frozenKey    = "root.key"
)

// softModule is a module whose key is in the folder.
func softModule(t testing.TB, dir string) hsm.Module {
	t.Helper()
	m := must(local.Open(local.Config{Dir: dir}))(t)
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// TestFrozenBackupsRestore: a backup of every schema and format there ever was can
// be restored and drilled by this oneclawd, and what it holds be read. A frozen
// folder is never written again.
func TestFrozenBackupsRestore(t *testing.T) {
	if *freeze {
		freezeBackup(t)
	}
	dirs, err := filepath.Glob("testdata/schema-*")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no frozen backups:", err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) { thaw(t, dir) })
	}
}

func thaw(t *testing.T, dir string) {
	keys := t.TempDir()
	writeFile(t, filepath.Join(keys, frozenKey), must(os.ReadFile(filepath.Join(dir, frozenKey)))(t))
	var about frozen
	if err := json.Unmarshal(must(os.ReadFile(filepath.Join(dir, frozenAbout)))(t), &about); err != nil {
		t.Fatal(err)
	}
	f := must(os.Open(filepath.Join(dir, frozenBackup)))(t)
	defer f.Close()
	w := &world{TB: t, ctx: t.Context(), module: softModule(t, keys), owner: identity.Principal{
		Kind: identity.KindUser, ID: about.Owner, Org: about.Org, Role: identity.RoleOwner,
	}}
	w.v.ID = about.Vault
	r := must(backup.Drill(w.ctx, f, w.module, t.TempDir(), backup.DrillOptions{VerifierKey: about.VerifierKey}))(t)
	if r.Opened != about.Secrets || r.EventsVerified == 0 {
		t.Errorf("the drill: %+v", r)
	}
	into := filepath.Join(t.TempDir(), "data")
	m := must(backup.Restore(w.ctx, f, into, backup.Options{Keys: w.module, VerifierKey: about.VerifierKey}))(t)
	if !strings.HasPrefix(filepath.Base(dir), fmt.Sprintf("schema-%d-format-%d", m.Schema, m.Format)) {
		t.Errorf("it is of schema %d and format %d", m.Schema, m.Format)
	}
	// Restoring changes no byte: what is older, the appliance migrates when it starts.
	db := must(store.Open(store.Config{Path: filepath.Join(into, "state.db")}))(t)
	if meta, err := db.Meta(); errors.Join(err, db.Close()) != nil || meta.Schema != m.Schema {
		t.Errorf("restored as schema %d: %v", meta.Schema, err)
	}
	w.open(into)
	for i := range about.Secrets {
		if got := w.get(i); got != value(i) {
			t.Errorf("secret %d is %q", i, got)
		}
	}
	if rep := w.verifyLog(); !rep.OK() {
		t.Errorf("the audit log: %v", rep.Problems)
	}
}

// freezeBackup makes a folder for the present schema and format.
func freezeBackup(t *testing.T) {
	t.Helper()
	keys := t.TempDir()
	m := softModule(t, keys)
	if err := m.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := newWorldOn(t, m)
	about := frozen{VerifierKey: w.vkey, Org: w.owner.Org, Owner: w.owner.ID, Vault: w.v.ID, Secrets: 20}
	w.put(0, about.Secrets)
	w.drain()
	raw := w.backup()
	report := must(backup.Verify(w.ctx, strings.NewReader(string(raw)), w.vkey, nil))(t)
	dir := fmt.Sprintf("testdata/schema-%d-format-%d", report.Manifest.Schema, report.Manifest.Format)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err) // it is there: frozen
	}
	writeFile(t, filepath.Join(dir, frozenBackup), raw)
	writeFile(t, filepath.Join(dir, frozenAbout), must(json.MarshalIndent(about, "", "\t"))(t))
	writeFile(t, filepath.Join(dir, frozenKey), must(os.ReadFile(filepath.Join(keys, frozenKey)))(t))
}
