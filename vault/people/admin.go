package people

import (
	"context"
	"slices"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Account is a user and the name of their organisation.
type Account struct {
	identity.User
	OrgName string
}

// operates decides whether somebody runs the appliance: an owner or admin of the
// platform's organisation.
func operates(tx Tx, p identity.Principal) (who identity.User, refusal *fault.Error, err error) {
	if p.IsAgent() {
		return who, identity.ErrUsersOnly, nil
	}
	platform, ok, err := tx.Platform()
	if err != nil {
		return who, nil, err
	}
	if who, err = user(tx, p); err != nil {
		return who, nil, err
	}
	if !ok || p.Org != platform || mayManage(who) != nil {
		return who, identity.ErrDenied, nil
	}
	return who, nil, nil
}

// Accounts are all there are, oldest first, for those who run the appliance.
func (s *Service) Accounts(ctx context.Context, p identity.Principal) (out []Account, err error) {
	var refusal *fault.Error
	err = s.db.View(ctx, func(tx Tx) error {
		if _, refusal, err = operates(tx, p); err != nil || refusal != nil {
			return err
		}
		all, err := tx.Users(id.ID{})
		if err != nil {
			return err
		}
		names := map[id.ID]string{}
		for _, u := range all {
			name, known := names[u.Org]
			if !known {
				o, _, err := tx.Org(u.Org)
				if err != nil {
					return err
				}
				name = o.Name
				names[u.Org] = name
			}
			out = append(out, Account{u, name})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		return nil, s.refused(ctx, s.event(p, audit.UserRead, "user", id.ID{}), refusal)
	}
	slices.SortFunc(out, func(a, b Account) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return out, nil
}

// DeleteAccount deletes anybody's account, for those who run the appliance: not
// one's own, not the last owner's of the platform's organisation, and of its
// owners only as one of them.
func (s *Service) DeleteAccount(ctx context.Context, p identity.Principal, account id.ID) error {
	e := s.event(p, audit.UserDelete, "user", account)
	org, refusal, err := s.orgOf(ctx, p, account)
	if err != nil {
		return err
	}
	if refusal != nil {
		return s.refused(ctx, e, refusal)
	}
	return s.remove(ctx, org, e, func(tx Tx, r roster) (u identity.User, no, err error) {
		who, why, err := operates(tx, p)
		if err != nil {
			return u, nil, err
		}
		u, ok, err := tx.User(org, account)
		switch {
		case err != nil:
			return u, nil, err
		case why != nil:
		case !ok:
			why = ErrNoMember
		case account == p.ID:
			why = ErrSelf
		case org == p.Org:
			if why = mayManage(who, u.Role); why == nil && u.Role == identity.RoleOwner && otherOwners(r.people, u.ID) == 0 {
				why = ErrLastOwner
			}
		}
		if why != nil {
			no, err = refuse(ctx, tx, e, why, nil)
		}
		return u, no, err
	})
}

// orgOf finds whose member an account is, for those who run the appliance.
func (s *Service) orgOf(ctx context.Context, p identity.Principal, account id.ID) (org id.ID, refusal *fault.Error, err error) {
	err = s.db.View(ctx, func(tx Tx) error {
		if _, refusal, err = operates(tx, p); err != nil || refusal != nil {
			return err
		}
		all, err := tx.Users(id.ID{})
		i := slices.IndexFunc(all, func(u identity.User) bool { return u.ID == account })
		if err == nil && i < 0 {
			refusal = ErrNoMember
		} else if err == nil {
			org = all[i].Org
		}
		return err
	})
	return org, refusal, err
}
