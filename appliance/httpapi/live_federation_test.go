package httpapi

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"

	"github.com/oneclaw/oneclawd/appliance/oidc"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/agents"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
)

// provider stands for an identity provider: its tokens are "ADDRESS" for people
// and "ISSUER CLIENT" for agents.
type provider struct{}

func (provider) Person(_ context.Context, token string) (identity.Person, error) {
	if !strings.Contains(token, "@") {
		return identity.Person{}, fault.New(fault.Unauthenticated, "bad_signature", "x")
	}
	return identity.Person{Email: token}, nil
}

func (provider) Workload(_ context.Context, token string) (string, string, error) {
	issuer, client, ok := strings.Cut(token, " ")
	if !ok {
		return "", "", fault.New(fault.Unauthenticated, "bad_signature", "x")
	}
	return issuer, client, nil
}

// enrollerOf makes the self-enrolment of a live appliance.
func (l *live) enrollerOf(a *agents.Service) *agents.Enroller {
	return &agents.Enroller{Agents: a, DB: store.Runner[agents.EnrolTx](l.db), Mails: letter.Writer{Base: "https://vault.example"}, Pace: time.Millisecond}
}

// believe restarts with a verifier of real tokens, or none.
func (l *live) believe(v *oidc.Verifier) {
	l.Helper()
	l.workloads, l.signIns = nil, nil
	if v != nil {
		l.workloads = v
	}
	l.restart()
}

// federationLifecycle is every operation of this file; see lifecycle.
func federationLifecycle(*live) []operation {
	fixed := func(text string) func() string { return func() string { return text } }
	return []operation{
		{"googleAuth", post, fixed("/v1/auth/google"), "", fixed(`{"id_token":"` + ownerEmail + `"}`), 200, "auth.success success", nil, ""},
		{"enrollAgent", post, fixed("/v1/agents/enroll"), "", fixed(`{"name":"scout","human_email":"` + ownerEmail + `"}`), 201, "agent.enroll success", nil, ""},
	}
}

