package httpapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestS1AllSpellingsOfAPathAreOneSecret(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	forms := []string{
		"api-keys/stripe_live/v2",
		"api-keys%2Fstripe_live%2Fv2",
		"api-keys%2fstripe_live/v2",
		"api%2Dkeys/stripe%5Flive/v%32",
		"%61pi-keys/stripe_live/v2",
	}
	for n, form := range forms {
		a := l.want(step{name: "write " + form, method: put, url: v + "/secrets/" + form, as: "owner", body: `{"value":"` + canary + `"}`, status: 201,
			has: []string{`"path":"api-keys/stripe_live/v2"`}})
		if a.value("version") != float64(n+1) {
			t.Errorf("%s is another secret: %s", form, a.Body)
		}
		for _, other := range forms {
			l.want(step{name: "read " + other, url: v + "/secrets/" + other, as: "owner", status: 200, reveals: true, has: []string{`"path":"api-keys/stripe_live/v2"`}})
		}
	}
	l.want(step{name: "there is one", url: v + "/secrets", as: "owner", status: 200, keys: "secrets", lacks: []string{"},{"}})
	for _, form := range forms {
		l.want(step{name: "delete " + form, method: remove, url: v + "/secrets/" + form, as: "owner", status: 204})
		l.put(v, forms[0], "x")
	}
}

// crooked are spellings that are no path at all.
var crooked = []string{
	".", "..", "a/..", "../a", "a/../b", "a/./b", "./a", "a//b", "/a", "a/", "a/b/", "%2Fa", "a%2F", "a%2F%2Fb",
	"%2e%2e", "%2e%2e%2fa", "a%2F..%2Fb", "..%2F..%2Fetc%2Fpasswd", "%252e%252e", "a%252Fb", "%25", "a%25b",
	"a%00b", "%00", "a%0Ab", "a%0D%0Ab", "a%20b", "%20a", "a+b", "a.b", "a.env", ".env", "a:b", "a;b", "a%3Fb", "a%23b", "a*b", "**", "*",
	"a%5Cb", "..%5Ca", "%C3%A9", "a%E2%80%8Bb", "%EF%BC%8E%EF%BC%8E", "%FF", "a%c0%afb", "-a", "a-", "_a", "a_", "a~b", "a@b", "a=b", "a&b", "a'b", "a%22b", "%3Cscript%3E",
	"a%7Fb", "a%7Bb", "$a", "a%E2%81%84b", "%E2%80%AEa",
}

func TestS2WhatIsNoPathIsRefusedEverywhere(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	l.put(v, "a", canary)
	l.put(v, "b", canary)
	before := l.want(step{url: v + "/secrets", as: "owner", status: 200}).Body.String()
	long := strings.Repeat("a", 513)
	for _, path := range append(crooked, long, long+"%2Fb") {
		for _, s := range []step{
			{method: get, url: v + "/secrets/" + path},
			{method: put, url: v + "/secrets/" + path, body: `{"value":"x"}`},
			{method: remove, url: v + "/secrets/" + path},
			{method: get, url: v + "/secret-versions/" + path},
			{method: get, url: v + "/secret-version/" + path + "/1"},
			{method: post, url: v + "/secret-version-disable/" + path + "/1"},
			{method: post, url: v + "/secret-rotate/" + path},
		} {
			s.name, s.as, s.status, s.event = s.method+" "+path, "owner", 400, "none"
			l.want(s)
		}
	}
	l.want(step{name: "the longest", method: put, url: v + "/secrets/" + long[:512], as: "owner", body: `{"value":"x"}`, status: 201})
	l.want(step{method: remove, url: v + "/secrets/" + long[:512], as: "owner", status: 204})
	if after := l.want(step{url: v + "/secrets", as: "owner", status: 200}).Body.String(); after != before {
		t.Errorf("something was touched: %s", after)
	}
	l.run(t, []step{
		{name: "nothing", url: v + "/secrets/", as: "owner", status: 400},
		{name: "case is another path", url: v + "/secrets/A", as: "owner", status: 404},
		{name: "case of the route", url: strings.Replace(v, "vaults", "Vaults", 1) + "/secrets/a", as: "owner", status: 404},
		{name: "upper-case id", url: "/v1/vaults/" + strings.ToUpper(strings.TrimPrefix(v, "/v1/vaults/")) + "/secrets/a", as: "owner", status: 200, reveals: true},
	})
}

// TestS2APolicyIsNotPassedByASpelling: what may not be read under its name may
// not be read under any other.
func TestS2APolicyIsNotPassedByASpelling(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	l.put(v, "public/a", "x")
	l.put(v, "private/a", canary)
	bot := l.agent("bot", "")
	l.grant("owner", v, bot, "public/**", `["read"]`, "")
	l.renew("bot", bot)
	for _, path := range []string{
		"private/a", "private%2Fa", "%70rivate/a", "public/../private/a", "public%2F..%2Fprivate%2Fa", "public/..%2Fprivate/a",
		"public/%2e%2e/private/a", "public%252F..%252Fprivate/a", "public//private/a", "Private/a", "public/a/../../private/a", "public/a%00/../private/a",
	} {
		a := l.send(step{url: v + "/secrets/" + path, as: "bot"})
		if a.Code != 400 && a.Code != 403 {
			t.Errorf("%s: %d", path, a.Code)
		}
		if strings.Contains(a.Body.String(), canary) {
			t.Errorf("%s opens it", path)
		}
	}
	l.want(step{url: v + "/secrets/public%2Fa", as: "bot", status: 200})
}

// TestS1OverTheWire asks a real connection, whose server could clean or
// redirect before the API sees the path.
func TestS1OverTheWire(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	l.put(v, "a/b", canary)
	srv := httptest.NewServer(l)
	defer srv.Close()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for path, status := range map[string]int{"a/b": 200, "a%2Fb": 200, "a//b": 400, "a/../a/b": 400, "a/b/": 400, "%2e/a/b": 400, "a%252Fb": 400} {
		r, err := http.NewRequest(get, srv.URL+v+"/secrets/"+path, nil)
		l.ok(err)
		r.Header.Set("Authorization", "Bearer "+l.tokens["owner"])
		resp, err := client.Do(r)
		l.ok(err)
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != status || strings.Contains(string(body), canary) != (status == 200) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
}
