package people

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Login is the outcome of a right password: a token, or, where the account has
// a second factor, one that only VerifyMFA takes.
type Login struct {
	identity.Token
	MFARequired bool
}

// Login sells a token for a password. An unknown address costs the same time
// and gives the same answers as a wrong password, delays included.
func (s *Service) Login(ctx context.Context, email, password string, peer identity.Peer) (Login, error) {
	account := loginAccount(email)
	done, err := s.turns.take(ctx, account)
	if err != nil {
		return Login{}, err
	}
	defer done()
	var u identity.User
	err = s.db.View(ctx, func(tx Tx) error {
		if u, err = byEmail(tx, account); err != nil {
			return err
		}
		return s.mayTry(tx, account)
	})
	e := loginEvent(u, peer, s.now())
	if err != nil {
		return Login{}, s.badTicket(ctx, e, err)
	}
	ok, err := s.id.CheckPassword(ctx, u.PasswordHash, password)
	if err != nil {
		return Login{}, err
	}
	if !ok {
		return Login{}, s.wrongPassword(ctx, account, e, identity.ErrCredentials)
	}
	if err := s.renewHash(ctx, u, password); err != nil {
		return Login{}, err
	}
	return s.admit(ctx, u, account, peer)
}

// renewHash keeps a right password at today's cost. Where too many wait for
// hashing the next login does it.
func (s *Service) renewHash(ctx context.Context, u identity.User, password string) error {
	if !s.id.OutdatedHash(u.PasswordHash) {
		return nil
	}
	hash, err := s.id.HashPassword(ctx, password)
	if errors.Is(err, identity.ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx Tx) error {
		now, ok, err := tx.User(u.Org, u.ID)
		if err != nil || !ok || now.PasswordHash != u.PasswordHash {
			return err // changed meanwhile: what was proved no longer counts
		}
		now.PasswordHash = hash
		return tx.PutUser(now)
	})
}

// loginAccount is what wrong passwords are counted under: an address, or
// whatever was given for one.
func loginAccount(email string) string {
	if folded, err := identity.FoldEmail(email); err == nil {
		return folded
	}
	return strings.ToLower(strings.TrimSpace(email))
}

// loginEvent is what a failed sign-in leaves.
func loginEvent(u identity.User, peer identity.Peer, now time.Time) audit.Event {
	e := peer.Event(audit.AuthFailure, "auth", "token")
	if !u.ID.IsZero() {
		e = userEvents(u, peer, now, audit.AuthFailure)[0]
	}
	e.Time = now
	return e
}

// mayTry refuses an attempt that comes too soon after wrong ones.
func (s *Service) mayTry(tx Tx, account string) error {
	t, err := tx.LoginTries(account)
	if err != nil {
		return err
	}
	if wait := t.wait(s.now()); wait > 0 {
		return ErrSlowDown.After(wait)
	}
	return nil
}

// wrongPassword counts a wrong password and records why it was refused.
func (s *Service) wrongPassword(ctx context.Context, account string, e audit.Event, why *fault.Error) error {
	return txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
		t, err := tx.LoginTries(account)
		if err != nil {
			return nil, err
		}
		return refuse(ctx, tx, e, why, tx.PutLoginTries(account, t.wrong(e.Time)))
	})
}

// provePassword checks the password of somebody who is signed in, under the same
// count as signing in; done must be called when it was right.
func (s *Service) provePassword(ctx context.Context, u identity.User, password string, e audit.Event, why *fault.Error) error {
	account := loginAccount(u.Email)
	done, err := s.turns.take(ctx, account)
	if err != nil {
		return err
	}
	defer done()
	if err := s.db.View(ctx, func(tx Tx) error { return s.mayTry(tx, account) }); err != nil {
		return s.badTicket(ctx, e, err)
	}
	ok, err := s.id.CheckPassword(ctx, u.PasswordHash, password)
	if err != nil || ok {
		return err
	}
	return s.wrongPassword(ctx, account, e, why)
}

// Reenter checks the password of somebody who is signed in, before what is not to
// happen because a session was left open. A wrong one counts like one at the
// door. Who has no password cannot.
func (s *Service) Reenter(ctx context.Context, p identity.Principal, password string) error {
	if err := s.peopleOnly(ctx, p, audit.AuthFailure); err != nil {
		return err
	}
	var u identity.User
	err := s.db.View(ctx, func(tx Tx) (err error) {
		u, err = user(tx, p)
		return err
	})
	if err != nil {
		return err
	}
	return s.provePassword(ctx, u, password, s.event(p, audit.AuthFailure, "user", p.ID), ErrReenter)
}

// Admit lets in a user who proved who they are in another way that takes the
// place of a password, as by an identity provider.
func (s *Service) Admit(ctx context.Context, org, user id.ID, peer identity.Peer) (l Login, err error) {
	var u identity.User
	err = s.db.View(ctx, func(tx Tx) (err error) {
		var ok bool
		if u, ok, err = tx.User(org, user); err == nil && !ok {
			err = identity.ErrCredentials
		}
		return err
	})
	if err != nil {
		return Login{}, s.badTicket(ctx, loginEvent(u, peer, s.now()), err)
	}
	return s.admit(ctx, u, loginAccount(u.Email), peer)
}

// admit is what follows the first factor. What was wrong before is forgotten.
func (s *Service) admit(ctx context.Context, u identity.User, account string, peer identity.Peer) (l Login, err error) {
	now := s.now()
	err = s.db.View(ctx, func(tx Tx) error {
		m, _, err := tx.MFA(u.ID)
		l.MFARequired = m.Active
		return err
	})
	if err != nil {
		return Login{}, err
	}
	e := userEvents(u, peer, now, audit.AuthSuccess)[0]
	if l.MFARequired {
		l.Token, err = s.id.IssueMFA(ctx, u)
		e.Action, e.Outcome, e.Reason = audit.MFAVerify, audit.Refused, "mfa_required"
	} else {
		l.Token, err = s.id.IssueUser(ctx, u, identity.UserTokenTTL)
	}
	if err != nil {
		return Login{}, err
	}
	err = s.db.Update(ctx, func(tx Tx) error {
		if !l.MFARequired {
			if err := s.claim(tx, u); err != nil {
				return err
			}
		}
		if err := tx.PutLoginTries(account, Tries{}); err != nil {
			return err
		}
		return audit.Write(ctx, tx, e)
	})
	if err != nil {
		return Login{}, err
	}
	return l, nil
}
