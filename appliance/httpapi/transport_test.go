package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"github.com/oneclaw/oneclawd/hsm"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

const putURL = "/v1/t/puts/0190d6f0-0000-7000-8000-000000000001"

func TestT3BodylessRequestsWithContentType(t *testing.T) {
	js := map[string]string{"Content-Type": "application/json"}
	run(t, []scenario{
		{name: "GET", url: "/v1/health", header: js, status: 200},
		{name: "POST without a body to a bodyless route", method: post, url: "/v1/t/none", as: "human", header: js, status: 204},
		{name: "a body nobody asked for is not read", method: post, url: "/v1/t/none", as: "human", header: js, body: "{" + canary, status: 204},
		{name: "an optional body left out", method: post, url: "/v1/t/optional", header: js, status: 200, has: []string{"false"}},
		{name: "an optional body", method: post, url: "/v1/t/optional", header: js, body: `{"length":3}`, status: 200, has: []string{"true"}},
		{name: "a body that is needed", method: put, url: putURL, header: js, status: 400, has: []string{"A JSON body is required"}},
		{name: "another content type", method: put, url: putURL, header: map[string]string{"Content-Type": "text/plain;charset=UTF-8"}, body: `{"value":"v"}`, status: 204},
		{name: "a broken content type", method: put, url: putURL, header: map[string]string{"Content-Type": ";+;"}, body: `{"value":"v"}`, status: 204},
		{name: "no content type", method: put, url: putURL, body: `{"value":"v"}`, status: 204},
		{name: "an Accept we cannot satisfy", url: "/v1/health", header: map[string]string{"Accept": "text/html"}, status: 200,
			want: map[string]string{"Content-Type": "application/json"}},
	})
}

func TestT14UnknownFieldsAndAliases(t *testing.T) {
	policy := func(extra string) string {
		return `{"path_pattern":"a/**","principal_type":"agent","principal_id":"0190d6f0-0000-7000-8000-000000000001","permissions":["read"]` + extra + `}`
	}
	run(t, []scenario{
		{name: "unknown fields", method: put, url: putURL, body: `{"value":"v","x":{"y":[1]},"secret_type":"env_bundle"}`, status: 204},
		{name: "path_pattern", method: post, url: "/v1/t/policy", body: policy(""), status: 201, has: []string{`"pattern":"a/**"`}, lacks: []string{"effect"}},
		{name: "what newer clients always send", method: post, url: "/v1/t/policy",
			body:   policy(`,"policy_schema_version":1,"effect":"allow","priority":0,"attribute_conditions":{},"tx_conditions":[],"consensus_trigger":null`),
			status: 201, has: []string{`{"pattern":"a/**"}`}},
		{name: "what they may not ask for", method: post, url: "/v1/t/policy",
			body:   policy(`,"policy_schema_version":2,"effect":"deny","attribute_conditions":{"a":1},"tx_conditions":[1],"consensus_trigger":true`),
			status: 201, has: []string{`"policy_schema_version":"`, `"effect":"`, `"attribute_conditions":"`, `"tx_conditions":"`, `"consensus_trigger":"`}},
		{name: "anything in shroud_config", method: patch, url: "/v1/t/agent", body: `{"shroud_config":{"strictness":9007199254740993,"sanitization_mode":"warn"}}`,
			status: 200, has: []string{`{"strictness":9007199254740993,"sanitization_mode":"warn"}`}},
	})
}

