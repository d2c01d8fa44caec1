package use

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
)

func TestParseTemplate(t *testing.T) {
	v := id.New().String()
	for text, refs := range map[string]int{
		"":                              0,
		"plain":                         0,
		"{{name}} {secret:a} {{{{":      0,
		"{{secretary: x}}":              0,
		"{{secret:a}}":                  1,
		"{{secret:a}}{{secret:a}}":      1,
		"x{{secret:a/b}}y{{secret:c}}z": 2,
		"{{secret://" + v + "/a/b}}":    1,
		"{{{secret:a}}}":                1,
		"{{{ secret:a}}":                -1,
		"{{secret:":                     -1,
		"{{secret:}}":                   -1,
		"{{secret:/a}}":                 -1,
		"{{secret:a/../b}}":             -1,
		"{{secret:a }}":                 -1,
		"{{ secret:a}}":                 -1,
		"{{Secret:a}}":                  -1,
		"{{secret :a}}":                 -1,
		"{{secret://a}}":                -1,
		"{{secret://not-an-id/a}}":      -1,
		"{{secret://" + v + "}}":        -1,
		"{{secret:{{secret:a}}}}":       -1,
	} {
		got, err := ParseTemplate(text)
		switch {
		case refs < 0:
			if !errors.Is(err, ErrPlaceholder) {
				t.Errorf("%q: %v", text, err)
			}
		case err != nil || got.String() != text || len(got.refs(nil)) != refs:
			t.Errorf("%q: %v, %q with %v", text, err, got, got.refs(nil))
		}
	}
}

// What is in a value is not read again.
func TestFill(t *testing.T) {
	tpl, err := ParseTemplate("a{{secret:x}}b{{secret:y}}c")
	if err != nil {
		t.Fatal(err)
	}
	values := map[Ref][]byte{}
	for i, r := range tpl.refs(nil) {
		values[r] = []byte([]string{"{{secret:y}}", `"`}[i])
	}
	for content, want := range map[string]string{
		"":                                  `a{{secret:y}}b"c`,
		"application/json":                  `a{{secret:y}}b\"c`,
		"application/problem+json":          `a{{secret:y}}b\"c`,
		"application/x-www-form-urlencoded": `a%7B%7Bsecret%3Ay%7D%7Db%22c`,
	} {
		if got := string(tpl.fill(values, encodingOf(content))); got != want {
			t.Errorf("%s: %s, want %s", content, got, want)
		}
	}
}

// A user and a password have a placeholder in them that their encoding hides.
func TestBasicPlaceholder(t *testing.T) {
	encoded := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:{{secret:a}}"))
	r, err := read(Call{Method: "GET", Header: map[string]string{"Authorization": encoded}})
	if err != nil || len(r.refs()) != 1 || !HasPlaceholder("authorization", encoded) || HasPlaceholder("x-other", encoded) {
		t.Fatalf("%+v, %v", r.header, err)
	}
	if err := r.aim("https://a.b/"); err != nil {
		t.Fatal(err)
	}
	out, err := r.with(map[Ref][]byte{r.refs()[0]: []byte("pässword")})
	if got := string(out.Header[0].Value.Reveal()); err != nil || got != "Basic "+base64.StdEncoding.EncodeToString([]byte("me:pässword")) {
		t.Errorf("%s %v", got, err)
	}
	if _, err := r.with(map[Ref][]byte{r.refs()[0]: []byte("two\nlines")}); !errors.Is(err, ErrControl) {
		t.Errorf("%v", err)
	}
	for _, plain := range []string{"Basic " + base64.StdEncoding.EncodeToString([]byte("me:word")), "Basic ???", "Basic"} {
		if HasPlaceholder("authorization", plain) {
			t.Error(plain)
		}
	}
	odd := "basic " + base64.StdEncoding.EncodeToString([]byte("me:{{ secret:a}}"))
	if _, err := read(Call{Method: "GET", Header: map[string]string{"authorization": odd}}); !errors.Is(err, ErrPlaceholder) {
		t.Errorf("%v", err)
	}
}

