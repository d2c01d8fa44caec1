package auditstream

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"time"

	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// Tx is what a Streamer needs of a store transaction.
type Tx interface {
	// AuditSize is how many events the log holds.
	AuditSize() (uint64, error)
	// StreamCursor is the index of the first event that a sink has not taken; 0
	// if it has taken none.
	StreamCursor(sink string) (uint64, error)
	PutStreamCursor(sink string, next uint64) error
}

// EventSource reads the audit log; an *audit.Log is one.
type EventSource interface {
	// Since returns events from an index on, and the index to go on from.
	Since(ctx context.Context, from uint64) (records []audit.Record, next uint64, err error)
}

// Event is an event and how the API shows it: one line of JSON, without its end.
type Event struct {
	audit.Record
	JSON []byte
}

// Sink is where events go.
type Sink interface {
	// Send returns nil once the destination has all of the events. After an error
	// it may have some; all are sent again.
	Send(ctx context.Context, events []Event) error
}

// Streamer sends the log to one sink. One at a time may be at work for a name.
type Streamer struct {
	DB     txn.Runner[Tx]
	Events EventSource
	Encode func(audit.Record) ([]byte, error) // as the API shows it
	Sink   Sink
	Name   string        // of the cursor in the store, and in logs
	Pause  time.Duration // between looks at the log; a second if 0
	Log    *slog.Logger  // nil means the default
}

// maxWait is how long a failing sink is left alone at most.
const maxWait = time.Minute

// Run sends until ctx is done, and returns its error. What fails is logged and
// tried again after a while: twice as long each time, up to a minute, and by
// chance up to half of it sooner, so that appliances that lost the same server
// do not come back to it at one instant.
func (s *Streamer) Run(ctx context.Context) error {
	pause := s.Pause
	if pause <= 0 {
		pause = time.Second
	}
	wait, failing := time.Duration(0), pause
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		more, err := s.Step(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			s.log().Warn("the audit log cannot be streamed; it will be tried again", "sink", s.Name, "err", err)
			wait = sooner(failing)
			failing = min(2*failing, maxWait)
			continue
		case more:
			wait = pause / 1000 // behind: go on, but let others in
		default:
			wait = pause
		}
		failing = pause
	}
}

// sooner is d less up to half of it.
func sooner(d time.Duration) time.Duration {
	less, err := rand.Int(rand.Reader, big.NewInt(int64(d/2)+1))
	if err != nil {
		return d // never: crypto/rand does not fail
	}
	return d - time.Duration(less.Int64())
}

// Step sends the next events, moves the cursor behind them, and reports whether
// there are more.
func (s *Streamer) Step(ctx context.Context) (more bool, err error) {
	at, size, err := s.place(ctx)
	if err != nil || at >= size {
		return false, err
	}
	records, next, err := s.Events.Since(ctx, at)
	if err != nil || next <= at {
		return false, err
	}
	if missing := next - at - uint64(len(records)); missing > 0 {
		s.log().Warn("events that are no longer in the audit log, or cannot be read, are not streamed",
			"sink", s.Name, "missing", missing, "from", at, "to", next)
	}
	events := make([]Event, len(records))
	for i, r := range records {
		events[i].Record = r
		if events[i].JSON, err = s.Encode(r); err != nil {
			return false, fmt.Errorf("auditstream: event %d: %w", r.Index, err)
		}
	}
	if len(events) > 0 {
		if err := s.Sink.Send(ctx, events); err != nil {
			return false, err
		}
	}
	// What was taken is not sent again only because we stop at this moment.
	return next < size, s.move(context.WithoutCancel(ctx), at, next)
}

// Lag is how many events the sink has not taken yet.
func (s *Streamer) Lag(ctx context.Context) (uint64, error) {
	at, size, err := s.place(ctx)
	return size - min(at, size), err
}

func (s *Streamer) place(ctx context.Context) (at, size uint64, err error) {
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		if size, err = tx.AuditSize(); err != nil {
			return err
		}
		at, err = tx.StreamCursor(s.Name)
		return err
	})
	return at, size, err
}

var errTwoStreamers = errors.New("auditstream: another streamer moved the cursor")

func (s *Streamer) move(ctx context.Context, from, to uint64) error {
	err := s.DB.Update(ctx, func(tx Tx) error {
		switch have, err := tx.StreamCursor(s.Name); {
		case err != nil:
			return err
		case have != from:
			return errTwoStreamers
		}
		return tx.PutStreamCursor(s.Name, to)
	})
	if err != nil {
		return fmt.Errorf("auditstream: the cursor of %s: %w", s.Name, err)
	}
	return nil
}

func (s *Streamer) log() *slog.Logger {
	if s.Log != nil {
		return s.Log
	}
	return slog.Default()
}
