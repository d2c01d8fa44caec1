package vault_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// try does each verb on a path of alice's vault and returns the codes of the
// refusals, "" where it went through.
func (w *world) try(p identity.Principal, v id.ID, path string) map[string]string {
	w.Helper()
	sp := w.path(path)
	got := map[string]string{}
	_, _, err := w.Read(w.Ctx, p, v, sp)
	got["read"] = code(err)
	_, err = w.Put(w.Ctx, p, v, sp, value("new"))
	got["write"] = code(err)
	got["delete"] = code(w.Delete(w.Ctx, p, v, sp))
	w.Commit(func(tx *store.Tx) error { // as it was
		sec, ok, err := tx.Secret(v, sp)
		if sec.DeletedAt = nil; ok && err == nil {
			err = tx.PutSecret(sec)
		}
		return err
	})
	return got
}

func TestS9_Permissions(t *testing.T) {
	const no = "insufficient_permissions"
	for _, c := range []struct {
		perms               []policy.Permission
		read, write, delete string
	}{
		{[]policy.Permission{policy.Read}, "", no, no},
		{[]policy.Permission{policy.Write}, no, "", ""},
		{[]policy.Permission{policy.Delete}, no, no, ""},
		{[]policy.Permission{policy.Use}, no, no, no},
		{[]policy.Permission{policy.Read, policy.Write, policy.Delete}, "", "", ""},
	} {
		w := newWorld(t)
		w.put("a/b", "x")
		for _, p := range []identity.Principal{w.user(w.org, identity.RoleMember), w.agent("**")} {
			w.grant(p, "a/*", c.perms...)
			read := c.read
			if p.IsAgent() && c.perms[0] == policy.Use {
				read = "handle_only"
			}
			storetest.Equal(t, "granted path", w.try(p, w.v.ID, "a/b"), map[string]string{"read": read, "write": c.write, "delete": c.delete})
			storetest.Equal(t, "another path", w.try(p, w.v.ID, "b/b"), map[string]string{"read": no, "write": no, "delete": no})
		}
	}
}

// Write is what changing versions takes, read what looking at them takes.
func TestS9_OtherVerbs(t *testing.T) {
	w := newWorld(t)
	w.put("a", "x")
	reader, writer := w.user(w.org, "member"), w.user(w.org, "member")
	w.grant(reader, "**", policy.Read)
	w.grant(writer, "**", policy.Write)
	for _, c := range []struct {
		p                       identity.Principal
		looking, numbered, edit error
	}{
		{reader, nil, nil, policy.ErrInsufficient},
		{writer, policy.ErrInsufficient, policy.ErrInsufficient, nil},
		{w.user(w.org, "member"), policy.ErrInsufficient, policy.ErrInsufficient, policy.ErrInsufficient},
	} {
		_, _, err := w.Versions(w.Ctx, c.p, w.v.ID, w.path("a"))
		w.Is(err, c.looking)
		_, _, _, err = w.ReadVersion(w.Ctx, c.p, w.v.ID, w.path("a"), 1)
		w.Is(err, c.numbered)
		_, err = w.Rotate(w.Ctx, c.p, w.v.ID, w.path("a"), vault.Rotation{})
		w.Is(err, c.edit)
		_, _, err = w.DisableVersion(w.Ctx, c.p, w.v.ID, w.path("a"), 7)
		if c.edit == nil {
			c.edit = vault.ErrSecretNotFound
		}
		w.Is(err, c.edit)
	}
}

// An agent of the Intents API sees no signing key: not in its own vault, not
// an old version, not under another latest type.
func TestS10_SigningKeys(t *testing.T) {
	w := newWorld(t)
	for _, typ := range []vault.Type{vault.TypePrivateKey, vault.TypeSSHKey} {
		bot := w.agent("**")
		own := w.vault(bot, "own")
		key, n := w.path("keys/base-signer"), vault.NewVersion{Type: typ, Value: plain.FromString("0xkey")}
		_, err := w.Put(w.Ctx, bot, own.ID, key, n)
		w.OK(err)
		shared := w.putAs(w.alice, "keys/base-signer", n).Latest.Number
		w.grant(bot, "**", policy.Read)
		_, _, err = w.Read(w.Ctx, bot, own.ID, key)
		w.OK(err) // not an intents agent yet

		bot.Intents = true
		for v, number := range map[id.ID]uint32{own.ID: 1, w.v.ID: shared} {
			_, got, err := w.Read(w.Ctx, bot, v, key)
			w.Is(err, vault.ErrSigningKey)
			storetest.Equal(t, "value", got.Len(), 0)
			storetest.Equal(t, "kind", fault.KindOf(err), fault.Denied)
			_, _, _, err = w.ReadVersion(w.Ctx, bot, v, key, number)
			w.Is(err, vault.ErrSigningKey)
		}
		// Another type on top does not open what is below.
		_, err = w.Put(w.Ctx, bot, own.ID, key, vault.NewVersion{Type: "note", Value: plain.FromString("mine")})
		w.OK(err)
		_, _, err = w.Read(w.Ctx, bot, own.ID, key)
		w.OK(err)
		_, _, _, err = w.ReadVersion(w.Ctx, bot, own.ID, key, 1)
		w.Is(err, vault.ErrSigningKey)
		// An omitted type does not launder a key that it cannot read.
		_, err = w.Put(w.Ctx, w.alice, w.v.ID, key, value("0xnext"))
		w.OK(err)
		_, _, err = w.Read(w.Ctx, bot, w.v.ID, key)
		w.Is(err, vault.ErrSigningKey)
		w.OK(w.DeleteSecret("keys/base-signer"))
	}
}

