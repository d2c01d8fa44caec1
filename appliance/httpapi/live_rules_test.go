package httpapi

import (
	"slices"
	"strings"
	"testing"
)

func TestT1RoutesAreAtTheOrigin(t *testing.T) {
	l := newLive(t)
	l.run(t, []step{
		{name: "under /v1", url: "/v1/vaults", as: "owner", status: 200},
		{name: "without the prefix", url: "/vaults", as: "owner", status: 404, has: []string{"no_such_route"}},
		{name: "another version", url: "/v2/vaults", as: "owner", status: 404},
		{name: "another case", url: "/V1/vaults", as: "owner", status: 404},
		{name: "a slash too many at the end", url: "/v1/vaults/", as: "owner", status: 404},
		{name: "in the middle", url: "/v1//vaults", as: "owner", status: 404},
		{name: "dots", url: "/v1/./vaults", as: "owner", status: 404},
		{name: "dots that lead back", url: "/v1/agents/%2e%2e/vaults", as: "owner", status: 404},
	})
}

// TestT7 asks for errors as each client reads them.
func TestT7ErrorsAreReadableForEveryClient(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	for _, s := range []step{
		{name: "fields", method: post, url: "/v1/vaults", as: "owner", body: `{"name":7}`, status: 400, keys: "type title status detail code fields"},
		{name: "no fields", method: post, url: "/v1/vaults", as: "owner", body: `{"name":""}`, status: 400, keys: "type title status detail code"},
		{name: "401", url: v, as: canary, status: 401, keys: "type title status detail code"},
		{name: "404", url: v + "/secrets/none", as: "owner", status: 404, keys: "type title status detail code"},
		{name: "405", method: patch, url: v, as: "owner", status: 405, keys: "type title status detail code"},
	} {
		a := l.want(s)
		if a.text("detail") == "" || a.text("title") == "" || a.value("status") != float64(s.status) {
			t.Errorf("%s: %s", s.name, a.Body)
		}
		if ct := a.Header().Get("Content-Type"); ct != "application/problem+json" {
			t.Errorf("%s: %s", s.name, ct)
		}
	}
}

