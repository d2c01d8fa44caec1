package backup_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/backup"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// TestBackupUnderWrites: a backup made while others write is of one instant.
// All that was acknowledged before is in it, and what is in it is right.
func TestBackupUnderWrites(t *testing.T) {
	w := newWorld(t)
	const before = 300
	w.put(0, before)
	w.drain()
	var stop atomic.Bool
	var done atomic.Int64
	var work sync.WaitGroup
	for lane := range 4 {
		work.Go(func() {
			for i := before + lane; !stop.Load(); i += 4 {
				if err := w.tryPut(i); err != nil {
					t.Error(err)
				}
				done.Add(1)
			}
		})
	}
	work.Go(func() {
		for !stop.Load() {
			if _, err := w.drainer.Drain(w.ctx); err != nil {
				t.Error(err)
			}
		}
	})
	for done.Load() < 20 { // until the writers are at work
		time.Sleep(time.Millisecond)
	}
	var files [3][]byte
	for i := range files {
		files[i] = w.backup()
	}
	stop.Store(true)
	work.Wait()
	w.ok(w.err(w.points.Checkpoint(w.ctx))) // so that the HSM remembers more than any of the backups

	for _, file := range files {
		dir := filepath.Join(t.TempDir(), "data")
		m := must(backup.Restore(w.ctx, bytes.NewReader(file), dir, w.options()))(t)
		r := w.restored(t, dir)
		if err := r.points.CheckAnchor(w.ctx); !errors.Is(err, audit.ErrRolledBack) {
			t.Errorf("an older store is taken without a word: %v", err)
		}
		found := 0
		for i := range before + int(done.Load()) + 8 {
			got := r.get(i)
			if got != "" {
				found++
			}
			if got != value(i) && (got != "" || i < before) {
				t.Fatalf("secret %d is %q", i, got)
			}
		}
		if uint64(found) != m.State.Tables["secret"] {
			t.Errorf("%d secrets are there, the manifest says %d", found, m.State.Tables["secret"])
		}
		e := audit.Event{Actor: audit.Actor{Type: "system"}, Action: audit.ApplianceAcceptRollback}
		w.ok(w.err(r.points.Accept(w.ctx, e)))
		if rep := r.verifyLog(); !rep.OK() || rep.Size <= m.Audit.Size {
			t.Errorf("the restored log: %+v", rep)
		}
	}
}

func (w *world) err(_ audit.Checkpoint, err error) error { return err }

// TestRestoreWritesNothingItShouldNot goes through the refusals.
func TestRestoreWritesNothingItShouldNot(t *testing.T) {
	w := newWorld(t)
	w.put(0, 20)
	file := w.backup()
	other := newWorld(t)
	for _, c := range []struct {
		name string
		file []byte
		o    backup.Options
		want *fault.Error
		text string
	}{
		{"another HSM", file, backup.Options{Keys: hsmtest.Memory(t), VerifierKey: w.vkey}, backup.ErrWrongKeys, "this HSM does not open the backup"},
		{"another appliance's verifier key", file, backup.Options{Keys: w.module, VerifierKey: other.vkey}, backup.ErrUntrusted, "another key than the one that was given"},
		{"a newer schema", backup.Resigned(t, file, w.points.Key, func(m *backup.Manifest) { m.Schema = store.Schema + 1 }), w.options(), store.ErrNewer, "newer oneclawd, 1.2.3 (schema"},
		{"a newer format", backup.Resigned(t, file, w.points.Key, func(m *backup.Manifest) { m.Format = 3 }), w.options(), backup.ErrNewer, "format 3"},
		{"a format that it is not", backup.Resigned(t, file, w.points.Key, func(m *backup.Manifest) { m.Format = 2 }), w.options(), backup.ErrDamaged, "does not have these parts"},
		{"a newer file", append([]byte("oneclawd backup 2\n"), file[18:]...), w.options(), backup.ErrNewer, "format"},
		{"other figures than the content", backup.Resigned(t, file, w.points.Key, func(m *backup.Manifest) { m.Audit.Size++ }), w.options(), backup.ErrDamaged, "do not hold"},
		{"a text file", []byte("hello, this is not it at all"), w.options(), backup.ErrDamaged, "at byte 0: this is not a backup"},
		{"nothing", nil, w.options(), backup.ErrDamaged, "at byte 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			_, err := backup.Restore(t.Context(), bytes.NewReader(c.file), dir, c.o)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want %v with %q", err, c.want, c.text)
			}
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("it left %v", left(t, dir))
			}
		})
	}
}

// TestForgedBackup: whoever can sign with a key of their own and write the
// whole file has no store key, so the HSM gives them away.
func TestForgedBackup(t *testing.T) {
	w, thief := newWorld(t), newWorld(t)
	forged := backup.Rekeyed(t, w.backup(), thief.points.Key)
	report := must(backup.Verify(w.ctx, bytes.NewReader(forged), "", nil))(t)
	if report.Pinned {
		t.Error("an unpinned verification calls itself pinned")
	}
	_, err := backup.Restore(w.ctx, bytes.NewReader(forged), filepath.Join(t.TempDir(), "data"), backup.Options{Keys: w.module})
	if !errors.Is(err, backup.ErrDamaged) || !strings.Contains(err.Error(), "belongs to another backup") {
		t.Error(err)
	}
}

