package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestS1EveryFormOfAPathIsOnePath(t *testing.T) {
	w := newWorld(t, unlimited)
	for _, tt := range []struct{ url, path string }{
		{"a", "a"},
		{"api-keys/stripe/live", "api-keys/stripe/live"},
		{"api-keys%2Fstripe%2Flive", "api-keys/stripe/live"},
		{"api%2Dkeys/stripe%2flive", "api-keys/stripe/live"},
		{"a%20b/%C3%A9/%25", "a b/é/%"},
		{"a%252Fb", "a%2Fb"}, // once, and once only
		{"a//b", "a//b"},
		{"/a", "/a"},
		{"a/", "a/"},
		{"a/../b", "a/../b"},
		{"a/./b", "a/./b"},
		{"a%00b", "a\x00b"},
		{"versions/1", "versions/1"},
		{"a?x=y", "a"},
		{"a%3Fx", "a?x"},
		{"a;b", "a;b"},
		{"a+b", "a+b"},
	} {
		rec := w.do(scenario{url: "/v1/t/V/things/" + tt.url})
		var got thing
		if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", tt.url, rec.Code, rec.Body)
		}
		if got.Path != tt.path || got.Vault != "V" {
			t.Errorf("%s: %q in %q, want %q", tt.url, got.Path, got.Vault, tt.path)
		}
	}
}

func TestS1AnEmptyPathIsRefused(t *testing.T) {
	run(t, []scenario{
		{name: "empty", url: "/v1/t/V/things/", status: 400, has: []string{`"path":"is required"`}},
		{name: "no slash", url: "/v1/t/V/things", status: 404},
		{name: "a slash in the vault", url: "/v1/t/V%2FW/things/a", status: 404},
		{name: "only a version", url: "/v1/t/V/version/3", status: 400, has: []string{`"path":"is required"`}},
		{name: "no version", url: "/v1/t/V/version/a/b/", status: 400, has: []string{`"version":"is required"`}},
		{name: "trailing parameter", url: "/v1/t/V/version/a/b/3", status: 200, has: []string{`{"vault":"V","path":"a/b","version":3}`}},
		{name: "trailing parameter, escaped", url: "/v1/t/V/version/a%2Fb/3", status: 200, has: []string{`{"vault":"V","path":"a/b","version":3}`}},
		{name: "all escaped", url: "/v1/t/V/version/a%2Fb%2F3", status: 200, has: []string{`{"vault":"V","path":"a/b","version":3}`}},
	})
}

func TestPathsAreNotRedirected(t *testing.T) {
	run(t, []scenario{
		{name: "case", url: "/V1/health", status: 404},
		{name: "trailing slash", url: "/v1/health/", status: 404},
		{name: "double slash", url: "//v1/health", status: 404},
		{name: "dots", url: "/v1/x/../health", status: 404},
	})
}

// FuzzPathForms: whatever a path is, its raw, per-segment and whole escapes
// reach the handler as that path.
func FuzzPathForms(f *testing.F) {
	for _, s := range []string{"a", "a/b", "a//b", "/a", "a/", "..", "%2F", "é/ü", "a b", "\x00", "a\nb", "a?b#c", ";=&"} {
		f.Add(s)
	}
	w := newWorld(f, unlimited)
	reach := func(escaped string) (string, int) {
		u, err := url.ParseRequestURI("/v1/t/V/things/" + escaped)
		if err != nil {
			return "", 0
		}
		r := &http.Request{Method: get, URL: u, Header: http.Header{}, Body: http.NoBody, RemoteAddr: "192.0.2.1:1"}
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		var got thing
		_ = json.Unmarshal(rec.Body.Bytes(), &got)
		return got.Path, rec.Code
	}
	f.Fuzz(func(t *testing.T, path string) {
		want := strings.ToValidUTF8(path, "\uFFFD")
		if path == "" || want != path {
			return // JSON cannot carry it back
		}
		segs := strings.Split(path, "/")
		for i := range segs {
			segs[i] = url.PathEscape(segs[i])
		}
		for _, form := range []string{strings.Join(segs, "/"), url.PathEscape(path)} {
			if got, code := reach(form); code != http.StatusOK || got != want {
				t.Fatalf("%q as %q: %d %q", path, form, code, got)
			}
		}
	})
}

func TestARouteTakesEveryParameterOfItsPath(t *testing.T) {
	w := newWorld(t)
	defer func() {
		if recover() == nil {
			t.Error("a route that ignores {vault} was taken")
		}
	}()
	handle(get, "/v1/t/{vault}/ignored", "ignored", func(context.Context, *struct{ thingInput }) (*none, error) { return nil, nil }, public)(w.Server)
}

func TestAParameterIsNotCutDown(t *testing.T) {
	w := newWorld(t)
	defer func() {
		if recover() == nil {
			t.Error("a route that would cut a number down was taken")
		}
	}()
	type narrow struct {
		N uint32 `path:"n"`
	}
	handle(get, "/v1/t/narrow/{n}", "narrow", func(context.Context, *narrow) (*none, error) { return nil, nil }, public)(w.Server)
}
