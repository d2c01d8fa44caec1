package httpapi

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
)

func TestT3T4BodiesAndMethods(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	bot := l.agent("bot", "")
	l.put(v, "a", "x")
	l.run(t, []step{ // each with Content-Type: application/json and no body
		{name: "GET", url: "/v1/vaults", as: "owner", status: 200},
		{name: "POST rotate-key", method: post, url: "/v1/agents/" + bot.id + "/rotate-key", as: "owner", status: 200},
		{name: "POST rotate-identity-keys", method: post, url: "/v1/agents/" + bot.id + "/rotate-identity-keys", as: "owner", status: 200},
		{name: "POST secret-rotate", method: post, url: v + "/secret-rotate/a", as: "owner", status: 200},
		{name: "POST disable", method: post, url: v + "/secret-version-disable/a/1", as: "owner", status: 200},
		{name: "DELETE", method: remove, url: v + "/secrets/a", as: "owner", status: 204},
		{name: "DELETE with a body nobody asked for", method: remove, url: "/v1/auth/token", as: "key", body: `{"confirm":"` + canary + `"}`, status: 200},
		{name: "a body of another type", method: post, url: "/v1/vaults", as: "owner", header: map[string]string{"Content-Type": "text/plain"}, body: `{"name":"w"}`, status: 201},
		{name: "a method that is not there", method: patch, url: v, as: "owner", status: 405, has: []string{"method_not_allowed"}},
		{name: "a route that is not there", url: "/v1/treasury/wallets", as: "owner", status: 404, has: []string{"No such route"}},
		{name: "nor for anybody", url: "/v1/" + canary, status: 404},
		{name: "T1: without the prefix", url: "/vaults", as: "owner", status: 404},
	})
}

func TestT5EverySuccessHasABodyOrIs204(t *testing.T) {
	l := newLive(t)
	for _, o := range lifecycle(l) {
		s := step{name: o.id, method: o.method, url: o.url(), as: o.as, header: headersOf[o.id], status: o.status, reveals: true}
		if o.body != nil {
			s.body = o.body()
		}
		a := l.want(s)
		if a.Code != 204 && a.Body.Len() == 0 {
			t.Errorf("%s: %d without a body", o.id, a.Code)
		}
		if o.after != nil {
			o.after(a)
		}
	}
}

// TestT6 holds the texts that clients and guides quote.
func TestT6Texts(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	off := l.agent("off", "")
	l.agent("bot", `,"scopes":["**"]`)
	l.want(step{method: remove, url: "/v1/agents/" + off.id, as: "owner", status: 204})
	problem := func(status, title, detail, code string) []string {
		return []string{`{"type":"about:blank","title":"` + title + `","status":` + status + `,"detail":"` + detail + `"`, code}
	}
	l.run(t, []step{
		{name: "insufficient", url: v + "/secrets/a", as: "bot", status: 403, has: problem("403", "Forbidden", "Insufficient permissions", `"code":"insufficient_permissions"`)},
		{name: "denied", url: v, as: "member", status: 403, has: problem("403", "Forbidden", "Access denied", `"code":"access_denied"`)},
		{name: "token", url: v, as: canary, status: 401, has: problem("401", "Unauthorized", "Invalid or expired token", `"code":"invalid_token"`)},
		{name: "credentials", method: post, url: "/v1/auth/agent-token", body: `{"api_key":"x"}`, status: 401, has: problem("401", "Unauthorized", "Invalid credentials", `"code":"invalid_credentials"`)},
		{name: "deactivated", url: v, as: "off", status: 401, has: problem("401", "Unauthorized", "Agent is deactivated", `"code":"agent_deactivated"`)},
		{name: "gone", url: v + "/secrets/none", as: "owner", status: 404, has: problem("404", "Not Found", "No such secret", `"code":"secret_not_found"`)},
		{name: "T7: fields", method: post, url: "/v1/vaults", as: "owner", body: `{}`, status: 400, has: problem("400", "Bad Request", "Invalid request: name is required", `"fields":{"name":"is required"}`)},
	})
}

