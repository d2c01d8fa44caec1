// Package storetest opens a throw-away store for the tests of other packages, and has the
// world that tests of services begin with. It must not know the services.
package storetest

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
)

// keyBlob is where Open leaves the store key for Reopen. Real data never has
// the key in Meta.
const keyBlob = "storetest: the key itself"

// Open returns an unsealed store in a folder that the test removes, under a
// random key. It is closed when the test ends.
func Open(t testing.TB) *store.DB {
	t.Helper()
	key := make([]byte, store.KeySize)
	_, _ = rand.Read(key)
	db := open(t, store.Config{Path: filepath.Join(t.TempDir(), "state.db")})
	err := db.Init(store.Meta{
		Instance:  id.New(),
		CreatedAt: time.Now().UTC(),
		Blobs:     map[string][]byte{keyBlob: key},
	}, plain.New(key))
	if err != nil {
		t.Fatal("storetest:", err)
	}
	unseal(t, db)
	return db
}

// Reopen closes db and returns its data opened anew, unsealed: what a restart
// of the daemon does.
func Reopen(t testing.TB, db *store.DB) *store.DB {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal("storetest:", err)
	}
	db = open(t, db.Config())
	unseal(t, db)
	return db
}

// Key returns the store key of a store that Open made.
func Key(t testing.TB, db *store.DB) plain.Bytes {
	t.Helper()
	m, err := db.Meta()
	if err != nil {
		t.Fatal("storetest:", err)
	}
	return plain.New(m.Blobs[keyBlob])
}

func open(t testing.TB, cfg store.Config) *store.DB {
	t.Helper()
	db, err := store.Open(cfg)
	if err != nil {
		t.Fatal("storetest:", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error("storetest:", err)
		}
	})
	return db
}

func unseal(t testing.TB, db *store.DB) {
	t.Helper()
	if err := db.Unseal(Key(t, db)); err != nil {
		t.Fatal("storetest:", err)
	}
}
