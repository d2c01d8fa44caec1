package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"
)

func TestAlgorithms(t *testing.T) {
	p := newIDP(t)
	v := p.verifier()
	for _, c := range [][2]string{
		{"RS256", "r"}, {"RS384", "r"}, {"RS512", "r"}, {"PS256", "r"}, {"PS384", "r"}, {"PS512", "r"}, {"ES256", "e"}, {"EdDSA", "d"},
	} {
		t.Run(c[0], func(t *testing.T) {
			p.accepts(v, p.token(c[0], c[1], p.good()), "bot")
			p.accepts(v, p.token(c[0], c[1], p.good(), func(h map[string]any) { delete(h, "kid") }), "bot")
		})
	}
}

// What an attacker can do to a token without the issuer's key.
func TestForgeries(t *testing.T) {
	p := newIDP(t)
	v := p.verifier()
	good := p.token("RS256", "r", p.good())
	parts := strings.Split(good, ".")
	header := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	der, err := x509.MarshalPKIXPublicKey(p.keys["r"].Public())
	if err != nil {
		t.Fatal(err)
	}
	hmac := func(secret []byte) string {
		t := jwt.NewWithClaims(jwt.SigningMethodHS256, p.good())
		t.Header["kid"] = "r"
		text, _ := t.SignedString(secret)
		return text
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	wrongCurve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(alg, kid string, key any, h map[string]any) string {
		t := jwt.NewWithClaims(jwt.GetSigningMethod(alg), p.good())
		t.Header["kid"] = kid
		for k, v := range h {
			t.Header[k] = v
		}
		text, _ := t.SignedString(key)
		return text
	}
	p.accepts(v, good, "bot")
	for _, c := range []struct {
		name, token string
		want        error
	}{
		{"none", header(`{"alg":"none","kid":"r"}`) + "." + parts[1] + ".", ErrAlgorithm},
		{"None", header(`{"alg":"None","kid":"r"}`) + "." + parts[1] + ".", ErrAlgorithm},
		{"no algorithm", header(`{"kid":"r"}`) + "." + parts[1] + "." + parts[2], ErrAlgorithm},
		{"HS256 with the RSA key as DER", hmac(der), ErrAlgorithm},
		{"HS256 with the RSA key as PEM", hmac(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), ErrAlgorithm},
		{"HS256 with nothing", hmac([]byte{}), ErrAlgorithm},
		{"another key", sign("RS256", "r", other, nil), ErrSignature},
		{"another kind of key", sign("ES384", "e", wrongCurve, nil), ErrUnknownKey},
		{"a key that is not for it", sign("RS256", "e", other, nil), ErrUnknownKey},
		{"its own key", sign("RS256", "r", other, map[string]any{"jwk": map[string]string{"kty": "RSA"}, "jku": "https://evil.example/jwks", "x5u": "https://evil.example"}), ErrSignature},
		{"another payload", parts[0] + "." + header(`{"iss":"`+issuerURL+`","aud":"`+audience+`","client_id":"root","exp":9999999999}`) + "." + parts[2], ErrSignature},
		{"no signature", parts[0] + "." + parts[1] + ".", ErrSignature},
		{"two parts", parts[0] + "." + parts[1], ErrMalformed},
		{"four parts", good + ".x", ErrMalformed},
		{"a line break in it", parts[0] + "." + parts[1] + "\n." + parts[2], ErrMalformed},
		{"nothing", "", ErrMalformed},
		{"too long", strings.Repeat("a", maxToken+1), ErrMalformed},
	} {
		t.Run(c.name, func(*testing.T) { p.refuses(v, c.token, c.want) })
	}
	for at := range p.asked {
		if !strings.HasPrefix(at, issuerURL) && at != "https://keys.example.com/jwks" {
			t.Errorf("asked %s", at)
		}
	}
}

func TestClaims(t *testing.T) {
	p := newIDP(t)
	v := p.verifier()
	in := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	for _, c := range []struct {
		name   string
		claims jwt.MapClaims // nil removes
		client string
		want   error
	}{
		{"as it is", nil, "bot", nil},
		{"another issuer", jwt.MapClaims{"iss": "https://evil.example"}, "", ErrIssuer},
		{"a slash more", jwt.MapClaims{"iss": issuerURL + "/"}, "", ErrIssuer},
		{"other case", jwt.MapClaims{"iss": strings.ToUpper(issuerURL)}, "", ErrIssuer},
		{"no issuer", jwt.MapClaims{"iss": nil}, "", ErrIssuer},
		{"another audience", jwt.MapClaims{"aud": "https://other.example"}, "", ErrAudience},
		{"a longer audience", jwt.MapClaims{"aud": audience + "/x"}, "", ErrAudience},
		{"no audience", jwt.MapClaims{"aud": nil}, "", ErrAudience},
		{"an empty list", jwt.MapClaims{"aud": []string{}}, "", ErrAudience},
		{"one of several", jwt.MapClaims{"aud": []string{"x", audience}}, "bot", nil},
		{"AUD beside", jwt.MapClaims{"aud": "x", "AUD": audience}, "", ErrAudience},
		{"just expired", jwt.MapClaims{"exp": in(-time.Second)}, "bot", nil}, // clocks differ
		{"expired", jwt.MapClaims{"exp": in(-31 * time.Second)}, "", ErrEnded},
		{"never expires", jwt.MapClaims{"exp": nil}, "", ErrEnded},
		{"exp is no number", jwt.MapClaims{"exp": "soon"}, "", ErrMalformed},
		{"not before, soon", jwt.MapClaims{"nbf": in(29 * time.Second)}, "bot", nil},
		{"not before, later", jwt.MapClaims{"nbf": in(time.Minute)}, "", ErrTooEarly},
		{"of the future", jwt.MapClaims{"iat": in(time.Minute)}, "", ErrTooEarly},
		{"without iat", jwt.MapClaims{"iat": nil}, "bot", nil},
		{"azp", jwt.MapClaims{"client_id": nil, "azp": "party"}, "party", nil},
		{"sub", jwt.MapClaims{"client_id": nil}, "service-account", nil},
		{"client_id wins", jwt.MapClaims{"azp": "other"}, "bot", nil},
		{"Client_ID does not", jwt.MapClaims{"Client_ID": "other"}, "bot", nil},
		{"nobody", jwt.MapClaims{"client_id": nil, "sub": nil}, "", ErrNoClient},
		{"client_id is no text", jwt.MapClaims{"client_id": 7}, "", ErrMalformed},
		{"a person's", jwt.MapClaims{"auth_time": in(0)}, "", ErrInteractive},
		{"an ID token", jwt.MapClaims{"nonce": "n"}, "", ErrInteractive},
		{"bound to a key", jwt.MapClaims{"cnf": map[string]string{"jkt": "x"}}, "", ErrBound},
	} {
		t.Run(c.name, func(t *testing.T) {
			claims := p.good()
			for k, v := range c.claims {
				if claims[k] = v; v == nil {
					delete(claims, k)
				}
			}
			token := p.token("ES256", "e", claims)
			if c.want != nil {
				p.refuses(v, token, c.want)
			} else {
				p.accepts(v, token, c.client)
			}
		})
	}
	if n := p.fetches(); n != 2 {
		t.Errorf("fetched %d times", n)
	}
}

func TestTokenTypes(t *testing.T) {
	p := newIDP(t)
	v := p.verifier()
	for typ, ok := range map[string]bool{
		"JWT": true, "jwt": true, "at+jwt": true, "AT+JWT": true, "application/at+jwt": true, "": true,
		"id+jwt": false, "logout+jwt": false, "dpop+jwt": false, "secevent+jwt": false,
	} {
		token := p.token("EdDSA", "d", p.good(), func(h map[string]any) { h["typ"] = typ })
		if ok {
			p.accepts(v, token, "bot")
		} else {
			p.refuses(v, token, ErrTokenType)
		}
	}
	p.refuses(v, p.token("EdDSA", "d", p.good(), func(h map[string]any) { h["crit"] = []string{"x"} }), ErrTokenType)
}

func TestPerson(t *testing.T) {
	p := newIDP(t)
	v := p.verifier()
	for _, c := range []struct {
		name   string
		claims jwt.MapClaims
		want   error
	}{
		{"verified", jwt.MapClaims{"email_verified": true}, nil},
		{"in words", jwt.MapClaims{"email_verified": "true"}, nil},
		{"with a nonce", jwt.MapClaims{"email_verified": true, "nonce": "n", "auth_time": 1}, nil},
		{"another authorized party", jwt.MapClaims{"email_verified": true, "azp": "app"}, nil}, // as Google's apps have
		{"not verified", jwt.MapClaims{"email_verified": false}, ErrUnverified},
		{"unknown", jwt.MapClaims{}, ErrUnverified},
		{"a number", jwt.MapClaims{"email_verified": 1}, ErrUnverified},
		{"EMAIL_VERIFIED", jwt.MapClaims{"EMAIL_VERIFIED": true}, ErrUnverified},
		{"no address", jwt.MapClaims{"email_verified": true, "email": ""}, ErrUnverified},
		{"for others too", jwt.MapClaims{"email_verified": true, "aud": []string{audience, "x"}}, ErrAudience},
		{"for others too, to us", jwt.MapClaims{"email_verified": true, "aud": []string{audience, "x"}, "azp": audience}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			claims := p.good()
			claims["email"], claims["name"] = "ann@example.com", "Ann"
			delete(claims, "client_id")
			for k, v := range c.claims {
				claims[k] = v
			}
			who, err := v.Person(t.Context(), p.token("RS256", "r", claims))
			if !errors.Is(err, c.want) || err == nil && (who.Email != "ann@example.com" || who.Name != "Ann") {
				t.Errorf("got %+v, %v", who, err)
			}
		})
	}
}