// TestT9: a client that tries again after a 5xx does nothing twice.
func TestT9AServerErrorChangedNothing(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	l.put(v, "a", canary)
	before := l.want(step{url: "/v1/vaults", as: "owner", status: 200}).Body.String()
	agents := l.want(step{url: "/v1/agents", as: "owner", status: 200}).Body.String()
	l.ok(l.gate.Close())
	for range 3 {
		l.want(step{method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"y"}`, status: 503})
		l.want(step{method: put, url: v + "/secrets/new", as: "owner", body: `{"value":"y"}`, status: 503})
		l.want(step{method: post, url: "/v1/vaults", as: "owner", body: `{"name":"w"}`, status: 503})
		l.want(step{method: post, url: "/v1/agents", as: "owner", body: `{"name":"x"}`, status: 503})
	}
	l.want(step{url: v + "/secret-versions/a", as: "owner", status: 200, has: []string{`"version":1`}, lacks: []string{`"version":2`}})
	l.want(step{url: v + "/secrets", as: "owner", status: 200, lacks: []string{`"path":"new"`}})
	if got := l.want(step{url: "/v1/vaults", as: "owner", status: 200}).Body.String(); got != before {
		t.Errorf("a vault that could not be made is there: %s", got)
	}
	if got := l.want(step{url: "/v1/agents", as: "owner", status: 200}).Body.String(); got != agents {
		t.Errorf("an agent that could not be made is there: %s", got)
	}
}

// TestP3 holds the routes that nobody need sign in for. One more is a decision.
func TestP3PublicRoutes(t *testing.T) {
	l := newLive(t)
	var got []string
	for _, line := range l.Surface() {
		f := strings.Fields(line)
		if strings.HasPrefix(f[3], "public") && strings.HasPrefix(f[1], "/v1/") {
			got = append(got, f[0]+" "+f[1])
		}
	}
	want := []string{
		"GET /v1/attestation", "GET /v1/auth/device/code/{user_code}", "GET /v1/auth/jwt-public-key", "GET /v1/chains",
		"GET /v1/chains/{identifier}", "GET /v1/health", "GET /v1/health/hsm", "GET /v1/share/{share_id}", "GET /v1/shroud/attestation",
		"POST /v1/agents/enroll", "POST /v1/auth/agent-token", "POST /v1/auth/api-key-token", "POST /v1/auth/device/code",
		"POST /v1/auth/device/token", "POST /v1/auth/forgot-password", "POST /v1/auth/google", "POST /v1/auth/mfa/verify",
		"POST /v1/auth/refresh", "POST /v1/auth/reset-password", "POST /v1/auth/signup", "POST /v1/auth/token", "POST /v1/auth/verify-email",
		"POST /v1/org/invitations/accept", "POST /v1/shares/{share_id}/access",
	}
	if !slices.Equal(got, want) {
		t.Errorf("public are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	l.run(t, []step{
		{name: "a bad token does no harm there", url: "/v1/health", as: canary, status: 200},
		{name: "nor at the key", url: "/v1/auth/jwt-public-key", as: canary, status: 200},
		{name: "elsewhere nobody gets in", url: "/v1/vaults", status: 401},
		{name: "whatever the body", method: post, url: "/v1/vaults", body: "{", status: 401},
	})
}

// TestP4: the Intents API is for agents whose token says so.
func TestP4IntentsAreInTheToken(t *testing.T) {
	l := newLive(t)
	bot := l.agent("bot", "")
	tx := step{method: post, url: "/v1/agents/" + bot.id + "/transactions", as: "bot", body: `{"chain":"ethereum","to":"0x0000000000000000000000000000000000000001","value":"0"}`, status: 403}
	refused := l.want(tx).text("code")
	l.want(step{method: patch, url: "/v1/agents/" + bot.id, as: "owner", body: `{"intents_api_enabled":true}`, status: 200})
	tx.name = "the flag was set after the token"
	if got := l.want(tx).text("code"); got != refused {
		t.Errorf("refused for %s, and then for %s", refused, got)
	}
	if claimsOf(t, l.tokens["bot"])["intents_api_enabled"] != false {
		t.Error("the token says that it may")
	}
	l.renew("bot", bot)
	if claimsOf(t, l.tokens["bot"])["intents_api_enabled"] != true {
		t.Error("the new token does not say that it may")
	}
	if got := l.send(tx).text("code"); got == refused { // it has no key to sign with
		t.Errorf("with the new token: %s", got)
	}
}

// TestA4: identity keys are generic secrets, so that agents of the Intents API, who
// may read no signing keys, can be given their own.
func TestA4IdentityKeysAreNoSigningKeys(t *testing.T) {
	l := newLive(t)
	bot := l.agent("bot", `,"intents_api_enabled":true`)
	v := "/v1/vaults/" + l.want(step{url: "/v1/vaults", as: "owner", status: 200}).text("vaults.0.id")
	l.grant("owner", v, bot, "agents/"+bot.id+"/**", `["read"]`, "")
	l.renew("bot", bot)
	for _, kind := range []string{"ssh", "ecdh"} {
		l.want(step{name: kind, url: v + "/secrets/agents/" + bot.id + "/" + kind + "/private_key", as: "bot", status: 200, has: []string{`"type":"generic"`}})
	}
	l.want(step{name: "nobody puts anything else there", method: put, url: v + "/secrets/agents/" + bot.id + "/ssh/private_key", as: "bot", body: `{"value":"x"}`, status: 403})
}

// TestA13: lives of a minute and less mean an exchange for every call, and no limit
// is in its way.
func TestA13ShortLivesAreExchangedOften(t *testing.T) {
	l := newLive(t, limited)
	bot := l.agent("bot", `,"token_ttl_seconds":1`)
	for i := range 20 {
		a := l.want(step{method: post, url: "/v1/auth/agent-token", from: "203.0.113.7", body: `{"api_key":"` + bot.key + `"}`, status: 200})
		if a.value("expires_in") != float64(1) {
			t.Fatalf("exchange %d: %s", i, a.Body)
		}
	}
}
