package people_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/people"
	"github.com/oneclaw/oneclawd/vault/site"
)

func TestH9SignUp(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	w.Logs("user.signup success", func() { w.OK(w.signUp("Ann@example.com")) })
	_, err := w.login("ann@example.com", first)
	w.Is(err, identity.ErrCredentials) // there is no account yet
	token := w.mailed("Ann@example.com")
	var tok identity.Token
	w.Logs("user.verify success; auth.success success", func() {
		tok, err = w.VerifyEmail(w.Context(), token, peer)
		w.OK(err)
	})
	p := w.auth(tok.JWT)
	if p.Role != identity.RoleOwner || tok.ExpiresIn != 900 {
		t.Errorf("%+v", p)
	}
	_, err = w.VerifyEmail(w.Context(), token, peer)
	w.Is(err, people.ErrTicket)
	other := w.account("bob@example.com")
	if other.Org == p.Org {
		t.Error("two signups share an organisation")
	}
	if got := w.mails("bob@example.com")[0].Kind; got != "welcome" {
		t.Errorf("the last mail is %s", got)
	}
	w.OK(w.signUp("late@example.com"))
	late := w.mailed("late@example.com")
	w.Clock.Add(24 * time.Hour)
	_, err = w.VerifyEmail(w.Context(), late, peer)
	w.Is(err, people.ErrTicket)
}

func TestH9NobodyLearnsWhoHasAnAccount(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	w.account("ann@example.com")
	before := len(w.mails("ann@example.com"))
	for _, email := range []string{"ann@example.com", "nobody@example.com"} {
		w.Logs("user.signup success", func() { w.OK(w.signUp(email)) })
		w.Logs("password.forgot success", func() { w.OK(w.ForgotPassword(w.Context(), email, peer)) })
	}
	if all := w.mails("ann@example.com"); len(all) != before+2 || all[1].Kind != "signup_again" || strings.Contains(all[1].Body, "#token") {
		t.Errorf("%d mails, %+v", len(all)-before, all)
	}
	if all := w.mails("nobody@example.com"); len(all) != 1 || all[0].Kind != "verify_email" {
		t.Errorf("%+v", all)
	}
	for range 20 { // no address is flooded
		w.OK(w.signUp("nobody@example.com"))
		w.OK(w.ForgotPassword(w.Context(), "ann@example.com", peer))
	}
	if a, n := len(w.mails("ann@example.com"))-before, len(w.mails("nobody@example.com")); a > 4 || n > 4 {
		t.Errorf("%d and %d mails", a, n)
	}
}

func TestSignupModes(t *testing.T) {
	for _, mode := range []site.SignupMode{"", site.SignupInvite, site.SignupClosed} {
		w := newWorld(t, mode)
		w.Logs("user.signup refused signup_closed", func() { w.Is(w.signUp("ann@example.com"), people.ErrSignupClosed) })
	}
	w := newWorld(t, site.SignupDev)
	tok, err := w.SignUp(w.Context(), people.Signup{Email: "ann@example.com", Password: first}, peer)
	w.OK(err)
	w.auth(tok.JWT)
	tok, err = w.SignUp(w.Context(), people.Signup{Email: "ann@example.com", Password: second}, peer)
	w.OK(err)
	if tok.JWT != "" {
		t.Error("an account was taken over")
	}
}

func TestH2PasswordRuleEverywhere(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	ann := w.account("ann@example.com")
	_, err := w.SignUp(w.Context(), people.Signup{Email: "x@example.com", Password: "short"}, peer)
	w.Is(err, identity.ErrPasswordRule)
	w.Is(w.ChangePassword(w.Context(), ann, first, "short"), identity.ErrPasswordRule)
	w.OK(w.ForgotPassword(w.Context(), "ann@example.com", peer))
	w.Is(w.ResetPassword(w.Context(), w.mailed("ann@example.com"), "short", peer), identity.ErrPasswordRule)
	_, err = w.Invite(w.Context(), ann, "bob@example.com", "")
	w.OK(err)
	_, err = w.Accept(w.Context(), identity.Principal{}, w.mailed("bob@example.com"), "short", "", peer)
	w.Is(err, identity.ErrPasswordRule)
}

