package people

import (
	"context"
	"strings"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// methodProvider is how somebody signs in whose account an identity provider's
// word made.
const methodProvider = "identity_provider"

// FindOrCreateVerified finds who has an address that an identity provider has
// verified, and makes an account, in an organisation of its own, where everybody
// may sign up. Admit is what follows.
func (s *Service) FindOrCreateVerified(ctx context.Context, email, name string, peer identity.Peer) (identity.UserRef, error) {
	email, folded, err := address(email)
	if err != nil {
		return identity.UserRef{}, err
	}
	var u identity.User
	err = s.db.View(ctx, func(tx Tx) (err error) {
		u, err = byEmail(tx, folded)
		return err
	})
	if err != nil || !u.ID.IsZero() {
		return identity.UserRef{Org: u.Org, User: u.ID}, err
	}
	e := peer.Event(audit.UserSignup, "user", "")
	e.Time = s.now()
	if name = strings.TrimSpace(name); checkName(name) != nil {
		name = ""
	}
	made := newUser(Ticket{Email: email, DisplayName: name}, id.New(), identity.RoleOwner, e.Time)
	made.AuthMethod = methodProvider
	err = s.db.Update(ctx, func(tx Tx) error {
		u = made
		there, err := byEmail(tx, folded)
		if err != nil || !there.ID.IsZero() { // of the same moment
			u = there
			return err
		}
		return s.open(ctx, tx, u, folded, true, userEvents(u, peer, e.Time, audit.UserSignup))
	})
	if err != nil {
		return identity.UserRef{}, s.badTicket(ctx, e, err)
	}
	return identity.UserRef{Org: u.Org, User: u.ID}, nil
}
