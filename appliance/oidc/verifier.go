package oidc

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/vault/identity"
)

const (
	maxToken = 16 << 10
	leeway   = 30 * time.Second // between the issuer's clock and ours
)

// Issuer is who is believed.
type Issuer struct {
	URL      string   // as its tokens say it, to the letter
	Also     []string // other ways in which its tokens say it
	KeysFile string   // its JWK set; such an issuer is never contacted
}

// Config is what a Verifier is made of.
type Config struct {
	Issuers   []Issuer
	Audiences []string         // a token has to be for one of these
	Client    *http.Client     // reaches the issuers without a KeysFile
	Now       func() time.Time // time.Now if nil
}

// Verifier verifies tokens for one kind of audience. All methods may be called at
// once.
type Verifier struct {
	audiences []string
	issuers   map[string]*keys // by what tokens call them
	parser    *jwt.Parser
}

var (
	_ identity.Workloads = (*Verifier)(nil)
	_ identity.SignIns   = (*Verifier)(nil)
)

// CheckIssuer says what is wrong with the URL of an issuer, or nil.
func CheckIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%q is not an https URL without a query", issuer)
	case u.Scheme == "https" || u.Scheme == "http" && onThisMachine(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%q has to begin with https://", issuer)
}

func onThisMachine(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// New returns a Verifier. It reads the files; it contacts nobody yet.
func New(c Config) (*Verifier, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if len(c.Audiences) == 0 {
		return nil, fmt.Errorf("oidc: tokens for nobody in particular are tokens for everybody: an audience is needed")
	}
	v := &Verifier{audiences: c.Audiences, issuers: map[string]*keys{}, parser: jwt.NewParser(
		jwt.WithValidMethods(algorithms), jwt.WithAudience(c.Audiences...), jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithStrictDecoding(), jwt.WithTimeFunc(c.Now),
	)}
	for _, i := range c.Issuers {
		if err := CheckIssuer(i.URL); err != nil {
			return nil, err
		}
		k := &keys{issuer: i, client: c.Client, now: c.Now, turn: make(chan struct{}, 1)}
		if i.KeysFile != "" {
			text, err := os.ReadFile(i.KeysFile)
			if err != nil {
				return nil, fmt.Errorf("the keys of %s: %w", i.URL, err)
			}
			if k.set, err = parseKeys(text); err != nil {
				return nil, fmt.Errorf("the keys of %s in %s: %w", i.URL, i.KeysFile, err)
			}
		} else if c.Client == nil {
			return nil, fmt.Errorf("oidc: no way to reach %s", i.URL)
		}
		for _, name := range append([]string{i.URL}, i.Also...) {
			v.issuers[name] = k
		}
	}
	return v, nil
}

func flaw(code, msg string) *fault.Error { return fault.New(fault.Unauthenticated, code, msg) }

// Errors. Their codes are for the audit log.
var (
	ErrMalformed   = flaw("malformed_token", "not a JWT")
	ErrIssuer      = flaw("unknown_issuer", "no token of an issuer that is configured")
	ErrUnknownKey  = flaw("unknown_key", "the issuer has no such key for signatures of this kind")
	ErrAlgorithm   = flaw("algorithm_not_allowed", "a signature of a kind that is not taken")
	ErrSignature   = flaw("bad_signature", "the signature is not the issuer's")
	ErrEnded       = flaw("token_expired", "the token has expired, or never does")
	ErrTooEarly    = flaw("token_not_yet_valid", "the token is not valid yet")
	ErrAudience    = flaw("wrong_audience", "the token is for somebody else")
	ErrTokenType   = flaw("wrong_token_type", "a token of another kind")
	ErrBound       = flaw("sender_constrained", "the token is bound to a key that was not shown")
	ErrInteractive = flaw("interactive_token", "the token was issued to a person who signed in")
	ErrNoClient    = flaw("no_client", "the token does not say whom it was issued to")
	ErrUnverified  = flaw("email_not_verified", "the issuer has not verified the address")
	ErrUnreachable = fault.New(fault.Unavailable, "issuer_unreachable", "The identity provider does not answer, so that its tokens cannot be verified")
)

// Workload implements identity.Workloads.
func (v *Verifier) Workload(ctx context.Context, token string) (issuer, client string, err error) {
	c, err := v.verify(ctx, token, "", "jwt", "at+jwt")
	if err != nil {
		return "", "", err
	}
	if c.AuthTime != nil || c.Nonce != nil {
		return "", "", ErrInteractive
	}
	for _, client := range []string{c.ClientID, c.AuthorizedParty, c.Subject} {
		if client != "" {
			return v.issuers[c.Issuer].issuer.URL, client, nil
		}
	}
	return "", "", ErrNoClient
}

// Person implements identity.SignIns.
func (v *Verifier) Person(ctx context.Context, idToken string) (identity.Person, error) {
	c, err := v.verify(ctx, idToken, "", "jwt", "id+jwt")
	switch {
	case err != nil:
		return identity.Person{}, err
	case len(c.Audience) > 1 && !contains(v.audiences, c.AuthorizedParty):
		return identity.Person{}, ErrAudience // issued to somebody else, for us too
	case c.Email == "" || !bool(c.EmailVerified):
		return identity.Person{}, ErrUnverified
	}
	return identity.Person{Email: c.Email, Name: c.Name}, nil
}

// verify checks everything that holds for every token.
func (v *Verifier) verify(ctx context.Context, token string, types ...string) (*claims, error) {
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") { // base64 would skip them
		return nil, ErrMalformed
	}
	var c claims
	t, err := v.parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		k, known := v.issuers[c.Issuer]
		if !known {
			return nil, ErrIssuer
		}
		kid, _ := t.Header["kid"].(string)
		return k.find(ctx, kid, t.Method.Alg())
	})
	if err != nil {
		return nil, explain(t, &c, err)
	}
	typ, _ := t.Header["typ"].(string)
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	_, critical := t.Header["crit"]
	switch {
	case critical || !contains(types, typ):
		return nil, ErrTokenType
	case c.Confirmation != nil:
		return nil, ErrBound
	}
	return &c, nil
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
