package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/txn"
)

// Dispatcher delivers what is in the outbox. One at a time may work on a store.
type Dispatcher struct {
	DB txn.Runner[Tx]
	// Senders are the ways out. Messages of a channel that has none stay until
	// they expire, and are delivered if it gets one.
	Senders map[Channel]Sender
	Timeout time.Duration    // of one attempt; half a minute if 0
	Now     func() time.Time // time.Now if nil
	Log     *slog.Logger     // nil means the default
}

const (
	batch      = 64 // messages looked at together
	workers    = 16 // attempts at once on one channel
	maxPause   = 5 * time.Minute
	tidyEvery  = time.Hour
	errorPause = 5 * time.Second
	markWithin = 10 * time.Second // what was delivered during a shutdown is still marked
)

// Run delivers until ctx is done: at once what is put in, later what failed.
func (d *Dispatcher) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for c, s := range d.Senders {
		all.Go(func() { d.lane(ctx, c, s) })
	}
	for {
		if err := d.tidy(ctx); err != nil && ctx.Err() == nil {
			d.log().Warn("outbox: tidying up failed; it will be tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			all.Wait()
			return ctx.Err()
		case <-time.After(tidyEvery):
		}
	}
}

// lane delivers the messages of one channel. It does not wait for another's.
func (d *Dispatcher) lane(ctx context.Context, c Channel, s Sender) {
	rung, hush := doorbell.listen()
	defer hush()
	for ctx.Err() == nil {
		_, wait, err := d.round(ctx, c, s)
		if err != nil && ctx.Err() == nil {
			d.log().Error("outbox: messages cannot be read or marked; they will be tried again", "channel", string(c), "err", err)
			wait = errorPause
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-rung:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Deliver tries everything that is due once, removes what is old, and reports
// how many messages were taken by the other side.
func (d *Dispatcher) Deliver(ctx context.Context) (sent int, err error) {
	for c, s := range d.Senders {
		for {
			n, wait, err := d.round(ctx, c, s)
			sent += n
			if err != nil {
				return sent, err
			}
			if wait > 0 {
				break
			}
		}
	}
	return sent, d.tidy(ctx)
}

// round tries a batch of what is due on a channel, and says how long there is
// nothing more to do.
func (d *Dispatcher) round(ctx context.Context, c Channel, s Sender) (sent int, wait time.Duration, err error) {
	now, wait := d.now(), maxPause
	var due []Message
	err = d.DB.View(ctx, func(tx Tx) error {
		next, err := tx.OutboxPending(c, batch)
		for _, m := range next {
			if m.NextAt.After(now) {
				wait = min(wait, m.NextAt.Sub(now))
				break
			}
			due = append(due, m)
		}
		return err
	})
	if err != nil || len(due) == 0 {
		return 0, wait, err
	}
	var (
		mu  sync.Mutex
		all sync.WaitGroup
		bad []error
	)
	seats := make(chan struct{}, workers)
	for _, m := range due {
		seats <- struct{}{}
		all.Go(func() {
			ok, err := d.attempt(ctx, s, m)
			<-seats
			mu.Lock()
			defer mu.Unlock()
			if ok {
				sent++
			}
			bad = append(bad, err)
		})
	}
	all.Wait()
	return sent, 0, errors.Join(bad...) // look again: the next one's time may have come
}

// attempt tries one message and marks what came of it.
func (d *Dispatcher) attempt(ctx context.Context, s Sender, m Message) (sent bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if d.now().After(m.NotAfter) {
		return false, d.mark(ctx, m, Message.expired)
	}
	timeout := d.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	once, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	why := s.Send(once, m)
	if why != nil && ctx.Err() != nil { // we were told to stop, which is not the other side's fault
		return false, ctx.Err()
	}
	luck := chance()
	late, stop := context.WithTimeout(context.WithoutCancel(ctx), markWithin)
	defer stop()
	err = d.mark(late, m, func(m Message, now time.Time) Message { return m.settle(why, now, luck) })
	return why == nil && err == nil, err
}

// mark replaces a message by what became of it.
func (d *Dispatcher) mark(ctx context.Context, m Message, become func(Message, time.Time) Message) error {
	now := d.now()
	var after Message
	err := d.DB.Update(ctx, func(tx Tx) error {
		was, ok, err := tx.OutboxMessage(m.ID)
		if err != nil || !ok || was.State != Pending {
			after = was
			return err
		}
		after = become(was, now)
		return tx.PutOutboxMessage(after)
	})
	if err != nil {
		return fmt.Errorf("outbox: marking %s: %w", m.ID, err)
	}
	switch after.State {
	case Failed:
		d.log().Warn("outbox: a message was given up", "message", m, "attempts", after.Attempts, "why", after.LastError)
	case Pending:
		d.log().Info("outbox: a message was not delivered and will be tried again", "message", m,
			"attempts", after.Attempts, "why", after.LastError, "next", after.NextAt)
	case Sent:
	}
	return nil
}

func (d *Dispatcher) now() time.Time {
	if d.Now != nil {
		return d.Now().UTC()
	}
	return time.Now().UTC()
}

func (d *Dispatcher) log() *slog.Logger {
	if d.Log != nil {
		return d.Log
	}
	return slog.Default()
}
