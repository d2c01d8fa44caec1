package people

import (
	"context"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/site"
)

// Invite mails an invitation to join the organisation of whoever asks; an older
// one for the address ends. Whether the address has an account elsewhere is not
// told: that is between the appliance and the address.
func (s *Service) Invite(ctx context.Context, p identity.Principal, email string, role identity.Role) (Invitation, error) {
	if err := s.peopleOnly(ctx, p, audit.MemberInvite); err != nil {
		return Invitation{}, err
	}
	if role == "" {
		role = identity.RoleMember
	}
	if err := checkRole(role); err != nil {
		return Invitation{}, err
	}
	email, folded, err := address(email)
	if err != nil {
		return Invitation{}, err
	}
	token := identity.NewKey(ticketPrefix)
	now := s.now()
	i := Invitation{
		ID: id.New(), Org: p.Org, Email: email, Role: role, InvitedBy: p.ID,
		CreatedAt: now, Expires: now.Add(inviteValid), TokenHash: s.ticketHash(token),
	}
	older, err := s.invitationsTo(ctx, p.Org, folded)
	if err != nil {
		return Invitation{}, err
	}
	err = txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
		e := s.event(p, audit.MemberInvite, "invitation", i.ID)
		who, err := user(tx, p)
		if err != nil {
			return nil, err
		}
		why, err := s.invitable(tx, who, folded, role)
		if err != nil || why != nil {
			return refuse(ctx, tx, e, why, err)
		}
		for _, o := range older {
			if err := drop(tx, o); err != nil {
				return nil, err
			}
		}
		e.Details = audit.Details{"role": string(role)}
		return nil, firstOf(s.mailInvitation(tx, i, who, token), audit.Write(ctx, tx, e))
	})
	if err != nil {
		return Invitation{}, err
	}
	return i, nil
}

// invitable decides whether somebody may invite an address.
func (s *Service) invitable(tx Tx, who identity.User, folded string, role identity.Role) (*fault.Error, error) {
	if mode, err := s.mode(tx); err != nil || mode == site.SignupClosed {
		return ErrClosed, err
	}
	if why := mayManage(who, role); why != nil {
		return why, nil
	}
	there, err := byEmail(tx, folded)
	if err != nil {
		return nil, err
	}
	if there.Org == who.Org && !there.ID.IsZero() {
		return ErrAlreadyMember, nil
	}
	if wait := s.invited.take(who.Org, s.now()); wait > 0 {
		return ErrManyInvitation.After(wait), nil
	}
	return nil, nil
}

func (s *Service) mailInvitation(tx Tx, i Invitation, by identity.User, token string) error {
	o, _, err := tx.Org(i.Org)
	if err != nil {
		return err
	}
	name := by.DisplayName
	if name == "" {
		name = by.Email
	}
	t := Ticket{Kind: TicketInvite, Expires: i.Expires, Org: i.Org, Invitation: i.ID}
	addressee := to(identity.User{Email: i.Email, Org: i.Org}, i.CreatedAt)
	return firstOf(tx.PutInvitation(i), tx.PutTicket(i.TokenHash, t),
		outbox.Enqueue(tx, s.mails.Invite(addressee, name, o.Name, token, inviteValid)))
}

// drop ends an invitation.
func drop(tx Tx, i Invitation) error {
	return firstOf(tx.DeleteTicket(i.TokenHash), tx.DeleteInvitation(i))
}

func (s *Service) invitationsTo(ctx context.Context, org id.ID, folded string) (out []Invitation, err error) {
	err = s.db.View(ctx, func(tx Tx) error {
		all, err := tx.Invitations(org)
		for _, i := range all {
			if to, _ := identity.FoldEmail(i.Email); to == folded {
				out = append(out, i)
			}
		}
		return err
	})
	return out, err
}

// Invitations are those of the organisation that wait for an answer, for those
// who may invite.
func (s *Service) Invitations(ctx context.Context, p identity.Principal) (out []Invitation, err error) {
	if !p.Manages() {
		return nil, s.refused(ctx, s.event(p, audit.MemberInvite, "invitation", id.ID{}), identity.ErrDenied)
	}
	now := s.now()
	err = s.db.View(ctx, func(tx Tx) error {
		all, err := tx.Invitations(p.Org)
		for _, i := range all {
			if now.Before(i.Expires) {
				out = append(out, i)
			}
		}
		return err
	})
	return out, err
}

