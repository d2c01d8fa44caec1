package identity_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/identity"
)

func TestH1_Login(t *testing.T) {
	w := newWorld(t)
	user, _ := w.owner()
	for _, e := range []string{email, "ann@example.com", "ANN@EXAMPLE.COM", "  ann@example.com "} {
		tok, err := w.Login(w.Ctx, e, password, peer)
		w.OK(err)
		storetest.Equal(t, "lifetime", tok.ExpiresIn, 900)
		storetest.Equal(t, "who", w.admits(tok.JWT).ID, user.ID)
	}
	for _, c := range []struct{ email, password string }{
		{email, password + "x"}, {email, ""}, {email, strings.ToLower(password)}, {email, password + " "}, {email, password[:len(password)-1]},
		{"bob@example.com", password}, {"", password}, {"ann", password}, {"Ann <ann@example.com>", password},
		{"ann@example.com\x00", password}, {"ann@example.com.", password}, {email, strings.Repeat("x", 1<<20)},
	} {
		tok, err := w.Login(w.Ctx, c.email, c.password, peer)
		w.Is(err, identity.ErrCredentials)
		storetest.Equal(t, "words", err.Error(), identity.ErrCredentials.Error()) // the same whoever asked
		storetest.Equal(t, "token", tok, identity.Token{})
	}
}

// The refusal of someone known is in their organisation's log, under their
// name; that of a stranger is nobody's.
func TestH1_LoginIsRecorded(t *testing.T) {
	w := newWorld(t)
	user, _ := w.owner()
	good := w.Logs("auth.success success", func() { _, err := w.Login(w.Ctx, email, password, peer); w.OK(err) })[0]
	bad := w.Logs("auth.failure refused invalid_credentials", func() {
		_, err := w.Login(w.Ctx, email, "wrong", peer)
		w.Is(err, identity.ErrCredentials)
	})[0]
	for _, e := range []storetest.Event{good, bad} {
		if e.Org != user.Org || e.Actor.ID != user.ID || e.Actor.Type != "user" || e.IP != "192.0.2.7" || e.Request != "req-1" || !e.Time.Equal(clocktest.Noon) {
			t.Errorf("got %+v", e)
		}
	}
	e := w.Logs("auth.failure refused invalid_credentials", func() {
		_, err := w.Login(w.Ctx, "bob@example.com", "wrong", peer)
		w.Is(err, identity.ErrCredentials)
	})[0]
	if !e.Org.IsZero() || !e.Actor.ID.IsZero() || e.Actor.Type != "anonymous" || e.IP != "192.0.2.7" {
		t.Errorf("got %+v", e)
	}
}

// rule is H2 again, written without looking at the code: at least 12
// characters, one of each kind, no run of three, no three in sequence.
func rule(p string) bool {
	r := []rune(p)
	kinds := [4]func(rune) bool{unicode.IsUpper, unicode.IsLower, unicode.IsDigit, func(r rune) bool {
		return !unicode.IsUpper(r) && !unicode.IsLower(r) && !unicode.IsDigit(r)
	}}
	for _, is := range kinds {
		if strings.IndexFunc(p, is) < 0 {
			return false
		}
	}
	for i := 0; i+2 < len(r); i++ {
		low := strings.ToLower(string(r[i : i+3]))
		if r[i] == r[i+1] && r[i] == r[i+2] {
			return false
		}
		for _, row := range []string{"abcdefghijklmnopqrstuvwxyz", "0123456789", "zyxwvutsrqponmlkjihgfedcba", "9876543210"} {
			if strings.Contains(row, low) {
				return false
			}
		}
	}
	return len(r) >= 12 && len(p) <= 1024
}

func TestH2_PasswordRule(t *testing.T) {
	for p, want := range map[string]bool{
		password: true, "Tr0ub4dor&33x": true, "Aa1!Aa1!Aa1!": true, "Zürich-7-Berge-hoch": true,
		"Aa1!Aa1!Aa1":                     false, // 11
		"correct-horse-7-battery":         false,
		"CORRECT-HORSE-7-BATTERY":         false,
		"Correct-Horse-Battery":           false,
		"CorrectHorse7Battery":            false,
		"Correct-Hooorse-7":               false,
		"Correct-777-Horse":               false,
		"Correct---Horse-7":               false,
		"Correct-abc-Horse-7":             false,
		"Correct-aBC-Horse-7":             false,
		"Correct-cba-Horse-7":             false,
		"Correct-Horse-123":               false,
		"Correct-Horse-321":               false,
		"Correct-Horse-890":               true, // 9 and 0 are no neighbours
		"Correct-Horse-97531":             true,
		"Correct-7-./01-Horse":            true, // only letters and digits are in sequence
		"":                                false,
		strings.Repeat("Aa1!", 256):       true,
		strings.Repeat("Aa1!", 256) + "x": false,
	} {
		err := identity.CheckPasswordRule(p)
		if (err == nil) != want || rule(p) != want {
			t.Errorf("%q: got %v, the second reading says %v, want %v", p, err, rule(p), want)
		}
		if err != nil && (!errors.Is(err, identity.ErrPasswordRule) || fault.KindOf(err) != fault.Invalid || len(p) > 3 && strings.Contains(err.Error(), p)) {
			t.Errorf("%q: %v", p, err)
		}
	}
}

