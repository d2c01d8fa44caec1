package httpapi

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const policyKeys = "id vault_id secret_path_pattern principal_type principal_id permissions conditions created_by created_by_type created_at"

func TestO1PoliciesWorkFromTheNextRequestOn(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	l.put(v, "a/b", canary)
	bot := l.agent("bot", `,"scopes":["**"]`)
	body := func(more string) string {
		return `{"secret_path_pattern":"a/*","principal_type":"agent","principal_id":"` + bot.id + `"` + more + `}`
	}
	read := func(name string, status int) {
		t.Helper()
		l.want(step{name: name, url: v + "/secrets/a/b", as: "bot", status: status, reveals: status == 200})
	}
	read("before", 403)
	made := l.want(step{name: "create", method: post, url: v + "/policies", as: "owner", body: body(`,"permissions":["delete","read","read"]`), status: 201,
		keys: policyKeys, event: "policy.create success", has: []string{`"permissions":["read","delete"]`, `"conditions":{}`, `"created_by":"` + l.ownerID.String() + `"`, `"created_by_type":"user"`}})
	one := v + "/policies/" + made.text("id")
	read("created", 200)
	l.want(step{name: "list", url: v + "/policies", as: "owner", status: 200, at: "policies.0", keys: policyKeys, has: []string{made.text("id")}})
	change := func(name, text string, status int, has ...string) {
		t.Helper()
		event := ""
		if status == 200 {
			event = "policy.update success"
		}
		l.want(step{name: name, method: put, url: one, as: "owner", body: text, status: status, has: has, event: event})
	}
	change("permissions", `{"permissions":["write"]}`, 200, `["write"]`)
	read("read taken back", 403)
	change("nothing", `{}`, 200, `["write"]`, `"secret_path_pattern":"a/*"`)
	change("what cannot change stays", `{"permissions":["read"],"secret_path_pattern":"**","principal_id":"`+l.ownerID.String()+`","principal_type":"user"}`, 200,
		`"secret_path_pattern":"a/*"`, bot.id, `"principal_type":"agent"`)
	change("an expiry", `{"expires_at":"`+l.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`"}`, 200, `"expires_at":"2`)
	change("none again", `{"expires_at":null}`, 200)
	if a := l.want(step{url: v + "/policies", as: "owner", status: 200}); strings.Contains(a.Body.String(), "expires_at") {
		t.Errorf("null did not lift the expiry: %s", a.Body)
	}
	change("no permissions", `{"permissions":[]}`, 400, "invalid_permissions")
	change("an unknown one", `{"permissions":["read","`+canary+`"]}`, 400, "invalid_permissions")
	change("a past expiry", `{"expires_at":"2020-01-01T00:00:00Z"}`, 400, "expiry_in_past")
	read("still", 200)
	l.want(step{name: "delete", method: remove, url: one, as: "owner", status: 204, event: "policy.delete success"})
	read("deleted", 403)
	l.run(t, []step{
		{name: "delete twice", method: remove, url: one, as: "owner", status: 404, event: "policy.delete refused policy_not_found"},
		{name: "change it", method: put, url: one, as: "owner", body: `{"permissions":["read"]}`, status: 404, event: "policy.update refused policy_not_found"},
		{name: "none left", url: v + "/policies", as: "owner", status: 200, has: []string{`{"policies":[]}`}},
		{name: "create without permissions", method: post, url: v + "/policies", as: "owner", body: body(""), status: 400, has: []string{`"permissions":"is required"`}},
		{name: "with none", method: post, url: v + "/policies", as: "owner", body: body(`,"permissions":[]`), status: 400, has: []string{"invalid_permissions"}},
		{name: "null", method: post, url: v + "/policies", as: "owner", body: body(`,"permissions":null`), status: 400},
		{name: "an unknown one", method: post, url: v + "/policies", as: "owner", body: body(`,"permissions":["admin"]`), status: 400},
		{name: "another kind of principal", method: post, url: v + "/policies", as: "owner", status: 400, has: []string{`"principal_type":"must be one of`},
			body: strings.Replace(body(`,"permissions":["read"]`), `"agent"`, `"group"`, 1)},
		{name: "a policy of another vault", method: remove, url: l.vault("owner", "other") + "/policies/" + made.text("id"), as: "owner", status: 404},
	})
}