// Whatever is read is written as it was, and names no secret that was not named.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{strings.Repeat("{{", 5000), strings.Repeat("{{ secret ", 2000), "{{{ secret:a}}", "{{secret:a/b}}", "{{secret://01a225a0-6513-7019-81b6-7dd786de3ca2/a}}", "{{ secret:", "{{{{secret:a}}}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tpl, err := ParseTemplate(s)
		if err != nil {
			return
		}
		refs := tpl.refs(nil)
		if len(refs) > strings.Count(s, begin) || len(refs) == 0 && strings.Contains(s, begin) {
			t.Fatalf("%q names %v", s, refs)
		}
		again, err := ParseTemplate(tpl.String())
		if err != nil || again.String() != tpl.String() {
			t.Fatalf("%q becomes %q: %v", s, tpl, err)
		}
		if len(refs) == 0 && tpl.String() != s {
			t.Fatalf("%q becomes %q", s, tpl)
		}
	})
}

func TestHosts(t *testing.T) {
	for _, c := range []struct {
		entry, url string
		may        bool
	}{
		{"api.example.com", "https://api.example.com/x", true},
		{"api.example.com", "https://API.Example.com.", true},
		{"API.example.com", "https://api.example.com:443/", true},
		{"api.example.com", "http://api.example.com/", false},
		{"api.example.com", "https://api.example.com:8443/", false},
		{"api.example.com:8443", "https://api.example.com:8443/", true},
		{"http://api.example.com", "http://api.example.com/", true},
		{"http://api.example.com", "https://api.example.com/", false},
		{"*.example.com", "https://api.example.com/", true},
		{"*.example.com", "https://a.b.example.com/", true},
		{"*.example.com", "https://example.com/", false},
		{"*.example.com", "https://evilexample.com/", false},
		{"example.com", "https://example.com.evil.org/", false},
		{"127.0.0.1", "https://[::ffff:127.0.0.1]/", true}, // egress says no
		{"[2001:db8::1]:8443", "https://[2001:DB8:0::1]:8443/", true},
	} {
		hosts, err := ParseHosts([]string{c.entry})
		if err != nil {
			t.Errorf("%s: %v", c.entry, err)
			continue
		}
		_, o, err := parseURL(c.url)
		if err != nil || hosts.Allow(o) != c.may {
			t.Errorf("%s to %s: %v %v", c.entry, c.url, hosts.Allow(o), err)
		}
	}
	for _, bad := range []string{"", "*", "*.com", "*.10.0.0.1", "a b", "a/b", "a?b", "ftp://a.b", "https://a@b.c", "*.*.example.com", "0x7f.1", "exämple.com", "a.b:0", "a.b:99999"} {
		if _, err := ParseHosts([]string{bad}); !errors.Is(err, ErrHosts) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for meta, want := range map[string]error{
		``: ErrNoHosts, `{}`: ErrNoHosts, `{"allowed_hosts":[]}`: ErrNoHosts, `{"Allowed_Hosts":["a.b"]}`: ErrNoHosts,
		`{"allowed_hosts":"a.b"}`: ErrHosts, `{"allowed_hosts":["*"]}`: ErrHosts, `{"allowed_hosts":["a.b"]}`: nil,
	} {
		if _, err := hostsOf([]byte(meta)); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: %v", meta, err)
		}
	}
}

func TestParseURL(t *testing.T) {
	for _, bad := range []string{
		"", "/a", "//a.b", "ftp://a.b/", "https://", "https://u@a.b/", "https://u:p@a.b/", "https://a.b/#f", "https://a b/", "https://a.b/\r\nX: 1",
		"https://a.b\\@c.d/", "https://127.1/", "https://2130706433/", "https://0x7f.0.0.1/", "https://[fe80::1%25eth0]/", "https://a..b/", "https://ü.de/", "https:a.b",
	} {
		if _, o, err := parseURL(bad); err == nil {
			t.Errorf("%q is %s", bad, o)
		}
	}
}

