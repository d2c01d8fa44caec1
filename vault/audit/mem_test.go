package audit

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/oneclaw/oneclawd/internal/id"
)

type tileKey struct {
	level int
	n     uint64
}

// memState is everything a Tx keeps. Its values are never changed in place.
type memState struct {
	size, drained uint64
	chains        map[id.ID]ChainHead
	tiles         map[tileKey][]byte
	leaves        map[uint64][]byte
	checkpoint    []byte
}

// memDB is a txn.Runner over a map, until a real store is at hand.
type memDB struct {
	mu    sync.RWMutex
	state memState
	fail  error // returned by Update's commit
}

func newMemDB() *memDB {
	return &memDB{state: memState{
		chains: map[id.ID]ChainHead{}, tiles: map[tileKey][]byte{}, leaves: map[uint64][]byte{},
	}}
}

func (db *memDB) View(_ context.Context, fn func(Tx) error) error {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return fn(&memTx{s: &db.state})
}

func (db *memDB) Update(_ context.Context, fn func(Tx) error) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	tx := &memTx{s: &db.state}
	err := fn(tx)
	if err == nil {
		err = db.fail
	}
	if err != nil {
		for _, undo := range slices.Backward(tx.undo) {
			undo()
		}
		return err
	}
	for _, f := range tx.hooks {
		f()
	}
	return nil
}

// snapshot copies the store, as a backup would.
func (db *memDB) snapshot() *memDB {
	db.mu.RLock()
	defer db.mu.RUnlock()
	s := db.state
	s.chains, s.tiles, s.leaves = maps.Clone(s.chains), maps.Clone(s.tiles), maps.Clone(s.leaves)
	return &memDB{state: s}
}

type memTx struct {
	s     *memState
	hooks []func()
	undo  []func()
}

func put[K comparable, V any](t *memTx, m map[K]V, k K, v V) {
	old, ok := m[k]
	t.undo = append(t.undo, func() {
		if ok {
			m[k] = old
		} else {
			delete(m, k)
		}
	})
	m[k] = v
}

func set[V any](t *memTx, p *V, v V) {
	old := *p
	t.undo = append(t.undo, func() { *p = old })
	*p = v
}

func (t *memTx) AuditSize() (uint64, error)              { return t.s.size, nil }
func (t *memTx) SetAuditSize(n uint64) error             { set(t, &t.s.size, n); return nil }
func (t *memTx) AuditChain(org id.ID) (ChainHead, error) { return t.s.chains[org], nil }
func (t *memTx) PutAuditChain(org id.ID, h ChainHead) error {
	put(t, t.s.chains, org, h)
	return nil
}
func (t *memTx) AuditTile(level int, n uint64) ([]byte, error) {
	return t.s.tiles[tileKey{level, n}], nil
}
func (t *memTx) PutAuditTile(level int, n uint64, b []byte) error {
	put(t, t.s.tiles, tileKey{level, n}, bytes.Clone(b))
	return nil
}
func (t *memTx) AuditLeaf(seq uint64) ([]byte, error) { return t.s.leaves[seq], nil }
func (t *memTx) PutAuditLeaf(seq uint64, b []byte) error {
	put(t, t.s.leaves, seq, bytes.Clone(b))
	return nil
}
func (t *memTx) DeleteAuditLeaf(seq uint64) error {
	if old, ok := t.s.leaves[seq]; ok {
		t.undo = append(t.undo, func() { t.s.leaves[seq] = old })
		delete(t.s.leaves, seq)
	}
	return nil
}
func (t *memTx) AuditDrained() (uint64, error)    { return t.s.drained, nil }
func (t *memTx) SetAuditDrained(n uint64) error   { set(t, &t.s.drained, n); return nil }
func (t *memTx) AuditCheckpoint() ([]byte, error) { return t.s.checkpoint, nil }
func (t *memTx) PutAuditCheckpoint(b []byte) error {
	set(t, &t.s.checkpoint, bytes.Clone(b))
	return nil
}
func (t *memTx) OnCommit(fn func()) { t.hooks = append(t.hooks, fn) }
