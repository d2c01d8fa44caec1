package oidc

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const (
	issuerURL = "https://idp.example.com/realm"
	audience  = "https://vault.example.com"
)

// idp is an identity provider, as far as an HTTP client can see.
type idp struct {
	testing.TB
	mu     sync.Mutex
	now    time.Time
	keys   map[string]crypto.Signer // by id
	down   bool
	asked  map[string]int // by URL
	answer map[string]string
}

var made = sync.OnceValue(func() map[string]crypto.Signer {
	r, err1 := rsa.GenerateKey(rand.Reader, 2048)
	e, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, d, err3 := ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(err1, err2, err3); err != nil {
		panic(err)
	}
	return map[string]crypto.Signer{"r": r, "e": e, "d": d}
})

func newIDP(t testing.TB) *idp {
	return &idp{TB: t, now: noon, keys: maps.Clone(made()), asked: map[string]int{}, answer: map[string]string{}}
}

func (p *idp) Now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *idp) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// RoundTrip implements http.RoundTripper.
func (p *idp) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := r.URL.String()
	p.asked[at]++
	if p.down {
		return nil, errors.New("no route to host")
	}
	body, ok := p.answer[at]
	switch {
	case ok:
	case at == issuerURL+"/.well-known/openid-configuration":
		body = `{"issuer":"` + issuerURL + `","jwks_uri":"https://keys.example.com/jwks"}`
	case at == "https://keys.example.com/jwks":
		body = p.jwks()
	default:
		return &http.Response{StatusCode: 404, Status: "404 Not Found", Body: io.NopCloser(strings.NewReader(""))}, nil
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func (p *idp) jwks() string {
	b64 := base64.RawURLEncoding.EncodeToString
	list := []map[string]string{{"kty": "oct", "k": "AAAA", "kid": "h"}, {"kty": "RSA", "use": "enc", "kid": "enc"}}
	for id, k := range p.keys {
		switch pub := k.Public().(type) {
		case *rsa.PublicKey:
			list = append(list, map[string]string{"kty": "RSA", "kid": id, "use": "sig", "n": b64(pub.N.Bytes()), "e": "AQAB"})
		case *ecdsa.PublicKey:
			point, err := pub.Bytes()
			if err != nil {
				p.Fatal(err)
			}
			list = append(list, map[string]string{"kty": "EC", "kid": id, "crv": "P-256", "alg": "ES256", "x": b64(point[1:33]), "y": b64(point[33:])})
		case ed25519.PublicKey:
			list = append(list, map[string]string{"kty": "OKP", "kid": id, "crv": "Ed25519", "x": b64(pub)})
		}
	}
	text, err := json.Marshal(map[string]any{"keys": list})
	if err != nil {
		p.Fatal(err)
	}
	return string(text)
}

func (p *idp) fetches() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, times := range p.asked {
		n += times
	}
	return n
}

func (p *idp) verifier(edit ...func(*Config)) *Verifier {
	p.Helper()
	c := Config{
		Issuers: []Issuer{{URL: issuerURL}}, Audiences: []string{audience},
		Client: &http.Client{Transport: p}, Now: p.Now,
	}
	for _, e := range edit {
		e(&c)
	}
	v, err := New(c)
	if err != nil {
		p.Fatal(err)
	}
	return v
}

// good are the claims of an access token.
func (p *idp) good() jwt.MapClaims {
	now := p.Now()
	return jwt.MapClaims{
		"iss": issuerURL, "aud": audience, "sub": "service-account", "client_id": "bot",
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	}
}

// token signs claims; header is changed by edit.
func (p *idp) token(alg, kid string, c jwt.MapClaims, edit ...func(map[string]any)) string {
	p.Helper()
	t := jwt.NewWithClaims(jwt.GetSigningMethod(alg), c)
	t.Header["kid"] = kid
	for _, e := range edit {
		e(t.Header)
	}
	text, err := t.SignedString(p.keys[kid])
	if err != nil {
		p.Fatal(err)
	}
	return text
}

func (p *idp) refuses(v *Verifier, token string, want error) {
	p.Helper()
	_, _, err := v.Workload(context.Background(), token)
	if !errors.Is(err, want) {
		p.Errorf("got %v, want %v", err, want)
	}
}

func (p *idp) accepts(v *Verifier, token, client string) {
	p.Helper()
	issuer, got, err := v.Workload(context.Background(), token)
	if err != nil || got != client || issuer != issuerURL {
		p.Errorf("got %q of %q, %v", got, issuer, err)
	}
}
