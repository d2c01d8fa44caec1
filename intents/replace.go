package intents

import (
	"context"
	"errors"
	"math/big"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// maxTries bounds how often the nonce of one intent is signed with.
const maxTries = 16

// raisePercent is by how much both fees of a replacement are higher: nodes want a
// tenth, and this is what they get rounded up.
const raisePercent = 12

// SpeedUp signs an intent that is not in a block yet once more, with the same
// nonce and higher fees: those that were asked for, or else what the node
// suggests, and in any case enough for nodes to replace the try before. One of
// them lands at most, so nothing more is spent than was reserved. What was cancelled
// stays so: the cancellation is sped up then.
func (s *Service) SpeedUp(ctx context.Context, p identity.Principal, agent, intent id.ID, maxFee, tip string) (Intent, error) {
	fees, err := Request{MaxFee: maxFee, Tip: tip}.parseFees()
	if err != nil {
		return Intent{}, err
	}
	return s.replace(ctx, p, agent, intent, fees, false)
}

// Cancel signs a transfer of nothing to the account itself with the intent's
// nonce and higher fees. Whether it wins is the chain's to say; what the intent
// holds of the limits is free only when it did.
func (s *Service) Cancel(ctx context.Context, p identity.Principal, agent, intent id.ID) (Intent, error) {
	return s.replace(ctx, p, agent, intent, Fees{}, true)
}

func (s *Service) replace(ctx context.Context, p identity.Principal, agent, intent id.ID, fees Fees, cancel bool) (Intent, error) {
	t := &task{asked: p, agent: agent, kind: Submit, id: intent, cancels: cancel}
	in, err := s.findReplaceable(ctx, t)
	if err != nil {
		return Intent{}, err
	}
	defer s.working(in.ID)()
	if t.parsed.fees, err = s.higher(ctx, t.node, *in.Last(), fees); err != nil {
		if errors.Is(err, ErrFeeCap) {
			err = s.refused(ctx, t.event(audit.TransactionReplace), err)
		}
		return Intent{}, err
	}
	call := in.Call
	if t.cancels {
		call = evm.Call{To: &in.From}
	}
	try, err := in.try(call, t.parsed.fees, s.signing(ctx, t.signer))
	if err != nil {
		return Intent{}, err
	}
	try.Cancels = t.cancels
	ctx = context.WithoutCancel(ctx)
	if in, err = s.addTry(ctx, t, in, try); err != nil || in.Kind == SignOnly && !t.cancels {
		return in, err
	}
	return s.broadcast(ctx, t.asked, t.node, in)
}

// findReplaceable finds an intent that may still be replaced, and what that takes.
func (s *Service) findReplaceable(ctx context.Context, t *task) (in Intent, err error) {
	var refusal error
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		in, refusal, err = t.replaceable(tx, s)
		return err
	})
	if err == nil && refusal != nil {
		err = s.refused(ctx, t.event(audit.TransactionReplace), refusal)
	}
	if err != nil {
		return in, err
	}
	n, ok := s.nodeOf(ctx, in.ChainID)
	if !ok {
		return in, ErrNoNode
	}
	t.node = n
	return in, nil
}

func (t *task) replaceable(tx Tx, s *Service) (in Intent, refusal, err error) {
	now := s.now()
	a, refusal, err := authorize(tx, t.asked, t.agent, now)
	if err != nil || refusal != nil {
		return in, refusal, err
	}
	if _, frozen, err := tx.Freeze(a.Org); err != nil || frozen {
		return in, ErrFrozen, err
	}
	in, ok, err := tx.Intent(t.agent, t.id)
	switch {
	case err != nil:
		return in, nil, err
	case !ok:
		return in, ErrNotFound, nil
	case in.State != Signed && in.State != Broadcast, in.Block != nil, len(in.Tries) >= maxTries:
		return in, ErrNotOpen, nil
	}
	t.call, t.cancels = in.Call, t.cancels || in.Last().Cancels
	if t.chain, _, err = findChain(tx, in.Chain); err != nil {
		return in, nil, err
	}
	if refusal, err = t.keyOf(tx, in, now); err == nil && refusal == nil && !t.cancels {
		refusal, err = t.stillAllowed(tx, a, s)
	}
	return in, refusal, err
}

// stillAllowed holds what is signed once more against the guardrails as they are
// now. What it spends is held already, so that nothing of the day's windows is
// asked for again.
func (t *task) stillAllowed(tx Tx, a identity.Agent, s *Service) (refusal, err error) {
	effects, err := evm.Effects(t.signer.address, t.call)
	t.effects, t.broken = effects, err != nil
	g, p, refusal, err := t.weigh(tx, a, s)
	if err != nil || refusal != nil {
		return refusal, err
	}
	p.spent, p.day = nil, Window{}
	return firstRefusal(judge(g, p)), nil
}

// higher are fees that nodes replace a try for, within the operator's cap.
func (s *Service) higher(ctx context.Context, n Node, last Try, wanted Fees) (Fees, error) {
	if wanted.none() {
		now, err := n.Fees(ctx)
		if err != nil {
			return Fees{}, err
		}
		if wanted, err = suggested(now); err != nil {
			return Fees{}, err
		}
	}
	out := Fees{}
	if last.Fees.GasPrice != nil {
		price := atLeast(wanted.most(), raised(*last.Fees.GasPrice))
		out.GasPrice = &price
	} else {
		tip := raised(*last.Fees.Tip)
		if wanted.Tip != nil {
			tip = atLeast(*wanted.Tip, tip)
		}
		most := atLeast(atLeast(wanted.most(), raised(*last.Fees.MaxFee)), tip)
		out.MaxFee, out.Tip = &most, &tip
	}
	return out, s.capped(out)
}

// raised is a fee and raisePercent more, rounded up.
func raised(a evm.Amount) evm.Amount {
	more := new(big.Int).Mul(a.Big(), big.NewInt(100+raisePercent))
	more.Add(more, big.NewInt(99)).Quo(more, big.NewInt(100))
	out, err := evm.AmountOf(more)
	if err != nil {
		return evm.MaxAmount()
	}
	return out
}

func atLeast(a, least evm.Amount) evm.Amount {
	if a.Cmp(least) < 0 {
		return least
	}
	return a
}

// addTry stores a further try, before any node sees it.
func (s *Service) addTry(ctx context.Context, t *task, in Intent, try Try) (Intent, error) {
	next := in
	next.Tries = append(append([]Try(nil), in.Tries...), try)
	next.Fees = try.Fees
	err := txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		e := t.event(audit.TransactionReplace)
		e.Time = s.now()
		now, refusal, err := t.replaceable(tx, s)
		if err != nil {
			return nil, err
		}
		if refusal == nil && len(now.Tries) != len(in.Tries) {
			refusal = ErrNotOpen
		}
		if refusal != nil {
			return refuse(ctx, tx, e, refusal)
		}
		e.Details["tx_hash"], e.Details["cancels"], e.Details["replaces"] = try.Hash.String(), try.Cancels, in.Last().Hash.String()
		if err := tx.PutIntent(next); err != nil {
			return nil, err
		}
		return nil, audit.Write(ctx, tx, e)
	})
	return next, err
}
