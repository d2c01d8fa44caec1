package share

import (
	"context"
	"errors"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/site"
)

// Opened is a share that was opened, and what it showed.
type Opened struct {
	Share  Share
	Secret vault.Secret
	Value  plain.Bytes
}

// Access opens a share. p without a Kind is somebody who sent no token: only
// its address and request are known. The access is decided, counted and audited
// in one durable transaction before the value is opened; should the HSM then
// fail, it stays counted and the failure is audited too.
func (s *Service) Access(ctx context.Context, p identity.Principal, share id.ID, passphrase plain.Bytes) (Opened, error) {
	got, err := s.admit(ctx, p, share, passphrase)
	if err != nil {
		return Opened{}, err
	}
	value, err := s.vaults.OpenLoan(ctx, got.loan, got.event)
	if err != nil {
		return Opened{}, err
	}
	return Opened{Share: got.share, Secret: got.loan.Secret, Value: value}, nil
}

// admitted is an access that was allowed, counted and audited, but not opened.
type admitted struct {
	share Share
	loan  vault.Loan
	event audit.Event
}

func (s *Service) admit(ctx context.Context, p identity.Principal, share id.ID, passphrase plain.Bytes) (got admitted, err error) {
	g, done, err := s.guess(ctx, p, share, passphrase)
	if err != nil {
		return got, err
	}
	defer done()
	err = txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
		got, refusal, err = s.decide(ctx, tx, p, share, g)
		return refusal, err
	})
	return got, err
}

// guess is what became of a passphrase: the zero guess if none was looked at.
type guess struct {
	hash  string // what it was compared with
	right bool
	wait  time.Duration // it was not looked at, and will not be for so long
}

// guess compares a passphrase, if there is something to compare it with, before
// the transaction that decides: hashing takes too long to have every writer
// wait. Until done is called nobody else guesses at the same share.
func (s *Service) guess(ctx context.Context, p identity.Principal, share id.ID, passphrase plain.Bytes) (g guess, done func(), err error) {
	done = func() {}
	_, needed, err := s.guessable(ctx, p, share)
	if err != nil || !needed || passphrase.Len() == 0 {
		return g, done, err
	}
	if done, err = s.turns.take(ctx, share); err != nil {
		return g, nil, err
	}
	sh, needed, err := s.guessable(ctx, p, share)
	if err == nil && needed {
		g.hash = sh.Passphrase
		if g.wait = sh.GuessAfter.Sub(s.Now()); g.wait <= 0 {
			g.wait = 0
			g.right, err = s.check(ctx, sh.Passphrase, passphrase)
		}
	}
	if err != nil {
		done()
		return g, nil, err
	}
	return g, done, nil
}

func (s *Service) check(ctx context.Context, hash string, passphrase plain.Bytes) (bool, error) {
	if passphrase.Len() > maxPassphrase {
		return false, nil
	}
	return s.hasher.CheckPassphrase(ctx, hash, passphrase)
}

// guessable reports whether all that p needs to open the share is the
// passphrase: nobody else has us compute hashes.
func (s *Service) guessable(ctx context.Context, p identity.Principal, share id.ID) (sh Share, needed bool, err error) {
	err = s.db.View(ctx, func(tx Tx) (err error) {
		var ok bool
		sh, ok, err = tx.Share(share)
		if err != nil || !ok || sh.Passphrase == "" {
			return err
		}
		why, err := sh.closedTo(tx, p, s.Now())
		needed = why == nil
		return err
	})
	return sh, needed, err
}

