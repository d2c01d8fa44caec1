package client

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// ListChains lists the chains that transactions can be on. It needs no token.
func (c *Client) ListChains(ctx context.Context) (api.ChainListResponse, error) {
	return look[api.ChainListResponse](ctx, c, "/v1/chains")
}

// GetChain looks at a chain, by its name or chain id. It needs no token.
func (c *Client) GetChain(ctx context.Context, identifier string) (api.ChainResponse, error) {
	return look[api.ChainResponse](ctx, c, route("v1", "chains", identifier))
}

// AdminListChains lists all chains, with their nodes. It is for who runs the appliance,
// as are the operations that change chains.
func (c *Client) AdminListChains(ctx context.Context) (api.ChainListResponse, error) {
	return read[api.ChainListResponse](ctx, c, "/v1/admin/chains", nil)
}

// CreateChain registers a chain. ErrConflict: one has its name or chain id.
func (c *Client) CreateChain(ctx context.Context, in api.CreateChainRequest) (api.ChainResponse, error) {
	return write[api.ChainResponse](ctx, c, http.MethodPost, "/v1/admin/chains", in)
}

// UpdateChain changes what the request names of a chain, by its id.
func (c *Client) UpdateChain(ctx context.Context, chain string, in api.UpdateChainRequest) (api.ChainResponse, error) {
	return write[api.ChainResponse](ctx, c, http.MethodPut, route("v1", "admin", "chains", chain), in)
}

// DeleteChain takes a chain away. ErrConflict: transactions on it are not settled.
func (c *Client) DeleteChain(ctx context.Context, chain string) error {
	return tell(ctx, c, http.MethodDelete, route("v1", "admin", "chains", chain), nil)
}

// GetChainHealth says which nodes of a chain answer.
func (c *Client) GetChainHealth(ctx context.Context, chain string) (api.ChainHealthResponse, error) {
	return read[api.ChainHealthResponse](ctx, c, route("v1", "admin", "chains", chain, "health"), nil)
}
