package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// The engine is tested with tables of its own, so that it needs no domain.
type thing struct {
	Name string
	N    int
}

var (
	things     = table[thing]{name: "things", version: 1}
	blobs      = rawTable{name: "blobs"}
	testLayout = layout{schema: 1, buckets: []bucket{{name: "things"}, {name: "blobs", journal: true}}}
	testKey    = bytes.Repeat([]byte{7}, KeySize)
	bg         = context.Background()
)

func openTest(t testing.TB) *DB {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "state.db"))
}

// openAt opens, initialises if need be, and unseals.
func openAt(t testing.TB, path string) *DB {
	t.Helper()
	db, err := open(Config{Path: path}, testLayout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Meta(); errors.Is(err, ErrEmpty) {
		if err := db.Init(Meta{}, plain.New(testKey)); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Unseal(plain.New(testKey)); err != nil {
		t.Fatal(err)
	}
	return db
}

func put(t testing.TB, db *DB, key string, v thing) {
	t.Helper()
	if err := db.update(bg, func(tx *Tx) error { return things.put(tx, []byte(key), v) }); err != nil {
		t.Fatal(err)
	}
}

// get reads by View; a missing thing is the zero thing.
func get(t testing.TB, db *DB, key string) (v thing) {
	t.Helper()
	err := db.view(bg, func(tx *Tx) (err error) {
		v, _, err = things.get(tx, []byte(key))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// tamper changes the file of a closed store behind its back.
func tamper(t testing.TB, path string, fn func(tx *bolt.Tx) error) {
	t.Helper()
	b, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Update(fn); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
