package intents

import (
	"cmp"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// Verdict is what one rule says of a transaction.
type Verdict struct {
	Rule    string
	Refusal *fault.Error // nil: it allows it
}

// proposal is a transaction as the rules see it.
type proposal struct {
	chain   Chain
	from    evm.Address
	effects []evm.Effect // of the call, see evm.Effects
	broken  bool         // the call data could not be decoded
	now     time.Time
	frozen  bool
	spent   map[Asset]Window // of every asset that a limit is on
	day     Window           // of the number of transactions

	strangers []evm.Address // who get something for the first time, if that is asked for
}

// rule is one guardrail.
type rule struct {
	name  string
	check func(Guardrails, proposal) *fault.Error
}

// rules are all guardrails, in the order in which the first refusal is named.
var rules = []rule{
	{"signing_frozen", notFrozen},
	{"tx_allowed_chains", chainAllowed},
	{"undecodable_call", decodable},
	{"tx_to_allowlist", recipientsAllowed},
	{"allowed_methods", methodAllowed},
	{"unlimited_approval", approvalsLimited},
	{"tx_max_value_eth", valueWithinCap},
	{"token_limits", tokensWithinLimits},
	{"tx_daily_limit_eth", withinDailyLimit},
	{"tx_per_day", withinCount},
}

// judge asks every rule. It is pure: no clock, no store.
func judge(g Guardrails, p proposal) []Verdict {
	out := make([]Verdict, len(rules))
	for i, r := range rules {
		out[i] = Verdict{Rule: r.name, Refusal: r.check(g, p)}
	}
	return out
}

// firstRefusal is the refusal that is told, nil if all rules allow it.
func firstRefusal(verdicts []Verdict) error {
	for _, v := range verdicts {
		if v.Refusal != nil {
			return v.Refusal
		}
	}
	return nil
}

func notFrozen(_ Guardrails, p proposal) *fault.Error {
	if p.frozen {
		return ErrFrozen
	}
	return nil
}

func chainAllowed(g Guardrails, p proposal) *fault.Error {
	if g.allowsChain(p.chain) {
		return nil
	}
	return ErrChainRule.Detail("Access denied by tx_allowed_chains: %s is not one of the agent's chains", p.chain.Name)
}

func decodable(_ Guardrails, p proposal) *fault.Error {
	if p.broken {
		return ErrUndecodable
	}
	return nil
}

// recipientsAllowed holds every address that gets something, or may take
// something from now on, against the list, and every contract that is called
// too, unless it is a token with a limit of its own. A new contract is on no list.
func recipientsAllowed(g Guardrails, p proposal) *fault.Error {
	if len(g.Recipients) == 0 {
		return nil
	}
	for _, e := range p.effects {
		if e.Kind == evm.Creation {
			return ErrRecipient.Detail("Access denied by tx_to_allowlist: the agent may not create contracts")
		}
		if !slices.Contains(g.Recipients, e.To) && !(e.Kind == evm.Invocation && !e.Delegate && g.limits(p.chain, e.To)) {
			return ErrRecipient.Detail("Access denied by tx_to_allowlist: %s is not on the agent's list", e.To)
		}
		if !slices.Contains(g.Recipients, e.Contract) && !g.limits(p.chain, e.Contract) {
			return ErrRecipient.Detail("Access denied by tx_to_allowlist: %s is not on the agent's list", e.Contract)
		}
	}
	return nil
}

// limits reports whether there is a limit on a token.
func (g Guardrails) limits(c Chain, token evm.Address) bool {
	return slices.ContainsFunc(g.Tokens, func(t TokenLimit) bool { return t.ChainID == c.ChainID && t.Token == token })
}

// methodAllowed holds every method that is called, also inside of others,
// against the list. Plain transfers call none.
func methodAllowed(g Guardrails, p proposal) *fault.Error {
	if len(g.Methods) == 0 {
		return nil
	}
	for _, e := range p.effects {
		plain := e.Kind == evm.Transfer && e.Asset.Standard == evm.Native
		switch {
		case e.Kind == evm.Creation:
			return ErrMethod.Detail("Access denied by allowed_methods: the agent may not create contracts")
		case !plain && !slices.Contains(g.Methods, e.Selector):
			return ErrMethod.Detail("Access denied by allowed_methods: %s is not one of the agent's methods", cmp.Or(e.Selector, "a call without a method"))
		}
	}
	return nil
}

func approvalsLimited(g Guardrails, p proposal) *fault.Error {
	if g.AllowUnlimited {
		return nil
	}
	for _, e := range p.effects {
		if e.Unlimited {
			return ErrUnlimited.Detail("Access denied: an unlimited approval for %s is not allowed", e.To)
		}
	}
	return nil
}

func valueWithinCap(g Guardrails, p proposal) *fault.Error {
	if g.MaxValue == nil {
		return nil
	}
	if v := p.outflow(Asset{ChainID: p.chain.ChainID}); v.Cmp(*g.MaxValue) > 0 {
		return ErrMaxValue.Detail("Access denied by tx_max_value_eth: %s is more than the %s %s that one transaction may move",
			v.Units(nativeDecimals), g.MaxValue.Units(nativeDecimals), p.chain.Native)
	}
	return nil
}

func withinDailyLimit(g Guardrails, p proposal) *fault.Error {
	if g.DailyLimit == nil {
		return nil
	}
	asset := Asset{ChainID: p.chain.ChainID}
	spent, _ := p.spent[asset].total(p.now)
	if add(spent, p.outflow(asset)).Cmp(*g.DailyLimit) > 0 {
		return ErrDailyLimit.Detail("Access denied by tx_daily_limit_eth: %s of the %s %s for 24 hours are spent",
			spent.Units(nativeDecimals), g.DailyLimit.Units(nativeDecimals), p.chain.Native)
	}
	return nil
}

// tokensWithinLimits holds what goes out of a token, and what others may take of
// it from now on, against the limits of that token. A method of it of which nobody
// knows what it moves is refused, unless people have listed it.
func tokensWithinLimits(g Guardrails, p proposal) *fault.Error {
	for _, e := range p.effects {
		unknown := e.Kind == evm.Invocation && e.Method == "" && !slices.Contains(g.Methods, e.Selector)
		if unknown && g.limits(p.chain, e.Contract) {
			return ErrTokenLimit.Detail("Access denied by token_limits: what %s of token %s moves is not known, so it would have to be one of the agent's allowed_methods",
				cmp.Or(e.Selector, "a call without a method"), e.Contract)
		}
	}
	for _, t := range g.Tokens {
		asset := Asset{t.ChainID, t.Token}
		out := p.outflow(asset)
		if out.IsZero() {
			continue
		}
		if t.MaxAmount != nil && out.Cmp(*t.MaxAmount) > 0 {
			return ErrTokenLimit.Detail("Access denied by token_limits: %s is more than the %s of token %s that one transaction may move", out, *t.MaxAmount, t.Token)
		}
		if spent, _ := p.spent[asset].total(p.now); t.DailyLimit != nil && add(spent, out).Cmp(*t.DailyLimit) > 0 {
			return ErrTokenLimit.Detail("Access denied by token_limits: %s of the %s of token %s for 24 hours are spent", spent, *t.DailyLimit, t.Token)
		}
	}
	return nil
}

func withinCount(g Guardrails, p proposal) *fault.Error {
	if _, n := p.day.total(p.now); g.PerDay > 0 && n >= g.PerDay {
		return ErrTxPerDay.Detail("Access denied by tx_per_day: the %d transactions for 24 hours are used up", g.PerDay)
	}
	return nil
}

// outflow is what a transaction takes out of an asset, approvals included: who
// may take it later counts as having taken it. It counts whosever it is, as that of
// a Safe whose owner the agent is. Only where a contract hands on what it was given
// in the same transaction, that has been counted.
func (p proposal) outflow(a Asset) (sum evm.Amount) {
	if a.ChainID != p.chain.ChainID {
		return sum
	}
	var given map[evm.Address]evm.Amount
	for _, e := range p.effects {
		if e.Kind == evm.Invocation || e.Asset.Token != a.Token {
			continue
		}
		out := e.Amount
		if own := e.Depth == 0 || e.From == p.from || e.From.IsZero(); !own {
			has := given[e.From]
			if out = subtract(e.Amount, has); !has.IsZero() {
				given[e.From] = subtract(has, e.Amount)
			}
		}
		sum = add(sum, out)
		if e.Kind == evm.Transfer && len(p.effects) > 1 {
			if given == nil {
				given = make(map[evm.Address]evm.Amount)
			}
			given[e.To] = add(given[e.To], e.Amount)
		}
	}
	return sum
}

// spends are what has to be held for the transaction: of the chain's coin
// always, so that a limit that is set later finds what was spent, and of tokens
// that a limit is on.
func (p proposal) spends(g Guardrails) []Spend {
	var out []Spend
	coin := Asset{ChainID: p.chain.ChainID}
	if v := p.outflow(coin); !v.IsZero() {
		out = append(out, Spend{coin, v})
	}
	for _, t := range g.Tokens {
		a := Asset{t.ChainID, t.Token}
		held := slices.ContainsFunc(out, func(s Spend) bool { return s.Asset == a }) // once, however many limits it has
		if v := p.outflow(a); !held && !v.IsZero() {
			out = append(out, Spend{a, v})
		}
	}
	return out
}
