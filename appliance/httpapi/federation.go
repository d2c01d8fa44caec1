package httpapi

import (
	"context"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

func (s *Server) federationRoutes() []route {
	return []route{
		handle(post, "/v1/auth/google", "googleAuth", s.googleAuth, guessable, doc("Authentication", "Sign in with an ID token of the identity provider that is configured")),
	}
}

type googleInput struct{ Body api.GoogleAuthRequest }

func (s *Server) googleAuth(ctx context.Context, in *googleInput) (*reply[api.LoginResponse], error) {
	who, err := s.people.SignInPerson(ctx, in.Body.IDToken, peer(ctx))
	if err != nil {
		return nil, err
	}
	ref, err := s.accounts.FindOrCreateVerified(ctx, who.Email, who.Name, peer(ctx))
	if err != nil {
		return nil, err
	}
	l, err := s.accounts.Admit(ctx, ref.Org, ref.User, peer(ctx))
	if err != nil {
		return nil, err
	}
	return answer(wireLogin(l))
}

type agentTokenInput struct {
	UserAgent string                 `header:"User-Agent"`
	Body      *api.AgentTokenRequest // a certificate needs none
}

func (s *Server) agentToken(ctx context.Context, in *agentTokenInput) (*reply[api.TokenResponse], error) {
	body := api.AgentTokenRequest{}
	if in.Body != nil {
		body = *in.Body
	}
	var agent id.ID
	if body.AgentID != "" {
		var err error
		if agent, err = id.Parse(body.AgentID); err != nil {
			return nil, invalidField("agent_id", "is not a UUID")
		}
	}
	tok, err := s.exchangeProof(ctx, agent, &body)
	if err != nil {
		return nil, err
	}
	keyWasRight(ctx)
	out := wireToken(tok.Token)
	if !strictReader(in.UserAgent) {
		out.AgentID, out.VaultIDs = tok.Agent.String(), listOf(tok.VaultIDs, id.ID.String)
	}
	return answer(out)
}

// exchangeProof takes what the body holds, and else the certificate of the
// connection: a client that has one shows it whether or not it means to.
func (s *Server) exchangeProof(ctx context.Context, agent id.ID, body *api.AgentTokenRequest) (identity.AgentToken, error) {
	key, cert := body.APIKey, callFrom(ctx).cert
	switch {
	case key != nil && (*key != "" || body.Token() == "" && cert == nil):
		return s.people.ExchangeAgentKey(ctx, agent, *key, peer(ctx))
	case body.Token() != "":
		return s.people.ExchangeWorkloadToken(ctx, agent, body.Token(), peer(ctx))
	case cert != nil:
		return s.people.ExchangeCertificate(ctx, agent, cert, peer(ctx))
	}
	return identity.AgentToken{}, invalidField("api_key", "is required")
}
