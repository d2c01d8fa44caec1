package intents_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/evm/evmtest"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/vault/identity"
)

func TestAnAgentPays(t *testing.T) {
	w := newWorld(t)
	var in intents.Intent
	w.logs("transaction.submit success; transaction.sign success; transaction.broadcast success", func() {
		in = w.submit(pay("0.25"))
	})
	tx, from, err := evmtest.ParseSigned(in.Last().Raw)
	w.ok(err)
	if tx.Nonce != 0 || from != in.From || tx.Value.Units(18) != "0.25" || tx.To.String() != somebody || tx.ChainID != 1 {
		t.Fatalf("it signed %+v from %s", tx, from)
	}
	if in.Status() != "broadcast" || w.spent() != "0.25" {
		t.Fatalf("it is %s, and %s was spent", in.Status(), w.spent())
	}
	w.chain.mine(1)
	w.wantState(in.ID, intents.Broadcast)
	w.chain.mine(3)
	w.logs("transaction.settle success", func() { w.wantState(in.ID, intents.Confirmed) })
}

// 200 at once share a limit that 150 fit into: as many are signed, no nonce is
// missing or used twice, and no more is spent.
func TestLimitUnderConcurrency(t *testing.T) {
	w := newWorld(t)
	w.change(func(a *identity.Agent) { a.TxDailyLimit = "1.5" })
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex
		nonces  []uint64
		refused int
	)
	for range 200 {
		wg.Go(func() {
			out, err := w.Submit(w.ctx, w.agent, w.agent.ID, pay("0.01"))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				w.is(err, intents.ErrDailyLimit)
				refused++
				return
			}
			nonces = append(nonces, out.Intent.Nonce)
		})
	}
	wg.Wait()
	slices.Sort(nonces)
	for i, n := range nonces {
		if n != uint64(i) {
			t.Fatalf("the nonces are %v", nonces)
		}
	}
	w.chain.mine(4)
	if len(nonces) != 150 || refused != 50 || w.chain.moved().Units(18) != "1.5" {
		t.Fatalf("%d passed and %d were refused; %s moved", len(nonces), refused, w.chain.moved().Units(18))
	}
}

func TestIdempotency(t *testing.T) {
	w := newWorld(t)
	r := pay("0.1")
	r.IdempotencyKey = "order-1"
	first := w.submit(r)
	again, err := w.Submit(w.ctx, w.agent, w.agent.ID, r)
	w.ok(err)
	if !again.Repeated || again.Intent.ID != first.ID || string(again.Intent.Last().Raw) != string(first.Last().Raw) {
		t.Fatalf("the repeat is %+v", again)
	}
	w.restart()
	again, err = w.Submit(w.ctx, w.agent, w.agent.ID, r)
	w.ok(err)
	if !again.Repeated || again.Intent.ID != first.ID {
		t.Fatal("a restart forgot the key")
	}
	other := r
	other.Value = "0.2"
	_, err = w.Submit(w.ctx, w.agent, w.agent.ID, other)
	w.is(err, intents.ErrKeyReused)
	w.clock.Add(25 * time.Hour)
	if later := w.submit(r); later.ID == first.ID {
		t.Fatal("the key still stands for the first after a day")
	}
	if n := len(w.chain.sent); n != 2 {
		t.Fatalf("%d were sent", n)
	}
}

// One key, many at once: one transaction.
func TestIdempotencyInFlight(t *testing.T) {
	w := newWorld(t)
	r := pay("0.1")
	r.IdempotencyKey = "order-1"
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, err := w.Submit(w.ctx, w.agent, w.agent.ID, r); err != nil {
				w.is(err, intents.ErrInFlight)
			}
		})
	}
	wg.Wait()
	if n := len(w.chain.sent); n != 1 {
		t.Fatalf("%d were sent", n)
	}
}

// A refusal is no answer to keep: the limit may be another one next time.
func TestRefusalsAreNotRemembered(t *testing.T) {
	w := newWorld(t)
	w.change(func(a *identity.Agent) { a.TxMaxValue = "0.05" })
	r := pay("0.1")
	r.IdempotencyKey = "order-1"
	w.logs("transaction.submit refused tx_max_value_eth", func() {
		_, err := w.Submit(w.ctx, w.agent, w.agent.ID, r)
		w.is(err, intents.ErrMaxValue)
	})
	w.change(func(a *identity.Agent) { a.TxMaxValue = "0.5" })
	if in := w.submit(r); in.Nonce != 0 {
		t.Fatalf("the refusal took a nonce: this is %d", in.Nonce)
	}
}

