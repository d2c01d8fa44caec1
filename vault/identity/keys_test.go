package identity_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
)

func TestH4_KeyForm(t *testing.T) {
	seen := map[string]bool{}
	for _, prefix := range []string{"1ck_", "ocv_"} {
		for range 100 {
			key := identity.NewKey(prefix)
			raw, err := base64.RawURLEncoding.DecodeString(key[4:])
			if err != nil || len(raw) != 32 || len(key) != 47 || !strings.HasPrefix(key, prefix) || seen[key] {
				t.Fatalf("got %q", key)
			}
			seen[key] = true
		}
	}
}

// The stored form depends on a pepper that only the unsealed appliance has.
func TestH4_StoredAsMAC(t *testing.T) {
	w := newWorld(t)
	other := identity.New(identity.Config{DB: w.faults, Signer: w.gate, Key: w.key, Pepper: []byte("another pepper")})
	key := identity.NewKey("ocv_")
	if string(w.HashKey(key)) == string(other.HashKey(key)) || len(w.HashKey(key)) != 32 {
		t.Error("the pepper has no part in it")
	}
	equal(t, "again", w.HashKey(key), w.HashKey(key))
}

func TestH3_KeyAsBearerAndExchanged(t *testing.T) {
	w := newWorld(t)
	user, key := w.owner()
	equal(t, "bearer", w.admits(key).ID, user.ID)
	tok, err := w.ExchangeUserKey(w.ctx, key, peer)
	w.ok(err)
	equal(t, "lifetime", tok.ExpiresIn, 900)
	equal(t, "token", w.admits(tok.JWT).ID, user.ID)

	longer := identity.New(identity.Config{
		DB: store.Runner[identity.Tx](w.db), Signer: w.gate, Key: w.key, Pepper: w.pepper, Now: w.clock.Now, UserKeyTTL: 12 * time.Hour,
	})
	tok, err = longer.ExchangeUserKey(w.ctx, key, peer)
	w.ok(err)
	equal(t, "set lifetime", tok.ExpiresIn, 12*3600)
	tok, err = longer.Login(w.ctx, email, password, peer)
	w.ok(err)
	equal(t, "of a password's token", tok.ExpiresIn, 900)
}

func TestH3_RefusedKeys(t *testing.T) {
	w := newWorld(t)
	_, key := w.owner()
	_, agentKey := w.agent(nil)
	for name, k := range map[string]string{
		"unknown": identity.NewKey("1ck_"), "empty": "", "prefix only": "1ck_", "cut": key[:46], "longer": key + "A",
		"other case": "1CK_" + key[4:], "last character": key[:46] + other(key[46]), "agent's": agentKey, "agent's under our prefix": "1ck_" + agentKey[4:],
		"ours under the agents' prefix": "ocv_" + key[4:], "space": key[:46] + " ",
	} {
		w.logs("auth.failure refused invalid_credentials", func() {
			_, err := w.ExchangeUserKey(w.ctx, k, peer)
			if err == nil || err.Error() != identity.ErrCredentials.Error() {
				t.Errorf("%s: %v", name, err)
			}
		})
		w.logs("auth.failure refused invalid_token", func() {
			_, err := w.auth(k)
			if err == nil || err.Error() != identity.ErrToken.Error() {
				t.Errorf("%s as bearer: %v", name, err)
			}
		})
	}
}

