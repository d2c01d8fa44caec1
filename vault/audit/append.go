package audit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/oneclaw/oneclawd/internal/id"
)

// Receipt says where in the log an event is. With an inclusion proof for
// Index, Leaf is enough to show that a checkpoint covers the event.
type Receipt struct {
	Event id.ID
	Index uint64
	Leaf  [32]byte // RFC 6962 leaf hash
}

// Append puts e at the end of the log. It belongs in the Update of what e
// describes, as the last thing there: then the change and its record are
// durable together or not at all.
//
// Every read of a secret passes here, so only the leaf, its chain link and its
// place in the lowest tile are computed. Roots and proofs come later, from the
// tiles.
func Append(tx Tx, e Event) (Receipt, error) {
	if e.Action == "" || e.Actor.Type == "" {
		return Receipt{}, fmt.Errorf("audit: an event needs an action and an actor type")
	}
	seq, err := tx.AuditSize()
	if err != nil {
		return Receipt{}, fmt.Errorf("audit: size: %w", err)
	}
	head, err := tx.AuditChain(e.Org)
	if err != nil {
		return Receipt{}, fmt.Errorf("audit: chain of %s: %w", e.Org, err)
	}
	details, err := encodeDetails(e.Details)
	if err != nil {
		return Receipt{}, err
	}
	l := newLeaf(e, seq, head)
	l.Details = details
	raw, err := l.encode()
	if err != nil {
		return Receipt{}, err
	}
	hash := tlog.RecordHash(raw)
	if err := tx.PutAuditLeaf(seq, raw); err != nil {
		return Receipt{}, fmt.Errorf("audit: leaf %d: %w", seq, err)
	}
	if err := tx.PutAuditChain(e.Org, ChainHead{Event: l.ID, Hash: l.IntegrityHash, Count: head.Count + 1}); err != nil {
		return Receipt{}, fmt.Errorf("audit: chain of %s: %w", e.Org, err)
	}
	if err := appendTile(tx, seq, hash); err != nil {
		return Receipt{}, err
	}
	if err := tx.SetAuditSize(seq + 1); err != nil {
		return Receipt{}, fmt.Errorf("audit: size: %w", err)
	}
	return Receipt{Event: l.ID, Index: seq, Leaf: hash}, nil
}

// Write appends e and, once it is durable, hands its receipt to whoever
// records receipts in ctx.
func Write(ctx context.Context, tx Tx, e Event) error {
	r, err := Append(tx, e)
	if err != nil {
		return err
	}
	tx.OnCommit(func() { Collect(ctx, r) })
	return nil
}

// newLeaf completes e at its place in the log and in its chain. Its time has
// microseconds, as clients in every language read them: whoever recomputes the
// chain from the API's answers needs to the digit what was hashed.
func newLeaf(e Event, seq uint64, head ChainHead) *leaf {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	l := &leaf{
		V:        leafVersion,
		Seq:      seq,
		ID:       id.New(),
		Time:     e.Time.UTC().Truncate(time.Microsecond),
		Org:      e.Org,
		Actor:    Actor{Type: clean(e.Actor.Type), ID: e.Actor.ID},
		Action:   Action(clean(string(e.Action))),
		Resource: Resource{Type: clean(e.Resource.Type), ID: clean(e.Resource.ID)},
		Outcome:  e.Outcome,
		Reason:   clean(e.Reason),
		Inputs:   hexBytes(e.Inputs),
		Policies: e.Policies[:min(len(e.Policies), maxPolicies)],
		IP:       clean(e.IP),
		Request:  clean(e.Request),
		PrevHash: head.Hash,
	}
	if l.Outcome == "" {
		l.Outcome = Success
	}
	if !head.Event.IsZero() {
		l.PrevEvent = &head.Event
	}
	l.IntegrityHash = l.integrity()
	return l
}

// clean bounds a text that a caller may have chosen and makes it what a reader
// of the JSON will see, so that both compute the same integrity hash: the
// encoder replaces invalid UTF-8.
func clean(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