func FuzzPasswordRule(f *testing.F) {
	for _, s := range []string{password, "Aa1!Aa1!Aa1!", "XyzXyzXyz-12", "Correct-abC-Horse-7", "Ａａ１！Ａａ１！Ａａ１！"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, p string) {
		for _, r := range p {
			if r > unicode.MaxASCII { // beyond ASCII "in sequence" is a matter of taste
				return
			}
		}
		if got := identity.CheckPasswordRule(p) == nil; got != rule(p) {
			t.Errorf("%q: accepted %v", p, got)
		}
	})
}

func TestH2_NeverStoredInClear(t *testing.T) {
	w := newWorld(t)
	user, _ := w.owner()
	w.Inspect(func(tx *store.Tx) error {
		u, _, err := tx.User(user.Org, user.ID)
		if !strings.HasPrefix(u.PasswordHash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(u.PasswordHash, password) {
			t.Errorf("got %q", u.PasswordHash)
		}
		return err
	})
}

func TestCreateOwner(t *testing.T) {
	w := newWorld(t)
	has, err := w.HasOwner(w.Ctx)
	w.OK(err)
	storetest.Equal(t, "before", has, false)
	for _, c := range []struct {
		email, password string
		want            error
	}{
		{"ann", password, identity.ErrEmail}, {"", password, identity.ErrEmail}, {"Ann <a@x.org>", password, identity.ErrEmail},
		{"a@x.org, b@x.org", password, identity.ErrEmail}, {strings.Repeat("a", 250) + "@x.org", password, identity.ErrEmail},
		{email, "short", identity.ErrPasswordRule},
	} {
		w.Logs("", func() { _, _, err := w.CreateOwner(w.Ctx, c.email, c.password, "Acme"); w.Is(err, c.want) })
	}
	var user identity.User
	e := w.Logs("user.create success", func() { user, _ = w.owner() })[0]
	storetest.Equal(t, "org of the event", e.Org, user.Org)
	storetest.Equal(t, "actor", e.Actor.Type, "system")
	has, err = w.HasOwner(w.Ctx)
	w.OK(err)
	storetest.Equal(t, "after", has, true)
	storetest.Equal(t, "role", user.Role, identity.RoleOwner)

	w.Logs("auth.failure refused invalid_token", func() { // of the key, tried in vain
		_, key, err := w.CreateOwner(w.Ctx, "ANN@example.com", password, "Other")
		w.Is(err, identity.ErrEmailTaken)
		if _, err := w.auth(key); err == nil {
			t.Error("a key of the refused owner works")
		}
	})
}

// Of owners made at once one gives the platform its organisation; a taken
// address stays with the first.
func TestCreateOwner_AtOnce(t *testing.T) {
	w := newWorld(t)
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, _, err := w.CreateOwner(w.Ctx, email, password, "Acme")
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, identity.ErrEmailTaken):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	storetest.Equal(t, "winners", won.Load(), 1)
	first, _, err := w.CreateOwner(w.Ctx, "bob@example.com", password, "Second")
	w.OK(err)
	w.Inspect(func(tx *store.Tx) error {
		org, _, err := tx.Platform()
		if org == first.Org {
			t.Error("the second organisation took the platform")
		}
		return err
	})
}

// Logins wait for each other's memory; one that gives up leaves no trace.
func TestLogin_Cancelled(t *testing.T) {
	w := newWorld(t)
	w.owner()
	ctx, cancel := context.WithCancel(w.Ctx)
	cancel()
	_, err := w.Login(ctx, email, password, peer)
	w.Is(err, context.Canceled)
}

func TestH12_Me(t *testing.T) {
	w := newWorld(t)
	user, key := w.owner()
	p := w.admits(key)
	me, err := w.Me(w.Ctx, p)
	w.OK(err)
	if me.ID != user.ID || me.Org != user.Org || me.Email != email {
		t.Errorf("got %+v", me)
	}
	_, akey := w.agent(nil)
	_, err = w.Me(w.Ctx, w.admits(w.exchange(akey).JWT))
	w.Is(err, identity.ErrUsersOnly)
	p.ID = id.New()
	_, err = w.Me(w.Ctx, p)
	w.Is(err, identity.ErrToken)
}

// Tokens from before a change of password are refused, later ones are not.
func TestTokensFrom(t *testing.T) {
	w := newWorld(t)
	user, _ := w.owner()
	old, err := w.Login(w.Ctx, email, password, peer)
	w.OK(err)
	w.admits(old.JWT)
	w.Clock.Set(clocktest.Noon.Add(time.Minute))
	user.TokensFrom = w.Clock.Now()
	w.Commit(func(tx *store.Tx) error { return tx.PutUser(user) })
	_, err = w.auth(old.JWT)
	w.Is(err, identity.ErrTokenRevoked)
	fresh, err := w.Login(w.Ctx, email, password, peer)
	w.OK(err)
	w.admits(fresh.JWT)
}