func TestJ6_CheckOrder(t *testing.T) {
	w := newWorld(t)
	w.put("a/b", "x")
	elsewhere := w.vault(w.alice, "elsewhere").ID
	foreign := w.user(id.New(), identity.RoleOwner)
	for _, c := range []struct {
		name   string
		p      identity.Principal
		vault  id.ID
		scopes []string
		bound  []id.ID
		grant  string
		want   error
	}{
		{"unknown vault before all", w.agent(), id.New(), nil, []id.ID{elsewhere}, "", vault.ErrVaultNotFound},
		{"another organisation before binding", foreign, w.v.ID, nil, nil, "", vault.ErrVaultNotFound},
		{"binding before scopes", w.agent(), w.v.ID, nil, []id.ID{elsewhere}, "", policy.ErrNotBound},
		{"binding although a policy grants", w.agent("**"), w.v.ID, nil, []id.ID{elsewhere}, "**", policy.ErrNotBound},
		{"no scopes before policies", w.agent(), w.v.ID, nil, nil, "**", policy.ErrNoScopes},
		{"narrow scopes before policies", w.agent("b/**", "a"), w.v.ID, nil, nil, "**", policy.ErrScopes},
		{"scopes without policy", w.agent("**"), w.v.ID, nil, nil, "", policy.ErrInsufficient},
		{"scopes and a policy beside", w.agent("**"), w.v.ID, nil, nil, "a/*/c", policy.ErrInsufficient},
		{"scopes and policy", w.agent("a/*"), w.v.ID, nil, nil, "**", nil},
		{"one of many scopes", w.agent("z", "a/b"), w.v.ID, nil, nil, "a/**", nil},
		{"bound here", w.agent("**"), w.v.ID, nil, []id.ID{elsewhere, w.v.ID}, "**", nil},
		{"user without policy", w.user(w.org, "member"), w.v.ID, nil, nil, "", policy.ErrInsufficient},
		{"user with policy", w.user(w.org, "member"), w.v.ID, nil, nil, "**", nil},
		{"creator", w.alice, w.v.ID, nil, nil, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.p.VaultIDs = c.bound
			if c.grant != "" {
				w.grant(c.p, c.grant, policy.Read)
			}
			_, _, err := w.Read(w.Ctx, c.p, c.vault, w.path("a/b"))
			w.Is(err, c.want)
		})
	}
}

// Clients decide what to do next by these phrases.
func TestJ4_Phrases(t *testing.T) {
	w := newWorld(t)
	_, err := w.read(w.agent(), "a")
	storetest.Equal(t, "no scopes", fault.As(err).Msg, "Access denied: the token has no scopes")
	_, err = w.read(w.agent("b"), "a")
	storetest.Equal(t, "narrow", fault.As(err).Msg, "Access denied: the token's scopes do not cover this path")
	_, err = w.read(w.agent("**"), "a")
	storetest.Equal(t, "policy", fault.As(err).Msg, "Insufficient permissions")
}

// A scope is a ceiling, a policy is read live.
func TestJ4_PolicyIsLiveScopeIsNot(t *testing.T) {
	w := newWorld(t)
	w.put("a", "x")
	w.put("b", "x")
	bot := w.agent("a")
	pol := w.grant(bot, "**", policy.Read)
	w.wantValue(bot, "a", "x")
	_, err := w.read(bot, "b")
	w.Is(err, policy.ErrScopes)
	w.OK(w.DeletePolicy(w.Ctx, w.alice, w.v.ID, pol.ID))
	_, err = w.read(bot, "a")
	w.Is(err, policy.ErrInsufficient)
}

func TestJ7_UsersHaveNoCeiling(t *testing.T) {
	w := newWorld(t)
	w.put("a", "x")
	bob := w.user(w.org, "member")
	bob.VaultIDs, bob.Scopes = []id.ID{id.New()}, []policy.Pattern{w.pattern("zzz")}
	w.grant(bob, "**", policy.Read)
	w.wantValue(bob, "a", "x")
}

