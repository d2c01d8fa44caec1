package httpapi

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/vault/audit"
)

const eventKeys = "id action actor_id actor_type resource_type resource_id org_id outcome details ip_address created_at index prev_event_id integrity_hash"

func TestU1U5EverythingIsLoggedAndRefusalsToo(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	bot := l.agent("bot", "")
	l.put(v, "a/b", canary)
	policy := l.grant("owner", v, bot, "a/*", `["read"]`, "")
	l.renew("bot", bot)
	for _, s := range []step{
		{method: get, url: v + "/secrets/a/b", as: "bot", status: 200, reveals: true},
		{method: remove, url: v + "/secrets/a/b", as: "bot", status: 403},
		{method: get, url: v + "/secrets/a/b", as: canary, status: 401},
		{method: put, url: v + "/policies/" + policy, as: "owner", body: `{"permissions":["delete"]}`, status: 200},
		{method: remove, url: v + "/policies/" + policy, as: "owner", status: 204},
		{method: post, url: "/v1/agents/" + bot.id + "/rotate-key", as: "owner", status: 200},
		{method: remove, url: "/v1/agents/" + bot.id, as: "owner", status: 204},
	} {
		l.want(s)
	}
	a := l.want(step{name: "events", url: "/v1/audit/events", as: "owner", status: 200, keys: "events count", at: ""})
	got := a.list("events", "action")
	want := []string{"agent.deactivate", "agent.rotate_key", "policy.delete", "policy.update", "secret.delete", "secret.read",
		"auth.success", "policy.create", "secret.write", "auth.success", "agent.register", "policy.create", "vault.create",
		"vault.create", "auth.success", "user.create"}
	if !slices.Equal(got, want) {
		t.Errorf("newest first:\n%v, want\n%v", got, want)
	}
	if a.value("count") != float64(len(want)) {
		t.Errorf("count is %v", a.value("count"))
	}
	refused := l.want(step{url: "/v1/audit/events?action=secret.delete", as: "owner", status: 200, at: "events.0", keys: eventKeys + " reason"})
	if refused.text("events.0.outcome") != "refused" || refused.text("events.0.actor_type") != "agent" || refused.text("events.0.actor_id") != bot.id ||
		refused.text("events.0.reason") != "insufficient_permissions" || refused.text("events.0.resource_id") != "a/b" || refused.text("events.0.details.path") != "a/b" {
		t.Errorf("%s", refused.Body)
	}
}

func TestU2EventsAndWhoSeesThem(t *testing.T) {
	l := newLive(t)
	l.agent("bot", "")
	first := l.want(step{url: "/v1/audit?action=user.create", as: "owner", status: 200, at: "events.0", keys: eventKeys})
	if first.text("events.0.org_id") != l.org.String() || !strings.HasSuffix(first.text("events.0.created_at"), "Z") {
		t.Errorf("%s", first.Body)
	}
	l.run(t, []step{
		{name: "an agent may ask", url: "/v1/audit/events", as: "bot", status: 200, has: []string{`"agent.register"`}},
		{name: "a member", url: "/v1/audit/events", as: "member", status: 200},
		{name: "another organisation sees its own", url: "/v1/audit/events", as: "stranger", status: 200, has: []string{`{"events":[],"count":0}`}},
		{name: "nobody", url: "/v1/audit/events", status: 401},
		{name: "the first of a chain follows none", url: "/v1/audit/events?action=user.create", as: "owner", status: 200, has: []string{`"prev_event_id":null`}},
	})
}

// TestU3TheChainCanBeRecomputed does what a verifier outside does, with nothing but
// the API's answers.
func TestU3TheChainCanBeRecomputed(t *testing.T) {
	l := newLive(t)
	l.clock.advance(123456789 * time.Nanosecond)
	l.agent("bot", "")
	l.clock.advance(7 * time.Nanosecond)
	v := l.vault("bot", "v")
	l.want(step{url: v + "/secrets/a/b", as: "bot", status: 404})
	a := l.want(step{url: "/v1/audit", as: "owner", status: 200})
	events := a.value("events").([]any)
	var prevID any
	var prevHash string
	for _, e := range slices.Backward(events) {
		e := e.(map[string]any)
		if id, has := e["prev_event_id"]; !has || id != prevID {
			t.Errorf("%v follows %v, not %v", e["id"], e["prev_event_id"], prevID)
		}
		prevID, prevHash = e["id"], recomputed(prevHash, e)
		if e["integrity_hash"] != prevHash {
			t.Errorf("%v at %v: integrity_hash %v, recomputed %s", e["action"], e["created_at"], e["integrity_hash"], prevHash)
		}
	}
	if len(events) < 4 {
		t.Fatalf("%d events", len(events))
	}
	l.want(step{url: "/v1/audit/verify", as: "owner", status: 200, has: []string{`"chain_valid":true`, `"problems":[]`, fmt.Sprintf(`"events_verified":%d`, len(events))}})
}

