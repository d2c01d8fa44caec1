package store

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
)

func TestMeta(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "state.db")
	db, err := open(Config{Path: path}, testLayout)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Meta(); !errors.Is(err, ErrEmpty) {
		t.Error("a new file:", err)
	}
	if err := db.Unseal(plain.New(testKey)); !errors.Is(err, ErrEmpty) {
		t.Error(err)
	}
	want := Meta{Instance: id.New(), CreatedAt: time.Unix(-5, 0).UTC(), KEK: []byte{1}, StoreKey: []byte{2}}
	if err := db.Init(want, plain.New(testKey[:31])); !errors.Is(err, ErrWrongKey) {
		t.Error("a short key:", err)
	}
	if err := db.Init(want, plain.New(testKey)); err != nil {
		t.Fatal(err)
	}
	if err := db.Init(want, plain.New(testKey)); !errors.Is(err, ErrNotEmpty) {
		t.Error("Init twice:", err)
	}
	wrong := bytes.Repeat([]byte{8}, KeySize)
	if err := db.Unseal(plain.New(wrong)); !errors.Is(err, ErrWrongKey) || !strings.Contains(err.Error(), "does not fit") {
		t.Error("a wrong key:", err)
	}
	if !db.Sealed() {
		t.Error("unsealed by a wrong key")
	}
	err = db.UpdateMeta(func(m *Meta) error {
		m.Schema, m.StoreKey, m.Blobs = 99, []byte{3}, map[string][]byte{"x": {4}}
		return nil
	})
	got, err2 := db.Meta()
	if err := errors.Join(err, err2); err != nil || got.Schema != 1 || got.Instance != want.Instance ||
		!got.CreatedAt.Equal(want.CreatedAt) || got.StoreKey[0] != 3 || got.Blobs["x"][0] != 4 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := db.Unseal(plain.New(testKey)); err != nil || db.Sealed() {
		t.Error(err)
	}
	if err := db.Unseal(plain.New(wrong)); !errors.Is(err, ErrWrongKey) {
		t.Error("a wrong key when unsealed:", err)
	}
	for p, mode := range map[string]os.FileMode{path: 0o600, path + ".lock": 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v, %v", filepath.Base(p), info.Mode(), err)
		}
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	db := openTest(t)
	_ = db.Close()
	tamper(t, db.cfg.Path, func(tx *bolt.Tx) error { return tx.Bucket(metaBucket).Put(keySchema, []byte("7")) })
	_, err := open(Config{Path: db.cfg.Path}, testLayout)
	if !errors.Is(err, ErrNewer) {
		t.Error(err)
	}
	for _, text := range []string{"schema 7, this one knows 1", "install that version again", "restore a backup"} {
		if !strings.Contains(fmt.Sprint(err), text) {
			t.Errorf("%v does not say %q", err, text)
		}
	}
}

func TestNewerRecordIsRefused(t *testing.T) {
	db := openTest(t)
	later := table[thing]{name: "things", version: 9}
	if err := db.update(bg, func(tx *Tx) error { return later.put(tx, []byte("a"), thing{}) }); err != nil {
		t.Fatal(err)
	}
	err := db.view(bg, func(tx *Tx) error { _, _, err := things.get(tx, []byte("a")); return err })
	if !errors.Is(err, ErrNewer) {
		t.Error(err)
	}
}

var freeze = flag.Bool("freeze", false, "write testdata/schema-N.db.gz for the present schema")

// Every file ever released opens. Each has one record a table, whose bytes say
// where it is. A frozen file is never written again.
func TestFrozenFilesOpen(t *testing.T) {
	if *freeze {
		freezeFile(t)
	}
	files, err := filepath.Glob("testdata/schema-*.db.gz")
	if err != nil || len(files) == 0 {
		t.Fatal("no frozen files:", err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			db, err := Open(Config{Path: thaw(t, f)})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := errors.Join(db.Unseal(plain.New(testKey)), db.Migrate(bg, nil)); err != nil {
				t.Fatal(err)
			}
			if n, err := db.Verify(bg); err != nil || n == 0 {
				t.Errorf("%d records: %v", n, err)
			}
		})
	}
}

// thaw unpacks a frozen file.
func thaw(t *testing.T, frozen string) (path string) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(read(t, frozen)))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func freezeFile(t *testing.T) {
	db := openCurrent(t)
	fillAll(t, db, "frozen")
	name := fmt.Sprintf("testdata/schema-%d.db.gz", Schema)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if err := errors.Join(db.Backup(bg, z), z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// openCurrent opens a store with the real tables.
func openCurrent(t testing.TB) *DB {
	t.Helper()
	db, err := Open(Config{Path: filepath.Join(t.TempDir(), "state.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := errors.Join(db.Init(Meta{}, plain.New(testKey)), db.Unseal(plain.New(testKey))); err != nil {
		t.Fatal(err)
	}
	return db
}

// fillAll puts a record with the text into each table.
func fillAll(t *testing.T, db *DB, text string) {
	t.Helper()
	err := db.update(bg, func(tx *Tx) error {
		for _, b := range db.layout.buckets {
			if err := (rawTable{b.name}).put(tx, []byte("key of "+b.name), []byte(text+" in "+b.name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Nothing that was stored can be read in the file, nor can names that became
// keys.
func TestNothingIsReadableOnDisk(t *testing.T) {
	db := openCurrent(t)
	const canary = "canary-5e1f0c"
	for range 3 { // also in pages that are free again
		fillAll(t, db, canary)
	}
	err := db.update(bg, func(tx *Tx) error {
		n := tx.name("secret", canary)
		return (rawTable{secrets.name}).put(tx, n[:], []byte(canary))
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	b := read(t, db.cfg.Path)
	if i := bytes.Index(b, []byte(canary)); i >= 0 {
		t.Errorf("readable at byte %d: %q", i, b[i:min(len(b), i+40)])
	}
	if bytes.Contains(b, testKey[:8]) {
		t.Error("the store key is in the file")
	}
	if !bytes.Contains(b, []byte("key of "+vaults.name)) {
		t.Error("the test looks at the wrong file")
	}
}

// Each bucket is listed once, and every table of the tree is a bucket.
func TestBucketListIsComplete(t *testing.T) {
	src := read(t, "schema.go")
	seen := map[string]bool{}
	for _, b := range buckets {
		if seen[b.name] {
			t.Errorf("%s is listed twice", b.name)
		}
		seen[b.name] = true
		if !bytes.Contains(src, []byte("── "+b.name+" ")) {
			t.Errorf("%s is not in the tree", b.name)
		}
		if len(b.name) > 255 {
			t.Errorf("%s: the additional data has one byte for the length", b.name)
		}
	}
	files, _ := filepath.Glob("*.go")
	for _, f := range files {
		for _, line := range strings.Split(string(read(t, f)), "\n") {
			_, rest, isTable := strings.Cut(line, `{name: "`)
			name, _, _ := strings.Cut(rest, `"`)
			if isTable && !strings.HasSuffix(f, "_test.go") && !seen[name] {
				t.Errorf("%s: table %q is not in the list", f, name)
			}
		}
	}
}

func TestFaultsSayWhatToDo(t *testing.T) {
	for err, kind := range map[*fault.Error]fault.Kind{
		ErrFull: fault.StorageFull, ErrUnwritable: fault.Unavailable, ErrSealed: fault.Sealed, ErrDamaged: fault.Internal,
	} {
		if fault.KindOf(err) != kind {
			t.Errorf("%v is %d", err, fault.KindOf(err))
		}
	}
}
