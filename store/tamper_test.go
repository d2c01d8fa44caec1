package store

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// emptyArchive is one that nothing was drained to.
type emptyArchive struct{ audit.Archive }

func (emptyArchive) Leaf(uint64) ([]byte, error)                          { return nil, nil }
func (emptyArchive) Ascend(uint64, uint64, func(audit.Entry) bool) error  { return nil }
func (emptyArchive) Descend(uint64, uint64, func(audit.Entry) bool) error { return nil }

// rememberedAnchor is a token's memory.
type rememberedAnchor struct{ text []byte }

func (a *rememberedAnchor) Anchor(context.Context) ([]byte, error) { return a.text, nil }
func (a *rememberedAnchor) SetAnchor(_ context.Context, text []byte) error {
	a.text = bytes.Clone(text)
	return nil
}

func openLog(t *testing.T, path string, anchor *rememberedAnchor) (*DB, *audit.Log) {
	t.Helper()
	db, err := Open(Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Meta(); err != nil {
		if err := db.Init(Meta{}, plain.New(testKey)); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Unseal(plain.New(testKey)); err != nil {
		t.Fatal(err)
	}
	run, key := Runner[audit.Tx](db), ed25519.NewKeyFromSeed(testKey)
	return db, &audit.Log{DB: run, Archive: emptyArchive{}, Checkpoints: &audit.Checkpointer{
		DB: run, Anchor: anchor, Key: audit.Key{
			Public: key.Public().(ed25519.PublicKey),
			Sign:   func(_ context.Context, m []byte) ([]byte, error) { return ed25519.Sign(key, m), nil },
		},
	}}
}

// at returns the key and the value of the n-th record of a bucket.
func at(b *bolt.Bucket, n int) (key, value []byte) {
	c := b.Cursor()
	key, value = c.First()
	for ; n > 0; n-- {
		key, value = c.Next()
	}
	return bytes.Clone(key), bytes.Clone(value)
}

func flipRecord(b *bolt.Bucket, n int) error {
	key, value := at(b, n)
	value[len(value)/2] ^= 1
	return b.Put(key, value)
}

func swapRecords(b *bolt.Bucket, n, m int) error {
	k1, v1 := at(b, n)
	k2, v2 := at(b, m)
	if err := b.Put(k1, v2); err != nil {
		return err
	}
	return b.Put(k2, v1)
}

func dropRecord(b *bolt.Bucket, n int) error {
	key, _ := at(b, n)
	return b.Delete(key)
}

// TestVerifyNamesWhatWasDoneToTheFile: records are sealed, so what is done to the file
// shows as records that do not open. Verify finds it all the same, and says where.
func TestVerifyNamesWhatWasDoneToTheFile(t *testing.T) {
	path, anchor := filepath.Join(t.TempDir(), "state.db"), new(rememberedAnchor)
	db, log := openLog(t, path, anchor)
	orgs := []id.ID{id.New(), id.New()}
	for n := range 300 { // more than a tile
		err := log.DB.Update(bg, func(tx audit.Tx) error { return audit.Write(bg, tx, testEvent(orgs[n%2])) })
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := log.Checkpoint(bg); err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	whole := read(t, path)
	for name, c := range map[string]struct {
		bucket  string
		do      func(b *bolt.Bucket) error
		finding audit.Finding // "": nothing is wrong
		index   uint64
		text    string
	}{
		"nothing":              {"audit-leaf", func(*bolt.Bucket) error { return nil }, "", 0, ""},
		"a record flipped":     {"audit-leaf", func(b *bolt.Bucket) error { return flipRecord(b, 123) }, audit.Changed, 123, "not the one that was logged"},
		"records swapped":      {"audit-leaf", func(b *bolt.Bucket) error { return swapRecords(b, 77, 78) }, audit.Changed, 77, "not the one"},
		"a record dropped":     {"audit-leaf", func(b *bolt.Bucket) error { return dropRecord(b, 299) }, audit.Missing, 299, "missing"},
		"a tile flipped":       {"audit-tile", func(b *bolt.Bucket) error { return flipRecord(b, 1) }, audit.BadTree, 256, "the record is right"},
		"tiles swapped":        {"audit-tile", func(b *bolt.Bucket) error { return swapRecords(b, 0, 1) }, audit.BadTree, 0, "the record is right"},
		"the checkpoint":       {"audit-checkpoint", func(b *bolt.Bucket) error { return flipRecord(b, 0) }, audit.BadCheckpoint, 0, "cannot be read"},
		"the checkpoint gone":  {"audit-checkpoint", func(b *bolt.Bucket) error { return dropRecord(b, 0) }, audit.BadCheckpoint, 0, "although one was made"},
		"the size":             {"audit-counter", func(b *bolt.Bucket) error { return flipRecord(b, 0) }, audit.BadTree, 0, "how many records"},
		"the size gone":        {"audit-counter", func(b *bolt.Bucket) error { return dropRecord(b, 0) }, audit.Truncated, 0, "the log ends before record 0"},
		"the end of a chain":   {"audit-chain", func(b *bolt.Bucket) error { return flipRecord(b, 0) }, audit.Broken, 300, "the next one will not follow it"},
		"the end gone":         {"audit-chain", func(b *bolt.Bucket) error { return dropRecord(b, 0) }, audit.Broken, 300, "the next one will not follow it"},
		"the ends of two orgs": {"audit-chain", func(b *bolt.Bucket) error { return swapRecords(b, 0, 1) }, audit.Broken, 300, "the next one will not follow it"},
	} {
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		tamper(t, path, func(tx *bolt.Tx) error { return c.do(tx.Bucket([]byte(c.bucket))) })
		db, log := openLog(t, path, anchor)
		rep, err := log.Verify(bg, audit.Scope{Everyone: true})
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case c.finding == "":
			if !rep.OK() || rep.Verified != 300 {
				t.Errorf("%s: %+v", name, rep)
			}
		case rep.OK():
			t.Errorf("%s is not noticed", name)
		default:
			if p := rep.Problems[0]; p.Finding != c.finding || p.Index != c.index || !strings.Contains(p.Text, c.text) {
				t.Errorf("%s: %+v", name, p)
			}
		}
		if c.bucket == "audit-leaf" { // the others can still be looked at
			if events, err := log.Query(bg, orgs[0], audit.Filter{Limit: 300}); err != nil || len(events) < 149 {
				t.Errorf("%s: %d events, %v", name, len(events), err)
			}
		}
		_ = db.Close()
	}
}
