package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
)

// Anchor is a small memory outside the data file, with the keys: hsm.Module.
// What it remembers is not undone by putting an older data file back.
type Anchor interface {
	Anchor(ctx context.Context) ([]byte, error)
	SetAnchor(ctx context.Context, anchor []byte) error
}

// Checkpointer signs checkpoints of a growing log and anchors them.
type Checkpointer struct {
	DB       txn.Runner[Tx]
	Anchor   Anchor
	Instance id.ID
	Key      Key
	Events   uint64           // sign after so many; 0 means 1000
	Interval time.Duration    // sign after so long, if the log grew; 0 means a minute
	Now      func() time.Time // nil means time.Now
	Log      *slog.Logger     // nil means the default

	mu       sync.Mutex
	agreed   bool   // anchor and store were compared in this process
	anchored uint64 // size that the anchor holds, once agreed
	last     time.Time
}

// VerifierKey is the line to pin; see the function of this name.
func (c *Checkpointer) VerifierKey() (string, error) { return VerifierKey(c.Instance, c.Key.Public) }

// CheckAnchor compares the store with what the HSM remembers. It is called at
// start, before anything is served; ErrRolledBack says in its message what
// differs. An HSM that remembers nothing agrees with every store.
func (c *Checkpointer) CheckAnchor(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.checkAnchor(ctx)
}

func (c *Checkpointer) checkAnchor(ctx context.Context) error {
	a, err := readAnchor(ctx, c.Anchor)
	if err != nil {
		return err
	}
	if a != nil {
		if a.Origin != Origin(c.Instance) {
			return ErrRolledBack.Detail("the HSM remembers the audit log of %s, this store belongs to %s", a.Origin, Origin(c.Instance))
		}
		if err := c.DB.View(ctx, func(tx Tx) error { return compareAnchor(tx, *a) }); err != nil {
			return err
		}
		c.anchored = a.Size
	}
	c.agreed = true
	return nil
}

// compareAnchor reports whether the log of tx continues the one that a is of.
func compareAnchor(tx Tx, a Checkpoint) error {
	size, err := tx.AuditSize()
	if err != nil {
		return err
	}
	if size < a.Size {
		return ErrRolledBack.Detail("the store holds %d audit events, but the HSM remembers %d: an older copy was put back, or the end was cut off", size, a.Size)
	}
	root, err := rootAt(tx, a.Size)
	if err != nil && !errors.Is(err, errTile) {
		return err
	}
	if err != nil || root != a.Root {
		return ErrRolledBack.Detail("the first %d audit events are not the ones that the HSM remembers: history was changed, or another copy was put back", a.Size).Because(err)
	}
	return nil
}

