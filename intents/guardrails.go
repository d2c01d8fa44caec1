package intents

import (
	"slices"
	"strings"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Guardrails are the limits that people set for an agent. An empty list and a nil
// limit mean none, except where a field says otherwise.
type Guardrails struct {
	// Of the agent's own record.
	Chains     []string      `json:"-"` // names
	Recipients []evm.Address `json:"-"`
	MaxValue   *evm.Amount   `json:"-"` // of the chain's coin, in one transaction
	DailyLimit *evm.Amount   `json:"-"` // of each chain's coin, in 24 hours

	Extra
}

// Extra are the guardrails that the published agent has no fields for.
type Extra struct {
	PerDay         int          `json:"tx_per_day,omitempty"`      // transactions in 24 hours on all chains; 0: any number
	Methods        []string     `json:"allowed_methods,omitempty"` // selectors: "0xa9059cbb"
	Tokens         []TokenLimit `json:"token_limits,omitempty"`
	AllowUnlimited bool         `json:"allow_unlimited_approvals,omitempty"`

	Approval *ApprovalRule `json:"approval,omitempty"` // nil: people need not agree

	// Of messages.
	NoPersonal bool          `json:"no_personal_sign,omitempty"`
	NoTyped    bool          `json:"no_typed_data,omitempty"`
	RawDigests bool          `json:"raw_digests,omitempty"`
	Domains    []evm.Address `json:"allowed_domains,omitempty"` // contracts that typed data may be for
}

// TokenLimit limits what goes out of one token, in its smallest unit. A limit on
// a token makes its contract a recipient that is allowed.
type TokenLimit struct {
	ChainID    uint64      `json:"chain_id"`
	Token      evm.Address `json:"token"`
	MaxAmount  *evm.Amount `json:"max_amount,omitempty"`
	DailyLimit *evm.Amount `json:"daily_limit,omitempty"`
}

// guardrails reads those of an agent. What cannot be read is a refusal: a limit
// must not be lost to a slip of the pen.
func guardrails(a identity.Agent, extra Extra) (Guardrails, error) {
	g := Guardrails{Chains: a.TxChains, Extra: extra}
	for _, s := range a.TxToAllowlist {
		addr, err := evm.ParseAddress(strings.TrimSpace(s))
		if err != nil {
			return g, ErrBadGuardrails
		}
		g.Recipients = append(g.Recipients, addr)
	}
	var err error
	if g.MaxValue, err = limit(a.TxMaxValue); err != nil {
		return g, err
	}
	g.DailyLimit, err = limit(a.TxDailyLimit)
	return g, err
}

// nativeDecimals are those of the coin of every chain in the registry.
const nativeDecimals = 18

func limit(s string) (*evm.Amount, error) {
	if s == "" {
		return nil, nil
	}
	v, err := evm.ParseUnits(s, nativeDecimals)
	if err != nil {
		return nil, ErrBadGuardrails
	}
	return &v, nil
}

func (g Guardrails) allowsChain(c Chain) bool {
	return len(g.Chains) == 0 || slices.ContainsFunc(g.Chains, c.named)
}
