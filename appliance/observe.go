package appliance

import (
	"context"
	"time"

	"github.com/oneclaw/oneclawd/appliance/metrics"
	"github.com/oneclaw/oneclawd/appliance/operator"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/outbox"
)

// maxCounted bounds how many waiting messages a scrape counts.
const maxCounted = 10000

// readings are the figures of this moment. What cannot be read is left at zero:
// the gauges of the store and the HSM say why.
func (d *daemon) readings() metrics.Readings {
	now := d.state.Load()
	r := metrics.Readings{State: string(now.state)}
	for _, s := range operator.States {
		r.States = append(r.States, string(s))
	}
	c := now.core
	if c == nil || now.state != operator.Unsealed {
		return r
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	stats := c.db.Stats()
	r.Unsealed, r.HSM = true, now.hsm.State().Status != hsm.StatusUnavailable
	r.StoreBytes, r.StoreWaiting, r.StoreFull = stats.Bytes, stats.Waiting, stats.Full
	r.ReadOnly = stats.ReadOnly
	if f, err := c.audit.Figures(ctx); err == nil {
		r.AuditEvents, r.AuditUndrained, r.AuditUnsigned = f.Events, f.Undrained, f.Unsigned
	}
	if behind, err := c.streamLag(ctx); err == nil {
		r.StreamLag = behind
	}
	_ = store.Runner[outbox.Tx](c.db).View(ctx, func(tx outbox.Tx) error {
		for _, channel := range []outbox.Channel{outbox.Mail, outbox.Webhook} {
			waiting, err := tx.OutboxPending(channel, maxCounted)
			if err != nil {
				return err
			}
			r.OutboxWaiting += len(waiting)
		}
		return nil
	})
	return r
}