// kill -9 between every two steps, and after each a client that asks again with
// its key: exactly one transaction lands, whatever happened. A key that is a secret
// is admitted and signs in one commit, one in the HSM in two, and so does what
// people agreed to, who have agreed to one.
func TestKilledBetweenSteps(t *testing.T) {
	for name, prepare := range map[string]func(*world, identity.Principal){
		"soft": func(*world, identity.Principal) {},
		"resident": func(w *world, _ identity.Principal) {
			_, err := w.CreateSigningKey(w.ctx, w.owner, w.agent.ID, "ethereum")
			w.ok(err)
		},
		"agreed": func(w *world, boss identity.Principal) {
			w.needs(1)
			_, err := w.Approve(w.ctx, boss, w.ask(pay("0.2")).ID)
			w.ok(err)
		},
	} {
		for commits := range 4 {
			t.Run(fmt.Sprint(name, " ", commits, " commits"), func(t *testing.T) {
				w := newWorld(t)
				w.change(func(a *identity.Agent) { a.TxDailyLimit = "0.2" })
				boss := w.person(identity.RoleOwner)
				prepare(w, boss)
				w.killed(commits)
				used, err := w.Approvals(w.ctx, boss, intents.Used, 10)
				w.ok(err)
				if want := name == "agreed"; (len(used) == 1) != want {
					t.Fatalf("%d approvals were used", len(used))
				}
			})
		}
	}
}

// What was signed in a commit that may not last is taken back before anybody is
// shown it.
func TestSignedInDoubt(t *testing.T) {
	w := newWorld(t)
	r := pay("0.2")
	r.IdempotencyKey = "order-1"
	w.faults.doubt = true
	_, err := w.Submit(w.ctx, w.agent, w.agent.ID, r)
	w.is(err, errDoubt)
	w.clock.Add(time.Minute)
	w.track()
	if len(w.chain.sent) != 0 || w.spent() != "0" || w.account().Next != 0 {
		t.Fatalf("%d were sent, %s counts, the next nonce is %d", len(w.chain.sent), w.spent(), w.account().Next)
	}
	if in := w.submit(r); in.Nonce != 0 || in.State != intents.Broadcast {
		t.Fatalf("asked for again it is %s with nonce %d", in.State, in.Nonce)
	}
}

// killed ends the process after so many commits of a payment, and wants the same
// payment, asked for again, to be made once.
func (w *world) killed(commits int) {
	w.Helper()
	r := pay("0.2")
	r.IdempotencyKey = "order-1"
	w.faults.killAfter(commits)
	_, _ = w.Submit(w.ctx, w.agent, w.agent.ID, r)
	w.restart()
	in := w.submit(r)
	w.chain.mine(4)
	w.track()
	w.clock.Add(time.Minute)
	w.track() // shows bytes again that no node has
	w.chain.mine(4)
	got := w.wantState(in.ID, intents.Confirmed)
	if w.chain.moved().Units(18) != "0.2" || got.Nonce != 0 || w.spent() != "0.2" {
		w.Fatalf("%s moved with nonce %d, and %s counts", w.chain.moved().Units(18), got.Nonce, w.spent())
	}
}

// The node took it, and its answer was lost: the same bytes are sent again.
func TestUnclearAnswer(t *testing.T) {
	w := newWorld(t)
	w.chain.silent = true
	in := w.submit(pay("0.1"))
	if in.State != intents.Signed {
		t.Fatalf("it is %s", in.State)
	}
	w.chain.silent = false
	w.chain.forget()
	w.wantState(in.ID, intents.Broadcast)
	if n := len(w.chain.sent); n != 2 || string(w.chain.sent[0]) != string(w.chain.sent[1]) {
		t.Fatalf("%d were sent, or others", n)
	}
	w.chain.mine(4)
	w.wantState(in.ID, intents.Confirmed)
}

// What a node refuses frees its nonce, and counts until it cannot land.
func TestRejected(t *testing.T) {
	w := newWorld(t)
	w.change(func(a *identity.Agent) { a.TxDailyLimit = "0.15" })
	w.chain.refuse = node.Rejected
	bad := w.submit(pay("0.1"))
	if bad.Status() != "failed" || bad.Error == "" {
		t.Fatalf("it is %s: %s", bad.Status(), bad.Error)
	}
	w.chain.refuse = ""
	_, err := w.Submit(w.ctx, w.agent, w.agent.ID, pay("0.1"))
	w.is(err, intents.ErrDailyLimit)
	good := w.submit(pay("0.05"))
	if good.Nonce != bad.Nonce {
		t.Fatalf("the nonce is %d, not that of the one refused", good.Nonce)
	}
	w.chain.mine(4)
	w.track()
	w.chain.mine(4)
	w.wantState(bad.ID, intents.Replaced)
	if w.spent() != "0.05" {
		t.Fatalf("%s counts, though the first cannot land any more", w.spent())
	}
}

