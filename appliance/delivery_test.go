package appliance

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/egress"
)

func TestSettingsOfMailAndEgress(t *testing.T) {
	const host = "mail.host=mail.example.com mail.from=noreply@example.com"
	for _, c := range []struct{ settings, wrong string }{
		{"", ""},
		{"mail.tls=x mail.port=-1", ""}, // no mail server, nothing to send
		{host, ""},
		{host + " mail.port=2525 mail.tls=tls mail.username=u mail.password_file=/p", ""},
		{"mail.host=mail.example.com", "mail.from"},
		{"mail.host=mail.example.com mail.from=nobody", "mail.from"},
		{"mail.host=mail.example.com:25 mail.from=noreply@example.com", "mail.host"},
		{host + " mail.port=70000", "mail.port"},
		{host + " mail.tls=ssl", "mail.tls"},
		{host + " mail.tls=none", "mail.tls"},
		{"mail.host=127.0.0.1 mail.from=noreply@example.com mail.tls=none", ""},
		{"mail.host=::1 mail.from=noreply@example.com mail.tls=none", ""},
		{host + " mail.password_file=/p", "mail.username"},
		{host + " mail.timeout=10ms", "mail.timeout"},
		{host + " mail.timeout=1h", "mail.timeout"},
		{"egress.allow=10.0.0.0/8,idp.internal,192.0.2.1:8443,[::1]:25", ""},
		{"egress.allow=10.0.0.0/99", "egress.allow"},
		{"egress.allow=https://idp.internal", "egress.allow"},
		{"egress.allow=idp.internal:0", "egress.allow"},
	} {
		cfg := checked(t, c.settings, c.wrong)
		if _, err := cfg.Egress.waysOut(never); c.wrong == "" && err != nil {
			t.Errorf("%s: %v", c.settings, err)
		}
	}
}

// A password that others may read is refused at the start.
func TestMailPassword(t *testing.T) {
	cfg := Defaults()
	if s, err := cfg.mailSender(never); s != nil || err != nil {
		t.Fatalf("no mail server: %v, %v", s, err)
	}
	cfg.Mail.Host, cfg.Mail.From, cfg.Mail.Username = "127.0.0.1", "noreply@example.com", "u"
	cfg.Mail.PasswordFile = filepath.Join(t.TempDir(), "password")
	if _, err := cfg.mailSender(never); err == nil || !strings.Contains(err.Error(), "mail.password_file") {
		t.Error(err)
	}
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o644: false} {
		if err := os.WriteFile(cfg.Mail.PasswordFile, []byte("canary"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(cfg.Mail.PasswordFile, mode); err != nil {
			t.Fatal(err)
		}
		if s, err := cfg.mailSender(never); (err == nil && s != nil) != ok || err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

// Whether private networks may be reached is asked each time.
func TestWaysOutFollowTheSetting(t *testing.T) {
	var private atomic.Bool
	w, err := EgressConfig{}.waysOut(func(context.Context) bool { return private.Load() }, "named.internal:443")
	if err != nil {
		t.Fatal(err)
	}
	p := w.poster(egress.ClientOptions{})
	for _, allowed := range []bool{false, true, false} {
		private.Store(allowed)
		if err := p.CheckURL(t.Context(), "https://10.0.0.1/"); (err == nil) != allowed {
			t.Errorf("private networks allowed %v: %v", allowed, err)
		}
		for _, never := range []string{"https://127.0.0.1/", "https://169.254.169.254/"} {
			if err := p.CheckURL(t.Context(), never); !errors.Is(err, egress.ErrForbidden) {
				t.Errorf("%s: %v", never, err)
			}
		}
	}
}

// What one part of the configuration names is for that part: a webhook does not
// get to the mail server or an identity provider.
func TestOnePolicyEachTheirOwnPlaces(t *testing.T) {
	seen := httptest.NewServer(http.NotFoundHandler())
	defer seen.Close()
	addr := seen.Listener.Addr().String()
	for _, c := range []struct {
		name           string
		policy         EgressConfig
		named, unnamed bool
	}{
		{"nothing allowed", EgressConfig{}, true, false},
		{"nothing but what is allowed", EgressConfig{OnlyAllowed: true}, true, false},
		{"this machine", EgressConfig{AllowLoopback: true}, true, true},
		{"this machine, but only what is allowed", EgressConfig{AllowLoopback: true, OnlyAllowed: true}, true, false},
		{"allowed by name", EgressConfig{Allow: []string{addr}, OnlyAllowed: true}, true, true},
	} {
		for _, named := range []bool{true, false} {
			var names []string
			if named {
				names = []string{addr}
			}
			w, err := c.policy.waysOut(never, names...)
			if err != nil {
				t.Fatal(err)
			}
			want := map[bool]bool{true: c.named, false: c.unnamed}[named]
			conn, err := w.dialContext(t.Context(), "tcp", addr)
			if (err == nil) != want {
				t.Errorf("%s, named %v: dialled %v", c.name, named, err)
			}
			hangUp(conn)
			resp, err := w.client(egress.ClientOptions{}).Get(seen.URL)
			if (err == nil) != want {
				t.Errorf("%s, named %v: asked %v", c.name, named, err)
			} else if err == nil {
				_ = resp.Body.Close()
			}
		}
	}
}

func hangUp(c net.Conn) {
	if c != nil {
		_ = c.Close()
	}
}
