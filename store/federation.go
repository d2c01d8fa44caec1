package store

import (
	"slices"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// claims says which agents a proof other than a key is of: at most one of each
// organisation.
var claims = table[identity.AgentRef]{name: "agent-claim", version: 1}

// ClaimHolder implements identity.Tx.
func (t *Tx) ClaimHolder(claim []byte, org id.ID) (id.ID, bool, error) {
	ref, held, err := claims.get(t, slices.Concat(claim, org[:]))
	return ref.Agent, held, err
}

// PutClaim implements identity.Tx.
func (t *Tx) PutClaim(claim []byte, org, agent id.ID) error {
	return claims.put(t, slices.Concat(claim, org[:]), identity.AgentRef{Org: org, Agent: agent})
}

// DeleteClaim implements identity.Tx.
func (t *Tx) DeleteClaim(claim []byte, org id.ID) error {
	return claims.delete(t, slices.Concat(claim, org[:]))
}

// ClaimHolders implements identity.Tx.
func (t *Tx) ClaimHolders(claim []byte) ([]identity.AgentRef, error) {
	return collect(t, claims, claim)
}