func TestO2WhoManagesPolicies(t *testing.T) {
	l := newLive(t)
	theirs, own := l.vault("member", "theirs"), ""
	bot, other := l.agent("bot", ""), l.agent("other", "")
	own = l.vault("bot", "its own")
	l.grant("member", theirs, bot, "**", `["read","write","delete"]`, "")
	l.renew("bot", bot)
	create := func(name, as, vault, principal string, status int, event string) {
		t.Helper()
		l.want(step{name: name, method: post, url: vault + "/policies", as: as, status: status, event: event,
			body: `{"secret_path_pattern":"**","principal_type":"agent","principal_id":"` + principal + `","permissions":["read"]}`})
	}
	create("its creator", "member", theirs, other.id, 201, "policy.create success")
	create("an owner of the organisation", "owner", theirs, other.id, 201, "policy.create success")
	create("an agent with every right", "bot", theirs, other.id, 403, "policy.create refused access_denied")
	create("an agent on its own vault", "bot", own, other.id, 201, "policy.create success")
	create("another organisation", "stranger", theirs, other.id, 404, "policy.create refused vault_not_found")
	create("another member", "member", own, other.id, 403, "policy.create refused access_denied")
	create("a principal that is nobody", "member", theirs, "0190d6f0-0000-7000-8000-000000000001", 400, "policy.create refused unknown_principal")
	l.want(step{name: "an agent lists", url: theirs + "/policies", as: "bot", status: 403, event: "policy.list refused access_denied"})
	l.want(step{name: "and lists its own", url: own + "/policies", as: "bot", status: 200})
	alien := l.want(step{method: post, url: "/v1/agents", as: "stranger", body: `{"name":"alien"}`, status: 201}).text("agent.id")
	create("a principal of another organisation", "member", theirs, alien, 400, "policy.create refused unknown_principal")
	create("a person named as an agent", "member", theirs, l.ownerID.String(), 400, "policy.create refused unknown_principal")
}