func TestA7NullIsNotAbsent(t *testing.T) {
	run(t, []scenario{
		{name: "absent", method: patch, url: "/v1/t/agent", body: `{}`, status: 200, has: []string{"{}"}},
		{name: "null clears", method: patch, url: "/v1/t/agent",
			body:   `{"tx_max_value_eth":null,"tx_daily_limit_eth":null,"expires_at":null,"token_ttl_seconds":null,"shroud_config":null}`,
			status: 200, has: []string{`"tx_max_value_eth":null`, `"tx_daily_limit_eth":null`, `"expires_at":null`, `"token_ttl_seconds":null`, `"shroud_config":null`}},
		{name: "values", method: patch, url: "/v1/t/agent",
			body:   `{"tx_max_value_eth":"1.5","expires_at":"2030-01-02T03:04:05+02:00","token_ttl_seconds":300}`,
			status: 200, has: []string{`"tx_max_value_eth":"1.5"`, `"expires_at":"2030-01-02T01:04:05Z"`, `"token_ttl_seconds":300`}},
		{name: "[] clears and null changes nothing", method: patch, url: "/v1/t/agent", body: `{"scopes":[],"vault_ids":null,"name":null}`,
			status: 200, has: []string{`{"scopes":[]}`}},
		{name: "out of int32", method: patch, url: "/v1/t/agent", body: `{"token_ttl_seconds":99999999999}`, status: 400, has: []string{`"fields":{"token_ttl_seconds":"`}},
	})
}

func TestT15BodyLimit(t *testing.T) {
	body := func(n int) string {
		const frame = len(`{"value":""}`)
		return `{"value":"` + strings.Repeat("v", n-frame) + `"}`
	}
	run(t, []scenario{
		{name: "exactly the limit", method: put, url: putURL, body: body(2000), status: 204},
		{name: "one more", method: put, url: putURL, body: body(2001), status: 413, has: []string{`"code":"body_too_large"`}},
	})
}

func TestInvalidRequestsNameFieldAndReason(t *testing.T) {
	run(t, []scenario{
		{name: "missing", method: put, url: putURL, body: `{}`, status: 400,
			has: []string{`"fields":{"value":"is required"}`, `"detail":"Invalid request: value is required"`, `"code":"invalid_request"`}},
		{name: "null where it cannot be", method: put, url: putURL, body: `{"value":null}`, status: 400, has: []string{`"value":"must be a string"`}},
		{name: "query", method: put, url: putURL + "?limit=" + canary, body: `{"value":"v"}`, status: 400, has: []string{`"limit":"must be an integer"`}},
		{name: "range", method: put, url: putURL + "?limit=101", body: `{"value":"v"}`, status: 400, has: []string{`"limit":"must be number`}},
		{name: "path", method: put, url: "/v1/t/puts/" + canary, body: `{"value":"v"}`, status: 400, has: []string{`"id":"must be a UUID"`}},
		{name: "header", method: put, url: putURL, header: map[string]string{"X-Thing": "toolongtoolong"}, body: `{"value":"v"}`, status: 400, has: []string{`"X-Thing":"must be length`}},
		{name: "enum", method: post, url: "/v1/t/policy", body: `{"principal_type":"` + canary + `","principal_id":"x","permissions":[]}`, status: 400,
			has: []string{`"principal_type":"must be one of`, `"principal_id":"must be a UUID"`}},
		{name: "syntax", method: put, url: putURL, body: `{"value":"` + canary, status: 400, has: []string{"is not valid JSON at byte"}},
		{name: "not an object", method: put, url: putURL, body: `"` + canary + `"`, status: 400, has: []string{`"body":"must be an object"`}},
		{name: "null", method: put, url: putURL, body: `null`, status: 400},
		{name: "trailing", method: put, url: putURL, body: `{"value":"v"} ` + canary, status: 400},
		{name: "date without zone", method: patch, url: "/v1/t/agent", body: `{"expires_at":"2030-01-02T03:04:05"}`, status: 400, has: []string{`"expires_at":"must be an RFC 3339`}},
	})
}

