package httpapi

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

func (s *Server) authRoutes() []route {
	const tag = "Authentication"
	return []route{
		handle(remove, "/v1/auth/token", "revokeToken", s.revokeToken, doc(tag, "Revoke the token of this request")),
		handle(post, "/v1/auth/agent-token", "agentToken", s.agentToken, keyed, doc(tag, "Exchange an agent's key, access token or client certificate for a token")),
		handle(post, "/v1/auth/api-key-token", "apiKeyToken", s.apiKeyToken, keyed, doc(tag, "Exchange a 1ck_ key for a token")),
		handle(post, "/v1/auth/refresh", "refreshToken", s.refreshToken, public, doc(tag, "Not supported: keys are exchanged again")),
		handle(get, "/v1/auth/jwt-public-key", "getJwtPublicKey", s.jwtPublicKey, public, doc(tag, "The key that verifies tokens")),
		handle(get, "/.well-known/jwks.json", "getJWKS", s.jwks, public, doc(tag, "The keys that verify tokens, as RFC 7517")),
	}
}

func (s *Server) revokeToken(ctx context.Context, _ *none) (*reply[api.RevokedResponse], error) {
	if err := s.people.Revoke(ctx, caller(ctx)); err != nil {
		return nil, err
	}
	return answer(api.RevokedResponse{Revoked: true})
}

// strictReader reports whether the client is the official Go SDK, whose
// generated reader fails on a token with the two fields that all others need.
func strictReader(userAgent string) bool {
	return strings.HasPrefix(userAgent, "OpenAPI-Generator/") && strings.HasSuffix(userAgent, "/go")
}

type userKeyInput struct{ Body api.UserApiKeyTokenRequest }

// apiKeyToken takes an agent's key too: the Go SDK and several examples post
// theirs here, and expect nothing but the token back.
func (s *Server) apiKeyToken(ctx context.Context, in *userKeyInput) (*reply[api.TokenResponse], error) {
	if strings.HasPrefix(in.Body.APIKey, identity.AgentKeyPrefix) {
		tok, err := s.people.ExchangeAgentKey(ctx, id.ID{}, in.Body.APIKey, peer(ctx))
		if err != nil {
			return nil, err
		}
		keyWasRight(ctx)
		return answer(wireToken(tok.Token))
	}
	tok, err := s.people.ExchangeUserKey(ctx, in.Body.APIKey, peer(ctx))
	if err != nil {
		return nil, err
	}
	keyWasRight(ctx)
	return answer(wireToken(tok))
}

func wireToken(t identity.Token) api.TokenResponse {
	return api.TokenResponse{AccessToken: t.JWT, TokenType: api.TokenType, ExpiresIn: t.ExpiresIn}
}

type refreshInput struct{ Body *api.RefreshTokenRequest }

func (s *Server) refreshToken(context.Context, *refreshInput) (*reply[api.TokenResponse], error) {
	return nil, identity.ErrNoRefresh
}

func (s *Server) jwtPublicKey(context.Context, *none) (*reply[api.JWTPublicKeyResponse], error) {
	return answer(api.JWTPublicKeyResponse{
		Alg: "EdDSA", PublicKeyBase64: base64.StdEncoding.EncodeToString(s.people.PublicKey()),
	})
}

func (s *Server) jwks(context.Context, *none) (*reply[api.JWKSResponse], error) {
	out := api.JWKSResponse{Keys: []api.JWK{}}
	for kid, key := range s.people.PublicKeys() {
		out.Keys = append(out.Keys, api.JWK{
			KeyType: "OKP", Curve: "Ed25519", X: base64.RawURLEncoding.EncodeToString(key),
			KeyID: kid, Use: "sig", Algorithm: "EdDSA",
		})
	}
	return answer(out)
}
