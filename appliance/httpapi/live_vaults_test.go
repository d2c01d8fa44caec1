package httpapi

import (
	"slices"
	"strings"
	"testing"
)

func TestV1CreatingVaults(t *testing.T) {
	l := newLive(t)
	create := func(name, body string, status int, has ...string) step {
		return step{name: name, method: post, url: "/v1/vaults", as: "owner", body: body, status: status, has: has}
	}
	l.run(t, []step{
		{name: "made", method: post, url: "/v1/vaults", as: "owner", body: `{"name":"one"}`, status: 201, event: "vault.create success",
			keys: "id name description created_by created_by_type created_at cmek_enabled", has: []string{`"description":""`, `"cmek_enabled":false`}},
		create("the same name again", `{"name":"one","description":"two"}`, 201, `"description":"two"`),
		create("no name", `{}`, 400, `"name":"is required"`),
		create("an empty name", `{"name":""}`, 400, `"code":"invalid_vault_name"`),
		create("too long a name", `{"name":"`+strings.Repeat("n", 256)+`"}`, 400, `"code":"invalid_vault_name"`),
		create("a reserved name", `{"name":"__agent-keys"}`, 400, `"code":"reserved_vault_name"`),
		create("any reserved name", `{"name":"__x"}`, 400, `"code":"reserved_vault_name"`),
		create("custody that we do not do", `{"name":"x","mpc_custody":{"threshold":2}}`, 400, `"mpc_custody":"`),
		create("its absence", `{"name":"x","mpc_custody":null}`, 201),
		{name: "without a token", method: post, url: "/v1/vaults", body: `{"name":"x"}`, status: 401, event: "none"},
	})
}

func TestV2Creators(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "mine")
	bot := l.agent("bot", "")
	l.run(t, []step{
		{name: "a person", url: v, as: "owner", status: 200, has: []string{`"created_by":"` + l.ownerID.String() + `"`, `"created_by_type":"user"`}},
		{name: "an agent", method: post, url: "/v1/vaults", as: "bot", body: `{"name":"its"}`, status: 201,
			has: []string{`"created_by":"` + bot.id + `"`, `"created_by_type":"agent"`}},
	})
	l.put(v, "a", "x")
	l.want(step{name: "of a secret it is prefixed", url: v + "/secrets/a", as: "owner", status: 200, has: []string{`"created_by":"user:` + l.ownerID.String() + `"`}})
}

func TestV3AnAgentsVaultIsItsCreatorsToo(t *testing.T) {
	l := newLive(t)
	bot := l.agent("bot", "")
	v := l.vault("bot", "made by a bot")
	l.run(t, []step{
		{name: "the agent writes without any scope", method: put, url: v + "/secrets/a/b", as: "bot", body: `{"value":"` + canary + `"}`, status: 201},
		{name: "and reads", url: v + "/secrets/a/b", as: "bot", status: 200, has: []string{canary}, reveals: true},
		{name: "its creator reads", url: v + "/secrets/a/b", as: "owner", status: 200, has: []string{canary}, reveals: true},
		{name: "and writes", method: put, url: v + "/secrets/c", as: "owner", body: `{"value":"x"}`, status: 201},
		{name: "and deletes", method: remove, url: v + "/secrets/c", as: "owner", status: 204},
		{name: "by a policy", url: v + "/policies", as: "owner", status: 200,
			has: []string{`"principal_type":"user"`, `"secret_path_pattern":"**"`, `["read","write","delete"]`, `"created_by":"` + bot.id + `"`, `"created_by_type":"agent"`}},
		{name: "another member does not", url: v + "/secrets/a/b", as: "member", status: 403},
	})
	for _, who := range []string{"bot", "owner"} {
		if names := l.want(step{url: "/v1/vaults", as: who, status: 200}).list("vaults", "name"); !slices.Contains(names, "made by a bot") {
			t.Errorf("%s sees %v", who, names)
		}
	}
	bound := l.agent("bound", `,"vault_ids":["`+strings.TrimPrefix(v, "/v1/vaults/")+`"]`)
	own := l.vault("bound", "and its own")
	l.want(step{name: "a bound agent's vault is within its reach", method: put, url: own + "/secrets/a", as: "bound", body: `{"value":"x"}`, status: 201})
	l.renew("bound", bound)
	l.want(step{name: "and stays there", url: own + "/secrets/a", as: "bound", status: 200})
}

