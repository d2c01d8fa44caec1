package intents

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// sign has the key sign what was reserved and stores the bytes. If it cannot, all
// that was reserved is given back, since nothing can have been sent.
func (s *Service) sign(ctx context.Context, t *task, in Intent) (Intent, error) {
	try, err := s.try(ctx, t.signer, in, in.Call, in.Fees)
	if err != nil {
		return in, s.release(ctx, t, in, err)
	}
	next := in.moved(Signed, s.now())
	next.SignedAt, next.Tries = s.now(), []Try{try}
	err = s.DB.Update(ctx, func(tx Tx) error {
		e := t.event(audit.TransactionSign)
		e.Time = s.now()
		e.Details["tx_hash"] = try.Hash.String()
		t.signer.describe(e.Details)
		if err := audit.Write(ctx, tx, e); err != nil {
			return err
		}
		return tx.PutIntent(next)
	})
	if err != nil {
		// The bytes were never shown to anybody: they do not exist.
		return in, s.release(ctx, t, in, err)
	}
	return next, nil
}

// try signs a call with the intent's nonce.
func (s *Service) try(ctx context.Context, g signer, in Intent, call evm.Call, fees Fees) (Try, error) {
	tx := in.unsigned(call, fees)
	if err := tx.Check(); err != nil {
		return Try{}, err
	}
	sig, err := s.signDigest(ctx, g, tx.Digest())
	if err != nil {
		return Try{}, err
	}
	out, err := tx.Sign(sig)
	return Try{Hash: out.Hash, Raw: out.Raw, Fees: fees}, err
}

// release gives up an intent that was never signed: its nonce, its spend and its
// Idempotency-Key are free again. If even that cannot be written, the intent is
// released at the next start.
func (s *Service) release(ctx context.Context, t *task, in Intent, why error) error {
	e := t.event(audit.TransactionSign)
	e.Outcome, e.Reason = audit.Failed, "internal"
	if f := fault.As(why); f != nil {
		e.Reason, in.Error = f.Code, f.Msg
	}
	err := s.DB.Update(ctx, func(tx Tx) error {
		e := e
		e.Time = s.now()
		if err := audit.Write(ctx, tx, e); err != nil {
			return err
		}
		return errors.Join(t.unuse(tx, in, why), undo(tx, in, s.now()))
	})
	if err != nil {
		s.Log.ErrorContext(ctx, "an unsigned transaction keeps its nonce until the next start", "transaction", in.ID, "error", err)
	}
	return why
}

// unuse gives an approval back that nothing was signed for, unless what people
// agreed to is not what would happen any more.
func (t *task) unuse(tx Tx, in Intent, why error) error {
	if t.agreed == nil || errors.Is(why, ErrEffectsChanged) || errors.Is(why, ErrWouldRevert) {
		return nil
	}
	a, ok, err := tx.Approval(in.Org, t.agreed.ID)
	if err != nil || !ok || a.Intent != in.ID {
		return err
	}
	a.Status, a.Intent = Approved, id.ID{}
	return tx.PutApproval(a)
}

// undo makes a reserved intent as if it had not been, but for its record.
func undo(tx Tx, in Intent, now time.Time) error {
	account, err := tx.Account(in.ChainID, in.From)
	if err != nil {
		return err
	}
	if err := tx.PutAccount(account.give(in.Nonce)); err != nil {
		return err
	}
	in = in.moved(Released, now)
	in.Error = cmp.Or(in.Error, "interrupted before it was signed; nothing was sent")
	if err := letGo(tx, in, now); err != nil {
		return err
	}
	if in.Repeat != "" {
		if err := tx.DeleteRepeat(in.Agent, in.Repeat); err != nil {
			return err
		}
	}
	return tx.PutIntent(in)
}

// broadcast shows the signed bytes to a node and records what it made of them.
// However often it is called, they are the same bytes. by is who asked for it, the
// zero Principal if nobody did just now.
func (s *Service) broadcast(ctx context.Context, by identity.Principal, n Node, in Intent) (Intent, error) {
	next, news := s.send(ctx, n, in)
	if !news {
		return in, nil // as unclear as before; the tracker asks again
	}
	return s.record(ctx, by, in, next)
}

// send asks a node to take the bytes of the last try. It reports the intent as it
// is then, and false if that is as unclear as before.
func (s *Service) send(ctx context.Context, n Node, in Intent) (Intent, bool) {
	try := in.Last()
	sent, err := n.Send(ctx, evm.Signed{Raw: try.Raw, Hash: try.Hash})
	if err != nil {
		return in, false
	}
	switch sent.Outcome {
	case node.Accepted, node.Known:
		return in.moved(Broadcast, s.now()), in.State != Broadcast
	case node.Rejected, node.NonceTooLow, node.Underpriced:
		// A text decides nothing: does the chain know these bytes?
		at, err := n.Lookup(ctx, try.Hash)
		if err != nil {
			return in, false
		}
		if at.Fate != node.Unknown {
			return in.moved(Broadcast, s.now()), in.State != Broadcast
		}
		if in.State == Broadcast || in.State == Rejected {
			return in, false // it was taken once; the tracker finds out where it went
		}
		next := in.moved(Rejected, s.now())
		next.Error = reason(sent)
		return next, true
	}
	return in, false
}
