package intents_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/vault/identity"
)

const safe = "0x5afe3855358e112b5647b952709e6165e1c1eeee"

// execute is call data with which an account that is a contract calls another.
func execute(to, value, data string) string {
	n := len(data) / 2
	padded := data + strings.Repeat("0", (64-len(data)%64)%64)
	return "0xb61d27f6" + word(strings.TrimPrefix(to, "0x")) + word(value) + word("60") + word(fmt.Sprintf("%x", n)) + padded
}

// safeTx is a transaction that an owner of a Safe signs for somebody else to send.
func safeTx(to, value string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{
		"types": {
			"EIP712Domain": [{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],
			"SafeTx": [{"name":"to","type":"address"},{"name":"value","type":"uint256"},{"name":"data","type":"bytes"},{"name":"operation","type":"uint8"},
				{"name":"safeTxGas","type":"uint256"},{"name":"baseGas","type":"uint256"},{"name":"gasPrice","type":"uint256"},
				{"name":"gasToken","type":"address"},{"name":"refundReceiver","type":"address"},{"name":"nonce","type":"uint256"}]
		},
		"primaryType": "SafeTx",
		"domain": {"chainId":1,"verifyingContract":%q},
		"message": {"to":%q,"value":%q,"data":"0x","operation":0,"safeTxGas":0,"baseGas":0,"gasPrice":0,
			"gasToken":"0x0000000000000000000000000000000000000000","refundReceiver":"0x0000000000000000000000000000000000000000","nonce":0}
	}`, safe, to, value))
}

// What a contract moves on an agent's word is spent by the agent, unless it only
// hands on what the agent has just given it.
func TestContractsSpendForTheAgent(t *testing.T) {
	token, err := evm.ParseAddress(usdc)
	if err != nil {
		t.Fatal(err)
	}
	hundred := evm.NewAmount(100)
	for name, c := range map[string]struct {
		value, data string
		want        error
	}{
		"its coin within the cap":       {"0", execute(somebody, "6f05b59d3b20000", ""), nil},                    // 0.5
		"its coin above the cap":        {"0", execute(somebody, "6f05b59d3b20001", ""), intents.ErrMaxValue},    // a wei more
		"the agent's coin, handed on":   {"0.5", execute(somebody, "6f05b59d3b20000", ""), nil},                  // counts once
		"more than it was given":        {"0.25", execute(somebody, "6f05b59d3b20001", ""), intents.ErrMaxValue}, // 0.25 and the rest
		"its tokens within the limit":   {"0", execute(usdc, "0", transferData(other, "64")[2:]), nil},           // 100
		"its tokens above the limit":    {"0", execute(usdc, "0", transferData(other, "65")[2:]), intents.ErrTokenLimit},
		"its approval above the limit":  {"0", execute(usdc, "0", "095ea7b3"+word(other)+word("65")), intents.ErrTokenLimit},
		"what it may take of the agent": {"0", execute(usdc, "0", "23b872dd"+word("f39fd6e51aad88f6f4ce6ab8827279cfffb92266")+word(other)+word("65")), intents.ErrTokenLimit},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.change(func(a *identity.Agent) { a.TxMaxValue = "0.5" })
			w.limits(intents.Extra{Tokens: []intents.TokenLimit{{ChainID: 1, Token: token, MaxAmount: &hundred}}})
			_, err := w.Submit(w.ctx, w.agent, w.agent.ID, intents.Request{To: safe, Value: c.value, Chain: "ethereum", Data: c.data})
			w.is(err, c.want)
		})
	}
}

// The same, signed as a message.
func TestASafesTransactionIsSpending(t *testing.T) {
	w := newWorld(t)
	w.change(func(a *identity.Agent) { a.TxMaxValue, a.TxDailyLimit = "1", "1.5" })
	ask := func(wei string) error {
		_, err := w.sign(intents.MessageRequest{Type: intents.Typed, Typed: safeTx(somebody, wei)})
		return err
	}
	w.ok(ask("1000000000000000000"))
	w.is(ask("1000000000000000001"), intents.ErrMaxValue)
	w.is(ask("500000000000000001"), intents.ErrDailyLimit)
}

// A method of a token with a limit, of which nobody knows what it moves, would make
// the limit worth nothing.
func TestUnknownMethodsOfALimitedToken(t *testing.T) {
	token, err := evm.ParseAddress(usdc)
	if err != nil {
		t.Fatal(err)
	}
	hundred := evm.NewAmount(100)
	limit := intents.Extra{Tokens: []intents.TokenLimit{{ChainID: 1, Token: token, MaxAmount: &hundred}}}
	listed := limit
	listed.Methods = []string{"0xd0e30db0"}
	for name, c := range map[string]struct {
		extra     intents.Extra
		to, data  string
		want      error
		allowlist []string
	}{
		"a method nobody knows":          {limit, usdc, "0xd0e30db0", intents.ErrTokenLimit, nil},
		"without a method":               {limit, usdc, "0x01", intents.ErrTokenLimit, nil},
		"one that people have listed":    {listed, usdc, "0xd0e30db0", nil, nil},
		"of a token without a limit":     {limit, safe, "0xd0e30db0", nil, nil},
		"through an account":             {limit, safe, execute(usdc, "0", "d0e30db0"), intents.ErrTokenLimit, nil},
		"as a recipient that is allowed": {limit, usdc, "0xd0e30db0", intents.ErrTokenLimit, []string{usdc}},
		"an old spelling of an approval": {limit, usdc, "0xd73dd623" + word(other) + word("65"), intents.ErrTokenLimit, nil},
		"the same within the limit":      {limit, usdc, "0xd73dd623" + word(other) + word("64"), nil, nil},
		"the same for a stranger":        {limit, usdc, "0xd73dd623" + word(other) + word("01"), intents.ErrRecipient, []string{somebody}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.limits(c.extra)
			w.change(func(a *identity.Agent) { a.TxToAllowlist = c.allowlist })
			_, err := w.Submit(w.ctx, w.agent, w.agent.ID, intents.Request{To: c.to, Value: "0", Chain: "ethereum", Data: c.data})
			w.is(err, c.want)
		})
	}
}

// Permits count as transactions of the day, whether or not their token has a limit.
func TestPermitsOfADay(t *testing.T) {
	w := newWorld(t)
	from := w.submit(pay("0.01")).From
	w.limits(intents.Extra{PerDay: 2})
	ask := func() error {
		_, err := w.sign(intents.MessageRequest{Type: intents.Typed, Typed: permit(from, "7")})
		return err
	}
	w.ok(ask())
	w.is(ask(), intents.ErrTxPerDay)
	_, err := w.Submit(w.ctx, w.agent, w.agent.ID, pay("0.01"))
	w.is(err, intents.ErrTxPerDay)
}

// One limit for one token: with two, what is taken back would be taken back twice.
func TestATokenHasOneLimit(t *testing.T) {
	w := newWorld(t)
	for name, tokens := range map[string][]intents.TokenSpec{
		"twice":         {{ChainID: 1, Token: usdc, MaxAmount: "5"}, {ChainID: 1, Token: strings.ToLower(usdc), DailyLimit: "9"}},
		"not a token":   {{ChainID: 1, Token: "0x0000000000000000000000000000000000000000", MaxAmount: "5"}},
		"another chain": {{ChainID: 1, Token: usdc, MaxAmount: "5"}, {ChainID: 10, Token: usdc, DailyLimit: "9"}},
	} {
		_, err := w.SetLimits(w.ctx, w.owner, w.agent.ID, intents.ExtraSpec{Tokens: tokens})
		if ok := name == "another chain"; ok != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Higher fees are signed for what the guardrails of that moment allow; taking a
// transaction back moves nothing, and is not held against them.
func TestSpeedUpWithinGuardrails(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*identity.Agent)
		want   error
	}{
		"as before":           {func(*identity.Agent) {}, nil},
		"the limit is spent":  {func(a *identity.Agent) { a.TxDailyLimit = "0.1" }, nil}, // by itself
		"the list is shorter": {noRecipients, intents.ErrRecipient},
		"the cap is lower":    {func(a *identity.Agent) { a.TxMaxValue = "0.01" }, intents.ErrMaxValue},
		"another chain":       {func(a *identity.Agent) { a.TxChains = []string{"base"} }, intents.ErrChainRule},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.limits(intents.Extra{PerDay: 1})
			in := w.submit(pay("0.1"))
			w.change(c.change)
			_, err := w.SpeedUp(w.ctx, w.agent, w.agent.ID, in.ID, "", "")
			w.is(err, c.want)
			_, err = w.Cancel(w.ctx, w.agent, w.agent.ID, in.ID)
			w.ok(err)
		})
	}
}

// Whom an agent has paid is known when that was signed, and a new contract that gets
// something is a new recipient.
func TestNewRecipients(t *testing.T) {
	w := newWorld(t)
	w.limits(intents.Extra{Approval: &intents.ApprovalRule{NewRecipients: true, Approvers: 1}})
	created := intents.Request{Value: "0.1", Chain: "ethereum", Data: "0x60006000"}
	w.ask(created)
	created.Value = "0"
	w.submit(created)

	boss := w.person(identity.RoleOwner)
	w.chain.effects = func(n int) node.SimResult { return moves(1, 100, 90+uint64(n)) } // another each time
	r := pay("0.1")
	r.Simulate = true
	a := w.ask(r)
	_, err := w.Approve(w.ctx, boss, a.ID)
	w.ok(err)
	_, err = w.Submit(w.ctx, w.agent, w.agent.ID, r)
	w.is(err, intents.ErrEffectsChanged)
	w.chain.effects = nil
	a = w.ask(pay("0.1")) // nobody was paid
	_, err = w.Approve(w.ctx, boss, a.ID)
	w.ok(err)
	w.submit(pay("0.1"))
	w.submit(pay("0.2"))
}

// A decision of fewer people than the rule wants by now is none.
func TestMorePeopleByNow(t *testing.T) {
	w := newWorld(t)
	boss, other := w.person(identity.RoleOwner), w.person(identity.RoleAdmin)
	w.needs(1)
	a := w.ask(pay("0.2"))
	_, err := w.Approve(w.ctx, boss, a.ID)
	w.ok(err)
	w.needs(2)
	b := w.ask(pay("0.2"))
	if b.ID == a.ID || b.Needed != 2 {
		t.Fatalf("it waits for %d people", b.Needed)
	}
	for _, p := range []identity.Principal{boss, other} {
		w.ask(pay("0.2"))
		_, err = w.Approve(w.ctx, p, b.ID)
		w.ok(err)
	}
	w.submit(pay("0.2"))
}

// racing is a node while whose simulation something else happens.
type racing struct {
	*fakeChain
	meanwhile func()
}

func (r *racing) Node(intents.Chain) (intents.Node, bool) { return r, true }

func (r *racing) Simulate(ctx context.Context, calls []node.SimCall, block uint64) ([]node.SimResult, error) {
	if then := r.meanwhile; then != nil {
		r.meanwhile = nil
		then()
	}
	return r.fakeChain.Simulate(ctx, calls, block)
}

// A request that would fail does not take an Idempotency-Key from the transaction
// that was signed under it meanwhile: whoever asks would pay again.
func TestIdempotencyOfWhatWouldFail(t *testing.T) {
	w := newWorld(t)
	r := pay("0.1")
	r.Simulate, r.IdempotencyKey = true, "order-1"
	var signed intents.Intent
	w.Nodes = &racing{w.chain, func() {
		signed = w.submit(r)
		w.chain.reverts = true
	}}
	for range 2 {
		out, err := w.Submit(w.ctx, w.agent, w.agent.ID, r)
		w.ok(err)
		if !out.Repeated || out.Intent.ID != signed.ID || out.Intent.Status() != "broadcast" {
			t.Fatalf("the answer is %s, of another: %v", out.Intent.Status(), out.Intent.ID != signed.ID)
		}
	}
}

// slowKeys is an HSM while whose signature something else happens.
type slowKeys struct {
	hsm.AccountKeys
	meanwhile func()
}

func (k *slowKeys) SignDigest(ctx context.Context, key hsm.AccountKey, digest [32]byte) ([64]byte, error) {
	sig, err := k.AccountKeys.SignDigest(ctx, key, digest)
	k.meanwhile()
	return sig, err
}

// A freeze holds from its moment on, also for what an HSM is at work on.
func TestFreezeWhileAKeySigns(t *testing.T) {
	w := newWorld(t)
	_, err := w.CreateSigningKey(w.ctx, w.owner, w.agent.ID, "ethereum")
	w.ok(err)
	w.Accounts = &slowKeys{w.Accounts, func() {
		_, err := w.FreezeSigning(w.ctx, w.owner, "an incident")
		w.ok(err)
	}}
	w.logs("transaction.submit success; signing.freeze success; transaction.sign failed signing_frozen", func() {
		_, err = w.Submit(w.ctx, w.agent, w.agent.ID, pay("0.1"))
		w.is(err, intents.ErrFrozen)
	})
	if w.spent() != "0" || len(w.chain.sent) != 0 {
		t.Errorf("%s counts, and %d were sent", w.spent(), len(w.chain.sent))
	}
	w.ok(w.Thaw(w.ctx, w.owner))
	_, err = w.sign(intents.MessageRequest{Type: intents.Personal, Message: "hello"})
	w.is(err, intents.ErrFrozen)
}

// Explain names what else would keep a request from being signed at once.
func TestExplainTheRest(t *testing.T) {
	w := newWorld(t)
	w.needs(1)
	most := evm.NewAmount(5)
	w.MaxFee = &most
	r := pay("0.2")
	x, err := w.Explain(w.ctx, w.agent, w.agent.ID, r)
	w.ok(err)
	if !x.Allowed() || len(x.Asks) != 1 || x.Asks[0] != "above 0.1 ETH" {
		t.Errorf("it would be allowed: %v, after people agreed because %q", x.Allowed(), x.Asks)
	}
	r.MaxFee, r.Tip = "6", "1"
	if x, err = w.Explain(w.ctx, w.agent, w.agent.ID, r); err != nil || x.Allowed() {
		t.Errorf("fees above the cap would be allowed (%v)", err)
	}
}