func TestJ8_AgentsOwnVault(t *testing.T) {
	w := newWorld(t)
	elsewhere := w.vault(w.alice, "elsewhere").ID
	bot := w.agent() // no scopes at all
	bot.VaultIDs = []id.ID{elsewhere}
	w.Commit(func(tx *store.Tx) error {
		a, _, err := tx.Agent(w.org, bot.ID)
		a.VaultIDs = bot.VaultIDs
		return firstErr(err, tx.PutAgent(a))
	})
	own := w.vault(bot, "own")
	_, err := w.Put(w.Ctx, bot, own.ID, w.path("a"), value("x"))
	w.OK(err)
	_, got, err := w.Read(w.Ctx, bot, own.ID, w.path("a"))
	w.OK(err)
	storetest.Equal(t, "value", string(got.Reveal()), "x")
	list, err := w.List(w.Ctx, bot, own.ID, "")
	w.OK(err)
	storetest.Equal(t, "listed", len(list), 1)
	// The next token's binding has it too, and still the old one.
	w.Inspect(func(tx *store.Tx) error {
		a, _, err := tx.Agent(w.org, bot.ID)
		storetest.Equal(t, "binding", a.VaultIDs, []id.ID{elsewhere, own.ID})
		return err
	})
	// It is no way around the binding of other vaults.
	w.grant(bot, "**", policy.Read)
	_, err = w.read(bot, "a")
	w.Is(err, policy.ErrNotBound)
}

// An unbound agent stays unbound when it makes a vault.
func TestJ8_UnboundStaysUnbound(t *testing.T) {
	w := newWorld(t)
	bot := w.agent("**")
	w.vault(bot, "own")
	w.Inspect(func(tx *store.Tx) error {
		a, _, err := tx.Agent(w.org, bot.ID)
		storetest.Equal(t, "binding", len(a.VaultIDs), 0)
		return err
	})
}

func firstErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Without permission every path answers alike, there or not, live or gone.
func TestJ9_RefusedBeforeLookup(t *testing.T) {
	w := newWorld(t)
	w.put("there", "x")
	w.put("deleted", "x")
	w.OK(w.DeleteSecret("deleted"))
	w.putAs(w.alice, "spent", limited("x", 1))
	w.wantValue(w.alice, "spent", "x")
	key := vault.NewVersion{Type: vault.TypePrivateKey, Value: plain.FromString("x")}
	w.putAs(w.alice, "key", key)
	bot := w.agent("**")
	bot.Intents = true
	for _, p := range []identity.Principal{w.user(w.org, "member"), w.owner, bot} {
		var first string
		for _, path := range []string{"there", "deleted", "spent", "key", "never"} {
			sp := w.path(path)
			var errs []string
			_, _, err := w.Read(w.Ctx, p, w.v.ID, sp)
			errs = append(errs, err.Error())
			_, _, _, err = w.ReadVersion(w.Ctx, p, w.v.ID, sp, 1)
			errs = append(errs, err.Error())
			_, _, _, err = w.ReadVersion(w.Ctx, p, w.v.ID, sp, 9)
			errs = append(errs, err.Error())
			_, _, err = w.Versions(w.Ctx, p, w.v.ID, sp)
			errs = append(errs, err.Error())
			errs = append(errs, w.Delete(w.Ctx, p, w.v.ID, sp).Error())
			_, err = w.Rotate(w.Ctx, p, w.v.ID, sp, vault.Rotation{})
			errs = append(errs, err.Error())
			_, _, err = w.DisableVersion(w.Ctx, p, w.v.ID, sp, 1)
			errs = append(errs, err.Error())
			slices.Sort(errs)
			got := slices.Compact(errs)
			storetest.Equal(t, "one answer for all", len(got), 1)
			if first == "" {
				first = got[0]
			}
			storetest.Equal(t, path, got[0], first)
		}
	}
}

