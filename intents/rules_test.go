package intents_test

import (
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// noRecipients lets an agent pay nobody that a test pays.
func noRecipients(a *identity.Agent) {
	a.TxToAllowlist = []string{"0x000000000000000000000000000000000000dEaD"}
}

const other = "3c44cdddb6a900fa2b585dd299e03d12fa4293bc"

// word is an argument of call data.
func word(hex string) string { return strings.Repeat("0", 64-len(hex)) + hex }

func transferData(to, amount string) string { return "0xa9059cbb" + word(to) + word(amount) }

// Every rule refuses with its name, leaves an audit event and nothing else.
func TestRules(t *testing.T) {
	token, err := evm.ParseAddress(usdc)
	if err != nil {
		t.Fatal(err)
	}
	hundred := evm.NewAmount(100)
	tokens := intents.Extra{Tokens: []intents.TokenLimit{{ChainID: 1, Token: token, MaxAmount: &hundred}}}
	call := func(data string) intents.Request {
		return intents.Request{To: usdc, Value: "0", Chain: "ethereum", Data: data}
	}
	for name, c := range map[string]struct {
		agent func(*identity.Agent)
		extra intents.Extra
		req   intents.Request
		want  error
	}{
		"a chain of the list":            {agent: func(a *identity.Agent) { a.TxChains = []string{"base", "Ethereum"} }, req: pay("1")},
		"another chain":                  {agent: func(a *identity.Agent) { a.TxChains = []string{"base"} }, req: pay("1"), want: intents.ErrChainRule},
		"a recipient of the list":        {agent: func(a *identity.Agent) { a.TxToAllowlist = []string{strings.ToLower(somebody)} }, req: pay("1")},
		"another recipient":              {agent: noRecipients, req: pay("1"), want: intents.ErrRecipient},
		"a token's recipient":            {agent: func(a *identity.Agent) { a.TxToAllowlist = []string{usdc} }, req: call(transferData(other, "01")), want: intents.ErrRecipient},
		"a new contract":                 {agent: noRecipients, req: intents.Request{Value: "0", Chain: "ethereum", Data: "0x60006000"}, want: intents.ErrRecipient},
		"just the cap":                   {agent: func(a *identity.Agent) { a.TxMaxValue = "0.5" }, req: pay("0.5")},
		"a wei more":                     {agent: func(a *identity.Agent) { a.TxMaxValue = "0.5" }, req: pay("0.500000000000000001"), want: intents.ErrMaxValue},
		"a method of the list":           {extra: intents.Extra{Methods: []string{"0xa9059cbb"}}, req: call(transferData(other, "01"))},
		"another method":                 {extra: intents.Extra{Methods: []string{"0x095ea7b3"}}, req: call(transferData(other, "01")), want: intents.ErrMethod},
		"within a token's limit":         {extra: tokens, req: call(transferData(other, "64"))},
		"above it":                       {extra: tokens, req: call(transferData(other, "65")), want: intents.ErrTokenLimit},
		"an approval above it":           {extra: tokens, req: call("0x095ea7b3" + word(other) + word("65")), want: intents.ErrTokenLimit},
		"an unlimited approval":          {req: call("0x095ea7b3" + word(other) + strings.Repeat("f", 64)), want: intents.ErrUnlimited},
		"one that is allowed":            {extra: intents.Extra{AllowUnlimited: true}, req: call("0x095ea7b3" + word(other) + strings.Repeat("f", 64))},
		"damaged call data":              {req: call("0xa9059cbb" + word(other)), want: intents.ErrUndecodable},
		"a limit that cannot be read":    {agent: func(a *identity.Agent) { a.TxDailyLimit = "a lot" }, req: pay("1"), want: intents.ErrBadGuardrails},
		"an agent without the API":       {agent: func(a *identity.Agent) { a.Intents = false }, req: pay("1"), want: intents.ErrNotEnabled},
		"an agent that is switched off":  {agent: func(a *identity.Agent) { a.Active = false }, req: pay("1"), want: intents.ErrAgentInactive},
		"a chain that nobody knows":      {req: intents.Request{To: somebody, Value: "1", Chain: "nowhere"}, want: intents.ErrUnknownChain},
		"without a node and without gas": {req: intents.Request{To: somebody, Value: "1", Chain: "base"}, want: nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if c.agent != nil {
				w.change(c.agent)
			}
			w.limits(c.extra)
			if c.req.Chain == "base" {
				c.want = intents.ErrFees
				w.putKey("keys/base-signer", testKey)
			}
			before := w.account()
			_, err := w.Submit(w.ctx, w.agent, w.agent.ID, c.req)
			w.is(err, c.want)
			if c.want != nil && (w.account().Next != before.Next || w.spent() != "0" || len(w.chain.sent) != 0) {
				t.Error("the refusal left something")
			}
		})
	}
}

// Transactions of a day, and the limit that comes back when it is over.
func TestWindows(t *testing.T) {
	w := newWorld(t)
	w.limits(intents.Extra{PerDay: 2})
	w.change(func(a *identity.Agent) { a.TxDailyLimit = "0.3" })
	w.submit(pay("0.1"))
	w.clock.Add(12 * time.Hour)
	w.submit(pay("0.1"))
	_, err := w.Submit(w.ctx, w.agent, w.agent.ID, pay("0.1"))
	w.is(err, intents.ErrTxPerDay)
	w.clock.Add(11*time.Hour + 59*time.Minute)
	_, err = w.Submit(w.ctx, w.agent, w.agent.ID, pay("0.1"))
	w.is(err, intents.ErrTxPerDay)
	w.clock.Add(12 * time.Minute)
	w.submit(pay("0.2"))
	w.limits(intents.Extra{})
	_, err = w.Submit(w.ctx, w.agent, w.agent.ID, pay("0.1"))
	w.is(err, intents.ErrDailyLimit)
}

// What explain says is what submit does, and it does nothing itself.
func TestExplain(t *testing.T) {
	w := newWorld(t)
	w.change(func(a *identity.Agent) { a.TxMaxValue, a.TxChains = "0.1", []string{"base"} })
	var x intents.Explanation
	w.logs("", func() {
		var err error
		x, err = w.Explain(w.ctx, w.agent, w.agent.ID, pay("0.2"))
		w.ok(err)
	})
	refused := map[string]bool{}
	for _, v := range x.Verdicts {
		refused[v.Rule] = v.Refusal != nil
	}
	if x.Allowed() || !refused["tx_max_value_eth"] || !refused["tx_allowed_chains"] || refused["tx_to_allowlist"] {
		t.Fatalf("the verdicts are %v", refused)
	}
	if len(x.Effects) != 1 || x.Effects[0].Amount.Units(18) != "0.2" || w.spent() != "0" {
		t.Fatalf("the effects are %+v", x.Effects)
	}
}
