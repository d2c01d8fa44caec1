package store

import (
	"context"
	"log/slog"
	"runtime"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// A group ends when nobody is waiting, or at one of these limits: they bound
// how long the first of a group waits for the last.
const (
	maxGroupCalls = 256
	maxGroupBytes = 8 << 20
)

// errPanic is what the caller of a closure that panicked gets.
var errPanic = fault.New(fault.Internal, "internal", "an internal error; nothing was changed")

// call is one Update on its way through the writer.
type call struct {
	ctx  context.Context
	fn   func(*Tx) error
	tx   *Tx
	err  error      // the closure's own
	done chan error // capacity 1: the writer never waits for a caller
}

// group is the calls that share one commit.
type group struct {
	db      *DB
	snap    *snapshot
	bolt    *bolt.Tx
	changes changes
	bytes   int
	calls   []*call
}

// update hands fn to the writer and waits for the answer. The queue has no
// buffer: a call is either still with its caller, who may give up, or running.
func (db *DB) update(ctx context.Context, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &call{ctx: ctx, fn: fn, done: make(chan error, 1)}
	db.waiting.Add(1)
	defer db.waiting.Add(-1)
	select {
	case db.queue <- c:
	case <-ctx.Done():
		return ctx.Err()
	case <-db.closing:
		return ErrClosed
	case <-db.stopped:
		return ErrClosed
	}
	var err error
	select {
	case err = <-c.done:
	case <-db.stopped:
		select {
		case err = <-c.done:
		default:
			return ErrClosed
		}
	}
	if err != nil {
		return err
	}
	for _, f := range c.tx.onCommit {
		f()
	}
	return nil
}

// write is the writer goroutine. It ends at Close; stopped is closed even if a
// closure ended the goroutine (runtime.Goexit, as t.FailNow does), so that
// nobody waits for ever.
func (db *DB) write() {
	defer close(db.stopped)
	for {
		select {
		case c := <-db.queue:
			db.runGroup(c)
		case <-db.closing:
			return
		}
	}
}

// runGroup runs first and whoever is waiting, commits, and answers all.
func (db *DB) runGroup(first *call) {
	db.grouping.Lock()
	defer db.grouping.Unlock()
	began, g := time.Now(), &group{db: db, changes: changes{}}
	err := g.begin()
	defer g.release() // for a closure that ends the goroutine
	for c := first; c != nil; c = db.nextCall(g) {
		g.calls = append(g.calls, c)
		if err == nil {
			g.run(c)
		}
	}
	if err == nil {
		err = g.commit()
	}
	for _, c := range g.calls {
		if err != nil {
			c.done <- err
		} else {
			c.done <- c.err
		}
	}
	g.observe(began, err)
}

func (g *group) observe(began time.Time, err error) {
	if g.db.cfg.Observe == nil {
		return
	}
	callers := make([]context.Context, len(g.calls))
	for i, c := range g.calls {
		callers[i] = c.ctx
	}
	g.db.cfg.Observe(callers, g.bytes, began, err)
}

// nextCall returns a call that is waiting, or nil. Callers that were answered
// a moment ago may be about to ask again: they get one chance to run, which
// makes groups twice as large under load and costs nothing without.
func (db *DB) nextCall(g *group) *call {
	if len(g.calls) >= maxGroupCalls || g.bytes >= maxGroupBytes {
		return nil
	}
	for range 2 {
		select {
		case c := <-db.queue:
			return c
		default:
			runtime.Gosched()
		}
	}
	return nil
}

func (g *group) begin() error {
	if g.db.keys == nil {
		return g.db.closedOr(ErrSealed)
	}
	if g.db.outdated != 0 {
		return ErrOutdated
	}
	g.db.endOutage()
	b, err := g.db.beginWrite()
	if err != nil {
		return err
	}
	g.bolt = b
	g.snap = g.db.snapshot(b, uint64(b.ID())-1)
	return nil
}

// release ends the bbolt transaction if neither commit nor anything else did:
// it holds the lock of the file.
func (g *group) release() {
	if g.bolt != nil && g.bolt.DB() != nil {
		_ = g.db.abandon(g.bolt)
	}
}

// run runs one closure against its own overlay and, if it succeeds, adds its
// changes to the group's.
func (g *group) run(c *call) {
	c.tx = &Tx{ctx: c.ctx, snap: g.snap, group: g.changes, own: changes{}}
	c.err = g.safely(c)
	c.tx.end()
	if c.err == nil && g.db.readOnly.Load() && !g.db.spared(c.tx.own) {
		c.err = ErrFull
	}
	if c.err != nil {
		return
	}
	for id, ch := range c.tx.own {
		g.changes[id] = ch
		g.bytes += len(ch.plain)
	}
}

func (g *group) safely(c *call) (err error) {
	defer func() {
		if v := recover(); v != nil {
			p := newPanicError(v)
			slog.Error("panic in a transaction", "what", p.what, "stack", string(p.stack))
			err = errPanic.Because(p)
		}
	}()
	return c.fn(c.tx)
}

// commit makes the group's changes durable.
func (g *group) commit() error {
	if len(g.changes) == 0 {
		return g.db.abandon(g.bolt)
	}
	if err := g.apply(); err != nil {
		_ = g.db.abandon(g.bolt)
		return err
	}
	g.db.cache.publish(g.changes, g.snap.id+1)
	err := g.db.finish(g.bolt)
	if err != nil && !inDoubt(err) {
		g.db.cache.retract(g.changes, g.snap.id)
		return err
	}
	for id := range g.changes {
		if g.db.rights[id.table] {
			g.db.generation.Add(1)
			break
		}
	}
	return err
}

// put writes one change, and keeps the JSON of one that is late for the cache.
func (g *group) put(b *bolt.Bucket, id recordID) error {
	key := []byte(id.key)
	ch, err := g.changes[id].encoded(id.table)
	if err != nil {
		return err
	}
	if ch.late {
		g.changes[id] = ch
		g.bytes += len(ch.plain)
	}
	if ch.deleted {
		err = b.Delete(key)
	} else {
		err = b.Put(key, g.snap.keys.sealer.seal(id.table, ch.version, key, ch.plain))
	}
	if err != nil {
		return classify(err)
	}
	return nil
}

// Generation is another one after each commit that changed who may do what: agents,
// vaults, secrets or policies. Whoever keeps what follows from those asks for it
// first, and keeps it no longer than it stays the same.
func (db *DB) Generation() uint64 { return db.generation.Load() }

// apply seals the changes into the bbolt transaction.
func (g *group) apply() error {
	return guard(func() error {
		for _, id := range g.changes.sorted() {
			b, err := g.snap.bucket(id.table)
			if err != nil {
				return err
			}
			if g.db.journals[id.table] {
				b.FillPercent = 0.95
			}
			if err := g.put(b, id); err != nil {
				return err
			}
		}
		return nil
	})
}
