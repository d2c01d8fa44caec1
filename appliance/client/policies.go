package client

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// ListPolicies lists who may do what in a vault. It is for the vault's creator and
// for who manages the organisation, as are the other operations on policies.
func (c *Client) ListPolicies(ctx context.Context, vault string) (api.PolicyListResponse, error) {
	return read[api.PolicyListResponse](ctx, c, vaultRoute(vault, "policies"), nil)
}

// CreatePolicy grants an agent or a person permissions on paths of a vault. A
// principal of another organisation is refused with ErrInvalid, as is a policy
// that would deny: what no policy grants is denied.
func (c *Client) CreatePolicy(ctx context.Context, vault string, in api.CreatePolicyRequest) (api.PolicyResponse, error) {
	return write[api.PolicyResponse](ctx, c, http.MethodPost, vaultRoute(vault, "policies"), in)
}

// UpdatePolicy changes a policy's permissions, conditions or expiry. What is left
// out stays.
func (c *Client) UpdatePolicy(ctx context.Context, vault, policy string, in api.UpdatePolicyRequest) (api.PolicyResponse, error) {
	return write[api.PolicyResponse](ctx, c, http.MethodPut, vaultRoute(vault, "policies", policy), in)
}

// DeletePolicy takes a grant back, from the next request on.
func (c *Client) DeletePolicy(ctx context.Context, vault, policy string) error {
	return tell(ctx, c, http.MethodDelete, vaultRoute(vault, "policies", policy), nil)
}
