package store

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault/audit"
)

func testEvent(org id.ID) audit.Event {
	return audit.Event{
		Org: org, Actor: audit.Actor{Type: "agent", ID: org}, Action: audit.SecretRead,
		Resource: audit.Resource{Type: "secret", ID: "0197a0b2-6a5e-7c3c-9d6e-000000000000"},
		Details:  audit.Details{"path": "production/stripe", "version": 3}, IP: "192.0.2.1", Time: time.Unix(1e9, 0),
	}
}

// Events appended from everywhere form one log without gap, of which each
// writer has a true receipt, and which a restart finds as it was.
func TestAuditLogOverStore(t *testing.T) {
	db := openCurrent(t)
	run := Runner[audit.Tx](db)
	const workers, each = 8, 80 // more than two tiles
	ctx, receipts := audit.Recording(bg)
	orgs := []id.ID{id.New(), id.New(), {}}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				err := run.Update(ctx, func(tx audit.Tx) error {
					err := audit.Write(ctx, tx, testEvent(orgs[i%len(orgs)]))
					if w == 0 && i%2 == 0 {
						return fmt.Errorf("refused after the event")
					}
					return err
				})
				if err != nil && w > 0 {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	const total = workers*each - each/2
	if n := len(receipts.All()); n != total {
		t.Errorf("%d receipts for %d events", n, total)
	}
	_ = db.Close()
	db, err := Open(db.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Unseal(plain.New(testKey)); err != nil {
		t.Fatal(err)
	}
	err = Runner[audit.Tx](db).View(bg, func(tx audit.Tx) error { return checkLog(tx, orgs, receipts.All(), total) })
	if err != nil {
		t.Error(err)
	}
}

func checkLog(tx audit.Tx, orgs []id.ID, receipts []audit.Receipt, total uint64) error {
	if n, err := tx.AuditSize(); n != total || err != nil {
		return fmt.Errorf("size %d, want %d: %w", n, total, err)
	}
	for _, r := range receipts {
		raw, err := tx.AuditLeaf(r.Index)
		if err != nil || tlog.RecordHash(raw) != tlog.Hash(r.Leaf) {
			return fmt.Errorf("leaf %d is not the one of the receipt: %w", r.Index, err)
		}
		tile, err := tx.AuditTile(0, r.Index/256)
		if at := int(r.Index % 256 * 32); err != nil || !bytes.Equal(tile[at:at+32], r.Leaf[:]) {
			return fmt.Errorf("tile %d does not have leaf %d: %w", r.Index/256, r.Index, err)
		}
	}
	chained := uint64(0)
	for _, o := range orgs {
		h, err := tx.AuditChain(o)
		if err != nil {
			return err
		}
		chained += h.Count
	}
	if chained != total {
		return fmt.Errorf("%d events in the chains", chained)
	}
	if raw, err := tx.AuditLeaf(total); raw != nil || err != nil {
		return fmt.Errorf("a leaf behind the end: %w", err)
	}
	if note, err := tx.AuditCheckpoint(); note != nil || err != nil {
		return fmt.Errorf("a checkpoint that nobody put: %w", err)
	}
	return nil
}

// Tiles and leaves that were drained go; counters and notes stay.
func TestAuditRecords(t *testing.T) {
	db := openCurrent(t)
	run := Runner[audit.Tx](db)
	err := run.Update(bg, func(tx audit.Tx) error {
		for _, err := range []error{
			tx.PutAuditLeaf(7, []byte("leaf")), tx.SetAuditDrained(3), tx.PutAuditCheckpoint([]byte("note")),
			tx.PutAuditTile(1, 256, []byte("hashes")),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Update(bg, func(tx audit.Tx) error { return tx.DeleteAuditLeaf(7) }); err != nil {
		t.Fatal(err)
	}
	_ = run.View(bg, func(tx audit.Tx) error {
		leaf, _ := tx.AuditLeaf(7)
		drained, _ := tx.AuditDrained()
		note, _ := tx.AuditCheckpoint()
		tile, _ := tx.AuditTile(1, 256)
		other, _ := tx.AuditTile(256, 1)
		if leaf != nil || drained != 3 || string(note) != "note" || string(tile) != "hashes" || other != nil {
			t.Errorf("%q %d %q %q %q", leaf, drained, note, tile, other)
		}
		return nil
	})
}

// BenchmarkAudit appends an event a transaction, as each read of a secret does.
func BenchmarkAudit(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			db := openCurrent(b)
			run := Runner[audit.Tx](db)
			org := id.New()
			one := func(ctx context.Context) {
				err := run.Update(ctx, func(tx audit.Tx) error { return audit.Write(ctx, tx, testEvent(org)) })
				if err != nil {
					b.Error(err)
				}
			}
			if writers == 1 {
				for b.Loop() {
					one(bg)
				}
				return
			}
			b.SetParallelism(writers / 2)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					one(bg)
				}
			})
		})
	}
}