// TestNothingSentComesBack puts the canary wherever a client can put text, in
// well-formed and broken ways.
func TestNothingSentComesBack(t *testing.T) {
	fields := []string{"value", "type", "secret_type", "metadata", "expires_at", "rotation_policy", "max_access_count", "unknown", canary}
	values := []string{
		`"` + canary + `"`, `["` + canary + `"]`, `{"` + canary + `":"` + canary + `"}`, `{"a":{"b":["` + canary + `"]}}`,
		canary, `"` + canary, `"\u` + canary + `"`, `"\ud800` + canary + `"`, "\"\xff" + canary + "\"", `1e999` + canary, `-` + canary,
		`{"` + canary + `":1,"` + canary + `":2}`, strings.Repeat("[", 40) + `"` + canary + `"` + strings.Repeat("]", 40),
		`[` + strings.Repeat(`"`+canary+`",`, 3) + `]`,
	}
	var all []scenario
	add := func(s scenario) { s.name = fmt.Sprint(len(all)); all = append(all, s) }
	for _, f := range fields {
		for _, v := range values {
			add(scenario{method: put, url: putURL, body: `{"value":"v","` + f + `":` + v + `}`})
			add(scenario{method: put, url: putURL, body: `{"` + f + `":` + v + `}`})
			add(scenario{method: put, url: putURL, body: `{"` + strings.ToUpper(f) + `":` + v + `,"` + f + `":` + v + `}`})
			add(scenario{method: patch, url: "/v1/t/agent", body: `{"token_ttl_seconds":` + v + `,"vault_ids":` + v + `,"` + f + `":` + v + `}`})
			add(scenario{method: post, url: "/v1/t/policy", body: `{"expires_at":` + v + `,"conditions":` + v + `,"` + f + `":` + v + `}`})
		}
	}
	for _, u := range []string{"/" + canary, "/v1/health/" + canary, "/v1/health?" + canary + "=" + canary, "/v1/t/puts/" + canary, "/v1/t/v/version/a/" + canary,
		putURL + "?limit=" + canary, "/v1/t/authed", "/v1/t/agents-only?token=" + canary} {
		for _, m := range []string{get, put, "OPTIONS", canary} {
			for _, h := range []string{"Authorization", "Content-Type", "Accept", "Origin", "X-Thing", "X-Forwarded-For", "Cookie", "Referer", "User-Agent", "X-Cmek-Old-Key", "X-Payment"} {
				for _, v := range []string{canary, "Bearer " + canary, "Basic " + canary, "https://" + canary} {
					add(scenario{method: m, url: u, header: map[string]string{h: v}, body: `{"value":"v"}`})
				}
			}
		}
	}
	w := newWorld(t, unlimited)
	for _, s := range all {
		rec := w.do(s)
		var out strings.Builder
		_ = rec.Header().Write(&out)
		out.WriteString(rec.Body.String())
		if strings.Contains(s.url, "/v1/t/agent") && rec.Code == http.StatusOK {
			continue // this one answers with what it was sent
		}
		if strings.Contains(out.String(), canary) {
			t.Fatalf("%s %s %v %s\nanswered\n%s", s.method, s.url, s.header, s.body, out.String())
		}
		if rec.Code >= 500 {
			t.Fatalf("%s %s %v %s: %d %s", s.method, s.url, s.header, s.body, rec.Code, rec.Body)
		}
		if rec.Code >= 400 && !json.Valid(rec.Body.Bytes()) {
			t.Fatalf("not JSON: %s", rec.Body)
		}
	}
	if strings.Contains(w.log.String(), canary) {
		t.Error("the canary is in the log")
	}
	t.Logf("%d requests", len(all))
}

func TestT5SuccessWithoutABodyIs204(t *testing.T) {
	run(t, []scenario{{name: "204", url: "/v1/t/empty", status: 204}})
}

func TestP9Health(t *testing.T) {
	w := newWorld(t)
	w.check(t, scenario{url: "/v1/health", status: 200, has: []string{`{"status":"healthy","version":"1.2.3"}`}})
	w.check(t, scenario{url: "/v1/health/hsm", status: 200, has: []string{`"status":"ok"`, `"module":"pkcs11"`, `"is_hsm":true`, `"notes":[]`}})
	w.module.status = hsm.StatusUnavailable
	w.check(t, scenario{url: "/v1/health", status: 200, has: []string{`"status":"degraded"`}})
	w.check(t, scenario{url: "/v1/health/hsm", status: 200, has: []string{`"status":"unavailable"`}})
}

