package intents

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// ExtraSpec are an agent's extra guardrails as people write them.
type ExtraSpec struct {
	PerDay         int
	Methods        []string // selectors in hex with 0x
	Tokens         []TokenSpec
	AllowUnlimited bool

	NoPersonal, NoTyped, RawDigests bool
	Domains                         []string // addresses

	Approval *ApprovalSpec // nil: people need not agree
}

// ApprovalSpec is an ApprovalRule as people write it.
type ApprovalSpec struct {
	Above         string // decimal, of the chain's coin; "" for none
	Methods       []string
	NewRecipients bool
	Approvers     int
	Within        time.Duration
}

func (x *ApprovalSpec) parse() (*ApprovalRule, error) {
	if x == nil {
		return nil, nil
	}
	r := ApprovalRule{NewRecipients: x.NewRecipients, Approvers: x.Approvers, Within: x.Within}
	for _, m := range x.Methods {
		r.Methods = append(r.Methods, strings.ToLower(m))
	}
	if x.Above != "" {
		v, err := evm.ParseUnits(x.Above, nativeDecimals)
		if err != nil {
			return nil, ErrLimits.Detail("approval.above_eth must be a decimal number such as \"0.5\"")
		}
		r.Above = &v
	}
	return &r, r.check()
}

// TokenSpec is a token's limit as people write it: amounts in its smallest unit,
// in decimal, "" for none.
type TokenSpec struct {
	ChainID               uint64
	Token                 string
	MaxAmount, DailyLimit string
}

func (x ExtraSpec) parse() (Extra, error) {
	out := Extra{PerDay: x.PerDay, AllowUnlimited: x.AllowUnlimited, NoPersonal: x.NoPersonal, NoTyped: x.NoTyped, RawDigests: x.RawDigests}
	if x.PerDay < 0 || len(x.Domains) > maxLimits || len(x.Methods) > maxLimits || len(x.Tokens) > maxLimits {
		return out, ErrLimits
	}
	var err error
	if out.Approval, err = x.Approval.parse(); err != nil {
		return out, err
	}
	for _, m := range x.Methods {
		m = strings.ToLower(m)
		if !selector.MatchString(m) {
			return out, ErrLimits
		}
		out.Methods = append(out.Methods, m)
	}
	for _, d := range x.Domains {
		a, err := evm.ParseAddress(d)
		if err != nil {
			return out, ErrLimits
		}
		out.Domains = append(out.Domains, a)
	}
	for _, t := range x.Tokens {
		l, err := t.parse()
		if err != nil {
			return out, err
		}
		if slices.ContainsFunc(out.Tokens, func(o TokenLimit) bool { return o.ChainID == l.ChainID && o.Token == l.Token }) {
			return out, ErrLimits.Detail("token_limits names token %s of chain %d twice", l.Token, l.ChainID)
		}
		out.Tokens = append(out.Tokens, l)
	}
	return out, nil
}

func (t TokenSpec) parse() (l TokenLimit, err error) {
	l.ChainID = t.ChainID
	if l.Token, err = evm.ParseAddress(t.Token); err != nil || l.Token.IsZero() || l.ChainID == 0 || t.MaxAmount == "" && t.DailyLimit == "" {
		return l, ErrLimits
	}
	if l.MaxAmount, err = amount(t.MaxAmount); err != nil {
		return l, err
	}
	l.DailyLimit, err = amount(t.DailyLimit)
	return l, err
}

func amount(s string) (*evm.Amount, error) {
	if s == "" {
		return nil, nil
	}
	v, err := evm.ParseAmount(s)
	if err != nil {
		return nil, ErrLimits
	}
	return &v, nil
}

const maxLimits = 100

var selector = regexp.MustCompile(`^0x[0-9a-f]{8}$`)

// Limits are the guardrails of an agent that are not part of its own record.
func (s *Service) Limits(ctx context.Context, p identity.Principal, agent id.ID) (x Extra, err error) {
	var refusal error
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		if refusal, err = mayLook(tx, p, agent); err != nil || refusal != nil {
			return err
		}
		x, err = tx.Extra(agent)
		return err
	})
	if err == nil && refusal != nil {
		err = s.refused(ctx, p.Event(audit.AgentRead, "agent", agent.String()), refusal)
	}
	return x, err
}

// SetLimits replaces them. Only people who manage the organisation may: an agent
// does not widen its own limits.
func (s *Service) SetLimits(ctx context.Context, p identity.Principal, agent id.ID, spec ExtraSpec) (Extra, error) {
	x, err := spec.parse()
	if err != nil {
		return x, err
	}
	return x, txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		e := p.Event(audit.AgentUpdate, "agent", agent.String())
		e.Time, e.Details = s.now(), audit.Details{"guardrails": true}
		_, ok, err := tx.Agent(p.Org, agent)
		switch {
		case err != nil:
			return nil, err
		case !p.Manages():
			return refuse(ctx, tx, e, ErrDenied)
		case !ok:
			return refuse(ctx, tx, e, ErrAgentNotFound)
		}
		if err := tx.PutExtra(agent, x); err != nil {
			return nil, err
		}
		return nil, audit.Write(ctx, tx, e)
	})
}