// What a node refused may land all the same, for whoever has the bytes; then it did
// not fail.
func TestRejectedAndMined(t *testing.T) {
	w := newWorld(t)
	w.chain.refuse = node.NonceTooLow
	in := w.submit(pay("0.1"))
	w.chain.refuse = ""
	_, err := w.chain.Send(w.ctx, evm.Signed{Raw: in.Last().Raw, Hash: in.Last().Hash})
	w.ok(err)
	w.chain.mine(5)
	if got := w.wantState(in.ID, intents.Confirmed); in.Error == "" || got.Error != "" {
		t.Fatalf("it said %q, and says %q", in.Error, got.Error)
	}
}

// A node is asked for what is in a block when the chain took that block back, and once
// when there are enough on top: not in every round.
func TestNodesAreLeftAlone(t *testing.T) {
	w := newWorld(t)
	in := w.submit(pay("0.1"))
	asks := func(name string, want int, change func()) {
		t.Helper()
		change()
		before := w.chain.asked
		w.track()
		if got := w.chain.asked - before; got != want {
			t.Fatalf("%s: it was asked %d times, not %d", name, got, want)
		}
	}
	nothing := func() {}
	asks("it waits", 1, nothing)
	asks("it still waits", 0, nothing)
	asks("it is in a block", 2, func() { w.chain.mine(1) })
	asks("no block came", 0, nothing)
	asks("some on top", 0, func() { w.chain.mine(2) })
	asks("it is taken back", 2, func() { w.chain.reorg(in.Last().Hash) })
	if got := w.get(in.ID); got.Block != nil {
		t.Fatalf("it is in block %d, which was taken back", got.Block.Number)
	}
	_, err := w.chain.Send(w.ctx, evm.Signed{Raw: in.Last().Raw, Hash: in.Last().Hash})
	w.ok(err)
	asks("in another block", 2, func() { w.chain.mine(1) })
	asks("with too few on top", 0, func() { w.chain.mine(2) })
	asks("with enough", 2, func() { w.chain.mine(1) })
	w.wantState(in.ID, intents.Confirmed)
	w.restart()
	asks("nothing is open", 0, func() { w.chain.mine(1) })
}

func TestHSMGoneBeforeSigning(t *testing.T) {
	w := newWorld(t)
	w.submit(pay("0.1")) // its address is known from now on
	w.module.gone = true
	r := pay("0.1")
	r.IdempotencyKey = "order-1"
	w.logs("transaction.sign failed hsm_unavailable", func() {
		_, err := w.Submit(w.ctx, w.agent, w.agent.ID, r)
		w.is(err, hsm.ErrUnavailable)
	})
	w.module.gone = false
	if w.spent() != "0.1" || w.account().Next != 1 {
		t.Fatalf("%s counts and the next nonce is %d: something was kept", w.spent(), w.account().Next)
	}
	if in := w.submit(r); in.Nonce != 1 {
		t.Fatalf("the nonce is %d", in.Nonce)
	}
}

func TestReorg(t *testing.T) {
	w := newWorld(t)
	in := w.submit(pay("0.1"))
	w.chain.mine(1)
	if got := w.wantState(in.ID, intents.Broadcast); got.Block == nil {
		t.Fatal("it is in no block")
	}
	w.chain.reorg(in.Last().Hash)
	if got := w.wantState(in.ID, intents.Broadcast); got.Block != nil {
		t.Fatal("it is still in the block that was taken back")
	}
	w.clock.Add(time.Minute) // the node has forgotten it
	w.track()
	w.chain.mine(4)
	w.track()
	w.chain.mine(4)
	w.wantState(in.ID, intents.Confirmed)
	for _, raw := range w.chain.sent {
		if string(raw) != string(in.Last().Raw) {
			t.Fatal("other bytes were sent")
		}
	}
}

// Two agents with one key, and software elsewhere with it too.
func TestSharedAccount(t *testing.T) {
	w := newWorld(t)
	other := w.newAgent()
	a := w.submit(pay("0.1"))
	out, err := w.Submit(w.ctx, other, other.ID, pay("0.1"))
	w.ok(err)
	if a.Nonce != 0 || out.Intent.Nonce != 1 {
		t.Fatalf("the nonces are %d and %d", a.Nonce, out.Intent.Nonce)
	}
	w.chain.mine(1)
	w.chain.use(a.From)
	w.chain.use(a.From)
	if in := w.submit(pay("0.1")); in.Nonce != 4 {
		t.Fatalf("the nonce is %d, though 2 and 3 were used elsewhere", in.Nonce)
	}
}