// recomputed is the integrity hash as the contract has it.
func recomputed(prevHash string, e map[string]any) string {
	fields := []string{prevHash}
	for _, name := range []string{"id", "actor_id", "action", "resource_type", "resource_id", "created_at"} {
		fields = append(fields, e[name].(string))
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(fields, "|"))))
}

// TestU3EventsOfTheFirstAppliances: what was hashed had nanoseconds, and so it is shown.
func TestU3EventsOfTheFirstAppliances(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("", 3600))
	raw, err := EncodeEvent(audit.Record{CreatedAt: at})
	if err != nil || !strings.Contains(string(raw), `"created_at":"2026-03-01T11:00:00.123456789Z"`) {
		t.Errorf("%s, %v", raw, err)
	}
}

func TestU4Filters(t *testing.T) {
	l := newLive(t)
	start := l.clock.Now()
	v := l.vault("owner", "v")
	bot := l.agent("bot", `,"scopes":["**"]`)
	l.grant("owner", v, bot, "**", `["read"]`, "")
	l.renew("bot", bot)
	secret := l.put(v, "a/b", "x").text("id")
	l.clock.advance(2 * time.Hour)
	l.tokens["owner"] = l.tokens["key"]
	l.renew("bot", bot)
	l.want(step{url: v + "/secrets/a/b", as: "bot", status: 200})
	l.want(step{url: v + "/secrets/nothing", as: "bot", status: 404})
	vid := strings.TrimPrefix(v, "/v1/vaults/")
	mid := url.QueryEscape(start.Add(time.Hour).UTC().Format(time.RFC3339))
	for query, want := range map[string]string{
		"action=secret.read":                                   "secret.read secret.read",
		"action=nothing":                                       "",
		"resource_id=a/b":                                      "secret.read secret.write",
		"resource_id=a%2Fb&action=secret.read":                 "secret.read",
		"resource_id=" + secret:                                "secret.read secret.write",
		"resource_id=" + bot.id:                                "auth.success auth.success auth.success agent.register",
		"actor_id=" + bot.id:                                   "secret.read secret.read auth.success auth.success auth.success",
		"actor_id=" + strings.ToUpper(bot.id) + "&limit=1":     "secret.read",
		"resource_type=secret":                                 "secret.read secret.read secret.write",
		"resource_id=" + vid + "&resource_type=vault":          "vault.create",
		"vault_id=" + vid:                                      "secret.read secret.read secret.write policy.create vault.create",
		"vault_id=" + strings.ToUpper(vid) + "&limit=1":        "secret.read",
		"vault_id=" + bot.id:                                   "",
		"from=" + mid:                                          "secret.read secret.read auth.success",
		"to=" + mid + "&action=secret.write":                   "secret.write",
		"from=" + mid + "&action=secret.write":                 "",
		"limit=2":                                              "secret.read secret.read",
		"limit=1&offset=1":                                     "secret.read",
		"limit=1&offset=1&action=auth.success":                 "auth.success",
		"offset=1000":                                          "",
		"limit=0&action=secret.read":                           "secret.read secret.read",
		"limit=1000000&action=secret.read":                     "secret.read secret.read",
		"from=2020-01-01&to=2021-01-01":                        "",
		"from=2020-01-01T00:00:00+02:00&action=secret.write":   "secret.write", // as typed, a plus that means a space
		"to=2020-01-01T00:00:00%2B02:00":                       "",
		"unknown=" + canary + "&action=secret.read":            "secret.read secret.read",
		"resource_id=" + strings.Repeat("x", 512):              "",
		"action=" + url.QueryEscape(`secret.read" OR "1"="1`):  "",
		"from=2020-01-01&action=secret.write&resource_type=":   "secret.write",
		"actor_id=&resource_id=&action=secret.write&from=&to=": "secret.write",
	} {
		for _, route := range []string{"/v1/audit/events?", "/v1/audit?"} {
			a := l.want(step{name: query, url: route + query, as: "owner", status: 200, event: "none"})
			if got := strings.Join(a.list("events", "action"), " "); got != want {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
	}
	for query, field := range map[string]string{
		"from=" + canary: "from", "to=yesterday": "to", "from=2020-01-01T00:00:00": "from", "limit=-1": "limit", "limit=" + canary: "limit",
		"offset=-1": "offset", "limit=4294967297": "limit", "offset=1e3": "offset", "limit=99999999999999999999": "limit",
		"resource_id=" + strings.Repeat("x", 513): "resource_id", "action=" + strings.Repeat("x", 65): "action",
	} {
		l.want(step{name: query, url: "/v1/audit/events?" + query, as: "owner", status: 400, has: []string{`"fields":{"` + field + `":"`}})
	}
}

func TestU4Verify(t *testing.T) {
	l := newLive(t)
	l.agent("bot", "")
	a := l.want(step{name: "whole", url: "/v1/audit/verify", as: "owner", status: 200, has: []string{`"chain_valid":true`, `"hash":"lower-case hex SHA-256"`},
		keys: "chain_valid events_verified events_checked problems unchecked scheme"})
	if a.value("events_checked") != a.value("events_verified") || a.value("events_checked").(float64) < 3 {
		t.Errorf("%s", a.Body)
	}
	note := l.want(step{url: "/v1/audit/checkpoint", as: "owner", status: 200, keys: "checkpoint size root_hash created_at verifier_key"}).text("checkpoint")
	l.agent("more", "")
	l.run(t, []step{
		{name: "against a checkpoint", url: "/v1/audit/verify?checkpoint=" + base64url(note), as: "owner", status: 200, has: []string{`"chain_valid":true`, `"unchecked":[]`}},
		{name: "part", url: "/v1/audit/verify?limit=2", as: "owner", status: 200, has: []string{`"events_checked":2`}},
		{name: "of other times", url: "/v1/audit/verify?from=2100-01-01", as: "owner", status: 200, has: []string{`"events_checked":0`}},
		{name: "by an agent", url: "/v1/audit/verify", as: "bot", status: 200},
		{name: "a forged checkpoint", url: "/v1/audit/verify?checkpoint=" + base64url(strings.Replace(note, "\n", "\n1", 1)), as: "owner", status: 400, has: []string{"audit_checkpoint_invalid"}},
		{name: "no base64", url: "/v1/audit/verify?checkpoint=" + canary + "*", as: "owner", status: 400, has: []string{`"checkpoint":"`}},
		{name: "no time", url: "/v1/audit/verify?from=" + canary, as: "owner", status: 400, has: []string{`"from":"`}},
		{name: "a negative limit", url: "/v1/audit/verify?limit=-1", as: "owner", status: 400},
	})
}

// TestU5NothingButWhatIsMeantIsInTheLog looks at whole leaves: the canary is
// looked for after every test, other texts of a request here.
func TestU5NothingButWhatIsMeantIsInTheLog(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	const other = "EMBARRASSING"
	l.want(step{method: put, url: v + "/secrets/a", as: "owner", status: 201, header: map[string]string{"X-Payment": other, "X-Cmek-Old-Key": other, "User-Agent": other},
		body: `{"value":"` + other + `","metadata":{"` + other + `":"` + other + `"}}`})
	l.want(step{url: v + "/secrets/a?" + other + "=" + other, as: "owner", status: 200})
	l.want(step{method: post, url: "/v1/auth/token", body: `{"email":"` + other + `@example.com","password":"` + other + `"}`, status: 401})
	l.want(step{url: v, as: other, status: 401})
	bot := l.agent("bot", `,"description":"`+other+`","shroud_config":{"`+other+`":1}`)
	for _, leaf := range l.leaves() {
		for _, secret := range []string{other, bot.key, l.tokens["key"], l.tokens["owner"], l.tokens["bot"], ownerPassword} {
			if strings.Contains(string(leaf), secret) {
				t.Errorf("%s is in %s", secret, leaf)
			}
		}
		if !json.Valid(leaf) {
			t.Errorf("not JSON: %s", leaf)
		}
	}
	for _, secret := range []string{other, bot.key, l.tokens["key"], l.tokens["owner"], l.tokens["bot"], ownerPassword, "a/b"} {
		if strings.Contains(l.log.String(), secret) {
			t.Errorf("%s is in the log of the process", secret)
		}
	}
}
