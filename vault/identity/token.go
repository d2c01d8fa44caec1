package identity

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// Lifetimes of tokens.
const (
	UserTokenTTL  = 15 * time.Minute
	AgentTokenTTL = time.Hour

	// MaxAgentTokenTTL is the most that an agent may be given. There is no
	// least: clients renew 60 s early and so exchange their key for every call
	// under shorter ones, which no limit keeps them from.
	MaxAgentTokenTTL = 30 * 24 * time.Hour
)

// Signer signs with a key that stays in the HSM.
type Signer interface {
	Sign(ctx context.Context, key hsm.SigningKey, message []byte) ([]byte, error)
}

// Token is a JWT and what its bearer should know of it.
type Token struct {
	JWT       string
	ExpiresIn int // seconds
}

// claims are those of the published token format. A user's token has neither
// scopes nor a binding.
type claims struct {
	Org      string   `json:"org"`
	Scopes   []string `json:"scopes,omitempty"`
	VaultIDs []id.ID  `json:"vault_ids,omitempty"`
	Intents  *bool    `json:"intents_api_enabled,omitempty"`
	jwt.RegisteredClaims
}

// agentClaims spells out what a client expects to find even when it is empty.
type agentClaims struct {
	Org      string   `json:"org"`
	Scopes   []string `json:"scopes"`
	VaultIDs []id.ID  `json:"vault_ids"`
	Intents  bool     `json:"intents_api_enabled"`
	jwt.RegisteredClaims
}

// keyID names a public key: the first half of its SHA-256, hex.
func keyID(pub ed25519.PublicKey) string {
	sum := sha256.Sum256(pub)
	return hex.EncodeToString(sum[:16])
}

// PublicKeys are the keys that verify tokens, the signing one first.
func (s *Service) PublicKeys() map[string]ed25519.PublicKey {
	return map[string]ed25519.PublicKey{keyID(s.key.Public): s.key.Public}
}

// PublicKey is the key that verifies new tokens.
func (s *Service) PublicKey() ed25519.PublicKey { return s.key.Public }

func (s *Service) registered(sub string, now time.Time, ttl time.Duration) jwt.RegisteredClaims {
	return jwt.RegisteredClaims{
		Subject:   sub,
		ID:        id.New().String(),
		IssuedAt:  jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
	}
}

func (s *Service) issueUser(ctx context.Context, u User, now time.Time, ttl time.Duration) (Token, error) {
	return s.sign(ctx, claims{Org: u.Org.String(), RegisteredClaims: s.registered("user:"+u.ID.String(), now, ttl)}, ttl)
}

func (s *Service) issueAgent(ctx context.Context, a Agent, scopes []policy.Pattern, now time.Time) (Token, error) {
	ttl := AgentTokenTTL
	if a.TokenTTL > 0 {
		ttl = time.Duration(a.TokenTTL) * time.Second
	}
	if a.ExpiresAt != nil {
		ttl = min(ttl, a.ExpiresAt.Sub(now).Truncate(time.Second))
	}
	c := agentClaims{
		Org:              a.Org.String(),
		Scopes:           make([]string, len(scopes)),
		VaultIDs:         append([]id.ID{}, a.VaultIDs...),
		Intents:          a.Intents,
		RegisteredClaims: s.registered("agent:"+a.ID.String(), now, ttl),
	}
	for i, p := range scopes {
		c.Scopes[i] = p.String()
	}
	return s.sign(ctx, c, ttl)
}

func (s *Service) sign(ctx context.Context, c jwt.Claims, ttl time.Duration) (Token, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c)
	t.Header["kid"] = keyID(s.key.Public)
	text, err := t.SigningString()
	if err != nil {
		return Token{}, err
	}
	sig, err := s.signer.Sign(ctx, s.key, []byte(text))
	if err != nil {
		return Token{}, err
	}
	return Token{
		JWT:       text + "." + base64.RawURLEncoding.EncodeToString(sig),
		ExpiresIn: int(ttl / time.Second),
	}, nil
}

// verified is a token that was checked once; Authenticate still looks up
// whether it was revoked and whether its subject may act.
type verified struct {
	Principal
	issued time.Time
}

// verify checks signature, algorithm, key id, times and the required claims.
// What passed is remembered until it expires, since an Ed25519 check costs
// more than everything else a request does.
func (s *Service) verify(token string) (verified, error) {
	if strings.ContainsAny(token, "\r\n") { // base64 would skip them
		return verified{}, ErrToken
	}
	sum := sha256.Sum256([]byte(token))
	now := s.Now()
	if v, ok := s.tokens.get(sum); ok && now.Before(v.TokenExpires) {
		return v, nil
	}
	var c claims
	_, err := jwt.ParseWithClaims(token, &c, s.verificationKey,
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return now }))
	if err != nil {
		return verified{}, ErrToken.Because(err)
	}
	v, err := c.verified()
	if err != nil {
		return verified{}, ErrToken.Because(err)
	}
	s.tokens.put(sum, v)
	return v, nil
}

func (s *Service) verificationKey(t *jwt.Token) (any, error) {
	if kid, ok := t.Header["kid"].(string); ok && kid != keyID(s.key.Public) {
		return nil, errors.New("unknown key id")
	}
	return s.key.Public, nil
}

func (c claims) verified() (verified, error) {
	kind, sub, ok := strings.Cut(c.Subject, ":")
	if !ok || (Kind(kind) != KindUser && Kind(kind) != KindAgent) {
		return verified{}, errors.New("subject is neither a user nor an agent")
	}
	if c.ID == "" || c.IssuedAt == nil {
		return verified{}, errors.New("jti and iat are required")
	}
	v := verified{issued: c.IssuedAt.Time}
	v.Kind, v.Token, v.TokenExpires = Kind(kind), c.ID, c.ExpiresAt.Time
	v.VaultIDs = c.VaultIDs
	v.Signs = c.Intents != nil && *c.Intents
	v.Intents = v.Signs
	var err error
	if v.ID, err = id.Parse(sub); err != nil {
		return verified{}, err
	}
	if v.Org, err = id.Parse(c.Org); err != nil {
		return verified{}, err
	}
	for _, text := range c.Scopes {
		p, err := policy.ParsePattern(text)
		if err != nil {
			return verified{}, err
		}
		v.Scopes = append(v.Scopes, p)
	}
	return v, nil
}
