package intents

import (
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
		return s.withoutNode(t)
	}
	var err error
	if t.pending, err = t.node.PendingNonce(ctx, t.signer.address); err != nil {
		return err
	}
	if t.fees.none() {
		f, err := t.node.Fees(ctx)
		if err != nil {
			return err
		}
		t.fees = suggested(f)
	}
	if err := s.capped(t.fees); err != nil {
		return err
	}
	if t.gas != 0 {
		return nil
	}
	gas, err := t.node.Estimate(ctx, t.signer.address, t.call)
	if err != nil {
		return err
	}
	t.gas = gas + gas*gasMarginPercent/100
	return nil
}

func (s *Service) withoutNode(t *task) error {
	if t.fees.none() {
		return ErrFees
	}
	if t.gas == 0 {
		if len(t.call.Data) > 0 || t.call.To == nil {
			return ErrGas
		}
		t.gas = plainGas
	}
	return s.capped(t.fees)
}

// suggested are fees that are enough for the next blocks: twice the base fee,
// which then may rise for six full blocks (EIP-1559: by an eighth each).
func suggested(f node.Fees) Fees {
	if f.BaseFee == nil {
		return Fees{GasPrice: &f.GasPrice}
	}
	most := add(add(*f.BaseFee, *f.BaseFee), f.Tip)
	return Fees{MaxFee: &most, Tip: &f.Tip}
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
		tx.GasPrice = *fees.GasPrice
		return tx
	}
	tx.Type, tx.MaxFee, tx.Tip = evm.DynamicFee, *fees.MaxFee, *fees.Tip
	return tx
}
