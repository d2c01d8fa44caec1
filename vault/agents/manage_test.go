package agents_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/agents"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

func TestA5_RotateIdentityKeys(t *testing.T) {
	w := newWorld(t)
	a, key := w.register(agents.Spec{})
	var b identity.Agent
	e := w.Logs("agent.rotate_identity_keys success", func() {
		var err error
		b, err = w.RotateIdentityKeys(w.Ctx, w.alice, a.ID)
		w.OK(err)
	})[0]
	storetest.Equal(t, "resource", e.Resource.ID, a.ID.String())
	if b.SSHPublicKey == a.SSHPublicKey || b.ECDHPublicKey == a.ECDHPublicKey || b.ID != a.ID {
		t.Errorf("got %+v", b)
	}
	storetest.Equal(t, "stored", w.stored(a.ID).SSHPublicKey, b.SSHPublicKey)
	keys := w.keysVaults()[0]
	for _, kind := range []string{"ssh", "ecdh"} {
		path, err := vault.ParseSecretPath("agents/" + a.ID.String() + "/" + kind + "/private_key")
		w.OK(err)
		sec, versions, err := w.vaults.Versions(w.Ctx, w.alice, keys.ID, path)
		w.OK(err)
		storetest.Equal(t, kind+" versions", len(versions), 2)
		storetest.Equal(t, kind+" latest", sec.Latest.Number, 2)
		_, _, old, err := w.vaults.ReadVersion(w.Ctx, w.alice, keys.ID, path, 1)
		w.OK(err)
		_, now, err := w.vaults.Read(w.Ctx, w.alice, keys.ID, path)
		w.OK(err)
		if string(old.Reveal()) == string(now.Reveal()) {
			t.Errorf("%s did not change", kind)
		}
	}
	w.login(key) // the ocv_ key is another matter

	bot := w.login(key)
	w.Logs("agent.rotate_identity_keys refused users_only", func() {
		_, err := w.RotateIdentityKeys(w.Ctx, bot, a.ID)
		w.Is(err, identity.ErrUsersOnly)
	})
	// Once more after someone deleted the secret by hand.
	path, err := vault.ParseSecretPath("agents/" + a.ID.String() + "/ssh/private_key")
	w.OK(err)
	pattern, err := policy.ParsePattern("agents/**")
	w.OK(err)
	_, err = w.vaults.CreatePolicy(w.Ctx, w.owner, keys.ID, vault.Grant{
		Pattern: pattern, Principal: w.alice.Policy(), Permissions: []policy.Permission{policy.Delete},
	})
	w.OK(err)
	w.OK(w.vaults.Delete(w.Ctx, w.alice, keys.ID, path))
	_, err = w.RotateIdentityKeys(w.Ctx, w.owner, a.ID)
	w.OK(err)
	sec, _, err := w.vaults.Read(w.Ctx, w.alice, keys.ID, path)
	w.OK(err)
	storetest.Equal(t, "version", sec.Latest.Number, 3)
}

func TestA6_RotateKey(t *testing.T) {
	w := newWorld(t)
	a, old := w.register(agents.Spec{})
	token := w.exchange(old)
	var key string
	e := w.Logs("agent.rotate_key success", func() {
		var err error
		key, err = w.RotateKey(w.Ctx, w.alice, a.ID)
		w.OK(err)
	})[0]
	storetest.Equal(t, "resource", e.Resource.ID, a.ID.String())
	if len(key) != 47 || key == old {
		t.Errorf("got %q", key)
	}
	for _, agent := range []id.ID{{}, a.ID} {
		_, err := w.ident.ExchangeAgentKey(w.Ctx, agent, old, peer)
		w.Is(err, identity.ErrCredentials)
	}
	storetest.Equal(t, "new key", w.login(key).ID, a.ID)
	p, err := w.ident.Authenticate(w.Ctx, token, peer) // issued before, valid to its end
	w.OK(err)
	storetest.Equal(t, "old token", p.ID, a.ID)
	storetest.Equal(t, "identity keys stay", w.stored(a.ID).SSHPublicKey, a.SSHPublicKey)

	m, _ := w.register(agents.Spec{AuthMethod: "mtls", CertFingerprint: fingerprint})
	w.unchanged(func() {
		w.Logs("agent.rotate_key refused agent_has_no_key", func() {
			_, err := w.RotateKey(w.Ctx, w.alice, m.ID)
			w.Is(err, agents.ErrNoKey)
		})
	})
}