// A vault of another organisation is a vault that does not exist.
func TestJ9_OtherOrganisation(t *testing.T) {
	w := newWorld(t)
	w.put("a", "x")
	mallory := w.user(id.New(), identity.RoleOwner)
	spy := mallory
	spy.Kind, spy.Role, spy.Scopes = identity.KindAgent, "", []policy.Pattern{w.pattern("**")}
	a := w.path("a")
	g := vault.Grant{Pattern: w.pattern("**"), Principal: mallory.Policy(), Permissions: []policy.Permission{policy.Read}}
	pol := w.grant(w.user(w.org, "member"), "**", policy.Read)
	calls := map[string]func(identity.Principal, id.ID) error{
		"Read": func(p identity.Principal, v id.ID) error { _, _, err := w.Read(w.Ctx, p, v, a); return err },
		"ReadVersion": func(p identity.Principal, v id.ID) error {
			_, _, _, err := w.ReadVersion(w.Ctx, p, v, a, 1)
			return err
		},
		"List":     func(p identity.Principal, v id.ID) error { _, err := w.List(w.Ctx, p, v, ""); return err },
		"Versions": func(p identity.Principal, v id.ID) error { _, _, err := w.Versions(w.Ctx, p, v, a); return err },
		"Put":      func(p identity.Principal, v id.ID) error { _, err := w.Put(w.Ctx, p, v, a, value("y")); return err },
		"Delete":   func(p identity.Principal, v id.ID) error { return w.Delete(w.Ctx, p, v, a) },
		"Rotate": func(p identity.Principal, v id.ID) error {
			_, err := w.Rotate(w.Ctx, p, v, a, vault.Rotation{})
			return err
		},
		"Disable": func(p identity.Principal, v id.ID) error {
			_, _, err := w.DisableVersion(w.Ctx, p, v, a, 1)
			return err
		},
		"Vault":        func(p identity.Principal, v id.ID) error { _, err := w.Vault(w.Ctx, p, v); return err },
		"DeleteVault":  func(p identity.Principal, v id.ID) error { return w.DeleteVault(w.Ctx, p, v) },
		"Policies":     func(p identity.Principal, v id.ID) error { _, err := w.Policies(w.Ctx, p, v); return err },
		"CreatePolicy": func(p identity.Principal, v id.ID) error { _, err := w.CreatePolicy(w.Ctx, p, v, g); return err },
		"UpdatePolicy": func(p identity.Principal, v id.ID) error {
			_, err := w.UpdatePolicy(w.Ctx, p, v, pol.ID, vault.GrantChange{})
			return err
		},
		"DeletePolicy": func(p identity.Principal, v id.ID) error { return w.DeletePolicy(w.Ctx, p, v, pol.ID) },
	}
	w.unchanged(func() {
		for name, call := range calls {
			for _, p := range []identity.Principal{mallory, spy} {
				theirs, unknown := call(p, w.v.ID), call(p, id.New())
				w.Is(theirs, vault.ErrVaultNotFound)
				storetest.Equal(t, name, theirs.Error(), unknown.Error())
			}
		}
	})
}

// Those who run the organisation manage what others made and read nothing.
func TestJ10_OwnersManageButDoNotRead(t *testing.T) {
	w := newWorld(t)
	w.put("a", "x")
	for _, role := range []identity.Role{identity.RoleOwner, identity.RoleAdmin} {
		boss := w.user(w.org, role)
		storetest.Equal(t, "secrets", w.try(boss, w.v.ID, "a"), map[string]string{
			"read": "insufficient_permissions", "write": "insufficient_permissions", "delete": "insufficient_permissions",
		})
		storetest.Equal(t, "listed", w.paths(boss, ""), []string{})
		_, err := w.Policies(w.Ctx, boss, w.v.ID)
		w.OK(err)
		_, err = w.CreatePolicy(w.Ctx, boss, w.v.ID, vault.Grant{
			Pattern: w.pattern("**"), Principal: w.alice.Policy(), Permissions: []policy.Permission{policy.Read},
		})
		w.OK(err)
	}
	// A role does nothing for an agent.
	bot := w.agent("**")
	bot.Role = identity.RoleOwner
	_, err := w.Policies(w.Ctx, bot, w.v.ID)
	w.Is(err, vault.ErrDenied)
}

func TestO4_ConditionsAtTheDoor(t *testing.T) {
	w := newWorld(t)
	w.put("a", "x")
	bob := w.user(w.org, "member")
	pol := w.grant(bob, "**", policy.Read)
	change := func(raw string) {
		c, err := policy.ParseConditions([]byte(raw))
		w.OK(err)
		_, err = w.UpdatePolicy(w.Ctx, w.alice, w.v.ID, pol.ID, vault.GrantChange{Conditions: &c})
		w.OK(err)
	}
	change(`{"ip_allowlist":["192.0.2.0/24"]}`)
	w.wantValue(bob, "a", "x")
	storetest.Equal(t, "listed", w.paths(bob, ""), []string{"a"})
	far := bob
	for _, ip := range []netip.Addr{netip.MustParseAddr("198.51.100.1"), {}} {
		far.IP = ip
		_, err := w.read(far, "a")
		w.Is(err, policy.ErrInsufficient)
		storetest.Equal(t, "listed from afar", w.paths(far, ""), []string{})
	}
	change(`{"time_window":{"after":"08:00","before":"20:00"}}`)
	w.wantValue(bob, "a", "x")
	w.Clock.Set(clocktest.Noon.Add(9 * time.Hour))
	_, err := w.read(bob, "a")
	w.Is(err, policy.ErrInsufficient)
}
