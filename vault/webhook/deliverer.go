package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
)

// Poster sends a body to a URL.
type Poster interface {
	// Post returns the status of the answer. It follows no redirect. An error
	// that is a *fault.Error says what may be shown to whoever chose the URL.
	Post(ctx context.Context, url string, header map[string]string, body []byte) (status int, err error)
}

// A subscription is given up after this long, if it failed that often.
const (
	GiveUpAfter = 5 * 24 * time.Hour
	giveUpCount = 10
)

// Deliverer is the outbox.Sender of webhooks.
type Deliverer struct {
	DB      txn.Runner[Tx]
	Poster  Poster
	Letters letter.Writer
	Now     func() time.Time // time.Now if nil
	Log     *slog.Logger     // nil means the default

	mu      sync.Mutex
	resting map[id.ID]rest
}

// rest is how long a receiver that failed is left alone, so that one that is
// down does not keep deliveries to others waiting.
type rest struct {
	until time.Time
	next  time.Duration
}

// How long a receiver rests.
const (
	firstRest = 10 * time.Second
	maxRest   = 15 * time.Minute
)

// Send implements outbox.Sender.
func (d *Deliverer) Send(ctx context.Context, m outbox.Message) error {
	s, secret, err := d.load(ctx, m)
	if err != nil {
		return err
	}
	now := d.now()
	if wait := d.rests(s.ID, now); wait > 0 {
		return &outbox.Failure{Text: "the receiver failed a moment ago", Untried: true, Wait: wait}
	}
	header := maps.Clone(m.Headers)
	if header == nil {
		header = map[string]string{}
	}
	body := []byte(m.Body)
	header["Content-Type"], header["User-Agent"] = "application/json", "1Claw-Webhook/1"
	header[HeaderDelivery] = m.ID.String()
	header[HeaderTimestamp] = strconv.FormatInt(now.Unix(), 10)
	header[HeaderSignature] = Sign(secret, now, body)
	status, err := d.Poster.Post(ctx, s.URL, header, body)
	if err == nil && status >= 200 && status < 300 {
		d.wake(s.ID)
		return d.succeeded(ctx, s)
	}
	if errors.Is(ctx.Err(), context.Canceled) { // we are being stopped, which is not the receiver's fault
		return ctx.Err()
	}
	f := &outbox.Failure{Text: fmt.Sprintf("the receiver answered %d", status), Err: err}
	if err != nil {
		if f.Text = "the receiver cannot be reached"; fault.As(err) != nil {
			f.Text = fault.As(err).Msg
		}
	}
	d.sends(s.ID, now)
	return d.failed(context.WithoutCancel(ctx), s, f)
}

// load finds what a delivery is for. A subscription that is gone or switched off
// is told nothing more.
func (d *Deliverer) load(ctx context.Context, m outbox.Message) (s Subscription, secret []byte, err error) {
	sub, err := id.Parse(m.To)
	if err != nil {
		return s, nil, &outbox.Failure{Text: "not a webhook", Permanent: true}
	}
	gone := ""
	err = d.DB.View(ctx, func(tx Tx) error {
		subs, i, err := find(tx, m.Org, sub)
		if err != nil {
			return err
		}
		if i < 0 {
			gone = "the webhook was deleted"
			return nil
		}
		s = subs[i]
		secret, _, err = tx.WebhookSecret(sub)
		if !s.Active || len(secret) == 0 {
			gone = "the webhook is switched off"
		}
		return err
	})
	if err == nil && gone != "" {
		err = &outbox.Failure{Text: gone, Permanent: true}
	}
	return s, secret, err
}

// find returns an organisation's subscriptions and the place of one, -1 if it is
// not there.
func find(tx Tx, org, sub id.ID) ([]Subscription, int, error) {
	subs, err := tx.Webhooks(org)
	return subs, slices.IndexFunc(subs, func(s Subscription) bool { return s.ID == sub }), err
}

