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

// signReserved has the key sign what was reserved, if that still does what people
// agreed to, and stores the bytes.
func (s *Service) signReserved(ctx context.Context, t *task, in Intent, agreed *Approval) (Intent, error) {
	if err := s.simulateAgain(ctx, t, agreed); err != nil {
		return in, s.release(ctx, t, in, err)
	}
	return s.sign(ctx, t, in)
}

// sign has the key sign what was reserved and stores the bytes. If it cannot, all
// that was reserved is given back, since nothing can have been sent.
func (s *Service) sign(ctx context.Context, t *task, in Intent) (Intent, error) {
	next, err := in.sign(in.Call, in.Fees, s.now(), s.signing(ctx, t.signer))
	if err != nil {
		return in, s.release(ctx, t, in, err)
	}
	err = s.DB.Update(ctx, func(tx Tx) error {
		if _, frozen, err := tx.Freeze(in.Org); err != nil || frozen {
			return cmp.Or(err, error(ErrFrozen)) // while the key was at work
		}
		if err := audit.Write(ctx, tx, t.signedEvent(next)); err != nil {
			return err
		}
		return errors.Join(t.meet(tx), tx.PutIntent(next))
	})
	if err != nil {
		// The bytes were never shown to anybody: they do not exist.
		return in, s.release(ctx, t, in, err)
	}
	return next, nil
}

// sign is the intent once it is signed.
func (in Intent) sign(call evm.Call, fees Fees, now time.Time, key func(evm.Hash) (evm.Signature, error)) (Intent, error) {
	try, err := in.try(call, fees, key)
	if err != nil {
		return in, err
	}
	in = in.moved(Signed, now)
	in.SignedAt, in.Tries = now, []Try{try}
	return in, nil
}

// try signs a call with the intent's nonce.
func (in Intent) try(call evm.Call, fees Fees, key func(evm.Hash) (evm.Signature, error)) (Try, error) {
	tx := in.unsigned(call, fees)
	if err := tx.Check(); err != nil {
		return Try{}, err
	}
	sig, err := key(tx.Digest())
	if err != nil {
		return Try{}, err
	}
	out, err := tx.Sign(sig)
	return Try{Hash: out.Hash, Raw: out.Raw, Fees: fees}, err
}

// signedEvent says that the task was signed, as in.
func (t *task) signedEvent(in Intent) audit.Event {
	e := t.event(audit.TransactionSign)
	e.Time = in.SignedAt
	e.Details["tx_hash"] = in.Last().Hash.String()
	t.signer.describe(e.Details)
	return e
}

// failedEvent says why it was not.
func (t *task) failedEvent(why error, now time.Time) audit.Event {
	e := t.event(audit.TransactionSign)
	e.Time, e.Outcome, e.Reason = now, audit.Failed, "internal"
	if f := fault.As(why); f != nil {
		e.Reason = f.Code
	}
	return e
}

// cannotSign records that the key of a task could not be opened, before anything was
// reserved.
func (s *Service) cannotSign(ctx context.Context, t *task, why error) error {
	err := s.DB.Update(ctx, func(tx Tx) error { return audit.Write(ctx, tx, t.failedEvent(why, s.now())) })
	return cmp.Or(err, why)
}

// forget takes back a task whose transaction failed. As a rule that has left
// nothing; but if only its last sync failed, everybody sees an intent that may be
// gone after a power cut, and bytes that nobody may be shown.
func (s *Service) forget(ctx context.Context, t *task, why error) error {
	ctx = context.WithoutCancel(ctx)
	var in Intent
	there := false
	err := s.DB.View(ctx, func(tx Tx) (err error) {
		in, there, err = tx.Intent(t.agent, t.id)
		return err
	})
	if err != nil || !there {
		return why
	}
	return s.release(ctx, t, in, why)
}

// release gives up an intent that was never signed, or whose bytes were never
// shown: its nonce, its spend, its Idempotency-Key and the approval that it used
// are free again. If even that cannot be written, the intent is released at the
// next start.
func (s *Service) release(ctx context.Context, t *task, in Intent, why error) error {
	if f := fault.As(why); f != nil {
		in.Error = f.Msg
	}
	err := s.DB.Update(ctx, func(tx Tx) error {
		now := s.now()
		if err := audit.Write(ctx, tx, t.failedEvent(why, now)); err != nil {
			return err
		}
		if err := undo(tx, in, now); err != nil {
			return err
		}
		if errors.Is(why, ErrEffectsChanged) || errors.Is(why, ErrWouldRevert) {
			return nil // what people agreed to is not what would happen any more
		}
		return unuse(tx, in)
	})
	if err != nil {
		s.Log.ErrorContext(ctx, "an unsigned transaction keeps its nonce until the next start", "transaction", in.ID, "error", err)
	}
	return why
}

// unuse gives back the approval of an intent that nothing was signed for.
func unuse(tx Tx, in Intent) error {
	if in.Approval.IsZero() {
		return nil
	}
	a, ok, err := tx.Approval(in.Org, in.Approval)
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
