package intents

import (
	"context"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Explanation is what every guardrail would say of a transaction.
type Explanation struct {
	Chain    Chain
	From     evm.Address
	Effects  []evm.Effect
	Verdicts []Verdict
	Asks     []string // why people would have to agree; empty if they would not
}

// Allowed reports whether all guardrails allow it.
func (x Explanation) Allowed() bool { return firstRefusal(x.Verdicts) == nil }

// Explain says what each guardrail would say of a transaction if it were
// submitted now. Nothing is reserved, signed or counted.
func (s *Service) Explain(ctx context.Context, p identity.Principal, agent id.ID, r Request) (x Explanation, err error) {
	r.IdempotencyKey = ""
	q, err := r.parse(Submit)
	if err != nil {
		return x, err
	}
	t := &task{asked: p, agent: agent, kind: Submit, parsed: q, id: id.New()}
	_, refusal, err := s.find(ctx, t, nil)
	if err != nil {
		return x, err
	}
	if refusal != nil {
		return x, s.refused(ctx, t.event(audit.TransactionExplain), refusal)
	}
	if t.effects, err = evm.Effects(t.signer.address, t.call); err != nil {
		t.broken = true
	}
	err = s.DB.View(ctx, func(tx Tx) error {
		a, _, err := tx.Agent(p.Org, agent)
		if err != nil {
			return err
		}
		g, pr, why, err := t.weigh(tx, a, s)
		if err != nil {
			return err
		}
		refusal, x.Verdicts, x.Asks = why, judge(g, pr), g.Approval.asks(pr)
		return nil
	})
	if err == nil && refusal != nil {
		err = refusal
	}
	if !t.fees.none() {
		x.Verdicts = append(x.Verdicts, Verdict{Rule: ErrFeeCap.Code, Refusal: fault.As(s.capped(t.fees))})
	}
	x.Chain, x.From, x.Effects = t.chain, t.signer.address, t.effects
	return x, err
}
