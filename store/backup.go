package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"io"
	"math/big"

	bolt "go.etcd.io/bbolt"

	"github.com/oneclaw/oneclawd/internal/id"
)

// Snapshot is the file as it was at one instant, for as long as it is open.
// Writers go on meanwhile; pages that they replace stay in the file until the
// snapshot is closed, so the file may grow by what is written. Close it soon.
type Snapshot struct {
	db   *DB
	bolt *bolt.Tx
}

// Snapshot opens one. It needs no keys, and survives Seal; DB.Close waits for it.
func (db *DB) Snapshot() (*Snapshot, error) {
	db.backups.RLock()
	var tx *bolt.Tx
	err := guard(func() (err error) {
		tx, err = db.bolt.Begin(false)
		return err
	})
	if err != nil {
		db.backups.RUnlock()
		return nil, classify(err)
	}
	return &Snapshot{db, tx}, nil
}

// Close lets go of the snapshot. It is called once.
func (s *Snapshot) Close() {
	_ = s.bolt.Rollback()
	s.db.backups.RUnlock()
}

// Size is how many bytes Write writes.
func (s *Snapshot) Size() int64 { return s.bolt.Size() }

// Meta is what can be read without keys.
func (s *Snapshot) Meta() (m Meta, err error) {
	err = guard(func() error {
		h, err := s.db.loadHead(s.bolt)
		m = h.Meta
		return err
	})
	return m, err
}

// Write writes the file: sealed records, and the wrapped keys of Meta.
func (s *Snapshot) Write(ctx context.Context, w io.Writer) error {
	out := &backupWriter{ctx: ctx, w: w}
	return guard(func() error {
		_, err := s.bolt.WriteTo(out)
		return cmp.Or(out.err, err) // bbolt wraps by text only
	})
}

// Tables returns how many records each table has.
func (s *Snapshot) Tables(ctx context.Context) (map[string]uint64, error) {
	counts := map[string]uint64{}
	err := guard(func() error {
		for _, tb := range s.db.layout.buckets {
			b := s.bolt.Bucket([]byte(tb.name))
			if b == nil {
				continue // of a schema before, or of a table that is new
			}
			n := uint64(0)
			c := b.Cursor()
			for key, _ := c.First(); key != nil; key, _ = c.Next() {
				if n++; n%4096 == 0 && ctx.Err() != nil {
					return ctx.Err()
				}
			}
			counts[tb.name] = n
		}
		return nil
	})
	return counts, err
}

// View runs fn on the snapshot's records, which takes an unsealed store. Seal
// waits for it.
func (s *Snapshot) View(ctx context.Context, fn func(*Tx) error) error {
	s.db.using.RLock()
	defer s.db.using.RUnlock()
	if s.db.keys == nil {
		return s.db.closedOr(ErrSealed)
	}
	t := &Tx{ctx: ctx, snap: s.db.snapshot(s.bolt, uint64(s.bolt.ID()))}
	defer t.end()
	return fn(t)
}

// SealedValue names an envelope: the version of a secret.
type SealedValue struct {
	Secret id.ID
	Number uint32
}

// SealedValues calls fn with each of the sealed values, of every version.
func (s *Snapshot) SealedValues(ctx context.Context, fn func(SealedValue) error) error {
	var c *bolt.Cursor
	var key []byte
	step := func() error {
		return guard(func() error {
			if c != nil {
				key, _ = c.Next()
			} else if b := s.bolt.Bucket([]byte(envelopes.name)); b != nil {
				c = b.Cursor()
				key, _ = c.First()
			}
			return ctx.Err()
		})
	}
	for {
		if err := step(); err != nil || key == nil {
			return err
		}
		if len(key) != len(id.ID{})+4 {
			return damaged(envelopes.name, key, errKeySize)
		}
		v := SealedValue{id.ID(key[:len(id.ID{})]), binary.BigEndian.Uint32(key[len(id.ID{}):])}
		if err := fn(v); err != nil {
			return err
		}
	}
}

// Sample draws n of the sealed values, all of them if there are fewer, each as
// likely as any other.
func (s *Snapshot) Sample(ctx context.Context, n int) (drawn []SealedValue, err error) {
	seen := 0
	err = s.SealedValues(ctx, func(v SealedValue) error {
		if seen++; len(drawn) < n {
			drawn = append(drawn, v)
		} else if at := below(seen); at < n {
			drawn[at] = v
		}
		return nil
	})
	return drawn, err
}

// below is a random number of [0, n).
func below(n int) int {
	at, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		return n // never: crypto/rand does not fail
	}
	return int(at.Int64())
}

// Backup writes a copy of the file as it is now. Work goes on meanwhile.
func (db *DB) Backup(ctx context.Context, w io.Writer) error {
	s, err := db.Snapshot()
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Write(ctx, w)
}

// backupWriter stops writing when ctx ends, and keeps the first error.
type backupWriter struct {
	ctx context.Context
	w   io.Writer
	err error
}

func (b *backupWriter) Write(p []byte) (n int, err error) {
	if b.err = b.ctx.Err(); b.err == nil {
		n, b.err = b.w.Write(p)
	}
	return n, b.err
}

// Verify opens every record of one snapshot and returns how many there are, or
// the first that is damaged. CheckFile looks at the pages, Verify at what is
// on them; a backup that passes both can be restored.
func (db *DB) Verify(ctx context.Context) (records int, err error) {
	err = db.view(ctx, func(t *Tx) error {
		return guard(func() error {
			for _, tb := range db.layout.buckets {
				n, err := t.verify(tb.name)
				records += n
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
	return records, err
}

func (t *Tx) verify(table string) (n int, err error) {
	b, err := t.snap.bucket(table)
	if err != nil {
		return 0, err
	}
	return n, b.ForEach(func(key, raw []byte) error {
		n++
		if n%256 == 0 && t.ctx.Err() != nil {
			return t.ctx.Err()
		}
		_, err := t.snap.open(table, key, raw)
		return err
	})
}
