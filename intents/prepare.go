package intents

import (
	"cmp"
	"context"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// Gas is estimated, never assumed: chains price the same call differently. The
// margin is for a state that is another one in the block that it lands in.
const gasMarginPercent = 20

// plainGas is what a transfer without data costs on every chain (yellow paper,
// G_transaction): the one estimate that needs no node.
const plainGas = 21000

// askNode asks the chain's node for what the request left out, and whether the
// call would fail. Without a node the request has to say all.
func (s *Service) askNode(ctx context.Context, t *task) error {
	if t.node == nil {
		return s.withoutNode(ctx, t)
	}
	var err error
	if t.simulate || s.MustSimulate != nil {
		if err := s.simulateFirst(ctx, t); err != nil || t.failed != nil {
			return err
		}
	}
	if t.pending, err = t.node.PendingNonce(ctx, t.signer.address); err != nil {
		return err
	}
	if t.fees.none() {
		f, err := t.node.Fees(ctx)
		if err != nil {
			return err
		}
		if t.fees, err = suggested(f); err != nil {
			return err
		}
	}
	if err := s.capped(t.fees); err != nil {
		return err
	}
	if t.gas != 0 {
		return nil
	}
	t.gas, err = estimate(ctx, t.node, t.signer.address, t.call)
	return err
}

// estimate is what a call takes, with the margin.
func estimate(ctx context.Context, n Node, from evm.Address, c evm.Call) (uint64, error) {
	gas, err := n.Estimate(ctx, from, c)
	if err == nil && gas > maxGas {
		err = ErrRequest.Detail("The node estimates %d gas, more than any block has", gas)
	}
	return gas + gas/100*gasMarginPercent + gasMarginPercent, err
}

// check says whether what is to be signed can be, before anything is reserved for
// it.
func (t *task) check() error {
	in := Intent{ChainID: t.chain.ChainID, Gas: t.gas}
	return in.unsigned(t.call, t.fees).Check()
}

func (s *Service) withoutNode(ctx context.Context, t *task) error {
	if must, err := s.mustSimulate(ctx, t); err != nil || must {
		return cmp.Or(err, error(ErrNoSimulation))
	}
	if t.fees.none() {
		return ErrFees
	}
	if t.gas == 0 {
		if len(t.call.Data) > 0 || t.call.To == nil || len(t.call.Access) > 0 {
			return ErrGas
		}
		t.gas = plainGas
	}
	return s.capped(t.fees)
}

// suggested are fees that are enough for the next blocks.
func suggested(f node.Fees) (Fees, error) {
	if !f.Dynamic {
		return Fees{GasPrice: &f.GasPrice}, nil
	}
	most, err := f.MaxFee()
	return Fees{MaxFee: &most, Tip: &f.Tip}, err
}

// capped refuses fees above the operator's cap: what burns as a fee is gone as
// well.
func (s *Service) capped(f Fees) error {
	if s.MaxFee != nil && f.most().Cmp(*s.MaxFee) > 0 {
		return ErrFeeCap.Detail("Access denied: %s wei per gas is above this appliance's cap of %s", f.most(), *s.MaxFee)
	}
	return nil
}

// isRefusal reports whether an error of another package is an answer to the
// caller, to be audited, and not a fault.
func isRefusal(err error) bool {
	switch fault.KindOf(err) {
	case fault.Denied, fault.NotFound, fault.Gone, fault.Invalid, fault.Conflict:
		return true
	}
	return false
}

// unsigned is the transaction of an intent.
func (in Intent) unsigned(call evm.Call, fees Fees) evm.Tx {
	tx := evm.Tx{Type: evm.Legacy, ChainID: in.ChainID, Nonce: in.Nonce, Call: call, Gas: in.Gas}
	if fees.GasPrice != nil {
		if tx.GasPrice = *fees.GasPrice; len(call.Access) > 0 {
			tx.Type = evm.AccessList
		}
		return tx
	}
	tx.Type, tx.MaxFee, tx.Tip = evm.DynamicFee, *fees.MaxFee, *fees.Tip
	return tx
}