// decide decides an access and applies it: the counts, the message to the
// creator and the audit event.
func (s *Service) decide(ctx context.Context, tx Tx, p identity.Principal, share id.ID, g guess) (got admitted, refusal, err error) {
	now := s.Now()
	sh, ok, err := tx.Share(share)
	if err != nil {
		return got, nil, err
	}
	if !ok {
		refusal, err = refuse(ctx, tx, event(p, audit.ShareAccess, share, nil, now), ErrNotFound)
		return got, refusal, err
	}
	e := event(p, audit.ShareAccess, share, &sh, now)
	why, err := sh.closedTo(tx, p, now)
	if err == nil && why == nil {
		why, err = sh.unlock(tx, g, now)
	}
	if err != nil {
		return got, nil, err
	}
	var loan vault.Loan
	if why == nil {
		if loan, why, err = sh.lend(tx, p, now); err != nil {
			return got, nil, err
		}
		loan.Describe(&e)
	}
	if why != nil {
		refusal, err = refuse(ctx, tx, e, why)
		return got, refusal, err
	}
	if err := s.count(tx, &sh, &loan, now, e.IP); err != nil {
		return got, nil, err
	}
	e.Details["access_count"] = sh.Accesses
	if err := audit.Write(ctx, tx, e); err != nil {
		return got, nil, err
	}
	return admitted{sh, loan, e}, nil, nil
}

// closedTo says why p may not open the share from where it is, its passphrase
// aside, or nil. An organisation's IP rules hold for whoever reads its secrets,
// whosever member that is.
func (s Share) closedTo(tx Tx, p identity.Principal, now time.Time) (refusal, err error) {
	if refusal := s.refuses(p, now); refusal != nil {
		return refusal, nil
	}
	rules, err := tx.IPRules(s.Org)
	if err == nil && !site.Allowed(rules, p.Kind, p.IP) {
		refusal = ErrNetwork
	}
	return refusal, err
}

// unlock says why a guess does not open the share, or nil. A wrong one counts.
func (s *Share) unlock(tx Tx, g guess, now time.Time) (refusal, err error) {
	switch {
	case s.Passphrase == "":
		return nil, nil
	case g.hash != s.Passphrase:
		return ErrPassphrase, nil // there was none
	case g.wait > 0:
		return ErrGuesses.After(g.wait), nil
	case g.right:
		return nil, nil
	}
	s.Guesses++
	s.GuessAfter = now.Add(guessDelay(s.Guesses))
	return ErrPassphrase, tx.PutShare(*s)
}

// lend decides whether the share's creator may read the secret now and from
// where the access comes, and so may have it read.
func (s *Share) lend(tx Tx, p identity.Principal, now time.Time) (l vault.Loan, refusal, err error) {
	if withheld, err := vault.Withheld(tx, p); err != nil || withheld {
		return l, vault.ErrHandleOnly, err
	}
	lender, ok, err := vault.Lender(tx, s.Org, s.Creator, s.Vault, now)
	if err != nil || !ok {
		return l, ErrLapsed, err
	}
	lender.IP = p.IP
	lender.Intents = lender.Intents || p.Intents // whichever forbids more
	l, why, err := vault.Lend(tx, lender, s.Vault, s.Path, now)
	switch {
	case err != nil:
		return l, nil, err
	case why == nil && l.Secret.ID != s.Secret,
		errors.Is(why, vault.ErrVaultNotFound), errors.Is(why, vault.ErrSecretNotFound):
		return l, vault.ErrSecretDeleted, nil
	case why == nil && p.Kind == "" && l.Secret.Latest.Type.Signs():
		return l, ErrStranger, nil
	case why == nil, errors.Is(why, vault.ErrSigningKey), fault.KindOf(why) == fault.Gone:
		return l, why, nil
	}
	return l, ErrLapsed.Because(why), nil
}

// count uses up an access of the share and, where those are limited, a read of
// the secret.
func (s *Service) count(tx Tx, sh *Share, loan *vault.Loan, now time.Time, ip string) error {
	if err := loan.Take(tx); err != nil {
		return err
	}
	sh.Accesses++
	if err := tx.PutShare(*sh); err != nil {
		return err
	}
	return s.notifier.ShareAccessed(tx, *sh, now, ip)
}
