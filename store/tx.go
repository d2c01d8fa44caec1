package store

import (
	"context"
	"encoding/hex"
	"fmt"
	"reflect"

	bolt "go.etcd.io/bbolt"

	"github.com/oneclaw/oneclawd/internal/txn"
)

// Tx is one transaction. Its methods, grouped in one file per domain package,
// satisfy the Tx interface of every domain package. It ends with the closure
// it was given to and is used by that goroutine only.
type Tx struct {
	ctx      context.Context
	snap     *snapshot
	group    changes  // of the closures before this one; nil in View
	own      changes  // of this closure; nil in View
	onCommit []func() // run once the group is durable, before Update returns
	done     bool
}

// snapshot reads the last durable state through one bbolt transaction.
type snapshot struct {
	db      *DB
	bolt    *bolt.Tx
	id      uint64 // of the newest commit it includes
	keys    *keyring
	buckets map[string]*bolt.Bucket
}

// Runner narrows db to the transaction interface T of one domain package.
func Runner[T any](db *DB) txn.Runner[T] {
	if _, ok := any((*Tx)(nil)).(T); !ok {
		panic(fmt.Sprintf("store: *Tx does not implement %v", reflect.TypeFor[T]()))
	}
	return runner[T]{db}
}

type runner[T any] struct{ db *DB }

func (r runner[T]) View(ctx context.Context, fn func(T) error) error {
	return r.db.view(ctx, func(t *Tx) error { return fn(any(t).(T)) })
}

func (r runner[T]) Update(ctx context.Context, fn func(T) error) error {
	return r.db.update(ctx, func(t *Tx) error { return fn(any(t).(T)) })
}

// view runs fn on a snapshot. Seal and Close wait for it, so fn must be short;
// and it must not open a transaction itself, which could wait for them.
func (db *DB) view(ctx context.Context, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	db.using.RLock()
	defer db.using.RUnlock()
	if db.keys == nil {
		return db.closedOr(ErrSealed)
	}
	if db.outdated != 0 {
		return ErrOutdated
	}
	b, err := db.bolt.Begin(false)
	if err != nil {
		return classify(err)
	}
	defer func() { _ = b.Rollback() }()
	t := &Tx{ctx: ctx, snap: db.snapshot(b, uint64(b.ID()))}
	defer t.end()
	return fn(t)
}

func (db *DB) snapshot(b *bolt.Tx, id uint64) *snapshot {
	return &snapshot{db: db, bolt: b, id: id, keys: db.keys, buckets: make(map[string]*bolt.Bucket, 4)}
}

// end makes every later use of t an error: closures that keep their Tx are
// found in tests rather than by a crash inside bbolt.
func (t *Tx) end() { t.done = true }

// OnCommit runs fn once what t wrote is durable, on the goroutine of Update's
// caller and before Update returns; never if t failed.
func (t *Tx) OnCommit(fn func()) { t.onCommit = append(t.onCommit, fn) }

// name is DB.Name for the methods of Tx.
func (t *Tx) name(parts ...string) [NameSize]byte { return t.snap.keys.nameOf(parts...) }

// get returns a record as this transaction sees it.
func (t *Tx) get(table string, key []byte) (record, bool, error) {
	if t.done {
		return record{}, false, errTxDone
	}
	for _, set := range [2]changes{t.own, t.group} {
		if ch, known := set.get(table, key); known {
			return ch.record, !ch.deleted, nil
		}
	}
	return t.snap.get(table, key)
}

// set changes a record as this transaction and those after it see it.
func (t *Tx) set(table string, key []byte, ch change) error {
	switch {
	case t.done:
		return errTxDone
	case t.own == nil:
		return errReadOnly
	case len(key) == 0 || len(key) > bolt.MaxKeySize:
		return errKeySize
	}
	t.own[recordID{table, string(key)}] = ch
	return nil
}

func (s *snapshot) bucket(table string) (*bolt.Bucket, error) {
	b := s.buckets[table]
	if b == nil {
		if b = s.bolt.Bucket([]byte(table)); b == nil {
			return nil, fmt.Errorf("%w: %q", errUnknownTable, table)
		}
		s.buckets[table] = b
	}
	return b, nil
}

func (s *snapshot) get(table string, key []byte) (rec record, found bool, err error) {
	if rec, ok := s.db.cache.get(table, key, s.id); ok {
		return rec, !rec.absent, nil
	}
	err = guard(func() error {
		b, err := s.bucket(table)
		if err != nil {
			return err
		}
		raw := b.Get(key)
		if raw == nil {
			return nil
		}
		found = true
		rec, err = s.open(table, key, raw)
		return err
	})
	switch {
	case err != nil:
	case !found && s.db.sparse[table]:
		s.db.cache.fill(table, key, record{absent: true}, s.id)
	case found && !s.db.journals[table]:
		s.db.cache.fill(table, key, rec, s.id)
	}
	return rec, found && err == nil, err
}

func (s *snapshot) open(table string, key, raw []byte) (record, error) {
	plain, version, err := s.keys.sealer.open(table, key, raw)
	if err != nil {
		return record{}, damaged(table, key, err)
	}
	return record{plain: plain, version: version, memo: new(memo)}, nil
}

// damaged names the record that cannot be read. Record keys are identifiers
// and Names, so the name of a record tells no secret.
func damaged(table string, key []byte, cause error) error {
	return ErrDamaged.Detail("record %s of %s is damaged", hex.EncodeToString(key), table).Because(cause)
}
