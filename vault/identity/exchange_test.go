package identity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/identity"
)

func TestA11_AgentToken(t *testing.T) {
	w := newWorld(t)
	v := id.New()
	a, key := w.agent(func(a *identity.Agent) { a.VaultIDs = []id.ID{v} })
	for name, agent := range map[string]id.ID{"key only": {}, "id and key": a.ID} {
		tok, err := w.ExchangeAgentKey(w.Ctx, agent, key, peer)
		w.OK(err)
		storetest.Equal(t, name, tok.Agent, a.ID)
		storetest.Equal(t, "lifetime", tok.ExpiresIn, 3600)
		storetest.Equal(t, "binding", tok.VaultIDs, []id.ID{v})
		storetest.Equal(t, "who", w.admits(tok.JWT).ID, a.ID)
	}
	_, key = w.agent(nil)
	if tok := w.exchange(key); tok.VaultIDs == nil || len(tok.VaultIDs) != 0 {
		t.Errorf("unbound: %#v", tok.VaultIDs)
	}
}

func TestA11_Refusals(t *testing.T) {
	w := newWorld(t)
	a, key := w.agent(nil)
	b, _ := w.agent(nil)
	_, userKey := w.owner()
	inactive, inactiveKey := w.agent(func(a *identity.Agent) { a.Active = false })
	ended, endedKey := w.agent(func(a *identity.Agent) { a.ExpiresAt = &clocktest.Noon })
	mtls, mtlsKey := w.agent(func(a *identity.Agent) { a.AuthMethod = identity.AuthMTLS })
	for _, c := range []struct {
		name   string
		agent  id.ID
		key    string
		author id.ID // whose name the event bears
	}{
		{"unknown key", id.ID{}, identity.NewKey("ocv_"), id.ID{}},
		{"unknown key, known agent", a.ID, identity.NewKey("ocv_"), id.ID{}},
		{"same first 12 characters", a.ID, key[:46] + other(key[46]), id.ID{}},
		{"unknown agent", id.New(), key, a.ID},
		{"another agent's id", b.ID, key, a.ID},
		{"empty", id.ID{}, "", id.ID{}},
		{"cut", id.ID{}, key[:46], id.ID{}},
		{"longer", id.ID{}, key + "A", id.ID{}},
		{"very long", id.ID{}, "ocv_" + strings.Repeat("A", 1<<20), id.ID{}},
		{"a person's key", id.ID{}, userKey, id.ID{}},
		{"a person's key under our prefix", id.ID{}, "ocv_" + userKey[4:], id.ID{}},
		{"inactive", id.ID{}, inactiveKey, inactive.ID},
		{"expired", ended.ID, endedKey, ended.ID},
		{"of another way in", id.ID{}, mtlsKey, mtls.ID},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := w.Logs("auth.failure refused invalid_credentials", func() {
				tok, err := w.ExchangeAgentKey(w.Ctx, c.agent, c.key, peer)
				if err == nil || err.Error() != identity.ErrCredentials.Error() || tok.JWT != "" || !tok.Agent.IsZero() {
					t.Errorf("got %+v, %v", tok, err)
				}
			})[0]
			storetest.Equal(t, "author", e.Actor.ID, c.author)
			if !c.author.IsZero() {
				storetest.Equal(t, "org", e.Org, w.org)
			}
			storetest.Equal(t, "from", e.IP+" "+e.Request, "192.0.2.7 req-1")
		})
	}
}

func TestA11_SuccessIsRecorded(t *testing.T) {
	w := newWorld(t)
	a, key := w.agent(nil)
	e := w.Logs("auth.success success", func() { w.exchange(key) })[0]
	if e.Org != w.org || e.Actor.ID != a.ID || e.Actor.Type != "agent" || e.Resource.ID != a.ID.String() || e.IP != "192.0.2.7" || !e.Time.Equal(clocktest.Noon) {
		t.Errorf("got %+v", e)
	}
}

func TestA10_TTL(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		ttl  int
		ends time.Duration // of the agent; 0: never
		want int
	}{
		{0, 0, 3600}, {300, 0, 300}, {1800, 0, 1800}, {86400, 0, 86400}, {30 * 86400, 0, 30 * 86400},
		{120, 0, 120}, {60, 0, 60}, {1, 0, 1}, // A13: as short as the agent's person likes
		{0, 10 * time.Minute, 600}, {300, 10 * time.Minute, 300}, {86400, 10 * time.Minute, 600},
		{0, 90*time.Second + 900*time.Millisecond, 90}, {60, 30 * time.Second, 30}, // never beyond the agent's own end
	} {
		_, key := w.agent(func(a *identity.Agent) {
			if a.TokenTTL = c.ttl; c.ends > 0 {
				a.ExpiresAt = ptr(clocktest.Noon.Add(c.ends))
			}
		})
		tok := w.exchange(key)
		storetest.Equal(t, "expires_in", tok.ExpiresIn, c.want)
		storetest.Equal(t, "exp", int64(w.part(tok.JWT, 1)["exp"].(float64)), clocktest.Noon.Unix()+int64(c.want))
		w.admits(tok.JWT)
	}
}

