package events_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
)

const benchEvents = 100_000

// filled returns a log of benchEvents events, all but the last 1000 archived.
func filled(b *testing.B) *house {
	h := openHouse(b, b.TempDir())
	ctx := b.Context()
	d := &audit.Drainer{DB: h.db, Archive: h.log.Archive}
	var longest time.Duration
	for at := 0; at < benchEvents; at += 500 {
		err := h.db.Update(ctx, func(tx audit.Tx) error {
			for n := at; n < at+500; n++ {
				if _, err := audit.Append(tx, benchEvent(n)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		if at >= 500 {
			start := time.Now()
			if _, err := d.Drain(ctx); err != nil {
				b.Fatal(err)
			}
			longest = max(longest, time.Since(start))
		}
	}
	b.Logf("longest batch of 500 drained in %v", longest)
	if _, err := h.log.Checkpoint(ctx); err != nil {
		b.Fatal(err)
	}
	return h
}

// benchEvent is one of an organisation with many events, but for every
// thousandth.
func benchEvent(n int) audit.Event {
	o := org
	if n%1000 == 0 {
		o = id.ID{5}
	}
	return audit.Event{
		Org: o, Actor: audit.Actor{Type: "agent", ID: id.ID{3, byte(n)}}, Action: audit.SecretRead,
		Resource: audit.Resource{Type: "secret", ID: fmt.Sprintf("secret-%d", n)},
		Details:  audit.Details{"path": fmt.Sprintf("prod/%d", n), "vault_id": id.ID{4}.String(), "version": 3},
		IP:       "10.0.0.1", Request: fmt.Sprintf("req-%d", n),
	}
}

func BenchmarkLog(b *testing.B) {
	h := filled(b)
	query := func(o id.ID, f audit.Filter, want int) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				if r, err := h.log.Query(b.Context(), o, f); err != nil || len(r) != want {
					b.Fatal(len(r), err)
				}
			}
		}
	}
	b.Run("first page", query(org, audit.Filter{}, 100))
	b.Run("rare resource", query(org, audit.Filter{ResourceID: "secret-7"}, 1))
	b.Run("quiet organisation", query(id.ID{5}, audit.Filter{}, 100))
	b.Run("last hour of nothing", query(org, audit.Filter{From: time.Now().Add(time.Hour)}, 0))
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if r, err := h.log.Verify(b.Context(), audit.Scope{Everyone: true}); err != nil || !r.OK() {
				b.Fatal(r, err)
			}
		}
	})
	b.Run("inclusion proof", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.log.InclusionProof(b.Context(), 77, benchEvents); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("append", func(b *testing.B) {
		n := benchEvents
		for b.Loop() {
			err := h.db.Update(context.Background(), func(tx audit.Tx) error {
				_, err := audit.Append(tx, benchEvent(n))
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	})
	b.Run("append of 100", func(b *testing.B) {
		for b.Loop() {
			err := h.db.Update(context.Background(), func(tx audit.Tx) error {
				for n := range 100 {
					if _, err := audit.Append(tx, benchEvent(n)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
