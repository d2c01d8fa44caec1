package people

import (
	"bytes"
	"context"
	"crypto/sha256"
	"time"

	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
)

// ForgotPassword mails a token for a new password to whoever has the address.
// Nobody is told whether that is anybody.
func (s *Service) ForgotPassword(ctx context.Context, email string, peer identity.Peer) error {
	now := s.now()
	folded := loginAccount(email)
	quiet := s.mailed.take(folded, now) > 0
	token := identity.NewKey(ticketPrefix)
	return s.db.Update(ctx, func(tx Tx) error {
		e := peer.Event(audit.PasswordForgot, "user", "")
		e.Time = now
		u, err := byEmail(tx, folded)
		if err != nil {
			return err
		}
		if !u.ID.IsZero() && !quiet && outbox.CheckAddress(u.Email) == nil {
			e.Org, e.Resource.ID = u.Org, u.ID.String()
			t := Ticket{
				Kind: TicketReset, Expires: now.Add(resetValid),
				User: identity.UserRef{Org: u.Org, User: u.ID}, Was: passwordStamp(u),
			}
			if err := tx.PutTicket(s.ticketHash(token), t); err != nil {
				return err
			}
			if err := notify(tx, s.mails.ResetPassword(to(u, now), token, resetValid)); err != nil {
				return err
			}
		}
		return audit.Write(ctx, tx, e)
	})
}

// passwordStamp changes when the password does.
func passwordStamp(u identity.User) []byte {
	sum := sha256.Sum256([]byte(u.PasswordHash))
	return sum[:16]
}

// ResetPassword gives an account a new password for a token of ForgotPassword.
// Every token that was issued before is refused from then on, and so is every
// other token of ForgotPassword. A second factor stays.
func (s *Service) ResetPassword(ctx context.Context, token, password string, peer identity.Peer) error {
	now := s.now()
	e := peer.Event(audit.PasswordReset, "user", "")
	e.Time = now
	if err := identity.CheckPasswordRule(password); err != nil {
		return err
	}
	err := s.db.View(ctx, func(tx Tx) error {
		_, _, err := s.resettable(tx, token, now)
		return err
	})
	if err != nil {
		return s.badTicket(ctx, e, err)
	}
	hash, err := s.id.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	err = s.db.Update(ctx, func(tx Tx) error {
		u, event, err := s.resettable(tx, token, now)
		if err != nil {
			return err
		}
		if err := tx.DeleteTicket(s.ticketHash(token)); err != nil {
			return err
		}
		if err := s.putPassword(tx, u, hash, "", e.IP, now); err != nil {
			return err
		}
		event.IP, event.Request = e.IP, e.Request
		return audit.Write(ctx, tx, event)
	})
	if err != nil {
		return s.badTicket(ctx, e, err)
	}
	return nil
}

// resettable is the user whose password a token may change.
func (s *Service) resettable(tx Tx, token string, now time.Time) (u identity.User, e audit.Event, err error) {
	t, err := s.ticket(tx, token, TicketReset, now)
	if err != nil {
		return u, e, err
	}
	u, ok, err := tx.User(t.User.Org, t.User.User)
	if err == nil && (!ok || !bytes.Equal(t.Was, passwordStamp(u))) {
		err = ErrTicket
	}
	return u, userEvents(u, identity.Peer{}, now, audit.PasswordReset)[0], err
}

// putPassword changes a password, ends all tokens but one, and tells its owner.
func (s *Service) putPassword(tx Tx, u identity.User, hash, kept, ip string, now time.Time) error {
	u.PasswordHash, u.TokensFrom, u.KeptToken = hash, identity.TokensFrom(now), kept
	if err := tx.PutUser(u); err != nil {
		return err
	}
	if err := tx.PutLoginTries(loginAccount(u.Email), Tries{}); err != nil {
		return err
	}
	return notify(tx, s.mails.PasswordChanged(to(u, now), now, ip))
}

// ChangePassword replaces the password of whoever asks. All their other tokens
// are refused from then on.
func (s *Service) ChangePassword(ctx context.Context, p identity.Principal, current, password string) error {
	if err := s.peopleOnly(ctx, p, audit.PasswordChange); err != nil {
		return err
	}
	now := s.now()
	e := s.event(p, audit.PasswordChange, "user", p.ID)
	if err := identity.CheckPasswordRule(password); err != nil {
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
	if err := s.provePassword(ctx, u, current, e, ErrPassword); err != nil {
		return err
	}
	was := u.PasswordHash
	hash, err := s.id.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	return txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
		u, err := user(tx, p)
		if err != nil {
			return nil, err
		}
		if u.PasswordHash != was { // changed meanwhile: what was proved no longer counts
			return refuse(ctx, tx, e, ErrPassword, nil)
		}
		if err := s.putPassword(tx, u, hash, p.Token, e.IP, now); err != nil {
			return nil, err
		}
		return nil, audit.Write(ctx, tx, e)
	})
}