// succeeded ends a row of failures.
func (d *Deliverer) succeeded(ctx context.Context, s Subscription) error {
	if s.Failures == 0 {
		return nil
	}
	err := d.change(context.WithoutCancel(ctx), s, func(_ Tx, s *Subscription) error {
		s.Failures, s.FailingSince = 0, time.Time{}
		return nil
	})
	if err != nil { // the receiver has it: that counts
		d.log().Warn("webhook: a success was not noted", "webhook", s.ID.String(), "err", err)
	}
	return nil
}

// failed notes a failure, and gives the subscription up after too many.
func (d *Deliverer) failed(ctx context.Context, s Subscription, f *outbox.Failure) error {
	now := d.now()
	over := func(s Subscription) bool {
		return s.Active && s.Failures >= giveUpCount && now.Sub(s.FailingSince) >= GiveUpAfter
	}
	s.Failures++
	var readers []identity.User
	if over(s) {
		if err := d.DB.View(ctx, func(tx Tx) (err error) {
			readers, err = tx.WebhookReaders(s.Org)
			return err
		}); err != nil {
			return err
		}
	}
	err := d.change(ctx, s, func(tx Tx, s *Subscription) error {
		f.Permanent = false
		if s.Failures++; s.FailingSince.IsZero() {
			s.FailingSince = now
		}
		if !over(*s) {
			return nil
		}
		f.Permanent = true
		return d.giveUp(ctx, tx, s, readers, now)
	})
	if err != nil {
		return err
	}
	return f
}

// giveUp switches a subscription off, and tells.
func (d *Deliverer) giveUp(ctx context.Context, tx Tx, s *Subscription, readers []identity.User, now time.Time) error {
	s.Active, s.DisabledAt = false, now
	for _, u := range readers {
		to := letter.To{Address: u.Email, Org: u.Org, User: u.ID, At: now}
		if outbox.CheckAddress(u.Email) != nil {
			continue
		}
		if err := outbox.Notify(tx, d.Letters.WebhookDisabled(to, s.host(), s.FailingSince)); err != nil {
			return err
		}
	}
	return audit.Write(ctx, tx, audit.Event{
		Org: s.Org, Actor: audit.Actor{Type: "system"}, Action: ActionDisable,
		Resource: audit.Resource{Type: "webhook", ID: s.ID.String()}, Time: now,
		Details: audit.Details{"host": s.host(), "failing_since": s.FailingSince.Format(time.RFC3339), "failures": s.Failures},
	})
}

// change changes a subscription, if it is still there.
func (d *Deliverer) change(ctx context.Context, s Subscription, fn func(Tx, *Subscription) error) error {
	return d.DB.Update(ctx, func(tx Tx) error {
		subs, i, err := find(tx, s.Org, s.ID)
		if err != nil || i < 0 {
			return err
		}
		subs = slices.Clone(subs)
		if err := fn(tx, &subs[i]); err != nil {
			return err
		}
		return tx.PutWebhooks(s.Org, subs)
	})
}

// rests is how long a receiver is to be left alone still.
func (d *Deliverer) rests(sub id.ID, now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.resting[sub].until.Sub(now)
}

// sends sends a receiver that failed to rest, each time for longer.
func (d *Deliverer) sends(sub id.ID, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.resting[sub]
	if now.Before(r.until) {
		return // it was sent already, for an attempt that ran beside this one
	}
	if r.next == 0 {
		r.next = firstRest
	}
	if d.resting == nil {
		d.resting = map[id.ID]rest{}
	}
	d.resting[sub] = rest{until: now.Add(r.next), next: min(2*r.next, maxRest)}
}

func (d *Deliverer) wake(sub id.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.resting, sub)
}

func (d *Deliverer) now() time.Time {
	if d.Now != nil {
		return d.Now().UTC()
	}
	return time.Now().UTC()
}

func (d *Deliverer) log() *slog.Logger {
	if d.Log != nil {
		return d.Log
	}
	return slog.Default()
}
