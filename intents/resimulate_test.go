package intents_test

import (
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// moves is a simulation in which one account's balance goes from before to after.
func moves(who byte, before, after uint64, token ...byte) node.SimResult {
	c := node.Change{Address: evm.Address{who}, Asset: evm.Asset{Standard: evm.Native}, Before: evm.NewAmount(before), After: evm.NewAmount(after)}
	if len(token) > 0 {
		c.Asset = evm.Asset{Standard: evm.ERC20, Token: evm.Address{token[0]}}
	}
	return node.SimResult{Status: node.SimSuccess, GasUsed: 21000, Changes: []node.Change{c}}
}

// What changes between the simulation and the signature is refused, and leaves
// nothing behind.
func TestResimulate(t *testing.T) {
	gas := moves(1, 100, 90)
	gas.GasUsed = 50_000
	both := moves(1, 100, 90)
	both.Changes = append(both.Changes, moves(2, 0, 10).Changes...)
	partial := moves(1, 100, 90)
	partial.Partial = true
	for name, c := range map[string]struct {
		then node.SimResult
		want error
	}{
		"the same":                 {moves(1, 100, 90), nil},
		"more gas":                 {gas, nil},
		"the same of another rest": {moves(1, 500, 490), nil},
		"more":                     {moves(1, 100, 89), intents.ErrEffectsChanged},
		"less":                     {moves(1, 100, 91), intents.ErrEffectsChanged},
		"the other way":            {moves(1, 90, 100), intents.ErrEffectsChanged},
		"of another account":       {moves(2, 100, 90), intents.ErrEffectsChanged},
		"of a token":               {moves(1, 100, 90, 7), intents.ErrEffectsChanged},
		"of one more account":      {both, intents.ErrEffectsChanged},
		"of nobody":                {node.SimResult{Status: node.SimSuccess}, intents.ErrEffectsChanged},
		"of who knows how many":    {partial, intents.ErrEffectsChanged},
		"it would fail":            {node.SimResult{Status: node.SimReverted, Reason: "not today"}, intents.ErrWouldRevert},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.chain.effects = func(n int) node.SimResult {
				if n == 1 {
					return moves(1, 100, 90)
				}
				return c.then
			}
			r := pay("0.1")
			r.Resimulate, r.IdempotencyKey = true, "order-1"
			if c.want == nil {
				w.submit(r)
				return
			}
			_, err := w.Submit(w.ctx, w.agent, w.agent.ID, r)
			w.is(err, c.want)
			if len(w.chain.sent) != 0 || w.spent() != "0" || w.account().Next != 0 {
				t.Errorf("%d were sent, %s counts, the next nonce is %d", len(w.chain.sent), w.spent(), w.account().Next)
			}
			w.chain.effects = nil
			if in := w.submit(r); in.Nonce != 0 || in.Status() != "broadcast" {
				t.Errorf("sent again it is %s with nonce %d", in.Status(), in.Nonce)
			}
		})
	}
}

func TestResimulateIsAudited(t *testing.T) {
	w := newWorld(t)
	w.chain.effects = func(n int) node.SimResult { return moves(1, 100, 90+uint64(n)) }
	r := pay("0.1")
	r.Resimulate = true
	w.logs("transaction.submit success; transaction.sign failed effects_changed", func() {
		_, err := w.Submit(w.ctx, w.agent, w.agent.ID, r)
		w.is(err, intents.ErrEffectsChanged)
	})
	list, err := w.List(w.ctx, w.agent, w.agent.ID, intents.Intent{}.ID, 10)
	w.ok(err)
	if len(list) != 1 || list[0].State != intents.Released || list[0].Error == "" || list[0].Simulation == nil || len(list[0].Simulation.Changes) != 1 {
		t.Errorf("what is kept of it is %+v", list)
	}
	w.chain.effects, r.Resimulate, r.Simulate = func(n int) node.SimResult { return moves(1, 100, 90+uint64(n)) }, false, true
	w.submit(r) // which asks for one simulation only
}

// People agree to what they saw: if it would do something else by then, they are
// asked again.
func TestApprovalOfWhatChanges(t *testing.T) {
	w := newWorld(t)
	w.needs(1)
	boss := w.person(identity.RoleOwner)
	w.chain.effects = func(int) node.SimResult { return moves(1, 100, 90) }
	r := pay("0.2")
	r.Simulate = true
	a := w.ask(r)
	if a.Simulation == nil || len(a.Simulation.Changes) != 1 {
		t.Fatalf("people see %+v", a.Simulation)
	}
	_, err := w.Approve(w.ctx, boss, a.ID)
	w.ok(err)
	w.chain.effects = func(int) node.SimResult { return moves(1, 100, 50) }
	_, err = w.Submit(w.ctx, w.agent, w.agent.ID, pay("0.2")) // not even if the agent does not ask
	w.is(err, intents.ErrEffectsChanged)
	if len(w.chain.sent) != 0 || w.spent() != "0" {
		t.Fatal("something was sent or reserved")
	}
	again := w.ask(r)
	if again.ID == a.ID || again.Simulation.Changes[0].After != evm.NewAmount(50) {
		t.Fatalf("people are asked %+v", again)
	}
	_, err = w.Approve(w.ctx, boss, again.ID)
	w.ok(err)
	w.submit(r)
}

// Without a node nothing can be simulated, and nothing is signed.
func TestResimulateWithoutANode(t *testing.T) {
	w := newWorld(t)
	w.putKey("keys/base-signer", testKey)
	gas := uint64(21000)
	r := intents.Request{To: somebody, Value: "0", Chain: "base", GasLimit: &gas, MaxFee: "3000000000", Tip: "1", Resimulate: true}
	_, err := w.Sign(w.ctx, w.agent, w.agent.ID, r)
	w.is(err, intents.ErrNoSimulation)
}

// An approval that nothing was signed for is still good.
func TestApprovalOutlivesAnOutage(t *testing.T) {
	w := newWorld(t)
	w.submit(pay("0.1")) // the key's address is known from now on
	w.needs(1)
	a := w.ask(pay("0.2"))
	_, err := w.Approve(w.ctx, w.person(identity.RoleOwner), a.ID)
	w.ok(err)
	w.module.gone = true
	_, err = w.Submit(w.ctx, w.agent, w.agent.ID, pay("0.2"))
	w.is(err, hsm.ErrUnavailable)
	w.module.gone = false
	in := w.submit(pay("0.2"))
	if used, err := w.Approval(w.ctx, w.agent, a.ID); err != nil || used.Status != intents.Used || used.Intent != in.ID {
		t.Errorf("the approval is %+v (%v)", used, err)
	}
	w.ask(pay("0.2")) // and was so once
}