// However many tokens with made-up keys come, the issuer is asked once in a while.
func TestUnknownKeysDoNotStorm(t *testing.T) {
	p := newIDP(t)
	v := p.verifier()
	p.accepts(v, p.token("RS256", "r", p.good()), "bot")
	var all sync.WaitGroup
	for i := range 200 {
		token := p.token("RS256", "r", p.good(), func(h map[string]any) { h["kid"] = fmt.Sprint("made-up-", i) })
		all.Go(func() { p.refuses(v, token, ErrUnknownKey) })
	}
	all.Wait()
	if n := p.fetches(); n != 2 {
		t.Errorf("%d requests", n)
	}
	// A new key is found as soon as it may be looked for.
	p.set(func() { p.now = p.now.Add(fetchEvery); p.keys["new"] = p.keys["r"] })
	for range 100 {
		all.Go(func() { p.accepts(v, p.token("RS256", "new", p.good()), "bot") })
	}
	all.Wait()
	if n := p.fetches(); n != 4 {
		t.Errorf("%d requests", n)
	}
}

func TestIssuerDown(t *testing.T) {
	p := newIDP(t)
	v := p.verifier()
	p.down = true
	p.refuses(v, p.token("RS256", "r", p.good()), ErrUnreachable)
	p.refuses(v, p.token("RS256", "r", p.good()), ErrUnreachable)
	if n := p.fetches(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	p.set(func() { p.down, p.now = false, p.now.Add(fetchEvery) })
	p.accepts(v, p.token("RS256", "r", p.good()), "bot")
	p.set(func() { p.down, p.now = true, p.now.Add(23*time.Hour) })
	p.accepts(v, p.token("RS256", "r", p.good()), "bot") // what is known goes on
	p.set(func() { p.now = p.now.Add(2 * time.Hour) })
	p.refuses(v, p.token("RS256", "r", p.good()), ErrUnknownKey)
}

// A key that the issuer took back is not used for longer than an hour.
func TestKeysAreForgotten(t *testing.T) {
	p := newIDP(t)
	v := p.verifier()
	token := func() string { return p.token("RS256", "r", p.good()) }
	p.accepts(v, token(), "bot")
	late := p.token("RS256", "r", jwt.MapClaims{"iss": issuerURL, "aud": audience, "sub": "x", "exp": noon.Add(9 * time.Hour).Unix()})
	p.set(func() { p.now = p.now.Add(time.Hour); delete(p.keys, "r") })
	_, _, _ = v.Workload(t.Context(), late) // has them fetched, beside
	k := v.issuers[issuerURL]
	for deadline := time.Now().Add(5 * time.Second); ; {
		if _, fresh := k.known("e", "ES256"); fresh {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the keys are not fetched")
		}
	}
	p.refuses(v, late, ErrUnknownKey)
}

func TestDiscoveryIsHeldToTheIssuer(t *testing.T) {
	const at = issuerURL + "/.well-known/openid-configuration"
	for name, answer := range map[string]string{
		"another issuer":       `{"issuer":"https://evil.example","jwks_uri":"https://keys.example.com/jwks"}`,
		"no issuer":            `{"jwks_uri":"https://keys.example.com/jwks"}`,
		"keys in the clear":    `{"issuer":"` + issuerURL + `","jwks_uri":"http://keys.example.com/jwks"}`,
		"keys in a file":       `{"issuer":"` + issuerURL + `","jwks_uri":"file:///etc/passwd"}`,
		"no keys":              `{"issuer":"` + issuerURL + `"}`,
		"no JSON":              `<html>`,
		"keys that are no set": `{"issuer":"` + issuerURL + `","jwks_uri":"` + at + `"}`,
		"too much":             strings.Repeat(" ", maxDocument+1),
	} {
		t.Run(name, func(t *testing.T) {
			p := newIDP(t)
			p.answer[at] = answer
			p.refuses(p.verifier(), p.token("RS256", "r", p.good()), ErrUnreachable)
		})
	}
}

func TestKeysOfAFile(t *testing.T) {
	p := newIDP(t)
	file := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(file, []byte(p.jwks()), 0o600); err != nil {
		t.Fatal(err)
	}
	v := p.verifier(func(c *Config) { c.Issuers[0].KeysFile = file; c.Client = nil })
	p.set(func() { p.now = p.now.Add(1000 * time.Hour) }) // they do not age
	p.accepts(v, p.token("RS256", "r", p.good()), "bot")
	p.refuses(v, p.token("RS256", "r", p.good(), func(h map[string]any) { h["kid"] = "x" }), ErrUnknownKey)
	if p.fetches() != 0 {
		t.Error("the issuer was contacted")
	}
}

func TestConfig(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte(`{"keys":[{"kty":"oct","k":"AAAA"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Config{
		"no audience": {Issuers: []Issuer{{URL: issuerURL}}, Client: http.DefaultClient},
		"no client":   {Issuers: []Issuer{{URL: issuerURL}}, Audiences: []string{"a"}},
		"in clear":    {Issuers: []Issuer{{URL: "http://idp.example.com"}}, Audiences: []string{"a"}, Client: http.DefaultClient},
		"no URL":      {Issuers: []Issuer{{URL: "idp"}}, Audiences: []string{"a"}, Client: http.DefaultClient},
		"a query":     {Issuers: []Issuer{{URL: issuerURL + "?x"}}, Audiences: []string{"a"}, Client: http.DefaultClient},
		"no file":     {Issuers: []Issuer{{URL: issuerURL, KeysFile: bad + "x"}}, Audiences: []string{"a"}},
		"no keys":     {Issuers: []Issuer{{URL: issuerURL, KeysFile: bad}}, Audiences: []string{"a"}},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestWeakKeysArePassedOver(t *testing.T) {
	small := base64.RawURLEncoding.EncodeToString(append([]byte{0xff}, make([]byte, 127)...))
	big := base64.RawURLEncoding.EncodeToString(append([]byte{0xff}, make([]byte, 255)...))
	for _, text := range []string{
		`{"kty":"RSA","n":"` + small + `","e":"AQAB"}`,
		`{"kty":"RSA","n":"` + big + `","e":"AQ"}`,
		`{"kty":"RSA","n":"` + big + `","e":"AQAAAQAB"}`,
		`{"kty":"RSA","n":"` + big + `","e":"AQAB","alg":"HS256"}`,
		`{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}`,
		`{"kty":"EC","crv":"secp256k1","x":"AQ","y":"AQ"}`,
		`{"kty":"OKP","crv":"X25519","x":"` + small[:43] + `"}`,
		`{"kty":7}`, `7`, `null`,
	} {
		if set, err := parseKeys([]byte(`{"keys":[` + text + `]}`)); err == nil {
			t.Errorf("%s: %+v", text, set)
		}
	}
}

// Tokens and keys that other code made, over a real connection.
func TestMockIssuer(t *testing.T) {
	m, err := mockoidc.Run()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Shutdown() }()
	v, err := New(Config{Issuers: []Issuer{{URL: m.Issuer()}}, Audiences: []string{m.ClientID}, Client: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	token, err := m.Keypair.SignJWT(jwt.MapClaims{
		"iss": m.Issuer(), "aud": m.ClientID, "sub": "bot", "email": "ann@example.com", "email_verified": true,
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	})
	if err != nil {
		t.Fatal(err)
	}
	issuer, client, err := v.Workload(t.Context(), token)
	if err != nil || issuer != m.Issuer() || client != "bot" {
		t.Errorf("%q %q %v", issuer, client, err)
	}
	if who, err := v.Person(t.Context(), token); err != nil || who.Email != "ann@example.com" {
		t.Errorf("%+v %v", who, err)
	}
	i := len(token) / 2
	if _, _, err := v.Workload(t.Context(), token[:i]+"x"+token[i+1:]); err == nil {
		t.Error("a changed token is taken")
	}
}

func FuzzToken(f *testing.F) {
	p := newIDP(f)
	file := filepath.Join(f.TempDir(), "jwks.json")
	if err := os.WriteFile(file, []byte(p.jwks()), 0o600); err != nil {
		f.Fatal(err)
	}
	v := p.verifier(func(c *Config) { c.Issuers[0].KeysFile = file })
	good := p.token("RS256", "r", p.good())
	parts := strings.Split(good, ".")
	f.Add(good)
	f.Add(p.token("EdDSA", "d", p.good()))
	f.Add("eyJhbGciOiJub25lIn0." + parts[1] + ".")
	f.Add("..")
	signed := map[string]bool{good: true}
	f.Fuzz(func(t *testing.T, token string) {
		_, _, err := v.Workload(context.Background(), token)
		if err == nil && !signed[token] && len(strings.Split(token, ".")) != 3 {
			t.Fatalf("taken: %q", token)
		}
		if _, err := v.Person(context.Background(), token); err == nil {
			t.Fatalf("nobody signed %q", token)
		}
	})
}

func FuzzKeys(f *testing.F) {
	p := newIDP(f)
	f.Add([]byte(p.jwks()))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := parseKeys(text)
		if err == nil && len(set) == 0 || len(set) > maxKeys {
			t.Fatal("neither keys nor an error")
		}
		if err == nil && !json.Valid(text) {
			t.Fatal("not JSON")
		}
	})
}