func TestH16WrongPasswordsWaitLonger(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	w.account("ann@example.com")
	try := func(email, password string) (time.Duration, error) {
		_, err := w.login(email, password)
		if errors.Is(err, people.ErrSlowDown) {
			return fault.As(err).RetryAfter, err
		}
		return 0, err
	}
	for _, email := range []string{"ann@example.com", "nobody@example.com", "no address"} {
		for range 5 {
			_, err := try(email, canary)
			w.Is(err, identity.ErrCredentials)
		}
		var longest time.Duration
		for range 14 {
			wait, err := try(email, first) // even the right one
			w.Is(err, people.ErrSlowDown)
			longest = max(longest, wait)
			w.Clock.Add(wait)
			_, err = try(email, canary)
			w.Is(err, identity.ErrCredentials)
		}
		if longest != 15*time.Minute {
			t.Errorf("%s waits %s at most", email, longest)
		}
	}
	w.reopen(site.SignupOpen) // the count survives
	_, err := try("no address", first)
	w.Is(err, people.ErrSlowDown)
	_, err = try("ann@example.com", first)
	w.OK(err)
	_, err = try("ann@example.com", canary) // and is forgotten
	w.Is(err, identity.ErrCredentials)
	_, err = try("ann@example.com", first)
	w.OK(err)
}

func TestH16ManyGuessesAtOnceAreCounted(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	w.account("ann@example.com")
	var wrong, slow int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			_, err := w.Login(w.Context(), "ann@example.com", canary, peer)
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, identity.ErrCredentials) {
				wrong++
			} else if errors.Is(err, people.ErrSlowDown) {
				slow++
			}
		})
	}
	all.Wait()
	if wrong != 5 || slow != 11 {
		t.Errorf("%d were looked at, %d were not", wrong, slow)
	}
}

func TestResetPassword(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	w.account("ann@example.com")
	old, err := w.login("ann@example.com", first)
	w.OK(err)
	w.OK(w.ForgotPassword(w.Context(), "ann@example.com", peer))
	one := w.mailed("ann@example.com")
	w.OK(w.ForgotPassword(w.Context(), "ANN@example.com", peer))
	two := w.mailed("ann@example.com")
	w.Logs("password.reset success", func() { w.OK(w.ResetPassword(w.Context(), two, second, peer)) })
	w.dead(old.JWT) // of the very same second
	w.Is(w.ResetPassword(w.Context(), two, first, peer), people.ErrTicket)
	w.Logs("password.reset refused invalid_or_expired_token", func() {
		w.Is(w.ResetPassword(w.Context(), one, first, peer), people.ErrTicket)
	})
	w.Clock.Add(time.Second)
	_, err = w.login("ann@example.com", first)
	w.Is(err, identity.ErrCredentials)
	fresh, err := w.login("ann@example.com", second)
	w.OK(err)
	w.auth(fresh.JWT)
	w.OK(w.ForgotPassword(w.Context(), "ann@example.com", peer))
	late := w.mailed("ann@example.com")
	w.Clock.Add(time.Hour)
	w.Is(w.ResetPassword(w.Context(), late, first, peer), people.ErrTicket)
	w.Is(w.ResetPassword(w.Context(), "1ct_made-up", first, peer), people.ErrTicket)
	_, err = w.VerifyEmail(w.Context(), late, peer) // one kind is not another
	w.Is(err, people.ErrTicket)
}

func TestResetsAtOnce(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	w.account("ann@example.com")
	w.OK(w.ForgotPassword(w.Context(), "ann@example.com", peer))
	token := w.mailed("ann@example.com")
	if n := atOnce(8, func() error { return w.ResetPassword(w.Context(), token, second, peer) }); n != 1 {
		t.Errorf("%d resets with one token", n)
	}
}

// atOnce counts how many of n calls succeed.
func atOnce(n int, fn func() error) (good int) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if fn() == nil {
				mu.Lock()
				good++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return good
}

