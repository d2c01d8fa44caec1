package people

import (
	"context"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Who may do what to whom: owners and admins manage the people of their
// organisation, only owners touch owners or make them, and there is always one
// owner left.

// checkRole refuses what is no role.
func checkRole(r identity.Role) error {
	switch r {
	case identity.RoleOwner, identity.RoleAdmin, identity.RoleMember:
		return nil
	}
	return ErrRole
}

// mayManage decides whether somebody may do something to people who have, or
// are to have, these roles.
func mayManage(who identity.User, roles ...identity.Role) *fault.Error {
	switch who.Role {
	case identity.RoleOwner:
		return nil
	case identity.RoleAdmin:
		for _, r := range roles {
			if r == identity.RoleOwner {
				return identity.ErrDenied
			}
		}
		return nil
	}
	return identity.ErrDenied
}

// otherOwners are the owners among people but one.
func otherOwners(people []identity.User, but id.ID) (n int) {
	for _, u := range people {
		if u.Role == identity.RoleOwner && u.ID != but {
			n++
		}
	}
	return n
}

// Members are the people of the organisation of whoever asks, oldest first.
func (s *Service) Members(ctx context.Context, p identity.Principal) (out []identity.User, err error) {
	if err := s.peopleOnly(ctx, p, audit.UserRead); err != nil {
		return nil, err
	}
	err = s.db.View(ctx, func(tx Tx) error {
		out, err = tx.Users(p.Org)
		return err
	})
	return out, err
}

// roster is the people of an organisation as they were at one moment.
type roster struct {
	people []identity.User
	seen   uint64
}

func (s *Service) roster(ctx context.Context, org id.ID) (r roster, err error) {
	err = s.db.View(ctx, func(tx Tx) error {
		if r.seen, err = tx.Roster(org); err == nil {
			r.people, err = tx.Users(org)
		}
		return err
	})
	return r, err
}

// ChangeRole gives a member another role, in force with their next request.
func (s *Service) ChangeRole(ctx context.Context, p identity.Principal, member id.ID, role identity.Role) (u identity.User, err error) {
	if err := s.peopleOnly(ctx, p, audit.MemberUpdate); err != nil {
		return u, err
	}
	if err := checkRole(role); err != nil {
		return u, err
	}
	err = retry(func() error {
		r, err := s.roster(ctx, p.Org)
		if err != nil {
			return err
		}
		return txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
			e := s.event(p, audit.MemberUpdate, "user", member)
			u, refusal, err = s.target(ctx, tx, p, member, e, role)
			if err != nil || refusal != nil {
				return refusal, err
			}
			if err := unchanged(tx, p.Org, r.seen); err != nil {
				return nil, err
			}
			if u.Role == identity.RoleOwner && role != u.Role && otherOwners(r.people, u.ID) == 0 {
				return refuse(ctx, tx, e, ErrLastOwner, nil)
			}
			e.Details = audit.Details{"from": string(u.Role), "to": string(role)}
			u.Role = role
			return nil, firstOf(tx.PutUser(u), grown(tx, p.Org), audit.Write(ctx, tx, e))
		})
	})
	return u, err
}

// target loads a member whom p may manage, and give these roles.
func (s *Service) target(ctx context.Context, tx Tx, p identity.Principal, member id.ID, e audit.Event, roles ...identity.Role) (
	u identity.User, refusal, err error) {
	who, err := user(tx, p)
	if err != nil {
		return u, nil, err
	}
	if why := mayManage(who); why != nil { // before anything is said about who is there
		refusal, err = refuse(ctx, tx, e, why, nil)
		return u, refusal, err
	}
	u, ok, err := tx.User(p.Org, member)
	switch {
	case err != nil:
	case !ok:
		refusal, err = refuse(ctx, tx, e, ErrNoMember, nil)
	default:
		if why := mayManage(who, append(roles, u.Role)...); why != nil {
			refusal, err = refuse(ctx, tx, e, why, nil)
		}
	}
	return u, refusal, err
}

// AgentKeysVault is the vault with the private identity keys of the
// organisation's agents.
func (s *Service) AgentKeysVault(ctx context.Context, p identity.Principal) (vault id.ID, err error) {
	if err := s.peopleOnly(ctx, p, audit.VaultRead); err != nil {
		return vault, err
	}
	err = s.db.View(ctx, func(tx Tx) error {
		o, _, err := tx.Org(p.Org)
		if vault = o.AgentKeysVault; err == nil && vault.IsZero() {
			err = ErrNoAgentKeys
		}
		return err
	})
	return vault, err
}
