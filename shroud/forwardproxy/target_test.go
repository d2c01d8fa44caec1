package forwardproxy

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/id"
)

func TestParseTarget(t *testing.T) {
	for target, want := range map[string]string{
		"api.example.com:443":   "https://api.example.com",
		"API.Example.com.:8443": "https://api.example.com:8443",
		"localhost:443":         "https://localhost",
	} {
		if o, err := ParseTarget(target); err != nil || o.String() != want {
			t.Errorf("%q: %s %v", target, o, err)
		}
	}
	for target, want := range map[string]error{
		"10.0.0.1:443": errAddress, "[::1]:443": errAddress, "169.254.169.254:80": errAddress, "[::ffff:10.0.0.1]:443": errAddress,
		"": errTarget, "a.example": errTarget, ":443": errTarget, "a.example:": errTarget, "a.example:0": errTarget, "a.example:65536": errTarget,
		"a.example:https": errTarget, "a.example:443/x": errTarget, "u@a.example:443": errTarget, "a.example:443?x": errTarget, "/a": errTarget,
		"0x7f.1:443": errTarget, "2130706433:443": errTarget, "127.1:443": errTarget, "a..b:443": errTarget, "a b:443": errTarget, "ü.example:443": errTarget,
		"a.example:443#": errTarget, "*.example.com:443": errTarget, "a.example:443:443": errTarget, "a%2eexample:443": errTarget,
	} {
		if o, err := ParseTarget(target); !errors.Is(err, want) {
			t.Errorf("%q: %s %v", target, o, err)
		}
	}
}

func TestParseCredentials(t *testing.T) {
	agent := id.New()
	basic := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, v := range []string{"Basic " + basic(agent.String()+":ocv_k"), "bAsIc  " + basic(agent.String()+":ocv_k") + " "} {
		if c, err := ParseCredentials(http.Header{"Proxy-Authorization": {v}}); err != nil || c.Agent != agent || c.Key != "ocv_k" || c.Token != "" {
			t.Errorf("%q: %+v %v", v, c, err)
		}
	}
	if c, err := ParseCredentials(http.Header{"Proxy-Authorization": {"Bearer a.b.c"}}); err != nil || c.Token != "a.b.c" || c.Key != "" {
		t.Errorf("%+v %v", c, err)
	}
	good := "Basic " + basic(agent.String()+":ocv_k")
	for name, v := range map[string][]string{
		"none": nil, "two": {good, good}, "empty": {""}, "a scheme alone": {"Basic"}, "no base64": {"Basic !"}, "no key": {"Basic " + basic(agent.String()+":")},
		"no agent": {"Basic " + basic("me:ocv_k")}, "two colons": {"Basic " + basic(agent.String()+":a:b")}, "another scheme": {"Digest a"},
		"no token": {"Bearer "}, "two tokens": {"Bearer a b"},
	} {
		if c, err := ParseCredentials(http.Header{"Proxy-Authorization": v}); !errors.Is(err, errCredentials) {
			t.Errorf("%s: %+v %v", name, c, err)
		}
	}
}

// Whatever is taken for a target has one spelling, and no address in it.
func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"a.example:443", "[::1]:443", "A.b.:1", "0x7f.1:443", "u@a:1", "a:443#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := ParseTarget(s)
		if err != nil {
			return
		}
		again, err := ParseTarget(strings.TrimPrefix(o.String(), "https://") + map[bool]string{true: ":443"}[o.Port == 443])
		if err != nil || again != o || o.Scheme != "https" || strings.ContainsAny(o.Host, ":/@[]% ") {
			t.Fatalf("%q is %+v, and that %+v %v", s, o, again, err)
		}
	})
}

// Whatever is taken for credentials is whole: an agent and a key, or a token.
func FuzzParseCredentials(f *testing.F) {
	for _, s := range []string{"Bearer x", "Basic " + base64.StdEncoding.EncodeToString([]byte(id.New().String()+":k")), "basic", "Basic ="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCredentials(http.Header{"Proxy-Authorization": {s}})
		if err == nil && (c.Token == "") == (c.Key == "" || c.Agent.IsZero()) {
			t.Fatalf("%q is %+v", s, c)
		}
	})
}