func TestH11ChangePassword(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	w.account("ann@example.com")
	mine, err := w.login("ann@example.com", first)
	w.OK(err)
	other, err := w.login("ann@example.com", first)
	w.OK(err)
	ann := w.auth(mine.JWT)
	w.Logs("password.change refused wrong_password", func() {
		w.Is(w.ChangePassword(w.Context(), ann, canary, second), people.ErrPassword)
	})
	w.Logs("password.change success", func() { w.OK(w.ChangePassword(w.Context(), ann, first, second)) })
	w.auth(mine.JWT)
	w.dead(other.JWT)
	if m := w.mails("ann@example.com")[0]; m.Kind != "password_changed" || !strings.Contains(m.Body, "192.0.2.7") {
		t.Errorf("%s\n%s", m.Kind, m.Body)
	}
	for range 5 { // whoever has a token only may not guess either
		_ = w.ChangePassword(w.Context(), ann, canary, second)
	}
	w.Is(w.ChangePassword(w.Context(), ann, second, first), people.ErrSlowDown)
}

func TestH12Profile(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	ann := w.account("ann@example.com")
	name, yes := "Ann", true
	w.Logs("user.update success", func() {
		u, err := w.UpdateMe(w.Context(), ann, people.ProfileChange{DisplayName: &name, MarketingEmails: &yes})
		w.OK(err)
		if u.DisplayName != "Ann" || !u.MarketingEmails || u.MFA {
			t.Errorf("%+v", u)
		}
	})
	bad := "a\nb"
	_, err := w.UpdateMe(w.Context(), ann, people.ProfileChange{DisplayName: &bad})
	w.Is(err, people.ErrName)
}

func TestH13DeleteMe(t *testing.T) {
	w := newWorld(t, site.SignupOpen)
	boss := w.account("boss@example.com")
	w.Is(w.DeleteMe(w.Context(), boss, "DELETE"), people.ErrLastOwner) // of the platform
	ann := w.account("ann@example.com")
	w.Is(w.DeleteMe(w.Context(), ann, "yes"), people.ErrConfirm)
	bob := w.member(ann, "bob@example.com", identity.RoleMember)
	w.Is(w.DeleteMe(w.Context(), ann, "DELETE"), people.ErrLastOwner)
	_, key, err := w.ident.CreateAPIKey(w.Context(), bob, identity.NewAPIKeySpec{Name: "k"})
	w.OK(err)
	agent := identity.Agent{ID: id.New(), Org: ann.Org, Name: "bot", Active: true, CreatedBy: bob.ID}
	w.Commit(func(tx *store.Tx) error { return tx.PutAgent(agent) })
	w.fail = errors.New("shares are busy")
	w.Logs("user.delete success", func() { w.OK(w.DeleteMe(w.Context(), bob, "BOB@example.com")) })
	w.dead(key)
	if _, err := w.Me(w.Context(), bob); !errors.Is(err, identity.ErrToken) {
		t.Error(err)
	}
	left := func() (n int) {
		w.Inspect(func(tx *store.Tx) error {
			all, err := tx.Departed(10)
			n = len(all)
			return err
		})
		return n
	}
	if len(w.gone) != 1 || left() != 1 {
		t.Errorf("%v, %d left", w.gone, left())
	}
	w.fail = nil
	w.OK(w.Tidy(w.Context()))
	if len(w.gone) != 2 || left() != 0 {
		t.Errorf("%v, %d left", w.gone, left())
	}
	w.Inspect(func(tx *store.Tx) error {
		a, _, err := tx.Agent(ann.Org, agent.ID)
		keys, _ := tx.APIKeys(bob.ID)
		if !a.CreatedBy.IsZero() || !a.Active || len(keys) != 0 {
			t.Errorf("%+v %d keys", a, len(keys))
		}
		return err
	})
	w.account("bob@example.com") // the address is free again
	w.OK(w.DeleteMe(w.Context(), ann, "DELETE"))
	w.Inspect(func(tx *store.Tx) error { // nobody is left to stop it
		a, _, err := tx.Agent(ann.Org, agent.ID)
		if a.Active {
			t.Error("an agent of a deserted organisation goes on")
		}
		return err
	})
}
