package intents_test

import (
	"testing"

	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/id"
)

// signOnly has a transaction signed that somebody else broadcasts, or not.
func (w *world) signOnly(value string) intents.Intent {
	w.Helper()
	out, err := w.Sign(w.ctx, w.agent, w.agent.ID, pay(value))
	w.ok(err)
	return out.Intent
}

// followed counts what a round of the tracker reads of the store.
func (w *world) followed() (open, seen int) {
	w.Helper()
	w.view(func(tx intents.Tx) error {
		list, err := tx.OpenIntents(1, id.ID{}, 1000)
		if open = len(list); err != nil {
			return err
		}
		accounts, err := tx.UnseenAccounts(1)
		for _, a := range accounts {
			next, _ := w.chain.LatestNonce(w.ctx, a)
			list, listErr := tx.Unseen(1, a, [2]uint64{0, next}, 1000)
			if seen += len(list); listErr != nil {
				err = listErr
			}
		}
		return err
	})
	return open, seen
}

// What an agent never broadcasts costs nothing, is "signed" for as long, and lands
// whenever it does.
func TestSignedAndNeverBroadcast(t *testing.T) {
	w := newWorld(t)
	w.putKey("keys/other-signer", "0x"+word("2"))
	other := pay("0.001")
	other.KeyPath = "keys/other-signer"
	var all []intents.Intent
	for range 30 {
		all = append(all, w.signOnly("0.001"))
		out, err := w.Sign(w.ctx, w.agent, w.agent.ID, other)
		w.ok(err)
		all = append(all, out.Intent)
	}
	w.track()
	if open, seen := w.followed(); open+seen != 0 {
		t.Errorf("%d and %d are followed of what nobody broadcast", open, seen)
	}
	w.restart()
	for i, in := range all {
		if got := w.get(in.ID); got.State != intents.Signed {
			t.Fatalf("%d is %s", i, got.State)
		}
	}
	// The first of one account is broadcast, and its second nonce used by another.
	first := all[0]
	if _, err := w.chain.Send(w.ctx, evm.Signed{Raw: first.Last().Raw, Hash: first.Last().Hash}); err != nil {
		t.Fatal(err)
	}
	w.chain.mine(1)
	w.chain.use(first.From)
	if got := w.wantState(first.ID, intents.Signed); got.Block == nil {
		t.Fatal("its block is not seen")
	}
	if open, seen := w.followed(); open != 2 || seen != 0 {
		t.Fatalf("%d and %d are followed, of two that changed", open, seen)
	}
	w.chain.reorg(first.Last().Hash)
	w.track()
	if open, _ := w.followed(); open != 0 {
		t.Fatalf("%d are followed, though nothing is to be seen any more", open)
	}
	if _, err := w.chain.Send(w.ctx, evm.Signed{Raw: first.Last().Raw, Hash: first.Last().Hash}); err != nil {
		t.Fatal(err)
	}
	w.chain.mine(1)
	w.chain.use(first.From)
	w.track()
	w.chain.mine(4)
	w.wantState(first.ID, intents.Confirmed)
	w.wantState(all[2].ID, intents.Replaced)
	w.wantState(all[1].ID, intents.Signed)
	w.wantState(all[4].ID, intents.Signed)
	if open, seen := w.followed(); open+seen != 0 {
		t.Errorf("%d and %d are followed in the end", open, seen)
	}
}

// A chain on which something may still land stays.
func TestChainOfWhatWasNotBroadcast(t *testing.T) {
	w := newWorld(t)
	w.signOnly("0.1")
	c, err := w.Chain(w.ctx, "ethereum")
	w.ok(err)
	w.is(w.RemoveChain(w.ctx, w.owner, c.ID), intents.ErrChainInUse)
}