// Uninvite takes an invitation back.
func (s *Service) Uninvite(ctx context.Context, p identity.Principal, invitation id.ID) error {
	if err := s.peopleOnly(ctx, p, audit.MemberRemove); err != nil {
		return err
	}
	return txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
		e := s.event(p, audit.MemberRemove, "invitation", invitation)
		who, err := user(tx, p)
		if err != nil {
			return nil, err
		}
		if why := mayManage(who); why != nil {
			return refuse(ctx, tx, e, why, nil)
		}
		i, ok, err := tx.Invitation(p.Org, invitation)
		if err != nil || !ok {
			return refuse(ctx, tx, e, ErrNoInvitation, err)
		}
		if why := mayManage(who, i.Role); why != nil {
			return refuse(ctx, tx, e, why, nil)
		}
		return nil, firstOf(drop(tx, i), audit.Write(ctx, tx, e))
	})
}

// Accept makes an account for whoever was invited and signs them in. p is who is
// signed in already, if anybody is: they have an account, and an account belongs
// to one organisation.
func (s *Service) Accept(ctx context.Context, p identity.Principal, token, password, name string, peer identity.Peer) (identity.Token, error) {
	now := s.now()
	e := peer.Event(audit.MemberJoin, "invitation", "")
	e.Time = now
	var i Invitation
	err := s.db.View(ctx, func(tx Tx) (err error) {
		i, _, err = s.acceptable(tx, p, token)
		return err
	})
	if !i.ID.IsZero() {
		e.Org, e.Resource.ID = i.Org, i.ID.String()
	}
	if err != nil {
		return identity.Token{}, s.badTicket(ctx, e, err)
	}
	if err := checkName(name); err != nil {
		return identity.Token{}, err
	}
	if err := identity.CheckPasswordRule(password); err != nil {
		return identity.Token{}, err
	}
	hash, err := s.id.HashPassword(ctx, password)
	if err != nil {
		return identity.Token{}, err
	}
	u := newUser(Ticket{Email: i.Email, DisplayName: name, PasswordHash: hash}, i.Org, i.Role, now)
	tok, err := s.id.IssueUser(ctx, u, identity.UserTokenTTL)
	if err != nil {
		return identity.Token{}, err
	}
	err = s.db.Update(ctx, func(tx Tx) error {
		again, folded, err := s.acceptable(tx, p, token)
		if err != nil {
			return err
		}
		events := userEvents(u, peer, now, audit.MemberJoin, audit.AuthSuccess)
		events[0].Details = audit.Details{"invitation": i.ID.String(), "role": string(i.Role)}
		return firstOf(drop(tx, again), s.open(ctx, tx, u, folded, false, events))
	})
	if err != nil {
		return identity.Token{}, s.badTicket(ctx, e, err)
	}
	return tok, nil
}

// acceptable is the invitation of a token, if it may be accepted: whoever made it
// must still be allowed to, and the address must have no account.
func (s *Service) acceptable(tx Tx, p identity.Principal, token string) (i Invitation, folded string, err error) {
	if mode, err := s.mode(tx); err != nil || mode == site.SignupClosed {
		return i, "", firstOf(err, ErrClosed)
	}
	t, err := s.ticket(tx, token, TicketInvite, s.now())
	if err != nil {
		return i, "", err
	}
	i, ok, err := tx.Invitation(t.Org, t.Invitation)
	if err != nil || !ok {
		return Invitation{}, "", firstOf(err, ErrTicket)
	}
	by, ok, err := tx.User(i.Org, i.InvitedBy)
	if err != nil || !ok || mayManage(by, i.Role) != nil {
		return i, "", firstOf(err, ErrTicket)
	}
	if folded, err = identity.FoldEmail(i.Email); err != nil {
		return i, "", err
	}
	there, err := byEmail(tx, folded)
	if err != nil {
		return i, "", err
	}
	return i, folded, oneOrg(i, there, p)
}

// oneOrg refuses somebody who has an account already.
func oneOrg(i Invitation, there identity.User, p identity.Principal) error {
	if there.ID.IsZero() && p.ID.IsZero() {
		return nil
	}
	org := there.Org
	if there.ID.IsZero() {
		org = p.Org
	}
	if org == i.Org {
		return ErrAlreadyMember
	}
	return ErrOtherOrg
}
