package people_test

import (
	"sync"
	"testing"

	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/people"
	"github.com/oneclaw/oneclawd/vault/site"
)

func TestH10_UnknownPeopleGetAnAccountWhereAnybodyMay(t *testing.T) {
	for mode, want := range map[site.SignupMode]error{
		site.SignupOpen: nil, site.SignupDev: nil, site.SignupInvite: people.ErrSignupClosed, site.SignupClosed: people.ErrSignupClosed,
	} {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t, mode)
			ref, err := w.FindOrCreateVerified(t.Context(), "Bea@Example.com", "Bea\x00", identity.Peer{})
			w.Is(err, want)
			if err != nil {
				return
			}
			again, err := w.FindOrCreateVerified(t.Context(), "bea@example.COM", "Bea", identity.Peer{})
			w.OK(err)
			if again != ref {
				t.Error("another account")
			}
			w.Inspect(func(tx *store.Tx) error {
				u, ok, err := tx.User(ref.Org, ref.User)
				if !ok || u.Email != "Bea@Example.com" || u.Role != identity.RoleOwner || !u.EmailVerified || u.PasswordHash != "" || u.DisplayName != "" {
					t.Errorf("got %+v", u)
				}
				return err
			})
			l, err := w.Admit(t.Context(), ref.Org, ref.User, identity.Peer{})
			w.OK(err)
			if l.JWT == "" || l.MFARequired {
				t.Errorf("got %+v", l)
			}
			for _, password := range []string{"", "x"} { // there is none
				_, err = w.Login(t.Context(), "bea@example.com", password, identity.Peer{})
				w.Is(err, identity.ErrCredentials)
			}
		})
	}
}

func TestH10_OneAccountForTwoAtOnce(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	var all sync.WaitGroup
	refs := make([]identity.UserRef, 8)
	for i := range refs {
		all.Go(func() {
			var err error
			refs[i], err = w.FindOrCreateVerified(t.Context(), "bea@example.com", "", identity.Peer{})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, r := range refs {
		if r != refs[0] || r.User.IsZero() {
			t.Errorf("got %v", refs)
		}
	}
}

func TestH10_NoAddress(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	_, err := w.FindOrCreateVerified(t.Context(), "bea", "", identity.Peer{})
	w.Is(err, identity.ErrEmail)
}
