package share

import (
	"context"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Accept takes an offer that was made to p. The second time changes nothing.
func (s *Service) Accept(ctx context.Context, p identity.Principal, share id.ID) error {
	return s.change(ctx, p, audit.ShareAccept, share, func(tx Tx, sh Share, now time.Time) (refusal, err error) {
		if refusal := sh.answerable(p); refusal != nil {
			return refusal, nil
		}
		if refusal := sh.dead(now); refusal != nil {
			return refusal, nil
		}
		if sh.AcceptedAt != nil {
			return nil, nil
		}
		sh.AcceptedAt = &now
		return nil, s.answered(tx, sh, now)
	})
}

// Decline turns down an offer that was made to p, accepted before or not, for
// good.
func (s *Service) Decline(ctx context.Context, p identity.Principal, share id.ID) error {
	return s.change(ctx, p, audit.ShareDecline, share, func(tx Tx, sh Share, now time.Time) (refusal, err error) {
		if refusal := sh.answerable(p); refusal != nil {
			return refusal, nil
		}
		sh.DeclinedAt = &now
		return nil, s.answered(tx, sh, now)
	})
}

// answered keeps an answer and tells who made the offer.
func (s *Service) answered(tx Tx, sh Share, now time.Time) error {
	if err := tx.PutShare(sh); err != nil {
		return err
	}
	return s.notifier.ShareAnswered(tx, sh, now)
}

// Revoke takes back an offer that p made. Nothing of it stays but the audit
// log.
func (s *Service) Revoke(ctx context.Context, p identity.Principal, share id.ID) error {
	return s.change(ctx, p, audit.ShareRevoke, share, func(tx Tx, sh Share, now time.Time) (refusal, err error) {
		if !sh.MadeBy(p) {
			return ErrNotCreator, nil
		}
		return nil, s.revoke(tx, sh, now)
	})
}

// revoke removes a share, and tells whom it was for unless it had ended anyway.
func (s *Service) revoke(tx Tx, sh Share, now time.Time) error {
	if err := sh.remove(tx); err != nil {
		return err
	}
	if sh.DeclinedAt != nil || sh.dead(now) != nil {
		return nil
	}
	return s.notifier.ShareRevoked(tx, sh, now)
}

func (s Share) answerable(p identity.Principal) error {
	switch {
	case s.DeclinedAt != nil:
		return ErrNotFound
	case !s.IsFor(p):
		return ErrNotRecipient
	}
	return nil
}

// remove deletes all there is of the share.
func (s Share) remove(tx Tx) error {
	if s.Type == ToEmail && s.Recipient.ID.IsZero() {
		if err := s.unawait(tx); err != nil {
			return err
		}
	}
	return tx.DeleteShare(s)
}

// change runs fn on a share that exists, and audits what comes of it.
func (s *Service) change(ctx context.Context, p identity.Principal, action audit.Action, share id.ID,
	fn func(tx Tx, sh Share, now time.Time) (refusal, err error)) error {
	return txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
		now := s.Now()
		sh, ok, err := tx.Share(share)
		if err != nil {
			return nil, err
		}
		if !ok {
			return refuse(ctx, tx, event(p, action, share, nil, now), ErrNotFound)
		}
		e := event(p, action, share, &sh, now)
		if sh.Org != p.Org && !sh.IsFor(p) {
			return refuse(ctx, tx, e, ErrNotFound) // to other organisations there is none
		}
		if refusal, err = fn(tx, sh, now); err != nil {
			return nil, err
		}
		if refusal != nil {
			return refuse(ctx, tx, e, refusal)
		}
		return nil, audit.Write(ctx, tx, e)
	})
}
