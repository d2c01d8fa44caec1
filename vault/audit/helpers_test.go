package audit

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

// memArchive is an Archive over a map.
type memArchive struct {
	mu     sync.Mutex
	leaves map[uint64][]byte
	next   uint64
	fail   error
}

func newMemArchive() *memArchive { return &memArchive{leaves: map[uint64][]byte{}} }

func (a *memArchive) Append(batch []Entry) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail != nil {
		return a.fail
	}
	for _, e := range batch {
		a.leaves[e.Seq] = slices.Clone(e.Leaf)
		a.next = e.Seq + 1
	}
	return nil
}

func (a *memArchive) fails(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fail = err
}

func (a *memArchive) Leaf(seq uint64) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.leaves[seq], nil
}

func (a *memArchive) Ascend(from, to uint64, fn func(Entry) bool) error {
	for seq := from; seq < to; seq++ {
		if raw, _ := a.Leaf(seq); raw != nil && !fn(Entry{seq, raw}) {
			return nil
		}
	}
	return nil
}

func (a *memArchive) Descend(from, to uint64, fn func(Entry) bool) error {
	for seq := to; seq > from; seq-- {
		if raw, _ := a.Leaf(seq - 1); raw != nil && !fn(Entry{seq - 1, raw}) {
			return nil
		}
	}
	return nil
}

func (a *memArchive) Next() (uint64, error) { return a.next, nil }
func (a *memArchive) Close() error          { return nil }

// memAnchor is the HSM's memory.
type memAnchor struct {
	mu    sync.Mutex
	bytes []byte
	fail  error
}

func (a *memAnchor) Anchor(context.Context) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bytes, a.fail
}

func (a *memAnchor) SetAnchor(_ context.Context, b []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail == nil {
		a.bytes = slices.Clone(b)
	}
	return a.fail
}

// world is an appliance's audit log with everything around it.
type world struct {
	t       testing.TB
	db      *memDB
	archive *memArchive
	anchor  *memAnchor
	log     *Log
	key     ed25519.PrivateKey
	vkey    string
	orgs    []id.ID
	now     time.Time
	n       int
}

func newWorld(t testing.TB) *world {
	w := &world{
		t: t, db: newMemDB(), archive: newMemArchive(), anchor: new(memAnchor),
		key:  ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)),
		orgs: []id.ID{id.New(), id.New(), {}},
		now:  time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
	w.rewire(w.db, id.New())
	return w
}

// rewire puts the log on db, as a restart would.
func (w *world) rewire(db *memDB, instance id.ID) {
	w.db = db
	cp := &Checkpointer{
		DB: db, Anchor: w.anchor, Instance: instance, Now: func() time.Time { return w.now },
		Key: Key{Public: w.key.Public().(ed25519.PublicKey), Sign: func(_ context.Context, m []byte) ([]byte, error) {
			return ed25519.Sign(w.key, m), nil
		}},
	}
	w.log = &Log{DB: db, Archive: w.archive, Checkpoints: cp}
	w.vkey = must[string](w.t)(cp.VerifierKey())
}

func (w *world) restart(db *memDB) { w.rewire(db, w.log.Checkpoints.Instance) }

// event is the n-th of a varied stream over two organisations and none.
func (w *world) event(n int) Event {
	return Event{
		Org: w.orgs[n%len(w.orgs)], Actor: Actor{Type: "agent", ID: id.New()}, Action: SecretRead,
		Resource: Resource{Type: "secret", ID: fmt.Sprintf("s-%d", n)},
		Details:  Details{"path": fmt.Sprintf("prod/key-%d", n), "vault_id": "v-1", "n": n},
		Inputs:   InputsHash("n", fmt.Sprint(n)), Policies: []id.ID{{1}, {2}},
		IP: "10.0.0.1", Time: w.now.Add(time.Duration(n) * time.Second),
	}
}

// grow appends n events.
func (w *world) grow(n int) {
	w.t.Helper()
	for range n {
		w.add(w.event(w.n))
	}
}

func (w *world) add(e Event) Receipt {
	w.t.Helper()
	var r Receipt
	w.must(w.db.Update(w.t.Context(), func(tx Tx) (err error) {
		r, err = Append(tx, e)
		return err
	}))
	w.n++
	return r
}

// drain moves up to n events to the archive, in one batch or more.
func (w *world) drain() {
	w.t.Helper()
	d := &Drainer{DB: w.db, Archive: w.archive}
	for {
		n, err := d.Drain(w.t.Context())
		w.must(err)
		if n == 0 {
			return
		}
	}
}

func (w *world) checkpoint() Checkpoint {
	w.t.Helper()
	return must[Checkpoint](w.t)(w.log.Checkpoint(w.t.Context()))
}

// leaf returns a record wherever it is.
func (w *world) leaf(seq uint64) []byte {
	w.t.Helper()
	return must[[]byte](w.t)(w.log.leaf(w.t.Context(), seq))
}

// put replaces a record behind the log's back; nil removes it.
func (w *world) put(seq uint64, raw []byte) {
	for _, m := range []map[uint64][]byte{w.archive.leaves, w.db.state.leaves} {
		if m[seq] != nil {
			m[seq] = raw
			if raw == nil {
				delete(m, seq)
			}
		}
	}
}

func (w *world) eventID(seq uint64) id.ID {
	w.t.Helper()
	return must[*leaf](w.t)(decodeLeaf(w.leaf(seq))).ID
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func must[V any](t testing.TB) func(V, error) V {
	return func(v V, err error) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