// TestT11 looks at all numbers and times that strict readers see.
func TestT11NumbersAndTimes(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	l.agent("bot", `,"expires_at":"2100-01-01T00:00:00+02:00"`)
	l.want(step{method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"x","expires_at":"2100-01-01T00:00:00.5+05:30"}`, status: 201, has: []string{`"expires_at":"2099-12-31T18:30:00.5Z"`}})
	stamp := regexp.MustCompile(`"(?:created_at|expires_at|last_active_at)":"([^"]*)"`)
	shape := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$`)
	for _, url := range []string{"/v1/vaults", v, v + "/secrets", v + "/secrets/a", "/v1/agents", "/v1/audit/events", "/v1/auth/me", "/v1/auth/api-keys"} {
		body := l.want(step{url: url, as: "owner", status: 200}).Body.String()
		for _, m := range stamp.FindAllStringSubmatch(body, -1) {
			if !shape.MatchString(m[1]) {
				t.Errorf("%s: %s", url, m[0])
			}
		}
	}
}

func TestT12T13NothingIsNull(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	l.agent("bot", "")
	l.run(t, []step{
		{name: "vaults", url: "/v1/vaults", as: "stranger", status: 200, has: []string{`{"vaults":[]}`}},
		{name: "agents", url: "/v1/agents", as: "stranger", status: 200, has: []string{`{"agents":[]}`}},
		{name: "secrets", url: v + "/secrets", as: "owner", status: 200, has: []string{`{"secrets":[]}`}},
		{name: "policies", url: v + "/policies", as: "owner", status: 200, has: []string{`{"policies":[]}`}},
		{name: "events", url: "/v1/audit/events?action=x", as: "owner", status: 200, has: []string{`{"events":[],"count":0}`}},
		{name: "an agent's lists", url: "/v1/agents/me", as: "bot", status: 200, has: []string{`"scopes":[]`, `"vault_ids":[]`}},
		{name: "a key's scopes", url: "/v1/auth/api-keys", as: "owner", status: 200, has: []string{`"scopes":[]`}},
		{name: "description", url: v, as: "owner", status: 200, has: []string{`"description":""`}},
	})
	for _, o := range lifecycle(l) {
		s := step{method: o.method, url: o.url(), as: o.as, header: headersOf[o.id]}
		if o.body != nil {
			s.body = o.body()
		}
		a := l.send(s)
		// The first event of a chain follows none, and U3 says how that is written.
		if strings.Contains(strings.ReplaceAll(a.Body.String(), `"prev_event_id":null`, ""), ":null") {
			t.Errorf("%s answers null: %s", o.id, a.Body)
		}
		if o.after != nil {
			o.after(a)
		}
	}
}

func TestT14AliasesAndWhatIsNotKnown(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	bot := l.agent("bot", "")
	const config = `{"strictness":9007199254740993,"detect_unicode":true,"sanitization_mode":"warn","pii_policy":"maybe","injection_threshold":"high","semantic_policy":{"x":[null]}}`
	l.run(t, []step{
		{name: "secret_type", method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"x","secret_type":"env_bundle","unknown":{"a":[1]}}`, status: 201, has: []string{`"type":"env_bundle"`}},
		{name: "path_pattern", method: post, url: v + "/policies", as: "owner", status: 201, has: []string{`"secret_path_pattern":"a/**"`},
			body: `{"path_pattern":"a/**","principal_type":"agent","principal_id":"` + bot.id + `","permissions":["read"]}`},
		{name: "crypto_proxy_enabled", method: post, url: "/v1/agents", as: "owner", body: `{"name":"x","crypto_proxy_enabled":true}`, status: 201, has: []string{`"intents_api_enabled":true`}},
		{name: "the newer name wins", method: post, url: "/v1/agents", as: "owner", body: `{"name":"x","crypto_proxy_enabled":true,"intents_api_enabled":false}`, status: 201, has: []string{`"intents_api_enabled":false`}},
		{name: "anything in shroud_config", method: post, url: "/v1/agents", as: "owner", body: `{"name":"x","shroud_config":` + config + `}`, status: 201, has: []string{`"shroud_config":` + config}},
		{name: "kept byte for byte", method: patch, url: "/v1/agents/" + bot.id, as: "owner", body: `{"shroud_config":` + config + `}`, status: 200, has: []string{`"shroud_config":` + config}},
		{name: "shown to the agent", url: "/v1/agents/me", as: "bot", status: 200, has: []string{config}},
		{name: "but an object", method: patch, url: "/v1/agents/" + bot.id, as: "owner", body: `{"shroud_config":["` + canary + `"]}`, status: 400, has: []string{`"shroud_config":"must be an object"`}},
		{name: "not too large", method: patch, url: "/v1/agents/" + bot.id, as: "owner", body: `{"shroud_config":{"a":"` + strings.Repeat("x", 70_000) + `"}}`, status: 400, has: []string{"invalid_shroud_config"}},
	})
}