func other(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

func TestH5_KeysOfAUser(t *testing.T) {
	w := newWorld(t)
	user, first := w.owner()
	p := w.admits(first)
	ends := noon.Add(time.Hour)
	var k identity.APIKey
	var key string
	e := w.logs("api_key.create success", func() {
		var err error
		k, key, err = w.CreateAPIKey(w.ctx, p, identity.NewAPIKeySpec{Name: "ci", ExpiresAt: &ends, Scopes: []string{"x"}})
		w.ok(err)
	})[0]
	equal(t, "resource", e.Resource.ID, k.ID.String())
	equal(t, "prefix", k.Prefix, key[:12])
	if k.Name != "ci" || !k.Active || k.User != user.ID || !k.ExpiresAt.Equal(ends) {
		t.Errorf("got %+v", k)
	}
	equal(t, "works", w.admits(key).ID, user.ID)
	list, err := w.APIKeys(w.ctx, p)
	w.ok(err)
	equal(t, "listed", len(list), 2)
	equal(t, "oldest first", list[1].ID, k.ID)
	if !list[1].LastUsed.Equal(noon) {
		t.Errorf("last used %v", list[1].LastUsed)
	}

	w.clock.Set(ends.Add(-1))
	w.admits(key)
	w.clock.Set(ends)
	w.logs("auth.failure refused invalid_token", func() { _, err := w.auth(key); w.is(err, identity.ErrToken) })
	w.logs("auth.failure refused invalid_credentials", func() {
		_, err := w.ExchangeUserKey(w.ctx, key, peer)
		w.is(err, identity.ErrCredentials)
	})

	// Revoked: at once, for good, and listed still.
	e = w.logs("api_key.revoke success", func() { w.ok(w.RevokeAPIKey(w.ctx, p, list[0].ID)) })[0]
	equal(t, "resource", e.Resource.ID, list[0].ID.String())
	_, err = w.auth(first)
	w.is(err, identity.ErrToken)
	w.logs("api_key.revoke refused api_key_not_found", func() { w.is(w.RevokeAPIKey(w.ctx, p, list[0].ID), identity.ErrKeyNotFound) })
	w.view(func(tx vault.Tx) error { // nothing to find it by
		_, there, err := tx.Credential(w.HashKey(first))
		equal(t, "credential", there, false)
		return err
	})
	list, err = w.APIKeys(w.ctx, p)
	w.ok(err)
	equal(t, "still listed", len(list), 2)
	equal(t, "inactive", list[0].Active, false)
}

func TestH5_Refusals(t *testing.T) {
	w := newWorld(t)
	_, first := w.owner()
	p, stranger := w.admits(first), w.member()
	for _, spec := range []identity.NewAPIKeySpec{{Name: ""}, {Name: strings.Repeat("n", 256)}} {
		_, _, err := w.CreateAPIKey(w.ctx, p, spec)
		w.is(err, identity.ErrKeyName)
	}
	_, _, err := w.CreateAPIKey(w.ctx, p, identity.NewAPIKeySpec{Name: "x", ExpiresAt: &noon})
	w.is(err, identity.ErrExpiryPast)
	list, err := w.APIKeys(w.ctx, p)
	w.ok(err)
	// Another person's key is not found, and stays.
	w.logs("api_key.revoke refused api_key_not_found", func() { w.is(w.RevokeAPIKey(w.ctx, stranger, list[0].ID), identity.ErrKeyNotFound) })
	w.admits(first)
	equal(t, "a stranger's", len(must(w.APIKeys(w.ctx, stranger))), 0)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Keys are for people; that an agent tried is on record.
func TestH5_NotForAgents(t *testing.T) {
	w := newWorld(t)
	_, key := w.agent(nil)
	bot := w.admits(w.exchange(key).JWT)
	w.logs("api_key.create refused users_only", func() {
		_, text, err := w.CreateAPIKey(w.ctx, bot, identity.NewAPIKeySpec{Name: "x"})
		w.is(err, identity.ErrUsersOnly)
		equal(t, "key", text, "")
	})
	w.logs("api_key.revoke refused users_only", func() { w.is(w.RevokeAPIKey(w.ctx, bot, id.New()), identity.ErrUsersOnly) })
	_, err := w.APIKeys(w.ctx, bot)
	w.is(err, identity.ErrUsersOnly)
	equal(t, "kind", fault.KindOf(err), fault.Denied)
}

func TestRestart_KeysStay(t *testing.T) {
	w := newWorld(t)
	_, key := w.owner()
	_, agentKey := w.agent(nil)
	token := w.exchange(agentKey).JWT
	w.restart()
	w.admits(key)
	w.admits(token)
	w.exchange(agentKey)
	_, err := w.Login(w.ctx, email, password, peer)
	w.ok(err)
}

// When someone was last seen survives a flush and a restart.
func TestA10_Activity(t *testing.T) {
	w := newWorld(t)
	a, key := w.agent(nil)
	seen := func() (at time.Time) {
		w.ok(store.Runner[identity.Tx](w.db).View(w.ctx, func(tx identity.Tx) (err error) { at, err = w.LastSeen(tx, a.ID); return err }))
		return at
	}
	equal(t, "never", seen(), time.Time{})
	token := w.exchange(key).JWT
	equal(t, "exchange", seen(), noon)
	w.clock.Set(noon.Add(time.Minute))
	w.admits(token)
	equal(t, "use", seen(), noon.Add(time.Minute))
	w.faults.set(nil)
	w.ok(w.FlushActivity(w.ctx))
	w.ok(w.FlushActivity(w.ctx)) // nothing new
	w.restart()
	equal(t, "after a restart", seen(), noon.Add(time.Minute))
	// A refused attempt is no activity.
	w.clock.Set(noon.Add(2 * time.Minute))
	a.Active = false
	w.update(func(tx vault.Tx) error { return tx.PutAgent(a) })
	_, err := w.auth(token)
	w.is(err, identity.ErrInactive)
	equal(t, "refused", seen(), noon.Add(time.Minute))
}
