package intents

import (
	"context"
	"slices"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// fill takes a nonce that nothing uses and that keeps those behind it from
// landing: a transfer of nothing to the account itself, with the key of an intent
// that waits, for the agent of that intent. blocking is the account's next nonce
// in the chain.
func (s *Service) fill(ctx context.Context, n Node, behind Intent, blocking uint64) error {
	t := &task{agent: behind.Agent, kind: Filler, id: id.New(), node: n, pending: blocking}
	t.chain = Chain{Name: behind.Chain, ChainID: behind.ChainID}
	t.call, t.signer.address = evm.Call{To: &behind.From}, behind.From
	f, err := n.Fees(ctx)
	if err != nil {
		return err
	}
	if t.fees, err = suggested(f); err != nil {
		return err
	}
	if t.gas, err = estimate(ctx, n, behind.From, t.call); err != nil {
		return err
	}
	if err := s.capped(t.fees); err != nil {
		return err
	}
	defer s.working(t.id)()
	in, filled, err := s.reserveFiller(ctx, t, behind, blocking)
	if err != nil || !filled {
		return err
	}
	if in, err = s.sign(ctx, t, in); err != nil {
		return err
	}
	_, err = s.broadcast(ctx, identity.Principal{}, n, in)
	return err
}

// reserveFiller takes the blocking nonce if it is free. Nobody asked, so no
// guardrail is asked: nothing moves. A freeze is: it stops all signing.
func (s *Service) reserveFiller(ctx context.Context, t *task, behind Intent, blocking uint64) (in Intent, filled bool, err error) {
	err = txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		filled = false
		now := s.now()
		if _, frozen, err := tx.Freeze(behind.Org); err != nil || frozen {
			return nil, err
		}
		account, err := tx.Account(behind.ChainID, behind.From)
		if err != nil || !slices.Contains(account.Free, blocking) {
			return nil, err
		}
		if refusal, err = t.admitOwnKey(tx, s, behind); err != nil || refusal != nil {
			return refusal, err
		}
		nonce, account, refusal := account.take(blocking, &blocking)
		if refusal != nil {
			return refusal, nil
		}
		a, _, err := tx.Agent(behind.Org, behind.Agent)
		if err != nil {
			return nil, err
		}
		in = t.intent(a, nonce, nil, now)
		if err := t.apply(tx, in, account, nil, proposal{}, now); err != nil {
			return nil, err
		}
		filled = true
		e := t.event(audit.TransactionSubmit)
		e.Time, e.Details["nonce"] = now, nonce
		return nil, audit.Write(ctx, tx, e)
	})
	return in, filled, err
}

// admitOwnKey has the agent of a waiting intent use that intent's key, by itself
// and with the rights it has now.
func (t *task) admitOwnKey(tx Tx, s *Service, behind Intent) (refusal, err error) {
	who := policy.Principal{Type: policy.Agent, ID: behind.Agent}
	p, ok, err := vault.Lender(tx, behind.Org, who, behind.Key.Vault, s.now())
	if err != nil || !ok {
		return ErrAgentInactive, err
	}
	t.asked = p
	return t.keyOf(tx, behind, s.now())
}
