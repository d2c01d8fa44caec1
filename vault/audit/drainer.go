package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/oneclaw/oneclawd/internal/txn"
)

// Bounds of one batch. They keep the Update that empties the outbox short,
// since every other writer waits for it.
const (
	drainEvents = 500
	drainBytes  = 512 * 1024
)

// Drainer moves leaves from the outbox to the archive. Whatever dies between
// its two steps, the same bytes are delivered again under the same index, and
// no leaf leaves the outbox before the archive has it for good.
type Drainer struct {
	DB      txn.Runner[Tx]
	Archive Archive
	Pause   time.Duration // between looks at the outbox; 0 means a second
	Log     *slog.Logger  // nil means the default
}

// Run drains until ctx is done. A failure is logged and tried again later: the
// events are safe in the outbox.
func (d *Drainer) Run(ctx context.Context) error {
	pause := d.Pause
	if pause <= 0 {
		pause = time.Second
	}
	d.checkArchive(ctx)
	wait := pause
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		n, err := d.Drain(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			d.log().Error("audit: draining failed; events stay in the outbox", "err", err)
			wait = min(2*max(wait, pause), time.Minute)
		case n >= drainEvents/2: // behind: go on, but let other writers in
			wait = pause / 100
		default:
			wait = pause
		}
	}
}

// Drain moves one batch and reports how many events it held.
func (d *Drainer) Drain(ctx context.Context) (int, error) {
	batch, err := d.next(ctx)
	if err != nil || len(batch) == 0 {
		return 0, err
	}
	if err := d.Archive.Append(batch); err != nil {
		return 0, fmt.Errorf("audit: archive: %w", err)
	}
	return len(batch), d.DB.Update(ctx, func(tx Tx) error {
		drained, err := tx.AuditDrained()
		if err != nil {
			return err
		}
		if drained != batch[0].Seq {
			return errors.New("audit: two drainers on one outbox")
		}
		for _, e := range batch {
			if err := tx.DeleteAuditLeaf(e.Seq); err != nil {
				return err
			}
		}
		return tx.SetAuditDrained(drained + uint64(len(batch)))
	})
}

// next copies the oldest leaves of the outbox.
func (d *Drainer) next(ctx context.Context) ([]Entry, error) {
	var batch []Entry
	err := d.DB.View(ctx, func(tx Tx) error {
		at, size, err := bounds(tx)
		if err != nil {
			return err
		}
		for n := 0; at < size && len(batch) < drainEvents && n < drainBytes; at++ {
			raw, err := tx.AuditLeaf(at)
			if err != nil {
				return err
			}
			if raw == nil { // never skipped: a gap must not become invisible
				return fmt.Errorf("audit: event %d is missing from the outbox", at)
			}
			batch = append(batch, Entry{at, bytes.Clone(raw)})
			n += len(raw)
		}
		return nil
	})
	return batch, err
}

// checkArchive tells the operator of an archive that lost its end: nothing can
// bring those events back, and Verify will name the first.
func (d *Drainer) checkArchive(ctx context.Context) {
	next, err := d.Archive.Next()
	if err != nil {
		d.log().Error("audit: the archive cannot be read", "err", err)
		return
	}
	_ = d.DB.View(ctx, func(tx Tx) error {
		if drained, err := tx.AuditDrained(); err == nil && next < drained {
			d.log().Error("audit: the archive is older than the store", "archived", next, "drained", drained)
		}
		return nil
	})
}

func (d *Drainer) log() *slog.Logger {
	if d.Log != nil {
		return d.Log
	}
	return slog.Default()
}

// bounds returns which events are in the outbox: those of [drained, size).
func bounds(tx Tx) (drained, size uint64, err error) {
	if size, err = tx.AuditSize(); err != nil {
		return 0, 0, err
	}
	drained, err = tx.AuditDrained()
	return min(drained, size), size, err
}