// clientCert is a self-signed certificate with its key.
func clientCert(t testing.TB, from, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{Subject: pkix.Name{CommonName: "bot"}, NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// overTLS serves the API as the appliance does.
func (l *live) overTLS() *httptest.Server {
	l.Helper()
	s := httptest.NewUnstartedServer(l.Server)
	s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	s.EnableHTTP2 = true
	s.StartTLS()
	l.Cleanup(s.Close)
	return s
}

type wireAnswer struct {
	Status int
	Body   map[string]any
	HSTS   string
}

// showCert posts a body over a connection with a certificate, if there is one.
func showCert(t testing.TB, s *httptest.Server, cert *tls.Certificate, body string) (a wireAnswer) {
	t.Helper()
	c := s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	if cert != nil {
		c.Certificates = []tls.Certificate{*cert}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	resp, err := client.Post(s.URL+"/v1/auth/agent-token", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &a.Body); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	a.Status, a.HSTS = resp.StatusCode, resp.Header.Get("Strict-Transport-Security")
	return a
}

func TestA11AgentsSignInWithACertificate(t *testing.T) {
	l := newLive(t)
	now := time.Now()
	good, other, ended := clientCert(t, now.Add(-time.Hour), now.Add(time.Hour)), clientCert(t, now.Add(-time.Hour), now.Add(time.Hour)),
		clientCert(t, now.Add(-time.Hour), now.Add(-time.Minute))
	register := func(c tls.Certificate, status int) answered {
		return l.want(step{method: post, url: "/v1/agents", as: "owner", status: status, body: fmt.Sprintf(
			`{"name":"bot","auth_method":"mtls","client_cert_fingerprint":%q}`, strings.ToUpper(identity.Fingerprint(c.Leaf)))})
	}
	made := register(good, 201)
	if made.value("api_key") != nil {
		t.Error("a key beside the certificate")
	}
	register(ended, 201)
	if again := register(good, 409); !strings.Contains(again.Body.String(), "credential_in_use") {
		t.Errorf("%s", again.Body)
	}
	bot := made.text("agent.id")
	s := l.overTLS()
	for name, body := range map[string]string{
		"an empty body": "", "an empty object": "{}", "its id": `{"agent_id":"` + bot + `"}`, "an empty key": `{"api_key":""}`,
	} {
		a := showCert(t, s, &good, body)
		if a.Status != 200 || a.Body["agent_id"] != bot || a.HSTS == "" {
			t.Fatalf("%s: %+v", name, a)
		}
		l.tokens["bot"], _ = a.Body["access_token"].(string)
		l.want(step{name: name, url: "/v1/agents/me", as: "bot", status: 200, has: []string{bot}})
	}
	refusals := map[string]wireAnswer{
		"another certificate": showCert(t, s, &other, ""),
		"an expired one":      showCert(t, s, &ended, ""),
		"another's id":        showCert(t, s, &good, `{"agent_id":"00000000-0000-4000-8000-000000000000"}`),
		"a wrong key beside":  showCert(t, s, &good, `{"api_key":"ocv_x"}`),
	}
	l.want(step{method: remove, url: "/v1/agents/" + bot, as: "owner", status: 204})
	refusals["a deactivated agent"] = showCert(t, s, &good, "")
	for name, a := range refusals {
		if a.Status != 401 || a.Body["detail"] != "Invalid credentials" || a.Body["code"] != "invalid_credentials" {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if a := showCert(t, s, nil, ""); a.Status != 400 {
		t.Errorf("with nothing: %+v", a)
	}
	l.want(step{url: "/v1/agents/me", as: "bot", status: 401, has: []string{"Agent is deactivated"}})
	l.want(step{name: "active again", method: patch, url: "/v1/agents/" + bot, as: "owner", body: `{"is_active":true}`, status: 200})
	if a := showCert(t, s, &good, ""); a.Status != 200 {
		t.Errorf("active again: %+v", a)
	}
}

// A certificate that a request claims to have is none.
func TestCertificatesComeFromTheConnectionOnly(t *testing.T) {
	l := newLive(t)
	cert := clientCert(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	l.want(step{method: post, url: "/v1/agents", as: "owner", status: 201, body: `{"name":"bot","auth_method":"mtls","client_cert_fingerprint":"` + identity.Fingerprint(cert.Leaf) + `"}`})
	l.want(step{method: post, url: "/v1/auth/agent-token", status: 400, header: map[string]string{
		"Client-Cert": "x", "X-Forwarded-Client-Cert": "Hash=" + identity.Fingerprint(cert.Leaf), "X-SSL-Client-SHA256": identity.Fingerprint(cert.Leaf),
	}})
}

func TestAgentsSignInWithATokenOfAnIssuer(t *testing.T) {
	m, err := mockoidc.Run()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Shutdown() }()
	v, err := oidc.New(oidc.Config{Issuers: []oidc.Issuer{{URL: m.Issuer()}}, Audiences: []string{"https://vault.example"}, Client: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	l := newLive(t)
	l.believe(v)
	now := time.Now()
	token := func(more jwt.MapClaims) string {
		c := jwt.MapClaims{"iss": m.Issuer(), "aud": "https://vault.example", "client_id": "bot", "sub": "bot", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
		for k, v := range more {
			c[k] = v
		}
		text, err := m.Keypair.SignJWT(c)
		l.ok(err)
		return text
	}
	register := step{method: post, url: "/v1/agents", as: "owner", status: 201, body: fmt.Sprintf(
		`{"name":"bot","auth_method":"oidc_client_credentials","oidc_issuer":%q,"oidc_client_id":"bot"}`, m.Issuer())}
	bot := l.want(register).text("agent.id")
	register.status = 409
	l.want(register)
	for _, field := range []string{"access_token", "client_assertion", "oidc_token"} {
		a := l.want(step{name: field, method: post, url: "/v1/auth/agent-token", status: 200, event: "auth.success success",
			keys: "access_token token_type expires_in agent_id vault_ids", body: fmt.Sprintf(`{%q:%q}`, field, token(nil))})
		l.tokens["bot"] = a.text("access_token")
		l.want(step{url: "/v1/agents/me", as: "bot", status: 200, has: []string{bot}})
	}
	for name, body := range map[string]string{
		"for somebody else":   fmt.Sprintf(`{"access_token":%q}`, token(jwt.MapClaims{"aud": "x"})),
		"expired":             fmt.Sprintf(`{"access_token":%q}`, token(jwt.MapClaims{"exp": now.Add(-time.Hour).Unix()})),
		"of another issuer":   fmt.Sprintf(`{"access_token":%q}`, token(jwt.MapClaims{"iss": "https://evil.example"})),
		"of another client":   fmt.Sprintf(`{"access_token":%q}`, token(jwt.MapClaims{"client_id": "other"})),
		"with another's id":   fmt.Sprintf(`{"access_token":%q,"agent_id":"00000000-0000-4000-8000-000000000000"}`, token(nil)),
		"that is none":        `{"access_token":"` + canary + `"}`,
		"that is our own":     fmt.Sprintf(`{"access_token":%q}`, l.tokens["bot"]),
		"with a key beside":   fmt.Sprintf(`{"access_token":%q,"api_key":"ocv_x"}`, token(nil)),
		"as a bearer's token": fmt.Sprintf(`{"api_key":%q}`, token(nil)[:512]),
	} {
		l.want(step{name: name, method: post, url: "/v1/auth/agent-token", body: body, status: 401, has: []string{"Invalid credentials"}, event: "auth.failure refused invalid_credentials"})
	}
	l.want(step{name: "an issuer's token is no bearer", url: "/v1/agents/me", as: token(nil), status: 401})
	l.want(step{method: remove, url: "/v1/agents/" + bot, as: "owner", status: 204})
	l.want(step{name: "a deactivated agent", method: post, url: "/v1/auth/agent-token", body: fmt.Sprintf(`{"access_token":%q}`, token(nil)), status: 401, has: []string{"Invalid credentials"}})
}

func TestNoIssuersConfigured(t *testing.T) {
	l := newLive(t)
	l.believe(nil)
	l.want(step{method: post, url: "/v1/auth/agent-token", body: `{"access_token":"x"}`, status: 400, has: []string{"oidc_not_configured"}})
	l.want(step{method: post, url: "/v1/auth/google", body: `{"id_token":"x"}`, status: 400, has: []string{"sign_in_not_configured", "oidc.signin_client_id"}})
}

func TestH10SignInWithAnIdentityProvider(t *testing.T) {
	l := newLive(t)
	a := l.want(step{name: "somebody who is there", method: post, url: "/v1/auth/google", body: `{"id_token":"` + strings.ToUpper(ownerEmail) + `"}`, status: 200, event: "auth.success success", keys: "access_token token_type expires_in"})
	l.tokens["google"] = a.text("access_token")
	l.want(step{url: "/v1/auth/me", as: "google", status: 200, has: []string{ownerEmail}})
	a = l.want(step{name: "somebody new", method: post, url: "/v1/auth/google", body: `{"id_token":"new@example.com"}`, status: 200, event: "auth.success success"})
	l.tokens["new"] = a.text("access_token")
	me := l.want(step{url: "/v1/auth/me", as: "new", status: 200, has: []string{"new@example.com", `"role":"owner"`, `"email_verified":true`}})
	if me.text("org_id") == l.org.String() {
		t.Error("in somebody else's organisation")
	}
	l.secondFactor("google")
	l.want(step{name: "the second factor counts", method: post, url: "/v1/auth/google", body: `{"id_token":"` + ownerEmail + `"}`, status: 200, has: []string{`"mfa_required":true`, `"access_token":""`}})
	l.want(step{name: "a token that is no good", method: post, url: "/v1/auth/google", body: `{"id_token":"` + canary + `"}`, status: 401, has: []string{"Invalid credentials"}, event: "auth.failure refused invalid_credentials"})
	l.want(step{name: "no token", method: post, url: "/v1/auth/google", body: `{}`, status: 400, has: []string{"id_token"}})
}

func TestA14Enrol(t *testing.T) {
	l := newLive(t)
	l.agent("first", "")
	enrol := func(email string, status int) answered {
		return l.want(step{method: post, url: "/v1/agents/enroll", body: fmt.Sprintf(`{"name":"scout","human_email":%q,"description":"d"}`, email), status: status})
	}
	known, unknown := enrol(ownerEmail, 201), enrol("nobody@example.com", 201)
	if known.text("message") != unknown.text("message") || len(known.text("agent_id")) != 36 || len(unknown.text("agent_id")) != 36 {
		t.Errorf("%s %s", known.Body, unknown.Body)
	}
	for _, a := range []answered{known, unknown} {
		if got := strings.Join(a.keys(""), " "); got != "agent_id message" || strings.Contains(a.Body.String(), "ocv_") {
			t.Errorf("%s", a.Body)
		}
	}
	for name := range known.Header() {
		if _, ok := unknown.Header()[name]; !ok {
			t.Errorf("only a known address has %s", name)
		}
	}
	for _, email := range []string{ownerEmail, "nobody@example.com", strings.ToUpper(ownerEmail)} {
		if a := enrol(email, 429); a.Header().Get("Retry-After") != "600" {
			t.Errorf("%s: %s", email, a.Header().Get("Retry-After"))
		}
	}
	mails := l.mails(ownerEmail)
	_, key, ok := strings.Cut(mails[0].Body, "ocv_")
	if !ok || len(l.mails("nobody@example.com")) != 0 {
		t.Fatalf("%s", mails[0].Body)
	}
	l.renew("scout", made{key: "ocv_" + key[:43]})
	l.run(t, []step{
		{name: "it is the agent", url: "/v1/agents/me", as: "scout", status: 200, has: []string{known.text("agent_id"), l.ownerID.String()}},
		{name: "it may do nothing", url: "/v1/vaults", as: "scout", status: 200, has: []string{`"vaults":[]`}},
		{name: "the person sees it", url: "/v1/agents", as: "owner", status: 200, has: []string{known.text("agent_id")}, lacks: []string{unknown.text("agent_id")}},
		{name: "no address", method: post, url: "/v1/agents/enroll", body: `{"name":"x","human_email":"x"}`, status: 400, has: []string{"invalid_email"}},
		{name: "no name", method: post, url: "/v1/agents/enroll", body: `{"human_email":"x@example.com"}`, status: 400, has: []string{`"name":"is required"`}},
	})
}

func TestEnrolIsUnderTheLimitForGuesses(t *testing.T) {
	l := newLive(t, func(c *Config) { c.Limits.Auth = Rate{PerSecond: 0.001, Burst: 2} })
	for i, status := range []int{201, 429} { // newLive took one
		a := l.send(step{method: post, url: "/v1/agents/enroll", from: "192.0.2.77", body: fmt.Sprintf(`{"name":"x","human_email":"a%d@example.com"}`, i)})
		if i == 0 && a.Code != status {
			t.Errorf("%d: %d", i, a.Code)
		}
	}
	for range 3 {
		l.send(step{method: post, url: "/v1/agents/enroll", from: "192.0.2.77", body: `{"name":"x","human_email":"b@example.com"}`})
	}
	if a := l.send(step{method: post, url: "/v1/agents/enroll", from: "192.0.2.77", body: `{"name":"x","human_email":"c@example.com"}`}); a.Code != 429 || a.Header().Get("Retry-After") == "" || !bytes.Contains(a.Body.Bytes(), []byte("rate_limited")) {
		t.Errorf("%d %s", a.Code, a.Body)
	}
}

// Certificates of many agents at once: each gets its own token.
func TestCertificatesAtOnce(t *testing.T) {
	l := newLive(t)
	s := l.overTLS()
	var all sync.WaitGroup
	for i := range 8 {
		cert := clientCert(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		bot := l.want(step{method: post, url: "/v1/agents", as: "owner", status: 201, body: fmt.Sprintf(
			`{"name":"bot %d","auth_method":"mtls","client_cert_fingerprint":%q}`, i, identity.Fingerprint(cert.Leaf))}).text("agent.id")
		all.Go(func() {
			for range 5 {
				if a := showCert(t, s, &cert, ""); a.Body["agent_id"] != bot {
					t.Errorf("%+v", a)
				}
			}
		})
	}
	all.Wait()
}
