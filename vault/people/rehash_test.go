package people_test

import (
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/people"
	"github.com/oneclaw/oneclawd/vault/site"
)

// TestAPasswordFollowsItsCost: what is kept of a password is of the set cost
// from the next sign-in with it on, and of no wrong one.
func TestAPasswordFollowsItsCost(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	ann := w.account("ann@example.com")
	kept := func() (hash string) {
		w.Inspect(func(tx *store.Tx) error {
			u, _, err := tx.User(ann.Org, ann.ID)
			hash = u.PasswordHash
			return err
		})
		return hash
	}
	before, events := kept(), w.Size()
	w.ident = identity.New(identity.Config{
		DB: store.Runner[identity.Tx](w.Store), Signer: w.gate, Key: w.key, Pepper: make([]byte, 32), Now: w.Clock.Now,
		Passwords: identity.PasswordCost{MemoryKiB: 8 << 10, Time: 3},
	})
	w.Service = people.New(people.Config{DB: store.Runner[people.Tx](w.Store), Identity: w.ident, Signup: site.SignupOpen, Now: w.Clock.Now})
	if _, err := w.login("ann@example.com", canary); err == nil || kept() != before {
		t.Errorf("a wrong password: %v, %q", err, kept())
	}
	mustLogin(w)
	renewed := kept()
	if !strings.HasPrefix(renewed, "$argon2id$v=19$m=8192,t=3,p=1$") {
		t.Errorf("kept as %q", renewed)
	}
	w.auth(mustLogin(w).JWT)
	if kept() != renewed {
		t.Error("hashed again without need")
	}
	if got := w.Size() - events; got != 3 {
		t.Errorf("%d events, want one for each sign-in", got)
	}
}

func mustLogin(w *world) people.Login {
	w.Helper()
	l, err := w.login("ann@example.com", first)
	w.OK(err)
	return l
}