// TestTarget: only an empty folder is written to.
func TestTarget(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	w.put(0, 5)
	file := w.backup()
	closed := func(t *testing.T, of *world) string {
		dir := filepath.Join(t.TempDir(), "data")
		must(backup.Restore(of.ctx, bytes.NewReader(of.backup()), dir, of.options()))(t)
		return dir
	}
	running := closed(t, w)
	r := w.restored(t, running)
	defer r.db.Close()
	for _, c := range []struct {
		name, want string
		dir        func(t *testing.T, dir string) string
	}{
		{"missing", "", func(_ *testing.T, dir string) string { return dir }},
		{"empty", "", func(t *testing.T, dir string) string { w.ok(os.Mkdir(dir, 0o700)); return dir }},
		{"keys and certificates", "", func(t *testing.T, dir string) string {
			writeFile(t, filepath.Join(dir, "keys", "root.key"), nil)
			writeFile(t, filepath.Join(dir, "tls", "ca.pem"), nil)
			return dir
		}},
		{"a restore that was killed before its files had names", "", func(t *testing.T, dir string) string {
			writeFile(t, filepath.Join(dir, ".partial", "state.db"), []byte("half"))
			return dir
		}},
		{"a restore that was killed between two names", "", func(t *testing.T, dir string) string {
			writeFile(t, filepath.Join(dir, ".partial", "state.db"), []byte("whole"))
			writeFile(t, filepath.Join(dir, "events", "000001.sst"), []byte("an old one"))
			return dir
		}},
		{"a file of somebody's", `not empty: it has "notes.txt"`, func(t *testing.T, dir string) string {
			writeFile(t, filepath.Join(dir, "notes.txt"), nil)
			return dir
		}},
		{"events alone", `not empty: it has "events"`, func(t *testing.T, dir string) string {
			writeFile(t, filepath.Join(dir, "events", "MANIFEST"), nil)
			return dir
		}},
		{"another appliance", "the data of another appliance", func(t *testing.T, _ string) string { return closed(t, other) }},
		{"this appliance", "this appliance's data", func(t *testing.T, _ string) string { return closed(t, w) }},
		{"a damaged data file", "holds a data file", func(t *testing.T, dir string) string {
			writeFile(t, filepath.Join(dir, "state.db"), []byte("rubbish"))
			return dir
		}},
		{"a running appliance", "a running oneclawd", func(*testing.T, string) string { return running }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := c.dir(t, filepath.Join(t.TempDir(), "data"))
			before := left(t, dir)
			plan := must(backup.Inspect(t.Context(), bytes.NewReader(file), dir, w.options()))(t)
			_, err := backup.Restore(t.Context(), bytes.NewReader(file), dir, w.options())
			if c.want == "" {
				if err != nil || plan.Target != nil || plan.Keys != nil {
					t.Fatal(err, plan.Target, plan.Keys)
				}
				if _, err := os.Stat(filepath.Join(dir, ".partial")); err == nil {
					t.Error("the part is left")
				}
				if got := w.restored(t, dir).get(3); got != value(3) {
					t.Errorf("restored as %q", got)
				}
				return
			}
			for _, err := range []error{err, plan.Target} {
				if !errors.Is(err, backup.ErrTarget) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q", err, c.want)
				}
			}
			if after := left(t, dir); len(after) < len(before) {
				t.Errorf("of %v there is %v", before, after)
			}
		})
	}
}

// TestInspect: a dry run tells about keys and files, and writes nothing.
func TestInspect(t *testing.T) {
	w := newWorld(t)
	w.put(0, 5)
	dir := filepath.Join(t.TempDir(), "data")
	file := bytes.NewReader(w.backup())
	plan := must(backup.Inspect(w.ctx, file, dir, w.options()))(t)
	if plan.Keys != nil || plan.Target != nil || !plan.Pinned || len(plan.Files) != 2 || plan.Files[0].Bytes != plan.Manifest.State.Bytes {
		t.Errorf("%+v", plan)
	}
	plan = must(backup.Inspect(w.ctx, file, dir, backup.Options{Keys: hsmtest.Memory(t)}))(t)
	if !errors.Is(plan.Keys, backup.ErrWrongKeys) || plan.Pinned {
		t.Errorf("%+v", plan)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a dry run wrote")
	}
}

// TestNewWrappingOfTheStoreKey: backups before and after the store key is wrapped
// anew are both opened by the same HSM.
func TestNewWrappingOfTheStoreKey(t *testing.T) {
	w := newWorld(t)
	w.put(0, 5)
	before := w.backup()
	w.ok(w.db.UpdateMeta(func(m *store.Meta) error {
		key := must(w.module.Unwrap(w.ctx, m.KEK, m.StoreKey, m.KeyAAD()))(t)
		m.KEK = must(w.module.NewKEK(w.ctx))(t)
		m.StoreKey = must(w.module.Wrap(w.ctx, m.KEK, key, m.KeyAAD()))(t)
		return nil
	}))
	w.put(5, 10)
	for i, file := range [][]byte{before, w.backup()} {
		dir := filepath.Join(t.TempDir(), "data")
		must(backup.Restore(w.ctx, bytes.NewReader(file), dir, w.options()))(t)
		r := w.restored(t, dir)
		if got := r.get(4); got != value(4) {
			t.Errorf("backup %d: %q", i, got)
		}
		if got := r.get(9); (got == value(9)) != (i == 1) {
			t.Errorf("backup %d: %q", i, got)
		}
	}
}

// TestRestoreStops: a restore that is told to stop leaves nothing.
func TestRestoreStops(t *testing.T) {
	w := newWorld(t)
	w.put(0, 50)
	dir := filepath.Join(t.TempDir(), "data")
	ctx, cancel := context.WithCancel(w.ctx)
	o := w.options()
	o.Progress = func(backup.Progress) { cancel() }
	_, err := backup.Restore(ctx, bytes.NewReader(w.backup()), dir, o)
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, serr := os.Stat(dir); (serr == nil) != (err == nil) {
		t.Errorf("after %v there is %v", err, left(t, dir))
	}
}
