package people

import (
	"context"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/site"
)

// How long what is mailed is good for.
const (
	signupValid = 24 * time.Hour
	resetValid  = time.Hour
	inviteValid = 7 * 24 * time.Hour
)

// ticketPrefix begins what is mailed, so that it is known for what it is.
const ticketPrefix = "1ct_"

// ticketHash finds the ticket of a token.
func (s *Service) ticketHash(token string) []byte { return s.id.HashKey("ticket " + token) }

// address checks and folds an address that a mail is to go to.
func address(email string) (clean, folded string, err error) {
	clean = strings.TrimSpace(email)
	if folded, err = identity.FoldEmail(clean); err != nil {
		return "", "", err
	}
	return clean, folded, outbox.CheckAddress(clean)
}

// Signup is what somebody says who wants an account.
type Signup struct {
	Email, Password, DisplayName string
}

// SignUp begins an account, in an organisation of its own. Whether the address
// has an account already is told to nobody but its owner, by mail; the account
// exists once VerifyEmail says so. In the mode site.SignupDev it exists at once,
// and the token is there.
func (s *Service) SignUp(ctx context.Context, n Signup, peer identity.Peer) (identity.Token, error) {
	e := peer.Event(audit.UserSignup, "user", "")
	e.Time = s.now()
	var mode site.SignupMode
	err := s.db.View(ctx, func(tx Tx) (err error) {
		mode, err = s.mode(tx)
		return err
	})
	if err != nil {
		return identity.Token{}, err
	}
	if !mode.Open() {
		return identity.Token{}, s.refused(ctx, e, ErrSignupClosed)
	}
	email, folded, err := address(n.Email)
	if err != nil {
		return identity.Token{}, err
	}
	if err := checkName(n.DisplayName); err != nil {
		return identity.Token{}, err
	}
	if err := identity.CheckPasswordRule(n.Password); err != nil {
		return identity.Token{}, err
	}
	hash, err := s.id.HashPassword(ctx, n.Password)
	if err != nil {
		return identity.Token{}, err
	}
	t := Ticket{
		Kind: TicketSignup, Expires: e.Time.Add(signupValid),
		Email: email, DisplayName: n.DisplayName, PasswordHash: hash,
	}
	if mode == site.SignupDev {
		return s.signUpNow(ctx, t, folded, e, peer)
	}
	quiet := s.mailed.take(folded, e.Time) > 0
	token := identity.NewKey(ticketPrefix)
	return identity.Token{}, s.db.Update(ctx, func(tx Tx) error {
		if err := s.offerAccount(tx, t, folded, token, quiet, e.Time); err != nil {
			return err
		}
		return audit.Write(ctx, tx, e)
	})
}

// offerAccount mails the token of a ticket, or to whoever has the address that
// somebody wanted it again. quiet does neither.
func (s *Service) offerAccount(tx Tx, t Ticket, folded, token string, quiet bool, now time.Time) error {
	there, err := byEmail(tx, folded)
	if err != nil || quiet {
		return err
	}
	if !there.ID.IsZero() {
		return notify(tx, s.signupAgain(there, now))
	}
	if err := tx.PutTicket(s.ticketHash(token), t); err != nil {
		return err
	}
	return outbox.Notify(tx, s.mails.VerifyEmail(to(identity.User{Email: t.Email}, now), token, signupValid))
}

