package client

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// ExecuteRequest sends a request with secrets in it for the agent that asks, and
// returns the answer without them. It is not repeated after an answer that was
// lost: the host may have done what it was asked.
func (c *Client) ExecuteRequest(ctx context.Context, agent string, in api.ExecuteRequest) (api.ExecuteResponse, error) {
	return write[api.ExecuteResponse](ctx, c, http.MethodPost, agentRoute(agent, "execute"), in)
}

// CreateBinding lets an agent use a secret at one place. Agents are refused, and
// so are people who may not read the secret.
func (c *Client) CreateBinding(ctx context.Context, agent string, in api.CreateBindingRequest) (api.BindingResponse, error) {
	return write[api.BindingResponse](ctx, c, http.MethodPost, agentRoute(agent, "bindings"), in)
}

// ListBindings lists an agent's bindings, for itself and for who manages the
// organisation.
func (c *Client) ListBindings(ctx context.Context, agent string) (api.BindingListResponse, error) {
	return read[api.BindingListResponse](ctx, c, agentRoute(agent, "bindings"), nil)
}

// GetBinding looks at a binding.
func (c *Client) GetBinding(ctx context.Context, agent, binding string) (api.BindingResponse, error) {
	return read[api.BindingResponse](ctx, c, agentRoute(agent, "bindings", binding), nil)
}

// UpdateBinding changes what the request names of a binding, which is then used by
// the right of whoever asks.
func (c *Client) UpdateBinding(ctx context.Context, agent, binding string, in api.UpdateBindingRequest) (api.BindingResponse, error) {
	return write[api.BindingResponse](ctx, c, http.MethodPatch, agentRoute(agent, "bindings", binding), in)
}

// DeleteBinding takes a binding away.
func (c *Client) DeleteBinding(ctx context.Context, agent, binding string) error {
	_, err := do[nothing](ctx, c, call{method: http.MethodDelete, path: agentRoute(agent, "bindings", binding)})
	return err
}

// TestBinding asks the host of a binding for an answer, without the secret.
func (c *Client) TestBinding(ctx context.Context, agent, binding string) (api.TestBindingResponse, error) {
	return write[api.TestBindingResponse](ctx, c, http.MethodPost, agentRoute(agent, "bindings", binding, "test"), nil)
}