func TestV4WhatIsListed(t *testing.T) {
	l := newLive(t)
	names := func(who string) []string {
		return l.want(step{url: "/v1/vaults", as: who, status: 200, keys: "vaults"}).list("vaults", "name")
	}
	l.want(step{name: "none", url: "/v1/vaults", as: "owner", status: 200, has: []string{`{"vaults":[]}`}})
	bot := l.agent("bot", "") // makes __agent-keys
	first, second := l.vault("owner", "first"), l.vault("owner", "second")
	theirs := l.vault("member", "theirs")
	if got := names("owner"); !slices.Equal(got, []string{"first", "second", "theirs", "__agent-keys"}) {
		t.Errorf("an owner sees %v", got)
	}
	if got := names("member"); !slices.Equal(got, []string{"theirs"}) {
		t.Errorf("a member sees %v", got)
	}
	if got := names("stranger"); len(got) != 0 {
		t.Errorf("another organisation sees %v", got)
	}
	if got := names("bot"); len(got) != 0 {
		t.Errorf("an agent without policies sees %v", got)
	}
	l.grant("owner", second, bot, "a/**", `["read"]`, "")
	l.renew("bot", bot)
	if got := names("bot"); !slices.Equal(got, []string{"second"}) {
		t.Errorf("an agent with a policy sees %v", got)
	}
	l.grant("member", theirs, bot, "**", `["read"]`, "")
	l.grant("owner", first, bot, "**", `["read"]`, "")
	l.want(step{method: patch, url: "/v1/agents/" + bot.id, as: "owner", body: `{"vault_ids":["` + strings.TrimPrefix(theirs, "/v1/vaults/") + `"]}`, status: 200})
	l.renew("bot", bot)
	if got := names("bot"); !slices.Equal(got, []string{"theirs"}) {
		t.Errorf("a bound agent sees %v", got)
	}
	l.run(t, []step{
		{name: "one beyond its binding", url: first, as: "bot", status: 403, event: "vault.read refused vault_not_bound"},
		{name: "one within", url: theirs, as: "bot", status: 200},
		{name: "of another organisation", url: first, as: "stranger", status: 404, event: "vault.read refused vault_not_found"},
		{name: "that nobody has", url: "/v1/vaults/0190d6f0-0000-7000-8000-000000000001", as: "owner", status: 404, has: []string{"No such vault"}},
		{name: "of one's own organisation, not shared", url: first, as: "member", status: 403, event: "vault.read refused access_denied"},
	})
}

// TestV5 has nothing to limit: an appliance of one's own has no tiers. What the
// limit would look like is held by TestT6Faults.
func TestV5NoTierLimit(t *testing.T) {
	l := newLive(t)
	for range 12 {
		l.vault("owner", "v")
	}
}

func TestV6DeletingVaults(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "doomed")
	bot := l.agent("bot", "")
	l.put(v, "a/b", canary)
	policy := l.grant("owner", v, bot, "**", `["read","write","delete"]`, "")
	l.renew("bot", bot)
	keys := "/v1/vaults/" + l.want(step{url: "/v1/vaults", as: "owner", status: 200}).text("vaults.1.id")
	theirs := l.vault("member", "theirs")
	l.run(t, []step{
		{name: "an agent with every right in it", method: remove, url: v, as: "bot", status: 403, event: "vault.delete refused access_denied"},
		{name: "another member", method: remove, url: v, as: "member", status: 403, event: "vault.delete refused access_denied"},
		{name: "another organisation", method: remove, url: v, as: "stranger", status: 404, event: "vault.delete refused vault_not_found"},
		{name: "the vault of identity keys", method: remove, url: keys, as: "owner", status: 403, event: "vault.delete refused access_denied"},
		{name: "its creator", method: remove, url: v, as: "owner", status: 204, event: "vault.delete success"},
		{name: "twice", method: remove, url: v, as: "owner", status: 404},
		{name: "it is gone", url: v, as: "owner", status: 404},
		{name: "its secrets", url: v + "/secrets/a/b", as: "owner", status: 404, event: "secret.read refused vault_not_found"},
		{name: "for the agent too", url: v + "/secrets/a/b", as: "bot", status: 404},
		{name: "its list", url: v + "/secrets", as: "bot", status: 404},
		{name: "its policies", method: remove, url: v + "/policies/" + policy, as: "owner", status: 404},
		{name: "an owner of the organisation", method: remove, url: theirs, as: "owner", status: 204},
	})
	l.renew("bot", bot)
	if scopes := claimsOf(t, l.tokens["bot"])["scopes"].([]any); len(scopes) != 0 {
		t.Errorf("a deleted vault still gives scopes: %v", scopes)
	}
}