// base has something in every field.
func base(v id.ID) agents.Spec {
	return agents.Spec{
		Name: "n", Description: "d", Scopes: []string{"s"}, VaultIDs: []id.ID{v}, TokenTTL: 300, ExpiresAt: ptr(clocktest.Noon.Add(time.Hour)),
		Intents: true, TxToAllowlist: []string{"0x70997970c51812dc3a010c7d01b50e0d17dc79c8"}, TxMaxValue: "1", TxDailyLimit: "2", TxChains: []string{"base"},
		ShroudEnabled: true, ShroudConfig: json.RawMessage(`{"a":1}`),
	}
}

// Each part changes by itself, and is taken away by its zero value.
func TestA7_PartByPart(t *testing.T) {
	w := newWorld(t)
	v, err := w.vaults.Create(w.Ctx, w.alice, "v", "")
	w.OK(err)
	later := clocktest.Noon.Add(2 * time.Hour)
	for name, c := range map[string]struct {
		change agents.Change
		want   func(*identity.Agent)
	}{
		"nothing":          {agents.Change{}, func(*identity.Agent) {}},
		"name":             {agents.Change{Name: ptr("x")}, func(a *identity.Agent) { a.Name = "x" }},
		"description":      {agents.Change{Description: ptr("x")}, func(a *identity.Agent) { a.Description = "x" }},
		"no description":   {agents.Change{Description: ptr("")}, func(a *identity.Agent) { a.Description = "" }},
		"scopes":           {agents.Change{Scopes: &[]string{"x"}}, func(a *identity.Agent) { a.Scopes = []string{"x"} }},
		"no scopes":        {agents.Change{Scopes: &[]string{}}, func(a *identity.Agent) { a.Scopes = nil }},
		"no binding":       {agents.Change{VaultIDs: &[]id.ID{}}, func(a *identity.Agent) { a.VaultIDs = nil }},
		"ttl":              {agents.Change{TokenTTL: ptr(900)}, func(a *identity.Agent) { a.TokenTTL = 900 }},
		"no ttl":           {agents.Change{TokenTTL: ptr(0)}, func(a *identity.Agent) { a.TokenTTL = 0 }},
		"expiry":           {agents.Change{ExpiresAt: ptr(&later)}, func(a *identity.Agent) { a.ExpiresAt = &later }},
		"no expiry":        {agents.Change{ExpiresAt: new(*time.Time)}, func(a *identity.Agent) { a.ExpiresAt = nil }},
		"intents":          {agents.Change{Intents: ptr(false)}, func(a *identity.Agent) { a.Intents = false }},
		"allowlist":        {agents.Change{TxToAllowlist: &[]string{"0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc"}}, func(a *identity.Agent) { a.TxToAllowlist = []string{"0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc"} }},
		"no allowlist":     {agents.Change{TxToAllowlist: &[]string{}}, func(a *identity.Agent) { a.TxToAllowlist = nil }},
		"max value":        {agents.Change{TxMaxValue: ptr("9")}, func(a *identity.Agent) { a.TxMaxValue = "9" }},
		"no max value":     {agents.Change{TxMaxValue: ptr("")}, func(a *identity.Agent) { a.TxMaxValue = "" }},
		"no daily limit":   {agents.Change{TxDailyLimit: ptr("")}, func(a *identity.Agent) { a.TxDailyLimit = "" }},
		"no chains":        {agents.Change{TxChains: &[]string{}}, func(a *identity.Agent) { a.TxChains = nil }},
		"shroud":           {agents.Change{ShroudEnabled: ptr(false)}, func(a *identity.Agent) { a.ShroudEnabled = false }},
		"shroud config":    {agents.Change{ShroudConfig: ptr(json.RawMessage(`{}`))}, func(a *identity.Agent) { a.ShroudConfig = json.RawMessage(`{}`) }},
		"two parts":        {agents.Change{Name: ptr("x"), TokenTTL: ptr(0)}, func(a *identity.Agent) { a.Name, a.TokenTTL = "x", 0 }},
		"active, as it is": {agents.Change{Active: ptr(true)}, func(*identity.Agent) {}},
	} {
		t.Run(name, func(t *testing.T) {
			w.TB = t
			a, key := w.register(base(v.ID))
			var got identity.Agent
			w.Logs("agent.update success", func() {
				var err error
				got, err = w.Update(w.Ctx, w.alice, a.ID, c.change)
				w.OK(err)
			})
			want := a
			c.want(&want)
			flat := func(a identity.Agent) string {
				raw, err := json.Marshal(a)
				w.OK(err)
				return string(raw)
			}
			storetest.Equal(t, "answered", flat(got), flat(want))
			storetest.Equal(t, "stored", flat(w.stored(a.ID)), flat(want))
			w.login(key)
		})
	}
}