// Accept makes the present log the one that the HSM remembers, although it
// disagrees: an operator restored an older copy and says so. e is the record of
// that decision; it becomes a part of what is remembered.
func (c *Checkpointer) Accept(ctx context.Context, e Event) (Checkpoint, error) {
	if err := c.DB.Update(ctx, func(tx Tx) error { return Write(ctx, tx, e) }); err != nil {
		return Checkpoint{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.agreed, c.anchored = true, 0
	return c.checkpoint(ctx)
}

// Checkpoint returns a checkpoint of the whole log: the last one if the log did
// not grow since, else a new one. It never overwrites an anchor that the store
// disagrees with.
func (c *Checkpointer) Checkpoint(ctx context.Context) (Checkpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.agreed {
		if err := c.checkAnchor(ctx); err != nil {
			return Checkpoint{}, err
		}
	}
	return c.checkpoint(ctx)
}

func (c *Checkpointer) checkpoint(ctx context.Context) (Checkpoint, error) {
	cp, err := c.current(ctx)
	if err != nil {
		return Checkpoint{}, err
	}
	if cp.Note == nil {
		if cp, err = cp.sign(ctx, c.Key); err != nil {
			return Checkpoint{}, err
		}
		// The store first: an anchor ahead of the store would be a false alarm.
		if err := c.DB.Update(ctx, func(tx Tx) error { return tx.PutAuditCheckpoint(cp.Note) }); err != nil {
			return Checkpoint{}, fmt.Errorf("audit: keep checkpoint: %w", err)
		}
	}
	if c.anchored < cp.Size { // also where a crash came between the two
		if err := c.Anchor.SetAnchor(ctx, []byte(cp.text())); err != nil {
			return Checkpoint{}, fmt.Errorf("audit: anchor: %w", err)
		}
		c.anchored = cp.Size
	}
	c.last = c.now()
	return cp, nil
}

// covering returns a checkpoint of at least size events: the last one, or a new one of
// the whole log; or how long to wait until one may be made, a second after the last.
func (c *Checkpointer) covering(ctx context.Context, size uint64) (cp Checkpoint, pause time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.agreed {
		if err := c.checkAnchor(ctx); err != nil {
			return Checkpoint{}, 0, err
		}
	}
	if c.anchored >= size {
		if cp, err := c.stored(ctx); err == nil && cp.Size >= size {
			return cp, 0, nil
		}
	} else if since := c.now().Sub(c.last); since >= 0 && since < time.Second {
		return Checkpoint{}, time.Second - since, nil
	}
	cp, err = c.checkpoint(ctx)
	return cp, 0, err
}

// stored returns the last checkpoint that was signed, whether or not the log grew
// since.
func (c *Checkpointer) stored(ctx context.Context) (Checkpoint, error) {
	vkey, err := c.VerifierKey()
	if err != nil {
		return Checkpoint{}, err
	}
	var signed []byte
	err = c.DB.View(ctx, func(tx Tx) error {
		b, err := tx.AuditCheckpoint()
		signed = bytes.Clone(b)
		return err
	})
	if err != nil || signed == nil {
		return Checkpoint{}, firstError(err, ErrCheckpoint.Detail("no checkpoint was made yet"))
	}
	return OpenCheckpoint(signed, vkey)
}

// current returns the last checkpoint if it still covers the whole log, else an
// unsigned one that does.
func (c *Checkpointer) current(ctx context.Context) (Checkpoint, error) {
	vkey, err := c.VerifierKey()
	if err != nil {
		return Checkpoint{}, fmt.Errorf("audit: checkpoint key: %w", err)
	}
	cp := Checkpoint{Origin: Origin(c.Instance), Time: c.now().UTC().Truncate(time.Second)}
	err = c.DB.View(ctx, func(tx Tx) error {
		if cp.Size, err = tx.AuditSize(); err != nil {
			return err
		}
		root, err := rootAt(tx, cp.Size)
		if err != nil {
			return err
		}
		cp.Root = root
		signed, err := tx.AuditCheckpoint()
		if err != nil || signed == nil {
			return err
		}
		// One that does not open is replaced by a good one; Verify reports it.
		last, err := OpenCheckpoint(append([]byte(nil), signed...), vkey)
		if err == nil && last.Size == cp.Size && last.Root == cp.Root {
			cp = last
		}
		return nil
	})
	return cp, err
}

// Run signs a checkpoint whenever the log grew by Events, or grew at all and
// Interval has passed, until ctx is done. The last word at shutdown is the
// caller's: Checkpoint, while the HSM still answers.
func (c *Checkpointer) Run(ctx context.Context) error {
	interval := c.Interval
	if interval <= 0 {
		interval = time.Minute
	}
	tick := time.NewTicker(min(interval, time.Second))
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		due, err := c.due(ctx, interval)
		if err == nil && due {
			_, err = c.Checkpoint(ctx)
		}
		if err != nil && !failing && ctx.Err() == nil {
			c.log().Error("audit: no checkpoint could be made", "err", err, "cause", errors.Unwrap(err))
		}
		failing = err != nil
	}
}

// due reports whether it is time for a checkpoint.
func (c *Checkpointer) due(ctx context.Context, interval time.Duration) (bool, error) {
	var size uint64
	err := c.DB.View(ctx, func(tx Tx) (err error) {
		size, err = tx.AuditSize()
		return err
	})
	if err != nil {
		return false, err
	}
	events := c.Events
	if events == 0 {
		events = 1000
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	grown := size - min(c.anchored, size)
	return grown >= events || grown > 0 && c.now().Sub(c.last) >= interval, nil
}

// covers is how many events the last checkpoint is over.
func (c *Checkpointer) covers() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.anchored
}

func (c *Checkpointer) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

func (c *Checkpointer) log() *slog.Logger {
	if c.Log != nil {
		return c.Log
	}
	return slog.Default()
}

// readAnchor returns what a remembers; nil if nothing. The anchor is a
// checkpoint's text without a signature: who can write there has the keys.
func readAnchor(ctx context.Context, a Anchor) (*Checkpoint, error) {
	raw, err := a.Anchor(ctx)
	if err != nil {
		return nil, fmt.Errorf("audit: read the anchor: %w", err)
	}
	if len(raw) == 0 {
		return nil, nil
	}
	cp, err := parseCheckpoint(string(raw))
	if err != nil {
		return nil, ErrRolledBack.Detail("what the HSM remembers of the audit log cannot be read").Because(err)
	}
	return &cp, nil
}