// A nonce that an agent left out keeps those behind it waiting, until it is
// filled.
func TestGapIsFilled(t *testing.T) {
	w := newWorld(t)
	r := pay("0.1")
	nonce := uint64(1)
	r.Nonce = &nonce
	in := w.submit(r)
	w.chain.mine(1)
	w.wantState(in.ID, intents.Broadcast)
	w.clock.Add(time.Minute)
	w.logs("transaction.submit success; transaction.sign success; transaction.broadcast success", func() { w.track() })
	w.chain.mine(4)
	w.wantState(in.ID, intents.Confirmed)
	if w.chain.moved().Units(18) != "0.1" || w.spent() != "0.1" {
		t.Fatal("the filler moved something")
	}
}

func TestSpeedUpAndCancel(t *testing.T) {
	w := newWorld(t)
	in := w.submit(pay("0.1"))
	faster, err := w.SpeedUp(w.ctx, w.agent, w.agent.ID, in.ID, "", "")
	w.ok(err)
	if len(faster.Tries) != 2 || faster.Nonce != in.Nonce {
		t.Fatalf("the tries are %v", faster.Tries)
	}
	cancelled, err := w.Cancel(w.ctx, w.agent, w.agent.ID, in.ID)
	w.ok(err)
	if w.spent() != "0.1" {
		t.Fatal("it does not count any more, though it may still land")
	}
	w.chain.mine(4)
	w.wantState(cancelled.ID, intents.Replaced)
	if !w.chain.moved().IsZero() || w.spent() != "0" {
		t.Fatalf("%s moved and %s counts", w.chain.moved(), w.spent())
	}
	_, err = w.Cancel(w.ctx, w.agent, w.agent.ID, in.ID)
	w.is(err, intents.ErrNotOpen)
}

// What somebody has cancelled is not paid because somebody else is in a hurry.
func TestCancelledStaysCancelled(t *testing.T) {
	w := newWorld(t)
	in := w.submit(pay("0.1"))
	_, err := w.Cancel(w.ctx, w.owner, w.agent.ID, in.ID)
	w.ok(err)
	faster, err := w.SpeedUp(w.ctx, w.agent, w.agent.ID, in.ID, "", "")
	w.ok(err)
	if tx, _, err := evmtest.ParseSigned(faster.Last().Raw); err != nil || !tx.Value.IsZero() || tx.To.String() == somebody || len(faster.Tries) != 3 {
		t.Fatalf("it moves %s to %s (%v)", tx.Value, tx.To, err)
	}
	w.chain.mine(5)
	if got := w.wantState(in.ID, intents.Replaced); got.Error != "cancelled" || !w.chain.moved().IsZero() {
		t.Fatalf("it is %q, and %s were moved", got.Error, w.chain.moved())
	}
}

// What would revert is not signed, and its answer is kept for its key.
func TestSimulateFirst(t *testing.T) {
	w := newWorld(t)
	w.chain.reverts = true
	r := pay("0.1")
	r.Simulate, r.IdempotencyKey = true, "order-1"
	var out intents.Outcome
	w.logs("transaction.submit failed simulation_failed", func() {
		var err error
		out, err = w.Submit(w.ctx, w.agent, w.agent.ID, r)
		w.ok(err)
	})
	if in := out.Intent; in.Status() != "simulation_failed" || in.Error != "not today" || in.Simulation.Status != node.SimReverted || in.Last() != nil {
		t.Fatalf("it is %+v", in)
	}
	if w.account().Next != 0 || w.spent() != "0" || len(w.chain.sent) != 0 {
		t.Fatal("something was reserved or sent")
	}
	again, err := w.Submit(w.ctx, w.agent, w.agent.ID, r)
	w.ok(err)
	if !again.Repeated || again.Intent.ID != out.Intent.ID {
		t.Fatal("the answer was not kept")
	}
	w.MustSimulate = func(context.Context) (bool, error) { return true, nil }
	plain := w.submit(pay("0.2"))
	if plain.State != intents.Simulated {
		t.Fatalf("it is %s, though everything has to be simulated", plain.State)
	}
	w.chain.reverts = false
	if in := w.submit(pay("0.2")); in.Status() != "broadcast" || in.Simulation.Status != node.SimSuccess {
		t.Fatalf("it is %s", in.Status())
	}
}
