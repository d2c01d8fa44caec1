package outbox

import (
	"context"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

// channels are all there are.
var channels = []Channel{Mail, Webhook}

// tidy gives up what is too old on channels that nobody serves, and removes what
// was settled long ago.
func (d *Dispatcher) tidy(ctx context.Context) error {
	for _, c := range channels {
		if d.Senders[c] != nil {
			continue // its lane does
		}
		if err := d.expire(ctx, c); err != nil {
			return err
		}
	}
	for {
		n, err := d.forget(ctx)
		if err != nil || n < batch {
			return err
		}
	}
}

func (d *Dispatcher) expire(ctx context.Context, c Channel) error {
	now := d.now()
	var old []Message
	err := d.DB.View(ctx, func(tx Tx) error {
		all, err := tx.OutboxPending(c, 0)
		for _, m := range all {
			if now.After(m.NotAfter) {
				old = append(old, Message{ID: m.ID, Channel: m.Channel, Kind: m.Kind})
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, m := range old {
		err := d.mark(ctx, m, func(m Message, now time.Time) Message {
			m.LastError = "no way of sending is configured"
			return m.expired(now)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// forget removes one batch of settled messages.
func (d *Dispatcher) forget(ctx context.Context) (int, error) {
	now := d.now()
	var old []id.ID
	err := d.DB.View(ctx, func(tx Tx) error {
		settled, err := tx.OutboxSettled(batch)
		for _, m := range settled {
			if !m.NextAt.After(now) {
				old = append(old, m.ID)
			}
		}
		return err
	})
	if err != nil || len(old) == 0 {
		return 0, err
	}
	return len(old), d.DB.Update(ctx, func(tx Tx) error {
		for _, m := range old {
			if err := tx.DeleteOutboxMessage(m); err != nil {
				return err
			}
		}
		return nil
	})
}