func TestP6OneAddressEverywhere(t *testing.T) {
	l := newLive(t, func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	v := l.vault("owner", "v")
	l.put(v, "a", "x")
	bot := l.agent("bot", "")
	l.grant("owner", v, bot, "**", `["read"]`, `,"conditions":{"ip_allowlist":["203.0.113.7"]}`)
	l.renew("bot", bot)
	for _, tt := range []struct {
		from, forwarded, seen string
		status                int
	}{
		{"10.0.0.1", "203.0.113.7", "203.0.113.7", 200},
		{"10.0.0.1", "203.0.113.7, 203.0.113.8", "203.0.113.8", 403},
		{"198.51.100.1", "203.0.113.7", "198.51.100.1", 403}, // not a proxy of ours
		{"203.0.113.7", "", "203.0.113.7", 200},
	} {
		s := step{name: tt.from + " " + tt.forwarded, url: v + "/secrets/a", as: "bot", from: tt.from, status: tt.status, header: map[string]string{"X-Request-Id": "r-1"}}
		if tt.forwarded != "" {
			s.header["X-Forwarded-For"] = tt.forwarded
		}
		e := l.logged(l.want(s))
		if e.IP != tt.seen || e.Request != "r-1" {
			t.Errorf("%s: logged as %s, request %s", s.name, e.IP, e.Request)
		}
	}
	if !strings.Contains(l.log.String(), `"client":"203.0.113.8"`) {
		t.Error("the access line has another address")
	}
}

func TestP9HealthOfARealModule(t *testing.T) {
	l := newLive(t)
	for l.hsm.State().Status != hsm.StatusOK {
		if t.Context().Err() != nil {
			t.Fatal("the monitor never said ok")
		}
		time.Sleep(time.Millisecond)
	}
	l.run(t, []step{
		{name: "health", url: "/v1/health", status: 200, keys: "status version", has: []string{`"healthy"`}},
		{name: "hsm", url: "/v1/health/hsm", status: 200, keys: "status module is_hsm notes", has: []string{`"status":"ok"`, `"module":"local"`, `"is_hsm":false`}},
		{name: "a bad token changes nothing", url: "/v1/health", as: canary, status: 200},
	})
}

// TestP1OverTheWire: what strict clients do with every answer, over a real
// connection: read it as JSON, and find a length or an end.
func TestP1OverTheWire(t *testing.T) {
	l := newLive(t)
	srv := httptest.NewServer(l)
	defer srv.Close()
	for _, path := range []string{"/v1/vaults", "/v1/agents", "/v1/auth/me", "/v1/nothing", "/v1/vaults/x"} {
		r, err := http.NewRequest(get, srv.URL+path, nil)
		l.ok(err)
		r.Header.Set("Authorization", "Bearer "+l.tokens["owner"])
		resp, err := srv.Client().Do(r)
		l.ok(err)
		body, err := io.ReadAll(resp.Body)
		l.ok(err)
		_ = resp.Body.Close()
		if !json.Valid(body) || resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Set-Cookie") != "" || resp.Header.Get("Server") != "" {
			t.Errorf("%s: %d %v %s", path, resp.StatusCode, resp.Header, body)
		}
	}
}
