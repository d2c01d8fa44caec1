package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/outbox"
)

// Kind is the kind of a delivery in the outbox.
const Kind outbox.Kind = "webhook"

// EventSource reads the audit log; an *audit.Log is one.
type EventSource interface {
	// Since returns events from an index on, and the index to go on from.
	Since(ctx context.Context, from uint64) (records []audit.Record, next uint64, err error)
}

// Follower makes deliveries of events. One at a time may follow a log.
type Follower struct {
	DB     txn.Runner[Tx]
	Events EventSource
	Pause  time.Duration    // between looks at the log; a second if 0
	Now    func() time.Time // time.Now if nil
	Log    *slog.Logger     // nil means the default

	at uint64 // everything below was looked at, if it is more than the cursor says
}

// What one transaction does at most: other writers wait for it.
const (
	maxDeliveries = 100
	cursorEvery   = 5000 // events that nobody wanted are not worth a commit
)

// Run follows the log until ctx is done. A failure is logged and tried again:
// the events stay where they are.
func (f *Follower) Run(ctx context.Context) error {
	pause := f.Pause
	if pause <= 0 {
		pause = time.Second
	}
	wait := pause
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		more, err := f.Step(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			f.log().Error("webhook: the audit log cannot be followed; it will be tried again", "err", err)
			wait = min(2*max(wait, pause), time.Minute)
		case more:
			wait = pause / 1000 // behind: go on, but let other writers in
		default:
			wait = pause
		}
	}
}

// place is where a Follower stands.
type place struct {
	cursor, from, size uint64
	subs               map[id.ID][]Subscription // the active ones, by organisation
}

// Step makes the next deliveries and reports whether there may be more to do.
func (f *Follower) Step(ctx context.Context) (more bool, err error) {
	p, err := f.look(ctx)
	if err != nil || p.from >= p.size {
		return false, err
	}
	records, next, err := f.Events.Since(ctx, p.from)
	if err != nil {
		return false, err
	}
	found, next, err := p.deliveries(records, next)
	if err != nil {
		return false, err
	}
	if len(found) > 0 || next >= p.cursor+cursorEvery {
		if err := f.enqueue(ctx, p.cursor, next, found); err != nil {
			return false, err
		}
	}
	f.at = next
	return next < p.size, nil
}

// look finds out where to go on. Where nobody wants anything that is nowhere:
// the cursor stays, and whoever subscribes later starts at their From.
func (f *Follower) look(ctx context.Context) (p place, err error) {
	err = f.DB.View(ctx, func(tx Tx) (err error) {
		p = place{subs: map[id.ID][]Subscription{}}
		size, err := tx.AuditSize()
		if err != nil {
			return err
		}
		if p.cursor, err = tx.WebhookCursor(); err != nil || max(p.cursor, f.at) >= size {
			return err
		}
		all, err := tx.AllWebhooks()
		first := size
		for _, s := range all {
			if s.Active {
				p.subs[s.Org] = append(p.subs[s.Org], s)
				first = min(first, s.From)
			}
		}
		p.from, p.size = max(p.cursor, f.at, first), size
		return err
	})
	return p, err
}

// deliveries are what is to be sent of the records. It stops behind the event
// with which they become many, and says where that is.
func (p place) deliveries(records []audit.Record, next uint64) (out []outbox.Message, until uint64, err error) {
	for _, r := range records {
		event := eventOf(r.Action)
		if event == "" || r.OrgID.IsZero() {
			continue
		}
		body := ""
		for _, s := range p.subs[r.OrgID] {
			if !s.wants(event, r.Index) {
				continue
			}
			if body == "" {
				if body, err = encode(event, r); err != nil {
					return nil, 0, err
				}
			}
			out = append(out, outbox.Message{
				ID: id.New(), Org: s.Org, Channel: outbox.Webhook, Kind: Kind, To: s.ID.String(),
				Body: body, Headers: map[string]string{HeaderEvent: event},
			})
		}
		if len(out) >= maxDeliveries {
			return out, r.Index + 1, nil
		}
	}
	return out, next, nil
}

// enqueue puts deliveries into the outbox and moves the cursor, both or neither.
func (f *Follower) enqueue(ctx context.Context, cursor, next uint64, found []outbox.Message) error {
	now := time.Now()
	if f.Now != nil {
		now = f.Now()
	}
	var dropped int
	err := f.DB.Update(ctx, func(tx Tx) error {
		dropped = 0
		switch have, err := tx.WebhookCursor(); {
		case err != nil:
			return err
		case have != cursor:
			return errTwoFollowers
		}
		for _, m := range found {
			m.CreatedAt = now
			switch err := outbox.Enqueue(tx, m); {
			case errors.Is(err, outbox.ErrFull):
				dropped++
				if err := drop(tx, m); err != nil {
					return err
				}
			case err != nil:
				return err
			}
		}
		return tx.PutWebhookCursor(next)
	})
	if err != nil {
		return fmt.Errorf("webhook: deliveries up to %d: %w", next, err)
	}
	if dropped > 0 {
		f.log().Warn("webhook: the outbox of an organisation is full; events were not delivered", "dropped", dropped)
	}
	return nil
}

var errTwoFollowers = errors.New("another follower moved the cursor")

// drop counts an event that there was no room for.
func drop(tx Tx, m outbox.Message) error {
	subs, err := tx.Webhooks(m.Org)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(subs, func(s Subscription) bool { return s.ID.String() == m.To })
	if i < 0 {
		return nil
	}
	subs = slices.Clone(subs)
	subs[i].Dropped++
	return tx.PutWebhooks(m.Org, subs)
}

func (f *Follower) log() *slog.Logger {
	if f.Log != nil {
		return f.Log
	}
	return slog.Default()
}
