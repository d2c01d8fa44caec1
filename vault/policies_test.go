package vault_test

import (
	"slices"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

func (w *world) readGrant(to identity.Principal) vault.Grant {
	return vault.Grant{Pattern: w.pattern("**"), Principal: to.Policy(), Permissions: []policy.Permission{policy.Read}}
}

func TestO1_EffectOnTheNextRequest(t *testing.T) {
	w := newWorld(t)
	w.put("a", "x")
	bob := w.user(w.org, "member")
	_, err := w.read(bob, "a")
	w.Is(err, policy.ErrInsufficient)
	pol := w.grant(bob, "**", policy.Read)
	w.wantValue(bob, "a", "x")
	_, err = w.UpdatePolicy(w.Ctx, w.alice, w.v.ID, pol.ID, vault.GrantChange{Permissions: []policy.Permission{policy.Write}})
	w.OK(err)
	_, err = w.read(bob, "a")
	w.Is(err, policy.ErrInsufficient)
	_, err = w.UpdatePolicy(w.Ctx, w.alice, w.v.ID, pol.ID, vault.GrantChange{Permissions: []policy.Permission{policy.Read}})
	w.OK(err)
	w.wantValue(bob, "a", "x")
	w.OK(w.DeletePolicy(w.Ctx, w.alice, w.v.ID, pol.ID))
	_, err = w.read(bob, "a")
	w.Is(err, policy.ErrInsufficient)
}

func TestO1_Record(t *testing.T) {
	w := newWorld(t)
	bob := w.user(w.org, "member")
	g := w.readGrant(bob)
	g.ExpiresAt = ptr(clocktest.Noon.Add(time.Hour))
	c, err := policy.ParseConditions([]byte(`{"ip_allowlist":["10.0.0.0/8"]}`))
	w.OK(err)
	g.Conditions = c
	pol, err := w.CreatePolicy(w.Ctx, w.alice, w.v.ID, g)
	w.OK(err)
	if pol.ID.IsZero() || pol.Vault != w.v.ID || pol.Principal != bob.Policy() || pol.CreatedBy != w.alice.ID ||
		pol.CreatedByType != "user" || !pol.CreatedAt.Equal(clocktest.Noon) {
		t.Errorf("got %+v", pol)
	}
	list, err := w.Policies(w.Ctx, w.alice, w.v.ID)
	w.OK(err)
	storetest.Equal(t, "stored", list, []policy.Policy{pol})
}

// Only permissions, conditions and expiry change, each by itself.
func TestO1_UpdateInPart(t *testing.T) {
	w := newWorld(t)
	bob := w.user(w.org, "member")
	g := w.readGrant(bob)
	end := clocktest.Noon.Add(time.Hour)
	g.ExpiresAt = &end
	pol, err := w.CreatePolicy(w.Ctx, w.alice, w.v.ID, g)
	w.OK(err)
	want := pol
	step := func(c vault.GrantChange) {
		t.Helper()
		got, err := w.UpdatePolicy(w.Ctx, w.alice, w.v.ID, pol.ID, c)
		w.OK(err)
		list, err := w.Policies(w.Ctx, w.alice, w.v.ID)
		w.OK(err)
		storetest.Equal(t, "answered", got, want)
		storetest.Equal(t, "stored", list, []policy.Policy{want})
	}
	step(vault.GrantChange{})
	want.Permissions = []policy.Permission{policy.Write, policy.Delete}
	step(vault.GrantChange{Permissions: want.Permissions})
	c, err := policy.ParseConditions([]byte(`{"ip_allowlist":["10.0.0.1"]}`))
	w.OK(err)
	want.Conditions = c
	step(vault.GrantChange{Conditions: &c})
	want.Conditions = policy.Conditions{}
	step(vault.GrantChange{Conditions: &policy.Conditions{}})
	want.ExpiresAt = nil
	step(vault.GrantChange{ExpiresAt: new(*time.Time)})

	_, err = w.UpdatePolicy(w.Ctx, w.alice, w.v.ID, pol.ID, vault.GrantChange{ExpiresAt: ptr(&clocktest.Noon)})
	w.Is(err, vault.ErrExpiryPast)
	g.ExpiresAt = &clocktest.Noon
	_, err = w.CreatePolicy(w.Ctx, w.alice, w.v.ID, g)
	w.Is(err, vault.ErrExpiryPast)
}

func TestO1_UnknownPolicy(t *testing.T) {
	w := newWorld(t)
	other := w.vault(w.alice, "other")
	pol := w.grant(w.user(w.org, "member"), "**", policy.Read)
	for _, c := range []struct{ vault, pol id.ID }{{w.v.ID, id.New()}, {other.ID, pol.ID}} {
		_, err := w.UpdatePolicy(w.Ctx, w.alice, c.vault, c.pol, vault.GrantChange{})
		w.Is(err, vault.ErrPolicyNotFound)
		w.Is(w.DeletePolicy(w.Ctx, w.alice, c.vault, c.pol), vault.ErrPolicyNotFound)
	}
	w.OK(w.DeletePolicy(w.Ctx, w.alice, w.v.ID, pol.ID))
	w.Is(w.DeletePolicy(w.Ctx, w.alice, w.v.ID, pol.ID), vault.ErrPolicyNotFound)
	w.Inspect(func(tx *store.Tx) error { // no record of whom it named either
		_, there, err := tx.PolicyHolder(w.v.ID, pol.ID)
		storetest.Equal(t, "holder", there, false)
		return err
	})
}

func TestO1_ListIsOldestFirst(t *testing.T) {
	w := newWorld(t)
	var want []id.ID
	people := []identity.Principal{w.user(w.org, "member"), w.agent("**"), w.user(w.org, "admin")}
	for i := range 9 {
		want = append(want, w.grant(people[i%3], "**", policy.Read).ID)
	}
	list, err := w.Policies(w.Ctx, w.alice, w.v.ID)
	w.OK(err)
	var got []id.ID
	for _, p := range list {
		got = append(got, p.ID)
	}
	storetest.Equal(t, "order", got, want)
	w.OK(w.DeletePolicy(w.Ctx, w.alice, w.v.ID, want[4]))
	list, err = w.Policies(w.Ctx, w.alice, w.v.ID)
	w.OK(err)
	storetest.Equal(t, "the others stay", len(list), 8)
	if slices.ContainsFunc(list, func(p policy.Policy) bool { return p.ID == want[4] }) {
		t.Error("the wrong one went")
	}
}

func TestO2_WhoManages(t *testing.T) {
	w := newWorld(t)
	bob, bot := w.user(w.org, "member"), w.agent("**")
	w.grant(bob, "**", policy.Read, policy.Write, policy.Delete)
	w.grant(bot, "**", policy.Read, policy.Write, policy.Delete)
	own := w.vault(bot, "bots")
	for _, c := range []struct {
		name  string
		p     identity.Principal
		vault id.ID
		want  error
	}{
		{"creator", w.alice, w.v.ID, nil},
		{"owner", w.owner, w.v.ID, nil},
		{"admin", w.user(w.org, "admin"), w.v.ID, nil},
		{"someone with every permission", bob, w.v.ID, vault.ErrDenied},
		{"a stranger", w.user(w.org, "member"), w.v.ID, vault.ErrDenied},
		{"an agent with every permission", bot, w.v.ID, vault.ErrDenied},
		{"an agent in its own vault", bot, own.ID, nil},
		{"its creator, who may only use it", w.alice, own.ID, vault.ErrDenied},
		{"another agent", w.agent("**"), own.ID, vault.ErrDenied},
	} {
		t.Run(c.name, func(t *testing.T) {
			pol, err := w.CreatePolicy(w.Ctx, c.p, c.vault, w.readGrant(bob))
			w.Is(err, c.want)
			_, err = w.Policies(w.Ctx, c.p, c.vault)
			w.Is(err, c.want)
			if c.want != nil {
				pol = w.grant(bob, "x", policy.Read)
			}
			_, err = w.UpdatePolicy(w.Ctx, c.p, c.vault, pol.ID, vault.GrantChange{})
			w.Is(err, c.want)
			w.Is(w.DeletePolicy(w.Ctx, c.p, c.vault, pol.ID), c.want)
		})
	}
}

func TestO2_PrincipalOfTheOrganisation(t *testing.T) {
	w := newWorld(t)
	foreigner := w.user(id.New(), identity.RoleMember).Policy()
	bob := w.user(w.org, "member").Policy()
	for _, who := range []policy.Principal{
		foreigner,
		{Type: "user", ID: id.New()}, {Type: "agent", ID: id.New()},
		{Type: "agent", ID: bob.ID}, // a user's id
		{Type: "user", ID: w.agent().ID},
		{Type: "group", ID: bob.ID}, {Type: "", ID: bob.ID}, {Type: "User", ID: bob.ID}, {},
	} {
		w.unchanged(func() {
			_, err := w.CreatePolicy(w.Ctx, w.alice, w.v.ID, vault.Grant{
				Pattern: w.pattern("**"), Principal: who, Permissions: []policy.Permission{policy.Read},
			})
			w.Is(err, vault.ErrPrincipal)
		})
	}
}

func TestO3_GlobsAtTheDoor(t *testing.T) {
	for _, c := range []struct {
		pattern string
		yes, no []string
	}{
		{"api-keys/*", []string{"api-keys/a"}, []string{"api-keys", "api-keys/a/b", "Api-keys/a"}},
		{"prod/**", []string{"prod", "prod/a", "prod/a/b"}, []string{"production", "dev/prod"}},
		{"**", []string{"a", "a/b/c"}, nil},
		{"*", []string{"a"}, []string{"a/b"}},
		{"a/key-*", []string{"a/key-1", "a/key-b"}, []string{"a/key", "a/key-1/b"}},
		{"a/**/z", []string{"a/z", "a/b/z", "a/b/c/z"}, []string{"a", "a/b"}},
	} {
		w := newWorld(t)
		bob, bot := w.user(w.org, "member"), w.agent(c.pattern)
		w.grant(bob, c.pattern, policy.Read)
		w.grant(bot, "**", policy.Read) // the same matcher for scopes
		for _, p := range c.yes {
			w.put(p, "x")
			w.wantValue(bob, p, "x")
			w.wantValue(bot, p, "x")
		}
		for _, p := range c.no {
			w.put(p, "x")
			_, err := w.read(bob, p)
			w.Is(err, policy.ErrInsufficient)
			_, err = w.read(bot, p)
			w.Is(err, policy.ErrScopes)
		}
	}
}

// Policies are OR-ed: any of them suffices, and permissions of two do not add
// up over different paths.
func TestO6_Or(t *testing.T) {
	w := newWorld(t)
	w.put("a", "x")
	bob := w.user(w.org, "member")
	narrow, wide := w.grant(bob, "a", policy.Read), w.grant(bob, "**", policy.Read)
	w.wantValue(bob, "a", "x")
	w.OK(w.DeletePolicy(w.Ctx, w.alice, w.v.ID, narrow.ID))
	w.wantValue(bob, "a", "x")
	w.OK(w.DeletePolicy(w.Ctx, w.alice, w.v.ID, wide.ID))
	_, err := w.read(bob, "a")
	w.Is(err, policy.ErrInsufficient)
	w.grant(bob, "b", policy.Read)
	w.grant(bob, "a", policy.Write)
	_, err = w.read(bob, "a")
	w.Is(err, policy.ErrInsufficient)
}

// A policy of one vault says nothing of another with the same paths.
func TestO_OneVaultOnly(t *testing.T) {
	w := newWorld(t)
	bob := w.user(w.org, "member")
	other := w.vault(w.alice, "other")
	_, err := w.Put(w.Ctx, w.alice, other.ID, w.path("a"), value("x"))
	w.OK(err)
	w.grant(bob, "**", policy.Read)
	_, _, err = w.Read(w.Ctx, bob, other.ID, w.path("a"))
	w.Is(err, policy.ErrInsufficient)
}