func TestP7HeadersOfEveryAnswer(t *testing.T) {
	common := map[string]string{
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Strict-Transport-Security": "",
		"X-Request-Id": "abc-1.2_X", "Access-Control-Allow-Origin": "",
	}
	rid := map[string]string{"X-Request-Id": "abc-1.2_X"}
	run(t, []scenario{
		{name: "success", url: "/v1/health", header: rid, status: 200, want: common},
		{name: "refusal", url: "/v1/t/authed", header: rid, status: 401, want: common},
		{name: "no route", url: "/nowhere", header: rid, status: 404, want: common},
		{name: "panic", url: "/v1/t/fault/panic", as: "human", header: rid, status: 500, want: common},
	})
	w := newWorld(t)
	for _, bad := range []string{"", "a b", "a\"b", strings.Repeat("x", 129), "é"} {
		if got := w.do(scenario{url: "/v1/health", header: map[string]string{"X-Request-Id": bad}}).Header().Get("X-Request-Id"); got == bad || len(got) != 36 {
			t.Errorf("request id %q became %q", bad, got)
		}
	}
}

func TestP7CORSIsOurOwnOriginOnly(t *testing.T) {
	ask := func(origin string) map[string]string {
		return map[string]string{"Origin": origin, "Access-Control-Request-Method": "PUT"}
	}
	more := func(c *Config) { c.Origins = []string{"https://other.example:8443/app"} }
	run(t, []scenario{
		{name: "own", url: "/v1/health", header: map[string]string{"Origin": "https://vault.example"}, status: 200,
			want: map[string]string{"Access-Control-Allow-Origin": "https://vault.example", "Vary": "Origin"}},
		{name: "configured", url: "/v1/health", header: map[string]string{"Origin": "https://other.example:8443"}, status: 200,
			want: map[string]string{"Access-Control-Allow-Origin": "https://other.example:8443"}},
		{name: "foreign", url: "/v1/health", header: map[string]string{"Origin": "https://evil.example"}, status: 200,
			want: map[string]string{"Access-Control-Allow-Origin": "", "Vary": "Origin"}},
		{name: "null", url: "/v1/health", header: map[string]string{"Origin": "null"}, status: 200, want: map[string]string{"Access-Control-Allow-Origin": ""}},
		{name: "preflight", method: "OPTIONS", url: putURL, header: ask("https://vault.example"), status: 204,
			want: map[string]string{"Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE", "Access-Control-Allow-Credentials": ""}},
		{name: "foreign preflight", method: "OPTIONS", url: putURL, header: ask("https://evil.example"), status: 204,
			want: map[string]string{"Access-Control-Allow-Methods": "", "Access-Control-Allow-Origin": ""}},
		{name: "not a preflight", method: "OPTIONS", url: putURL, status: 405},
	}, more)
}

// TestOverTheWire: what a recorder cannot show, with a real connection.
func TestOverTheWire(t *testing.T) {
	w := newWorld(t, unlimited)
	srv := httptest.NewServer(w)
	defer srv.Close()
	send := func(method, path string, body io.Reader) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, srv.URL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b)
	}
	chunked := func(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) }
	for _, tt := range []struct {
		method, path string
		body         io.Reader
		status       int
		has          string
	}{
		{get, "/v1/t/V/things/a%2Fb%252Fc", nil, 200, `"path":"a/b%2Fc"`},
		{put, putURL, chunked(`{"value":"v"}`), 204, ""},
		{put, putURL, chunked(`{"value":"` + strings.Repeat("v", 100_000) + `"}`), 413, "body_too_large"},
		{put, putURL, strings.NewReader(`{"value":"` + strings.Repeat("v", 100_000) + `"}`), 413, "body_too_large"},
		{get, "/v1/nowhere", nil, 404, "No such route"},
	} {
		if code, body := send(tt.method, tt.path, tt.body); code != tt.status || !strings.Contains(body, tt.has) {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, code, body)
		}
	}
}

// TestABodyThatBreaksOff is the client's fault, not ours.
func TestABodyThatBreaksOff(t *testing.T) {
	w := newWorld(t, unlimited)
	r := httptest.NewRequest(put, putURL, iotest.ErrReader(errors.New(canary)))
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	if rec.Code != 400 || strings.Contains(rec.Body.String(), canary) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}