func TestJ3_ExpiresOnTime(t *testing.T) {
	w := newWorld(t)
	w.owner()
	login, err := w.Login(w.Ctx, email, password, peer)
	w.OK(err)
	_, key := w.agent(nil)
	for token, ttl := range map[string]time.Duration{login.JWT: 15 * time.Minute, w.exchange(key).JWT: time.Hour} {
		w.Clock.Set(clocktest.Noon.Add(ttl - 1))
		w.admits(token)
		w.Clock.Set(clocktest.Noon.Add(ttl))
		_, err := w.auth(token) // which was verified and remembered before
		w.Is(err, identity.ErrToken)
		w.Clock.Set(clocktest.Noon.Add(1000 * time.Hour))
		_, err = w.auth(token)
		w.Is(err, identity.ErrToken)
		w.Clock.Set(clocktest.Noon)
	}
}

func TestJ4_Scopes(t *testing.T) {
	w := newWorld(t)
	v1, v2 := id.New(), id.New()
	past, later := clocktest.Noon, clocktest.Noon.Add(time.Hour)
	type pol struct {
		v       id.ID
		pattern string
		ends    *time.Time
	}
	for _, c := range []struct {
		name     string
		explicit []string
		policies []pol
		want     []string
	}{
		{"nothing is nothing", nil, nil, []string{}},
		{"explicit", []string{"b/**", "a"}, []pol{{v1, "z", nil}}, []string{"b/**", "a"}},
		{"from policies of all vaults", nil, []pol{{v1, "z/*", nil}, {v2, "a/**", nil}, {v2, "z/*", nil}}, []string{"a/**", "z/*"}},
		{"expired ones do not count", nil, []pol{{v1, "old", &past}, {v1, "new", &later}}, []string{"new"}},
		{"only expired ones", nil, []pol{{v1, "old", &past}}, []string{}},
		{"a star covers one segment", []string{"*"}, nil, []string{"*"}},
		{"labels are no paths (J5)", []string{"vaults:read", "vault:read", "vault.read", "vaults.write", "tx:sign"}, []pol{{v1, "p/**", nil}}, []string{"p/**"}},
		{"labels alone are zero (J5)", []string{"vaults:read"}, nil, []string{}},
		{"labels beside paths (J5)", []string{"vaults:read", "a/b"}, []pol{{v1, "p/**", nil}}, []string{"a/b"}},
		{"a mistyped path narrows", []string{"a//b"}, []pol{{v1, "**", nil}}, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, key := w.agent(func(a *identity.Agent) { a.Scopes = c.explicit })
			for _, p := range c.policies {
				w.grant(a, p.v, p.pattern, p.ends)
			}
			tok := w.exchange(key)
			storetest.Equal(t, "principal", scopes(w.admits(tok.JWT)), c.want)
			storetest.Equal(t, "claim", w.part(tok.JWT, 1)["scopes"], c.want)
		})
	}
}

// A token's ceiling is what was so when it was issued.
func TestJ4_FrozenAtIssuance(t *testing.T) {
	w := newWorld(t)
	v := id.New()
	a, key := w.agent(nil)
	w.grant(a, v, "a", nil)
	old := w.exchange(key).JWT
	w.grant(a, v, "b", nil)
	a.Scopes, a.VaultIDs = []string{"c"}, []id.ID{v}
	fresh := func() string { return w.exchange(key).JWT }
	storetest.Equal(t, "derived, before", scopes(w.admits(old)), []string{"a"})
	storetest.Equal(t, "derived, after", scopes(w.admits(fresh())), []string{"a", "b"})
	w.putAgent(a)
	p := w.admits(old)
	storetest.Equal(t, "scopes stay", scopes(p), []string{"a"})
	storetest.Equal(t, "binding stays", len(p.VaultIDs), 0)
	p = w.admits(fresh())
	storetest.Equal(t, "new scopes", scopes(p), []string{"c"})
	storetest.Equal(t, "new binding", p.VaultIDs, []id.ID{v})
	w.restart()
	storetest.Equal(t, "over a restart", scopes(w.admits(old)), []string{"a"})
}

// Another agent's policies and a user's with the same id are not mine.
func TestJ4_OwnPoliciesOnly(t *testing.T) {
	w := newWorld(t)
	a, key := w.agent(nil)
	b, _ := w.agent(nil)
	w.grant(b, id.New(), "b/**", nil)
	storetest.Equal(t, "scopes", scopes(w.admits(w.exchange(key).JWT)), []string{})
	_ = a
}