func TestA7_Refusals(t *testing.T) {
	w := newWorld(t)
	v, err := w.vaults.Create(w.Ctx, w.alice, "v", "")
	w.OK(err)
	a, _ := w.register(base(v.ID))
	for name, c := range map[string]struct {
		change agents.Change
		want   error
		log    string
	}{
		"empty name":    {agents.Change{Name: ptr("")}, agents.ErrName, "invalid_agent_name"},
		"long name":     {agents.Change{Name: ptr(strings.Repeat("n", 256))}, agents.ErrName, "invalid_agent_name"},
		"negative ttl":  {agents.Change{TokenTTL: ptr(-1)}, agents.ErrTTL, "invalid_token_ttl"},
		"long ttl":      {agents.Change{TokenTTL: ptr(30*86400 + 1)}, agents.ErrTTL, "invalid_token_ttl"},
		"past expiry":   {agents.Change{ExpiresAt: ptr(&clocktest.Noon)}, agents.ErrExpiryPast, "expiry_in_past"},
		"unknown vault": {agents.Change{VaultIDs: &[]id.ID{v.ID, id.New()}}, agents.ErrVaults, "unknown_vault"},
		"broken config": {agents.Change{ShroudConfig: ptr(json.RawMessage(`[]`))}, agents.ErrConfig, "invalid_shroud_config"},
		"one bad part":  {agents.Change{Name: ptr("fine"), TokenTTL: ptr(-1)}, agents.ErrTTL, "invalid_token_ttl"},
	} {
		w.unchanged(func() {
			w.Logs("agent.update refused "+c.log, func() {
				got, err := w.Update(w.Ctx, w.alice, a.ID, c.change)
				w.Is(err, c.want)
				if !got.ID.IsZero() {
					t.Errorf("%s: got %+v", name, got)
				}
			})
		})
	}
}

// A binding to a vault that was deleted since does not get in the way.
func TestA7_BindingToADeletedVault(t *testing.T) {
	w := newWorld(t)
	v, err := w.vaults.Create(w.Ctx, w.alice, "v", "")
	w.OK(err)
	a, key := w.register(base(v.ID))
	w.OK(w.vaults.DeleteVault(w.Ctx, w.alice, v.ID))
	_, err = w.Update(w.Ctx, w.alice, a.ID, agents.Change{Name: ptr("x")})
	w.OK(err)
	storetest.Equal(t, "still bound, not set free", len(w.login(key).VaultIDs), 1)
}

