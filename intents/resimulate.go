package intents

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
)

// simulateAgain runs what was admitted once more, right before the key signs, and
// refuses it if it would do something else than was expected of it: by people
// when they agreed, or a moment ago by an agent that wants to be sure.
func (s *Service) simulateAgain(ctx context.Context, t *task, agreed *Approval) error {
	expected := t.expected(agreed)
	if expected == nil {
		return nil
	}
	if t.node == nil {
		return ErrNoSimulation
	}
	done, err := t.node.Simulate(ctx, []node.SimCall{{From: t.signer.address, Call: t.call, Gas: t.gas}}, 0)
	switch {
	case err != nil:
		return err
	case len(done) != 1:
		return fmt.Errorf("intents: %d simulations of one transaction", len(done))
	case done[0].Status != node.SimSuccess:
		return ErrWouldRevert.Detail("%s by now: %s", ErrWouldRevert.Msg, done[0].Reason)
	}
	if done[0].Partial {
		return ErrEffectsChanged.Detail("The transaction moves more balances than are followed, so nobody can tell whether it still does the same")
	}
	if who, differs := difference(expected.Changes, done[0].Changes); differs {
		return ErrEffectsChanged.Detail("The transaction would not do what it would have done when it was simulated: %s", who)
	}
	return nil
}

// expected is what the task has to do when it is signed; nil if nobody looks.
func (t *task) expected(agreed *Approval) *SimulationNote {
	switch {
	case agreed != nil && agreed.Simulation != nil:
		return agreed.Simulation
	case t.resimulate:
		return t.note
	}
	return nil
}

// holder is an account's balance of an asset.
type holder struct {
	who   evm.Address
	asset evm.Asset
}

// difference says which balance would change by another amount, the first one by
// address, if there is one. What a balance is does not count, since others move
// it too; nor does gas, which simulations do not charge.
func difference(was, is []node.Change) (text string, differs bool) {
	before, after := deltas(was), deltas(is)
	var all []holder
	for _, changes := range []map[holder]*big.Int{before, after} {
		all = slices.AppendSeq(all, maps.Keys(changes))
	}
	slices.SortFunc(all, func(a, b holder) int {
		return slices.Compare(slices.Concat(a.who[:], a.asset.Token[:]), slices.Concat(b.who[:], b.asset.Token[:]))
	})
	for _, h := range all {
		x, y := amountOf(before[h]), amountOf(after[h])
		if x.Cmp(y) != 0 {
			what := "the chain's coin"
			if !h.asset.Token.IsZero() {
				what = "token " + h.asset.Token.String()
			}
			return fmt.Sprintf("%s of %s would change by %s, not %s", what, h.who, y, x), true
		}
	}
	return "", false
}

// amountOf is a change, of nothing where there is none.
func amountOf(n *big.Int) *big.Int {
	if n == nil {
		return new(big.Int)
	}
	return n
}

func deltas(changes []node.Change) map[holder]*big.Int {
	out := make(map[holder]*big.Int, len(changes))
	for _, c := range changes {
		out[holder{c.Address, c.Asset}] = c.Delta()
	}
	return out
}
