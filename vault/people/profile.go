package people

import (
	"context"

	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Profile is an account as its owner sees it.
type Profile struct {
	identity.User
	MFA bool
}

// Me is the profile of whoever asks.
func (s *Service) Me(ctx context.Context, p identity.Principal) (out Profile, err error) {
	if err := s.peopleOnly(ctx, p, audit.UserRead); err != nil {
		return out, err
	}
	err = s.db.View(ctx, func(tx Tx) (err error) {
		out, err = profile(tx, p)
		return err
	})
	return out, err
}

func profile(tx Tx, p identity.Principal) (out Profile, err error) {
	if out.User, err = user(tx, p); err != nil {
		return out, err
	}
	m, _, err := tx.MFA(p.ID)
	out.MFA = m.Active
	return out, err
}

// ProfileChange is what to change; nil leaves a field as it is.
type ProfileChange struct {
	DisplayName     *string
	MarketingEmails *bool
}

// UpdateMe changes the profile of whoever asks.
func (s *Service) UpdateMe(ctx context.Context, p identity.Principal, c ProfileChange) (out Profile, err error) {
	if err := s.peopleOnly(ctx, p, audit.UserUpdate); err != nil {
		return out, err
	}
	if c.DisplayName != nil {
		if err := checkName(*c.DisplayName); err != nil {
			return out, err
		}
	}
	err = s.db.Update(ctx, func(tx Tx) error {
		if out, err = profile(tx, p); err != nil {
			return err
		}
		if c.DisplayName != nil {
			out.DisplayName = *c.DisplayName
		}
		if c.MarketingEmails != nil {
			out.MarketingEmails = *c.MarketingEmails
		}
		return firstOf(tx.PutUser(out.User), audit.Write(ctx, tx, s.event(p, audit.UserUpdate, "user", p.ID)))
	})
	return out, err
}
