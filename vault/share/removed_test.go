package share_test

import (
	"errors"
	"testing"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/share"
)

// What somebody whose account is gone gave ends, and so does what they got,
// however often and wherever it is interrupted.
func TestG5_SharesEndWithTheAccount(t *testing.T) {
	w := newWorld(t)
	other := w.secretOfBob()
	var gone []share.Share
	for range 230 { // more than one transaction takes
		gone = append(gone, w.made(nil))
	}
	gone = append(gone, w.accepted(w.bob), w.made(func(o *share.Offer) { o.Type, o.Email = share.ToEmail, "x@example.com" }))
	gone = append(gone, w.madeBy(w.bob, func(o *share.Offer) { o.Secret = other; to(w.alice)(o) }))
	gone = append(gone, w.made(to(w.alice))) // of their own
	kept := w.madeBy(w.bob, func(o *share.Offer) { o.Secret = other })

	w.told.fail = errors.New("the outbox is busy")
	w.Is(w.EndOf(w.Ctx, w.alice.ID), w.told.fail)
	w.told.fail = nil
	before := len(w.Leaves(0))
	w.OK(w.EndOf(w.Ctx, w.alice.ID))
	w.OK(w.EndOf(w.Ctx, w.alice.ID))
	for _, s := range gone {
		if _, there := w.record(s); there {
			t.Errorf("a share is left: %+v", s)
		}
	}
	w.lists(w.alice, false)
	w.lists(w.alice, true)
	w.lists(w.bob, true)
	w.lists(w.bob, false, kept)
	w.Inspect(func(tx *store.Tx) error {
		if list, _ := tx.PendingShares("x@example.com"); len(list) > 0 {
			t.Error("an offer still waits for its address")
		}
		return nil
	})
	if n := len(w.Leaves(0)) - before; n > len(gone) || n == 0 || !w.logHas(`"because":"account_deleted"`) {
		t.Errorf("%d events for %d shares", n, len(gone))
	}
}

// secretOfBob is one in a vault of bob's.
func (w *world) secretOfBob() id.ID {
	w.Helper()
	v, err := w.vaults.Create(w.Ctx, w.bob, "bobs", "")
	w.OK(err)
	sec, err := w.vaults.Put(w.Ctx, w.bob, v.ID, w.path("b/c"), vault.NewVersion{Value: plain.FromString("CANARY-of-bob")})
	w.OK(err)
	return sec.ID
}

// Their address may be of another organisation.
func TestG5_AnAccountOfAnotherOrganisation(t *testing.T) {
	w := newWorld(t)
	s := w.made(func(o *share.Offer) { o.Type, o.Email = share.ToEmail, "foreign@example.com" })
	w.OK(w.Accept(w.Ctx, w.foreign, s.ID))
	w.opens(w.foreign, s)
	w.OK(w.EndOf(w.Ctx, w.foreign.ID))
	if _, there := w.record(s); there {
		t.Error("a share to another organisation's member is left")
	}
}