func TestBindingPermits(t *testing.T) {
	b := Binding{
		Name: "b", BaseURL: "https://api.example.com/v1/", Auth: Auth{Type: Bearer}, Hosts: []string{"up.example.com"},
		Methods: []string{"GET"}, Paths: []string{"/v1/things/*", "/v1/one", "/x"}, Active: true,
	}
	if err := b.check(); err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]error{
		"/things/1":                           nil,
		"things/1?a=b":                        nil,
		"https://api.example.com/v1/one":      nil,
		"https://up.example.com/x":            nil,
		"":                                    ErrForbids,
		"/other":                              ErrForbids,
		"/things/../other":                    ErrForbids,
		"/things/%2e%2e/other":                ErrForbids,
		"/things/%252e%252e/other":            ErrForbids,
		"/things/..%2fother":                  ErrForbids,
		"/things//other":                      ErrForbids,
		"https://api.example.com/v1x/one":     ErrForbids,
		"https://api.example.com/x":           ErrForbids, // not below the base URL
		"http://api.example.com/v1/one":       ErrForbids,
		"https://evil.example.com/v1/one":     ErrForbids,
		"https://api.example.com.evil/v1/one": ErrForbids,
		".evil.example/v1":                    ErrForbids,
		"@evil.example/v1":                    ErrForbids,
	} {
		r := request{method: "GET"}
		err := r.aim(b.resolve(to))
		if err == nil {
			err = b.permits(r)
		}
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%q: %v", to, err)
		}
	}
	r := request{method: "POST"}
	if _ = r.aim(b.resolve("/one")); !errors.Is(b.permits(r), ErrForbids) {
		t.Error("another method")
	}
	r.method, b.Active = "GET", false
	if !errors.Is(b.permits(r), ErrInactive) {
		t.Error("switched off")
	}
	b.Active, r.header = true, []field{{name: "authorization"}}
	if !errors.Is(b.permits(r), ErrHeader) {
		t.Error("the agent's own credential in its place")
	}
}

func TestAuthApply(t *testing.T) {
	for _, c := range []struct {
		auth             Auth
		url, name, value string
	}{
		{Auth{Type: Bearer}, "https://a.b/?x=1", "authorization", "Bearer k&1"},
		{Auth{Type: Basic, User: "u"}, "https://a.b/?x=1", "authorization", "Basic dTprJjE="},
		{Auth{Type: Basic}, "https://a.b/?x=1", "authorization", "Basic ayYx"},
		{Auth{Type: InHeader, Name: "X-Key", Prefix: "Token "}, "https://a.b/?x=1", "x-key", "Token k&1"},
		{Auth{Type: InQuery, Name: "k"}, "https://a.b/?x=1&k=k%261", "", ""},
	} {
		out := Outgoing{URL: plain.FromString("https://a.b/?x=1")}
		if err := c.auth.apply(&out, []byte("k&1")); err != nil {
			t.Fatal(err)
		}
		if got := string(out.URL.Reveal()); got != c.url {
			t.Errorf("%v: %s", c.auth, got)
		}
		if c.name == "" {
			continue
		}
		if h := out.Header[0]; h.Name != c.name || string(h.Value.Reveal()) != c.value {
			t.Errorf("%v: %s %s", c.auth, h.Name, h.Value.Reveal())
		}
		if err := c.auth.apply(&out, []byte("k\r\nX: 1")); !errors.Is(err, ErrControl) {
			t.Errorf("%v with a line break: %v", c.auth, err)
		}
	}
	u, _ := url.Parse("https://a.b/c;d")
	if plainPath(u) {
		t.Error("a path with parameters")
	}
}

// TestManyPlaceholders: as many secrets as a body has room for are refused, and counted no
// further than that takes.
func TestManyPlaceholders(t *testing.T) {
	var body strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&body, "{{secret:a/%d}}", i)
	}
	tpl, err := ParseTemplate(body.String())
	if err != nil || len(tpl.refs(nil)) != maxRefs+1 {
		t.Fatalf("%d secrets, %v", len(tpl.refs(nil)), err)
	}
	if _, err := read(Call{Method: "POST", Body: body.String()}); err == nil {
		t.Error("a body with 4000 secrets was read")
	}
}