// signUpNow is for looking around: no mail, no confirmation. Where the address
// is taken it answers as if a mail were on its way.
func (s *Service) signUpNow(ctx context.Context, t Ticket, folded string, e audit.Event, peer identity.Peer) (identity.Token, error) {
	u := newUser(t, id.New(), identity.RoleOwner, e.Time)
	tok, err := s.id.IssueUser(ctx, u, identity.UserTokenTTL)
	if err != nil {
		return identity.Token{}, err
	}
	taken := false
	err = s.db.Update(ctx, func(tx Tx) error {
		there, err := byEmail(tx, folded)
		if taken = !there.ID.IsZero(); err != nil || taken {
			return firstOf(err, audit.Write(ctx, tx, e))
		}
		return s.open(ctx, tx, u, folded, true, userEvents(u, peer, e.Time, audit.UserSignup, audit.AuthSuccess))
	})
	if err != nil {
		return identity.Token{}, s.badTicket(ctx, e, err)
	}
	if taken {
		return identity.Token{}, nil
	}
	return tok, nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func newUser(t Ticket, org id.ID, role identity.Role, now time.Time) identity.User {
	return identity.User{
		ID: id.New(), Org: org, Email: t.Email, DisplayName: t.DisplayName, Role: role, AuthMethod: "password",
		PasswordHash: t.PasswordHash, EmailVerified: true, CreatedAt: now,
	}
}

// userEvents are events about a user, by that user.
func userEvents(u identity.User, peer identity.Peer, now time.Time, actions ...audit.Action) []audit.Event {
	p := identity.Principal{Kind: identity.KindUser, ID: u.ID, Org: u.Org, IP: peer.IP, RequestID: peer.Request}
	out := make([]audit.Event, len(actions))
	for i, a := range actions {
		out[i] = p.Event(a, "user", u.ID.String())
		out[i].Time = now
	}
	return out
}

// open makes an account; own says that it gets an organisation of its own. The
// caller knows that the address is free.
func (s *Service) open(ctx context.Context, tx Tx, u identity.User, folded string, own bool, events []audit.Event) error {
	if own {
		mode, err := s.mode(tx) // an owner may have closed the door meanwhile
		if err != nil {
			return err
		}
		if !mode.Open() {
			return ErrSignupClosed
		}
		if err := openOrg(tx, u); err != nil {
			return err
		}
	}
	if err := tx.PutUser(u); err != nil {
		return err
	}
	if err := tx.PutUserEmail(folded, identity.UserRef{Org: u.Org, User: u.ID}); err != nil {
		return err
	}
	if err := grown(tx, u.Org); err != nil {
		return err
	}
	if err := s.claim(tx, u); err != nil {
		return err
	}
	if err := notify(tx, s.mails.Welcome(to(u, u.CreatedAt))); err != nil {
		return err
	}
	for _, e := range events {
		if err := audit.Write(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

// openOrg makes u's organisation. The first there is runs the appliance.
func openOrg(tx Tx, u identity.User) error {
	_, ok, err := tx.Platform()
	if err != nil {
		return err
	}
	if !ok {
		if err := tx.PutPlatform(u.Org); err != nil {
			return err
		}
	}
	name := u.DisplayName
	if name == "" {
		name, _, _ = strings.Cut(u.Email, "@")
	}
	return tx.PutOrg(identity.Org{ID: u.Org, Name: name, CreatedAt: u.CreatedAt})
}

// ticket loads what a token buys, if it still does.
func (s *Service) ticket(tx Tx, token string, kind TicketKind, now time.Time) (Ticket, error) {
	t, ok, err := tx.Ticket(s.ticketHash(token))
	if err == nil && (!ok || t.Kind != kind || !now.Before(t.Expires)) {
		err = ErrTicket
	}
	return t, err
}

// badTicket records that a token bought nothing; other errors it passes on.
func (s *Service) badTicket(ctx context.Context, e audit.Event, err error) error {
	if f := fault.As(err); f != nil && f.Kind != fault.Internal {
		return s.refused(ctx, e, f)
	}
	return err
}

// VerifyEmail makes the account that SignUp began and signs its owner in. A
// token works once.
func (s *Service) VerifyEmail(ctx context.Context, token string, peer identity.Peer) (identity.Token, error) {
	now := s.now()
	e := peer.Event(audit.UserVerify, "user", "")
	e.Time = now
	var u identity.User
	err := s.db.View(ctx, func(tx Tx) error {
		t, err := s.ticket(tx, token, TicketSignup, now)
		u = newUser(t, id.New(), identity.RoleOwner, now)
		return err
	})
	if err != nil {
		return identity.Token{}, s.badTicket(ctx, e, err)
	}
	tok, err := s.id.IssueUser(ctx, u, identity.UserTokenTTL)
	if err != nil {
		return identity.Token{}, err
	}
	err = s.db.Update(ctx, func(tx Tx) error {
		t, err := s.ticket(tx, token, TicketSignup, now)
		if err != nil {
			return err
		}
		folded, err := identity.FoldEmail(t.Email)
		if err != nil {
			return err
		}
		there, err := byEmail(tx, folded)
		if err != nil {
			return err
		}
		if !there.ID.IsZero() { // another signup of theirs, or an invitation, was quicker
			return ErrTicket
		}
		if err := tx.DeleteTicket(s.ticketHash(token)); err != nil {
			return err
		}
		return s.open(ctx, tx, u, folded, true, userEvents(u, peer, now, audit.UserVerify, audit.AuthSuccess))
	})
	if err != nil {
		return identity.Token{}, s.badTicket(ctx, e, err)
	}
	return tok, nil
}
