package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/client/attested"
)

// TestNothingForStrangers: with an appraisal policy no credential goes to what shows no
// evidence, even where a CA would vouch for it, and none in the clear.
func TestNothingForStrangers(t *testing.T) {
	var told atomic.Int32
	stranger := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			told.Add(1)
		}
		_, _ = fmt.Fprint(w, `{"attested": false, "reason": "no such machine"}`)
	}))
	defer stranger.Close()
	policy := filepath.Join(t.TempDir(), "policy.toml")
	text := "format = 1\nproducts = [\"Milan\"]\nmeasurements = [\"" + strings.Repeat("1a", 48) + "\"]\nvmpl = 0\n[tcb]\nbootloader = 4\ntee = 0\nsnp = 22\nmicrocode = 213\n[revocation]\nunchecked = true\n"
	if err := os.WriteFile(policy, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("ONECLAW_API_KEY", "1ck_canary")
	c := &cli{apiURL: stranger.URL, policy: policy, config: &config{}}
	remote, err := c.open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = remote.ListVaults(t.Context()); !errors.Is(err, attested.ErrRefused) || exitCode(err) != codeUnreachable {
		t.Errorf("a stranger was taken: %v", err)
	}
	if !strings.Contains(message(err), "nothing was sent") || strings.Contains(message(err), "canary") {
		t.Errorf("it is said as %q", message(err))
	}
	if told.Load() != 0 {
		t.Error("the stranger was sent the credential")
	}
	c.apiURL = "http://127.0.0.1:1"
	if _, err := c.open(); err == nil {
		t.Error("an address without TLS is taken with a policy")
	}
	c.ca = "ca.pem"
	if _, err := c.open(); exitCode(err) != codeUsage {
		t.Errorf("a CA beside a policy: %v", err)
	}
}
