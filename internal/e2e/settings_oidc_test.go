package e2e

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// provider is an identity provider whose keys are in a file: nobody has to be
// reached.
type provider struct {
	issuer string
	key    ed25519.PrivateKey
	file   string
}

func newProvider(t *testing.T, issuer string) provider {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := provider{issuer, private, filepath.Join(t.TempDir(), "jwks.json")}
	jwks := fmt.Sprintf(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","alg":"EdDSA","use":"sig","x":%q}]}`, base64.RawURLEncoding.EncodeToString(public))
	if err := os.WriteFile(p.file, []byte(jwks), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// keys is the setting by which the provider's file is believed.
func (p provider) keys() string { return "oidc.key_files=" + p.issuer + "=" + p.file }

// token is a JWT (RFC 7515) for audience with further claims.
func (p provider) token(t *testing.T, audience string, more map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": p.issuer, "aud": audience, "sub": "someone",
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	}
	for name, value := range more {
		claims[name] = value
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding
	signed := b64.EncodeToString([]byte(`{"alg":"EdDSA","kid":"k","typ":"JWT"}`)) + "." + b64.EncodeToString(text)
	return signed + "." + b64.EncodeToString(ed25519.Sign(p.key, []byte(signed)))
}

const workload = "ci-runner"

// workloadExchange registers an agent of p and is the status with which its
// token is taken.
func workloadExchange(t *testing.T, d *daemon, p provider, audience string) int {
	t.Helper()
	d.human().do("POST", "/v1/agents", map[string]string{
		"name": "runner", "auth_method": "oidc_client_credentials", "oidc_issuer": p.issuer, "oidc_client_id": workload,
	}) // the second time it may be there
	token := p.token(t, audience, map[string]any{"client_id": workload})
	return d.as("").do("POST", "/v1/auth/agent-token", map[string]string{"access_token": token}).status
}

func settingIssuers(t *testing.T, l *lab) {
	p := newProvider(t, "https://issuers.example.org")
	d := l.with(t, "oidc.issuers="+p.issuer, p.keys(), "oidc.audience=here")
	if got := workloadExchange(t, d, p, "here"); got != 200 {
		t.Errorf("a token of a configured issuer: %d", got)
	}
	d.kill()
	d = l.with(t, "oidc.audience=here")
	if got := workloadExchange(t, d, p, "here"); got == 200 {
		t.Error("a token of nobody's issuer is taken")
	}
	d.kill()
}

func settingKeyFiles(t *testing.T, l *lab) {
	p := newProvider(t, "https://keys.example.org")
	forger := newProvider(t, p.issuer)
	for _, c := range []struct {
		believed provider
		want     bool
	}{{p, true}, {forger, false}} {
		d := l.with(t, "oidc.issuers="+p.issuer, c.believed.keys(), "oidc.audience=here")
		if got := workloadExchange(t, d, p, "here"); (got == 200) != c.want {
			t.Errorf("with %s: %d", c.believed.file, got)
		}
		d.kill()
	}
}

func settingAudience(t *testing.T, l *lab) {
	p := newProvider(t, "https://audience.example.org")
	twice(t, l, func(d *daemon) bool { return workloadExchange(t, d, p, "here") == 200 },
		"oidc.audience", [2]string{"here", "elsewhere"}, [2]bool{true, false}, "oidc.issuers="+p.issuer, p.keys())
}

// personSignIn is whether the owner is let in with an ID token of p.
func personSignIn(t *testing.T, d *daemon, p provider) bool {
	t.Helper()
	email := into[api.UserProfileResponse](t, d.human().do("GET", "/v1/auth/me", nil).is(t, 200)).Email
	token := p.token(t, "app", map[string]any{"email": email, "email_verified": true})
	return d.as("").do("POST", "/v1/auth/google", map[string]string{"id_token": token}).status == 200
}

func settingSignInIssuer(t *testing.T, l *lab) {
	p, other := newProvider(t, "https://one.example.org"), newProvider(t, "https://two.example.org")
	for _, c := range []provider{p, other} {
		d := l.with(t, "oidc.signin_issuer="+c.issuer, c.keys(), "oidc.signin_client_id=app")
		if got := personSignIn(t, d, p); got != (c.issuer == p.issuer) {
			t.Errorf("with %s: %v", c.issuer, got)
		}
		d.kill()
	}
}

func settingSignInClient(t *testing.T, l *lab) {
	p := newProvider(t, "https://client.example.org")
	twice(t, l, func(d *daemon) bool { return personSignIn(t, d, p) },
		"oidc.signin_client_id", [2]string{"app", "another"}, [2]bool{true, false}, "oidc.signin_issuer="+p.issuer, p.keys())
}
