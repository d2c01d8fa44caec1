package people

import (
	"context"
	"slices"
	"strings"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Remove takes a member out of the organisation of whoever asks: the account is
// gone, and its keys and tokens are refused from the next request on.
func (s *Service) Remove(ctx context.Context, p identity.Principal, member id.ID) error {
	if err := s.peopleOnly(ctx, p, audit.MemberRemove); err != nil {
		return err
	}
	e := s.event(p, audit.MemberRemove, "user", member)
	return s.remove(ctx, p.Org, e, func(tx Tx, r roster) (u identity.User, refusal, err error) {
		u, refusal, err = s.target(ctx, tx, p, member, e)
		if err == nil && refusal == nil && u.Role == identity.RoleOwner && otherOwners(r.people, u.ID) == 0 {
			refusal, err = refuse(ctx, tx, e, ErrLastOwner, nil)
		}
		return u, refusal, err
	})
}

// DeleteMe deletes the account of whoever asks. The last owner of an
// organisation with other people, or of the platform's, must make somebody else
// one first. With the last person an organisation is deserted: its agents stop.
func (s *Service) DeleteMe(ctx context.Context, p identity.Principal, confirm string) error {
	if err := s.peopleOnly(ctx, p, audit.UserDelete); err != nil {
		return err
	}
	e := s.event(p, audit.UserDelete, "user", p.ID)
	return s.remove(ctx, p.Org, e, func(tx Tx, r roster) (u identity.User, refusal, err error) {
		if u, err = user(tx, p); err != nil {
			return u, nil, err
		}
		platform, _, err := tx.Platform()
		if err != nil {
			return u, nil, err
		}
		var why *fault.Error
		switch {
		case confirm != "DELETE" && !strings.EqualFold(strings.TrimSpace(confirm), u.Email):
			why = ErrConfirm
		case u.Role == identity.RoleOwner && otherOwners(r.people, u.ID) == 0 && (len(r.people) > 1 || p.Org == platform):
			why = ErrLastOwner
		}
		if why != nil {
			refusal, err = refuse(ctx, tx, e, why, nil)
		}
		return u, refusal, err
	})
}

// remove deletes the account that allow returns, if it does not refuse.
func (s *Service) remove(ctx context.Context, org id.ID, e audit.Event,
	allow func(Tx, roster) (u identity.User, refusal, err error)) error {
	var gone Departed
	err := retry(func() error {
		r, err := s.roster(ctx, org)
		if err != nil {
			return err
		}
		return txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
			if err := unchanged(tx, org, r.seen); err != nil {
				return nil, err
			}
			u, refusal, err := allow(tx, r)
			if err != nil || refusal != nil {
				return refusal, err
			}
			gone = Departed{Org: org, User: u.ID, At: e.Time, Deserted: len(r.people) <= 1}
			return nil, firstOf(erase(tx, u), tx.PutDeparted(gone), grown(tx, org), audit.Write(ctx, tx, e))
		})
	})
	if err != nil {
		return err
	}
	// The account is gone and that is the answer, whatever becomes of the rest:
	// Tidy goes on with it.
	_ = s.clearUp(context.WithoutCancel(ctx), gone)
	return nil
}

// erase deletes what is known by its key: without it nobody can sign in as u.
func erase(tx Tx, u identity.User) error {
	if folded, err := identity.FoldEmail(u.Email); err == nil {
		ref, ok, err := tx.UserByEmail(folded)
		if err != nil {
			return err
		}
		if ok && ref.User == u.ID {
			if err := tx.DeleteUserEmail(folded); err != nil {
				return err
			}
		}
	}
	return firstOf(tx.DeleteMFA(u.ID), tx.DeleteUser(u))
}

// clearUp removes what somebody left. It can be repeated.
func (s *Service) clearUp(ctx context.Context, gone Departed) error {
	var keys []identity.APIKey
	var agents []id.ID
	var offers []Invitation
	err := s.db.View(ctx, func(tx Tx) (err error) {
		agents = nil
		if keys, err = tx.APIKeys(gone.User); err != nil {
			return err
		}
		if offers, err = tx.Invitations(gone.Org); err != nil {
			return err
		}
		offers = slices.DeleteFunc(offers, func(i Invitation) bool { return i.InvitedBy != gone.User })
		all, err := tx.Agents(gone.Org)
		for _, a := range all {
			if a.CreatedBy == gone.User || gone.Deserted && a.Active {
				agents = append(agents, a.ID)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	const batch = 200
	for len(keys) > 0 || len(agents) > 0 || len(offers) > 0 {
		k, a, o := keys[:min(batch, len(keys))], agents[:min(batch, len(agents))], offers[:min(batch, len(offers))]
		keys, agents, offers = keys[len(k):], agents[len(a):], offers[len(o):]
		err := s.db.Update(ctx, func(tx Tx) error {
			for _, key := range k {
				if err := firstOf(tx.DeleteCredential(key.KeyHash), tx.DeleteAPIKey(key.User, key.ID)); err != nil {
					return err
				}
			}
			for _, i := range o { // which nobody could accept any more
				if err := drop(tx, i); err != nil {
					return err
				}
			}
			return s.orphan(tx, gone, a)
		})
		if err != nil {
			return err
		}
	}
	if err := s.removed(ctx, gone.Org, gone.User); err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx Tx) error { return tx.DeleteDeparted(gone) })
}

// orphan forgets who registered agents, and stops them if nobody is left.
func (s *Service) orphan(tx Tx, gone Departed, agents []id.ID) error {
	for _, agent := range agents {
		a, ok, err := tx.Agent(gone.Org, agent)
		if err != nil || !ok {
			return err
		}
		if a.CreatedBy == gone.User {
			a.CreatedBy = id.ID{}
		}
		if gone.Deserted && a.Active {
			now := s.now()
			a.Active, a.DeactivatedAt = false, &now
		}
		if err := tx.PutAgent(a); err != nil {
			return err
		}
	}
	return nil
}

// Tidy clears up after accounts whose rest could not be removed at once, and
// forgets what has ended. It is for every now and then.
func (s *Service) Tidy(ctx context.Context) error {
	const batch = 500
	var gone []Departed
	err := s.db.View(ctx, func(tx Tx) (err error) {
		gone, err = tx.Departed(batch)
		return err
	})
	if err != nil {
		return err
	}
	for _, g := range gone {
		if err := s.clearUp(ctx, g); err != nil {
			return err
		}
	}
	for {
		var ended []func(Tx) error
		now := s.now()
		err := s.db.View(ctx, func(tx Tx) (err error) {
			ended, err = tx.ForgetPeople(now, now.Add(-triesKept), batch)
			return err
		})
		if err != nil || len(ended) == 0 {
			return err
		}
		err = s.db.Update(ctx, func(tx Tx) error {
			for _, forget := range ended {
				if err := forget(tx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(ended) < batch {
			return err
		}
	}
}
