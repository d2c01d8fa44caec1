package identity

import (
	"context"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
)

// Workloads verifies access tokens that identity providers gave to programs.
type Workloads interface {
	// Workload says which client of which issuer a token was issued to, for us.
	// A token that is no good is a *fault.Error of kind Unauthenticated, whose
	// code tells the audit log why; an issuer whose keys cannot be had is one of
	// kind Unavailable.
	Workload(ctx context.Context, token string) (issuer, client string, err error)
}

func (s *Service) clientClaim(issuer, client string) []byte {
	return s.HashKey(compound("client", issuer, client))
}

// ExchangeWorkloadToken sells a JWT for an access token that an identity provider
// gave to an agent. The agent's id may be left zero.
func (s *Service) ExchangeWorkloadToken(ctx context.Context, agent id.ID, token string, peer Peer) (AgentToken, error) {
	if s.workloads == nil {
		return AgentToken{}, ErrNoIssuers
	}
	issuer, client, err := s.workloads.Workload(ctx, token)
	if err != nil {
		return AgentToken{}, s.refuseProof(ctx, Principal{}, peer, AuthOIDC, asCredentials(err))
	}
	return s.exchange(ctx, peer, AuthOIDC, func(tx Tx) (Agent, error) {
		a, err := byClaim(tx, s.clientClaim(issuer, client), agent)
		if err == nil && (a.OIDCIssuer != issuer || a.OIDCClientID != client) {
			err = ErrCredentials.Because(errUnknownProof)
		}
		return a, err
	})
}

// asCredentials is what is shown of a proof that is no good.
func asCredentials(err error) error {
	if fault.KindOf(err) == fault.Unauthenticated {
		return ErrCredentials.Because(err)
	}
	return err
}
