package appliance

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"

	"github.com/oneclaw/oneclawd/vault/identity"
)

func TestSettingsOfTLSAndOIDC(t *testing.T) {
	for _, c := range []struct{ settings, wrong string }{
		{"", ""},
		{"tls.local_ca=true", ""},
		{"tls.cert_file=a tls.key_file=b", ""},
		{"tls.cert_file=a", "tls.cert_file"},
		{"tls.key_file=a", "tls.cert_file"},
		{"tls.cert_file=a tls.key_file=b tls.local_ca=true", "tls.local_ca"},
		{"tls.names=a.example.com,10.0.0.1,*.b.example.com,::1", ""},
		{"tls.names=a_b", "tls.names"},
		{"tls.names=a..b", "tls.names"},
		{"tls.names=https://a", "tls.names"},
		{"oidc.issuers=https://idp.example.com,https://idp.example.com/realm", ""},
		{"oidc.issuers=http://127.0.0.1:9000", ""},
		{"oidc.issuers=http://idp.example.com", "oidc.issuers"},
		{"oidc.issuers=idp.example.com", "oidc.issuers"},
		{"oidc.issuers=https://i oidc.key_files=https://i=/etc/jwks", ""},
		{"oidc.issuers=https://i oidc.key_files=https://j=/etc/jwks", "oidc.key_files"},
		{"oidc.issuers=https://i oidc.key_files=https://i", "oidc.key_files"},
		{"oidc.key_files=https://accounts.google.com=/etc/jwks", ""},
		{"oidc.signin_client_id=c", ""},
		{"oidc.signin_client_id=c oidc.signin_issuer=http://idp.example.com", "oidc.signin_issuer"},
	} {
		checked(t, c.settings, c.wrong)
	}
}

// checked is a configuration with settings, key=value, on top of one that works;
// wrong is the setting that Check has to name, "" for none.
func checked(t *testing.T, settings, wrong string) Config {
	t.Helper()
	overrides := map[string]string{"hsm.module": "local", "attest.mode": "none"}
	for _, s := range strings.Fields(settings) {
		key, value, _ := strings.Cut(s, "=")
		overrides[key] = value
	}
	cfg, err := Load("", func(string) string { return "" }, overrides)
	if err != nil {
		t.Fatal(err)
	}
	err = cfg.Check()
	if (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), ": "+wrong+": ") {
		t.Errorf("%s: %v, want %q", settings, err, wrong)
	}
	return cfg
}

func never(context.Context) bool { return false }

func TestNamesAndAddresses(t *testing.T) {
	for _, c := range []struct{ public, listen, names, want, origin string }{
		{"", "127.0.0.1:8443", "", "127.0.0.1 localhost ::1", "https://127.0.0.1:8443"},
		{"", "0.0.0.0:8443", "Vault.example.com", "vault.example.com localhost 127.0.0.1 ::1", "https://0.0.0.0:8443"},
		{"https://vault.example.com:444/", "[::]:8443", "10.0.0.1", "vault.example.com 10.0.0.1 localhost 127.0.0.1 ::1", "https://vault.example.com:444"},
		{"", ":8443", "", "localhost 127.0.0.1 ::1", "https://:8443"},
	} {
		cfg := Defaults()
		cfg.TLS.LocalCA, cfg.API.PublicURL, cfg.API.Listen, cfg.TLS.Names = true, c.public, c.listen, strings.Fields(c.names)
		if got := strings.Join(cfg.names(), " "); got != c.want || cfg.origin() != c.origin {
			t.Errorf("%+v: got %q, %q", c, got, cfg.origin())
		}
	}
}

func TestInspectTLSSaysWhatIsMissing(t *testing.T) {
	cfg := Defaults()
	cfg.Data = t.TempDir()
	if _, err := InspectTLS(cfg); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
	cfg.TLS.LocalCA = true
	if _, err := InspectTLS(cfg); err == nil {
		t.Error("a certificate out of nothing")
	}
	if c := cfg.tlsSource(slog.New(slog.DiscardHandler)); c.Dir != filepath.Join(cfg.Data, "tls") {
		t.Errorf("%+v", c)
	}
}

// What is configured is what is believed, over the way out of the appliance.
func TestFederation(t *testing.T) {
	m, err := mockoidc.Run()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Shutdown() }()
	token := func(aud string) string {
		text, err := m.Keypair.SignJWT(jwt.MapClaims{
			"iss": m.Issuer(), "aud": aud, "sub": "bot", "email": "ann@example.com", "email_verified": true, "exp": time.Now().Add(time.Minute).Unix(),
		})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	cfg := Defaults()
	cfg.API.PublicURL = "https://vault.example.com/"
	var who identity.Config
	if err := cfg.federation(&who, never); err != nil || who.Workloads != nil || who.SignIns != nil {
		t.Fatalf("nothing is configured: %+v %v", who, err)
	}
	cfg.OIDC.Issuers, cfg.OIDC.SignIn, cfg.OIDC.SignInFor = []string{m.Issuer()}, m.Issuer(), "our-client"
	if err := cfg.federation(&who, never); err != nil {
		t.Fatal(err)
	}
	for aud, ok := range map[string]bool{"https://vault.example.com": true, "https://vault.example.com/": true, "our-client": false} {
		if _, client, err := who.Workloads.Workload(t.Context(), token(aud)); (err == nil) != ok || ok && client != "bot" {
			t.Errorf("%s: %q %v", aud, client, err)
		}
		if p, err := who.SignIns.Person(t.Context(), token(aud)); (err == nil) != !ok || !ok && p.Email != "ann@example.com" {
			t.Errorf("%s: %+v %v", aud, p, err)
		}
	}
	cfg.OIDC.KeyFiles = []string{m.Issuer() + "=" + filepath.Join(t.TempDir(), "none")}
	if err := cfg.federation(&who, never); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