func TestA8_StoppedAtOnce(t *testing.T) {
	w := newWorld(t)
	a, key := w.agent(func(a *identity.Agent) { a.ExpiresAt = ptr(clocktest.Noon.Add(2 * time.Hour)) })
	token := w.exchange(key).JWT
	w.admits(token)
	stop := func(change func(*identity.Agent), want error, reason string) {
		t.Helper()
		b := a
		change(&b)
		w.putAgent(b)
		e := w.Logs("auth.failure refused "+reason, func() { _, err := w.auth(token); w.Is(err, want) })[0]
		storetest.Equal(t, "author", e.Actor.ID, a.ID)
		storetest.Equal(t, "org", e.Org, w.org)
		_, err := w.ExchangeAgentKey(w.Ctx, id.ID{}, key, peer)
		w.Is(err, identity.ErrCredentials)
		w.putAgent(a) // and back
		w.admits(token)
		w.exchange(key)
	}
	stop(func(a *identity.Agent) { a.Active = false }, identity.ErrInactive, "agent_deactivated")
	stop(func(a *identity.Agent) { a.ExpiresAt = &clocktest.Noon }, identity.ErrExpired, "agent_expired")
	stop(func(a *identity.Agent) { a.Active, a.ExpiresAt = false, &clocktest.Noon }, identity.ErrInactive, "agent_deactivated")
}

// Whichever forbids more: the claim or the agent as it is now (S10).
func TestS10_IntentsByClaimOrFlag(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ claim, flag, want bool }{{false, false, false}, {false, true, true}, {true, false, true}, {true, true, true}} {
		a, key := w.agent(func(a *identity.Agent) { a.Intents = c.claim })
		token := w.exchange(key).JWT
		w.admits(token) // remembered
		a.Intents = c.flag
		w.putAgent(a)
		storetest.Equal(t, "intents", w.admits(token).Intents, c.want)
		storetest.Equal(t, "signs", w.admits(token).Signs, c.claim) // only what the token says (P4)
	}
}

func TestH8_Revoke(t *testing.T) {
	w := newWorld(t)
	user, _ := w.owner()
	tok, err := w.Login(w.Ctx, email, password, peer)
	w.OK(err)
	twin, err := w.Login(w.Ctx, email, password, peer)
	w.OK(err)
	p := w.admits(tok.JWT)
	e := w.Logs("auth.revoke success", func() { w.OK(w.Revoke(w.Ctx, p)) })[0]
	storetest.Equal(t, "author", e.Actor.ID, user.ID)
	refused := func() {
		t.Helper()
		e := w.Logs("auth.failure refused token_revoked", func() { _, err := w.auth(tok.JWT); w.Is(err, identity.ErrTokenRevoked) })[0]
		storetest.Equal(t, "author", e.Actor.ID, user.ID)
	}
	refused()
	w.admits(twin.JWT)
	w.restart()
	refused()
	w.OK(w.ForgetRevoked(w.Ctx)) // it still matters
	refused()
	w.Clock.Set(clocktest.Noon.Add(15*time.Minute - 1))
	w.OK(w.ForgetRevoked(w.Ctx))
	refused()
	w.OK(w.Revoke(w.Ctx, p)) // twice is fine
	w.Clock.Set(clocktest.Noon.Add(15 * time.Minute))
	w.OK(w.ForgetRevoked(w.Ctx))
	_, err = w.auth(tok.JWT)
	w.Is(err, identity.ErrToken) // expired by now
}

// Expired revocations go, more than one batch of them; the others stay.
func TestH8_ForgetRevoked(t *testing.T) {
	w := newWorld(t)
	const expired = 2300
	w.Commit(func(tx *store.Tx) error {
		for range expired {
			if err := tx.PutRevoked(id.New().String(), clocktest.Noon.Add(-time.Second)); err != nil {
				return err
			}
		}
		return tx.PutRevoked("alive", clocktest.Noon.Add(time.Second))
	})
	w.OK(w.ForgetRevoked(w.Ctx))
	w.Inspect(func(tx *store.Tx) error {
		old, err := tx.RevokedBefore(clocktest.Noon.Add(time.Hour), 10_000)
		storetest.Equal(t, "kept", old, []string{"alive"})
		return err
	})
}

// A 1ck_ key is no token: revoking "the token" does nothing to it.
func TestH8_UserKeyIsNoToken(t *testing.T) {
	w := newWorld(t)
	_, key := w.owner()
	w.Logs("", func() { w.OK(w.Revoke(w.Ctx, w.admits(key))) })
	w.admits(key)
}
