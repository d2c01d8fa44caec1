package client

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// ListSigningKeys lists the keys that an agent has in the HSM, old ones too.
func (c *Client) ListSigningKeys(ctx context.Context, agent string) (api.SigningKeyListResponse, error) {
	return read[api.SigningKeyListResponse](ctx, c, agentRoute(agent, "signing-keys"), nil)
}

// CreateSigningKey makes a key in the HSM for an agent and a chain. It is for who
// manages the organisation, as is everything that changes such keys. ErrConflict:
// there is one.
func (c *Client) CreateSigningKey(ctx context.Context, agent string, in api.CreateSigningKeyRequest) (api.SigningKeyResponse, error) {
	return write[api.SigningKeyResponse](ctx, c, http.MethodPost, agentRoute(agent, "signing-keys"), in)
}

// RotateSigningKey makes another key, with another address. What the old address
// has stays there.
func (c *Client) RotateSigningKey(ctx context.Context, agent, chain string) (api.SigningKeyResponse, error) {
	return write[api.SigningKeyResponse](ctx, c, http.MethodPost, agentRoute(agent, "signing-keys", chain, "rotate"), nil)
}

// ImportSigningKey puts a key that was made elsewhere into the HSM. It wants the
// caller's password once more, and refuses a wrong one with ErrForbidden.
func (c *Client) ImportSigningKey(ctx context.Context, agent, chain string, in api.ImportSigningKeyRequest) (api.SigningKeyResponse, error) {
	return write[api.SigningKeyResponse](ctx, c, http.MethodPost, agentRoute(agent, "signing-keys", chain, "import"), in)
}

// DeactivateSigningKey has an agent sign with its key for a chain no more.
func (c *Client) DeactivateSigningKey(ctx context.Context, agent, chain string) error {
	return tell(ctx, c, http.MethodDelete, agentRoute(agent, "signing-keys", chain), nil)
}

// GetSigningKeyBalance says what the address of a key has of the chain's coin. It
// asks the chain's node: ErrUnavailable if none answers.
func (c *Client) GetSigningKeyBalance(ctx context.Context, agent, chain string) (api.SigningKeyBalanceResponse, error) {
	return read[api.SigningKeyBalanceResponse](ctx, c, agentRoute(agent, "signing-keys", chain, "balance"), nil)
}
