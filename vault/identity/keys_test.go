package identity_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
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
	storetest.Equal(t, "again", w.HashKey(key), w.HashKey(key))
}

func TestH3_KeyAsBearerAndExchanged(t *testing.T) {
	w := newWorld(t)
	user, key := w.owner()
	storetest.Equal(t, "bearer", w.admits(key).ID, user.ID)
	tok, err := w.ExchangeUserKey(w.Ctx, key, peer)
	w.OK(err)
	storetest.Equal(t, "lifetime", tok.ExpiresIn, 900)
	storetest.Equal(t, "token", w.admits(tok.JWT).ID, user.ID)

	longer := identity.New(identity.Config{
		DB: store.Runner[identity.Tx](w.Store), Signer: w.gate, Key: w.key, Pepper: w.pepper, Now: w.Clock.Now, UserKeyTTL: 12 * time.Hour,
	})
	tok, err = longer.ExchangeUserKey(w.Ctx, key, peer)
	w.OK(err)
	storetest.Equal(t, "set lifetime", tok.ExpiresIn, 12*3600)
	tok, err = longer.Login(w.Ctx, email, password, peer)
	w.OK(err)
	storetest.Equal(t, "of a password's token", tok.ExpiresIn, 900)
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
		w.Logs("auth.failure refused invalid_credentials", func() {
			_, err := w.ExchangeUserKey(w.Ctx, k, peer)
			if err == nil || err.Error() != identity.ErrCredentials.Error() {
				t.Errorf("%s: %v", name, err)
			}
		})
		w.Logs("auth.failure refused invalid_token", func() {
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
	ends := clocktest.Noon.Add(time.Hour)
	var k identity.APIKey
	var key string
	e := w.Logs("api_key.create success", func() {
		var err error
		k, key, err = w.CreateAPIKey(w.Ctx, p, identity.NewAPIKeySpec{Name: "ci", ExpiresAt: &ends, Scopes: []string{"x"}})
		w.OK(err)
	})[0]
	storetest.Equal(t, "resource", e.Resource.ID, k.ID.String())
	storetest.Equal(t, "prefix", k.Prefix, key[:12])
	if k.Name != "ci" || !k.Active || k.User != user.ID || !k.ExpiresAt.Equal(ends) {
		t.Errorf("got %+v", k)
	}
	storetest.Equal(t, "works", w.admits(key).ID, user.ID)
	list, err := w.APIKeys(w.Ctx, p)
	w.OK(err)
	storetest.Equal(t, "listed", len(list), 2)
	storetest.Equal(t, "oldest first", list[1].ID, k.ID)
	if !list[1].LastUsed.Equal(clocktest.Noon) {
		t.Errorf("last used %v", list[1].LastUsed)
	}

	w.Clock.Set(ends.Add(-1))
	w.admits(key)
	w.Clock.Set(ends)
	w.Logs("auth.failure refused invalid_token", func() { _, err := w.auth(key); w.Is(err, identity.ErrToken) })
	w.Logs("auth.failure refused invalid_credentials", func() {
		_, err := w.ExchangeUserKey(w.Ctx, key, peer)
		w.Is(err, identity.ErrCredentials)
	})

	// Revoked: at once, for good, and listed still.
	e = w.Logs("api_key.revoke success", func() { w.OK(w.RevokeAPIKey(w.Ctx, p, list[0].ID)) })[0]
	storetest.Equal(t, "resource", e.Resource.ID, list[0].ID.String())
	_, err = w.auth(first)
	w.Is(err, identity.ErrToken)
	w.Logs("api_key.revoke refused api_key_not_found", func() { w.Is(w.RevokeAPIKey(w.Ctx, p, list[0].ID), identity.ErrKeyNotFound) })
	w.Inspect(func(tx *store.Tx) error { // nothing to find it by
		_, there, err := tx.Credential(w.HashKey(first))
		storetest.Equal(t, "credential", there, false)
		return err
	})
	list, err = w.APIKeys(w.Ctx, p)
	w.OK(err)
	storetest.Equal(t, "still listed", len(list), 2)
	storetest.Equal(t, "inactive", list[0].Active, false)
}

func TestH5_Refusals(t *testing.T) {
	w := newWorld(t)
	_, first := w.owner()
	p, stranger := w.admits(first), w.member()
	for _, spec := range []identity.NewAPIKeySpec{{Name: ""}, {Name: strings.Repeat("n", 256)}} {
		_, _, err := w.CreateAPIKey(w.Ctx, p, spec)
		w.Is(err, identity.ErrKeyName)
	}
	_, _, err := w.CreateAPIKey(w.Ctx, p, identity.NewAPIKeySpec{Name: "x", ExpiresAt: &clocktest.Noon})
	w.Is(err, identity.ErrExpiryPast)
	list, err := w.APIKeys(w.Ctx, p)
	w.OK(err)
	// Another person's key is not found, and stays.
	w.Logs("api_key.revoke refused api_key_not_found", func() { w.Is(w.RevokeAPIKey(w.Ctx, stranger, list[0].ID), identity.ErrKeyNotFound) })
	w.admits(first)
	storetest.Equal(t, "a stranger's", len(must(w.APIKeys(w.Ctx, stranger))), 0)
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
	w.Logs("api_key.create refused users_only", func() {
		_, text, err := w.CreateAPIKey(w.Ctx, bot, identity.NewAPIKeySpec{Name: "x"})
		w.Is(err, identity.ErrUsersOnly)
		storetest.Equal(t, "key", text, "")
	})
	w.Logs("api_key.revoke refused users_only", func() { w.Is(w.RevokeAPIKey(w.Ctx, bot, id.New()), identity.ErrUsersOnly) })
	_, err := w.APIKeys(w.Ctx, bot)
	w.Is(err, identity.ErrUsersOnly)
	storetest.Equal(t, "kind", fault.KindOf(err), fault.Denied)
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
	_, err := w.Login(w.Ctx, email, password, peer)
	w.OK(err)
}

// When someone was last seen survives a flush and a restart.
func TestA10_Activity(t *testing.T) {
	w := newWorld(t)
	a, key := w.agent(nil)
	seen := func() (at time.Time) {
		w.OK(store.Runner[identity.Tx](w.Store).View(w.Ctx, func(tx identity.Tx) (err error) { at, err = w.LastSeen(tx, a.ID); return err }))
		return at
	}
	storetest.Equal(t, "never", seen(), time.Time{})
	token := w.exchange(key).JWT
	storetest.Equal(t, "exchange", seen(), clocktest.Noon)
	w.Clock.Set(clocktest.Noon.Add(time.Minute))
	w.admits(token)
	storetest.Equal(t, "use", seen(), clocktest.Noon.Add(time.Minute))
	w.faults.set(nil)
	w.OK(w.FlushActivity(w.Ctx))
	w.OK(w.FlushActivity(w.Ctx)) // nothing new
	w.restart()
	storetest.Equal(t, "after a restart", seen(), clocktest.Noon.Add(time.Minute))
	// A refused attempt is no activity.
	w.Clock.Set(clocktest.Noon.Add(2 * time.Minute))
	a.Active = false
	w.Commit(func(tx *store.Tx) error { return tx.PutAgent(a) })
	_, err := w.auth(token)
	w.Is(err, identity.ErrInactive)
	storetest.Equal(t, "refused", seen(), clocktest.Noon.Add(time.Minute))
}