func TestO3Globs(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	paths := []string{"prod", "prod/db", "prod/db/pw", "api-keys/a", "api-keys/a/b", "key-1", "key-2/x", "Prod/db"}
	for _, p := range paths {
		l.put(v, p, canary)
	}
	for pattern, want := range map[string][]string{
		"**":         paths,
		"*":          {"prod", "key-1"},
		"prod/**":    {"prod", "prod/db", "prod/db/pw"},
		"prod/*":     {"prod/db"},
		"**/db":      {"prod/db", "Prod/db"},
		"*/db":       {"prod/db", "Prod/db"},
		"api-keys/*": {"api-keys/a"},
		"key-*":      {"key-1"},
		"key-*/**":   {"key-1", "key-2/x"},
		"prod/db":    {"prod/db"},
		"prod/**/pw": {"prod/db/pw"},
		"nothing/**": {},
	} {
		bot := l.agent("bot", "")
		l.grant("owner", v, bot, pattern, `["read"]`, "")
		l.renew("bot", bot)
		got := []string{}
		for _, p := range paths {
			if l.send(step{url: v + "/secrets/" + p, as: "bot"}).Code == 200 {
				got = append(got, p)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s reaches %v, want %v", pattern, got, want)
		}
	}
	for _, bad := range []string{"", "/a", "a/", "a//b", "a/../b", "a/**b", "." + canary + "/.."} {
		l.want(step{name: "pattern " + bad, method: post, url: v + "/policies", as: "owner", status: 400, has: []string{"invalid_pattern"},
			body: fmt.Sprintf(`{"secret_path_pattern":%q,"principal_type":"user","principal_id":"%s","permissions":["read"]}`, bad, l.ownerID)})
	}
}

func TestO4Conditions(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	l.put(v, "a", canary)
	now := l.clock.Now().UTC()
	hour := func(d int) string { return now.Add(time.Duration(d) * time.Hour).Format("15:04") }
	today, tomorrow := strings.ToLower(now.Weekday().String()[:3]), strings.ToLower(now.Add(24 * time.Hour).Weekday().String()[:3])
	for _, tt := range []struct {
		conditions, from string
		status           int
	}{
		{`{}`, "203.0.113.7", 200},
		{`{"ip_allowlist":["203.0.113.7"]}`, "203.0.113.7", 200},
		{`{"ip_allowlist":["203.0.113.7"]}`, "203.0.113.8", 403},
		{`{"ip_allowlist":["10.0.0.0/8","203.0.113.0/24"]}`, "203.0.113.8", 200},
		{`{"ip_allowlist":["10.0.0.0/8"]}`, "11.0.0.1", 403},
		{`{"time_window":{"after":"` + hour(-2) + `","before":"` + hour(2) + `","timezone":"UTC"}}`, "203.0.113.7", 200},
		{`{"time_window":{"after":"` + hour(2) + `","before":"` + hour(4) + `","timezone":"UTC"}}`, "203.0.113.7", 403},
		{`{"time_window":{"days":["` + today + `"],"timezone":"UTC"}}`, "203.0.113.7", 200},
		{`{"time_window":{"days":["` + tomorrow + `"],"timezone":"UTC"}}`, "203.0.113.7", 403},
		{`{"ip_allowlist":["203.0.113.7"],"time_window":{"days":["` + tomorrow + `"]}}`, "203.0.113.7", 403},
	} {
		bot := l.agent("bot", "")
		l.grant("owner", v, bot, "**", `["read"]`, `,"conditions":`+tt.conditions)
		l.renew("bot", bot)
		l.want(step{name: tt.conditions, url: v + "/secrets/a", as: "bot", from: tt.from, status: tt.status, reveals: tt.status == 200})
	}
	for conditions, field := range map[string]string{
		`{"` + canary + `":true}`:                  "",
		`{"ip_allowlist":["` + canary + `"]}`:      "ip_allowlist",
		`{"ip_allowlist":[]}`:                      "ip_allowlist",
		`{"ip_allowlist":"10.0.0.0/8"}`:            "ip_allowlist",
		`{"time_window":{"after":"8"}}`:            "time_window",
		`{"time_window":{"timezone":"Mars/Base"}}`: "time_window",
		`{"time_window":{"x":1}}`:                  "time_window",
		`{"IP_ALLOWLIST":["10.0.0.0/8"]}`:          "",
		`[]`:                                       "conditions",
		`"` + canary + `"`:                         "conditions",
	} {
		l.want(step{name: conditions, method: post, url: v + "/policies", as: "owner", status: 400, has: []string{field, `"fields":{`},
			body: `{"secret_path_pattern":"**","principal_type":"user","principal_id":"` + l.ownerID.String() + `","permissions":["read"],"conditions":` + conditions + `}`})
	}
	id := l.grant("owner", v, l.agent("x", ""), "**", `["read"]`, `,"conditions":{"ip_allowlist":["10.0.0.1"]}`)
	l.run(t, []step{
		{name: "shown", url: v + "/policies", as: "owner", status: 200, has: []string{`"ip_allowlist":["10.0.0.1`}},
		{name: "kept where left out", method: put, url: v + "/policies/" + id, as: "owner", body: `{"permissions":["read"]}`, status: 200, has: []string{`"ip_allowlist":["10.0.0.1`}},
		{name: "lifted", method: put, url: v + "/policies/" + id, as: "owner", body: `{"conditions":{}}`, status: 200, has: []string{`"conditions":{}`}},
	})
}

func TestO5AnExpiredPolicyGivesNothing(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	l.put(v, "a", canary)
	bot := l.agent("bot", `,"token_ttl_seconds":86400`)
	l.grant("owner", v, bot, "**", `["read"]`, fmt.Sprintf(`,"expires_at":%q`, l.clock.Now().Add(time.Hour).Format(time.RFC3339)))
	l.renew("bot", bot)
	l.tokens["owner"] = l.tokens["key"]
	l.want(step{name: "before", url: v + "/secrets/a", as: "bot", status: 200, reveals: true})
	l.clock.advance(time.Hour + time.Second)
	l.want(step{name: "after", url: v + "/secrets/a", as: "bot", status: 403, has: []string{"Insufficient permissions"}})
	l.want(step{name: "the vault is out of sight", url: v, as: "bot", status: 403})
	l.renew("bot", bot)
	if scopes := claimsOf(t, l.tokens["bot"])["scopes"].([]any); len(scopes) != 0 {
		t.Errorf("it still gives scopes: %v", scopes)
	}
	l.want(step{name: "created in the past", method: post, url: v + "/policies", as: "owner", status: 400, has: []string{"expiry_in_past"},
		body: `{"secret_path_pattern":"**","principal_type":"agent","principal_id":"` + bot.id + `","permissions":["read"],"expires_at":"2020-01-01T00:00:00Z"}`})
}

func TestO6PoliciesAdd(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	l.put(v, "a/b", canary)
	bot := l.agent("bot", "")
	narrow := l.grant("owner", v, bot, "a/b", `["read"]`, `,"conditions":{"ip_allowlist":["10.0.0.1"]}`)
	wide := l.grant("owner", v, bot, "**", `["read"]`, "")
	l.grant("owner", v, bot, "a/**", `["delete"]`, "")
	l.renew("bot", bot)
	a := l.want(step{url: v + "/secrets/a/b", as: "bot", from: "203.0.113.7", status: 200, reveals: true})
	if got := l.logged(a).Policies; !slices.Equal(got, []string{wide}) {
		t.Errorf("the event names %v, want %s", got, wide)
	}
	a = l.want(step{url: v + "/secrets/a/b", as: "bot", from: "10.0.0.1", status: 200, reveals: true})
	if got := l.logged(a).Policies; !slices.Equal(got, []string{narrow, wide}) {
		t.Errorf("the event names %v", got)
	}
	l.want(step{method: remove, url: v + "/secrets/a/b", as: "bot", status: 204})
}

// What newer clients always send is taken where it means the same as ever.
func TestOPolicySchemaOfNewerClients(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	create := func(more string, status int, has ...string) step {
		return step{name: more, method: post, url: v + "/policies", as: "owner", status: status, has: has,
			body: `{"path_pattern":"a/**","principal_type":"user","principal_id":"` + l.ownerID.String() + `","permissions":["read"]` + more + `}`}
	}
	good := create(`,"policy_schema_version":1,"effect":"allow","priority":0`, 201, `"secret_path_pattern":"a/**"`)
	good.keys = policyKeys
	l.run(t, []step{
		good,
		create(`,"policy_schema_version":1,"effect":"allow","priority":7,"attribute_conditions":{},"tx_conditions":null,"consensus_trigger":[]`, 201),
		create(`,"policy_schema_version":2`, 400, `"policy_schema_version":"`, `"code":"unsupported"`, "policy_schema_version only version 1"),
		create(`,"effect":"deny"`, 400, `"effect":"`),
		create(`,"effect":"`+canary+`"`, 400, `"effect":"`),
		create(`,"attribute_conditions":{"`+canary+`":1}`, 400, `"attribute_conditions":"`),
		create(`,"tx_conditions":[1]`, 400, `"tx_conditions":"`),
		create(`,"consensus_trigger":{"n":2}`, 400, `"consensus_trigger":"`),
	})
}