func TestA8_Deactivate(t *testing.T) {
	w := newWorld(t)
	a, key := w.register(agents.Spec{Scopes: []string{"**"}})
	token := w.exchange(key)
	w.Clock.Set(clocktest.Noon.Add(time.Minute))
	w.Logs("agent.deactivate success", func() { w.OK(w.Deactivate(w.Ctx, w.alice, a.ID)) })
	_, err := w.ident.Authenticate(w.Ctx, token, peer)
	w.Is(err, identity.ErrInactive)
	_, err = w.ident.ExchangeAgentKey(w.Ctx, a.ID, key, peer)
	w.Is(err, identity.ErrCredentials)

	got := w.stored(a.ID)
	if got.Active || got.DeactivatedAt == nil || !got.DeactivatedAt.Equal(clocktest.Noon.Add(time.Minute)) {
		t.Errorf("got %+v", got)
	}
	list, err := w.List(w.Ctx, w.alice)
	w.OK(err)
	storetest.Equal(t, "still listed", len(list), 1)
	w.Clock.Set(clocktest.Noon.Add(2 * time.Minute))
	w.OK(w.Deactivate(w.Ctx, w.alice, a.ID)) // twice is fine
	storetest.Equal(t, "keeps its time", w.stored(a.ID).DeactivatedAt, got.DeactivatedAt)

	b, err := w.Update(w.Ctx, w.alice, a.ID, agents.Change{Active: ptr(true)})
	w.OK(err)
	if !b.Active || b.DeactivatedAt != nil {
		t.Errorf("got %+v", b)
	}
	w.login(key)
	_, err = w.ident.Authenticate(w.Ctx, token, peer)
	w.OK(err)
}

// A changed expiry holds from the next request on, also for live tokens.
func TestA8_Expiry(t *testing.T) {
	w := newWorld(t)
	a, key := w.register(agents.Spec{})
	token := w.exchange(key)
	soon := clocktest.Noon.Add(time.Minute)
	_, err := w.Update(w.Ctx, w.alice, a.ID, agents.Change{ExpiresAt: ptr(&soon)})
	w.OK(err)
	w.Clock.Set(soon.Add(-1))
	_, err = w.ident.Authenticate(w.Ctx, token, peer)
	w.OK(err)
	w.Clock.Set(soon)
	_, err = w.ident.Authenticate(w.Ctx, token, peer)
	w.Is(err, identity.ErrExpired)
	_, err = w.Update(w.Ctx, w.alice, a.ID, agents.Change{Name: ptr("x")}) // an expired agent can still be managed
	w.OK(err)
}

func TestA9_Self(t *testing.T) {
	w := newWorld(t)
	a, key := w.register(agents.Spec{})
	b, _ := w.register(agents.Spec{})
	w.Clock.Set(clocktest.Noon.Add(time.Minute))
	bot := w.login(key)
	w.Logs("", func() {
		me, err := w.Self(w.Ctx, bot)
		w.OK(err)
		if me.ID != a.ID || me.CreatedBy != w.alice.ID || me.Org != w.org || me.SSHPublicKey != a.SSHPublicKey || !me.LastActivityAt.Equal(w.Clock.Now()) {
			t.Errorf("got %+v", me)
		}
		got, err := w.Get(w.Ctx, bot, a.ID)
		w.OK(err)
		storetest.Equal(t, "by id", got.ID, a.ID)
	})
	w.Logs("agent.read refused agents_only", func() { _, err := w.Self(w.Ctx, w.alice); w.Is(err, identity.ErrAgentsOnly) })
	w.Logs("agent.read refused access_denied", func() { _, err := w.Get(w.Ctx, bot, b.ID); w.Is(err, identity.ErrDenied) })
	w.Logs("agent.read refused access_denied", func() { _, err := w.Get(w.Ctx, bot, id.New()); w.Is(err, identity.ErrDenied) })
	w.Logs("agent.read refused users_only", func() { _, err := w.List(w.Ctx, bot); w.Is(err, identity.ErrUsersOnly) })
}

