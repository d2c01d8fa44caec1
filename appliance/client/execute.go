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

// ExecuteIntent is ExecuteRequest in the form of the published clients, whose answer
// is inside the result. With DryRun it says whether the request would be refused.
func (c *Client) ExecuteIntent(ctx context.Context, agent string, in api.ExecuteIntentRequest) (api.ExecuteIntentResponse, error) {
	return write[api.ExecuteIntentResponse](ctx, c, http.MethodPost, agentRoute(agent, "execute"), in)
}

// Page is a part of a list, from an offset on.
type Page struct{ Limit, Offset int }

// ListExecutions lists what an agent executed, newest first, for itself and for who
// manages the organisation. It is read from the audit log.
func (c *Client) ListExecutions(ctx context.Context, agent string, p Page) (api.ExecutionListResponse, error) {
	return read[api.ExecutionListResponse](ctx, c, agentRoute(agent, "executions"), query{}.number("limit", p.Limit).number("offset", p.Offset))
}

// GetExecution looks at an execution.
func (c *Client) GetExecution(ctx context.Context, agent, execution string) (api.ExecutionEvent, error) {
	return read[api.ExecutionEvent](ctx, c, agentRoute(agent, "executions", execution), nil)
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

// RotateBindingCredential gives the secret of a binding a new value, for who manages
// the organisation and may write the secret.
func (c *Client) RotateBindingCredential(ctx context.Context, agent, binding string, in api.RotateCredentialRequest) (api.BindingResponse, error) {
	return write[api.BindingResponse](ctx, c, http.MethodPost, agentRoute(agent, "bindings", binding, "rotate-credential"), in)
}

// TestBinding asks the host of a binding for an answer, without the secret.
func (c *Client) TestBinding(ctx context.Context, agent, binding string) (api.TestBindingResponse, error) {
	return write[api.TestBindingResponse](ctx, c, http.MethodPost, agentRoute(agent, "bindings", binding, "test"), nil)
}