func TestA_ListAndGet(t *testing.T) {
	w := newWorld(t)
	var want []id.ID
	for range 3 {
		a, _ := w.register(agents.Spec{})
		want = append(want, a.ID)
	}
	list, err := w.List(w.Ctx, w.user(w.org, identity.RoleMember))
	w.OK(err)
	var got []id.ID
	for _, a := range list {
		got = append(got, a.ID)
	}
	storetest.Equal(t, "oldest first", got, want)
	far := w.user(id.New(), identity.RoleOwner)
	_, err = w.Get(w.Ctx, far, want[0])
	w.Is(err, identity.ErrNoAgent)
	list, err = w.List(w.Ctx, far)
	w.OK(err)
	if list == nil || len(list) != 0 {
		t.Errorf("T12: an empty list is %#v", list)
	}
}

// Who may change an agent: who registered it, and who runs the organisation.
func TestA_WhoManages(t *testing.T) {
	w := newWorld(t)
	a, key := w.register(agents.Spec{})
	for name, c := range map[string]struct {
		p    identity.Principal
		id   id.ID
		want error
		log  string
	}{
		"another member": {w.user(w.org, identity.RoleMember), a.ID, identity.ErrDenied, "access_denied"},
		"the agent":      {w.login(key), a.ID, identity.ErrUsersOnly, "users_only"},
		"another org":    {w.user(id.New(), identity.RoleOwner), a.ID, identity.ErrNoAgent, "agent_not_found"},
		"unknown agent":  {w.owner, id.New(), identity.ErrNoAgent, "agent_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			w.TB = t
			w.unchanged(func() {
				for action, call := range map[string]func() error{
					"agent.update":               func() error { _, err := w.Update(w.Ctx, c.p, c.id, agents.Change{Name: ptr("x")}); return err },
					"agent.deactivate":           func() error { return w.Deactivate(w.Ctx, c.p, c.id) },
					"agent.rotate_key":           func() error { _, err := w.RotateKey(w.Ctx, c.p, c.id); return err },
					"agent.rotate_identity_keys": func() error { _, err := w.RotateIdentityKeys(w.Ctx, c.p, c.id); return err },
				} {
					e := w.Logs(action+" refused "+c.log, func() { w.Is(call(), c.want) })[0]
					if e.Org != c.p.Org || e.Actor.ID != c.p.ID || e.Resource.ID != c.id.String() || e.IP != "192.0.2.7" {
						t.Errorf("got %+v", e)
					}
				}
			})
		})
	}
	for _, p := range []identity.Principal{w.owner, w.user(w.org, identity.RoleAdmin), w.alice} {
		_, err := w.Update(w.Ctx, p, a.ID, agents.Change{Name: ptr("x")})
		w.OK(err)
	}
}

// The whole way: an agent is registered, shares a vault of its own, reads what
// it was given, and is cut off.
func TestAgent_Lifecycle(t *testing.T) {
	w := newWorld(t)
	v, err := w.vaults.Create(w.Ctx, w.alice, "payments", "")
	w.OK(err)
	path, err := vault.ParseSecretPath("api/key")
	w.OK(err)
	_, err = w.vaults.Put(w.Ctx, w.alice, v.ID, path, vault.NewVersion{})
	w.OK(err)
	a, key := w.register(agents.Spec{})
	before := w.login(key)
	_, _, err = w.vaults.Read(w.Ctx, before, v.ID, path)
	w.Is(err, policy.ErrNoScopes)
	pattern, err := policy.ParsePattern("api/*")
	w.OK(err)
	pol, err := w.vaults.CreatePolicy(w.Ctx, w.alice, v.ID, vault.Grant{
		Pattern: pattern, Principal: before.Policy(), Permissions: []policy.Permission{policy.Read},
	})
	w.OK(err)
	_, _, err = w.vaults.Read(w.Ctx, before, v.ID, path)
	w.Is(err, policy.ErrNoScopes) // frozen
	after := w.login(key)
	_, _, err = w.vaults.Read(w.Ctx, after, v.ID, path)
	w.OK(err)
	w.OK(w.vaults.DeletePolicy(w.Ctx, w.alice, v.ID, pol.ID))
	_, _, err = w.vaults.Read(w.Ctx, after, v.ID, path)
	w.Is(err, policy.ErrInsufficient) // live
	w.OK(w.Deactivate(w.Ctx, w.alice, a.ID))
}
