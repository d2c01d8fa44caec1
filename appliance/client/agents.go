package client

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// ListAgents lists the organisation's agents. It is for people.
func (c *Client) ListAgents(ctx context.Context) (api.AgentListResponse, error) {
	return read[api.AgentListResponse](ctx, c, "/v1/agents", nil)
}

// CreateAgent registers an agent. Its key is in the answer, and nowhere else: it
// is not shown again. Agents are refused; ErrConflict is a certificate or a
// client that another agent has.
func (c *Client) CreateAgent(ctx context.Context, in api.CreateAgentRequest) (api.AgentCreatedResponse, error) {
	return write[api.AgentCreatedResponse](ctx, c, http.MethodPost, "/v1/agents", in)
}

// EnrollAgent asks a person for an agent of theirs: they get its key by mail. It
// needs no token, and answers the same whether or not there is such a person.
func (c *Client) EnrollAgent(ctx context.Context, in api.EnrollAgentRequest) (api.EnrollAgentResponse, error) {
	return ask[api.EnrollAgentResponse](ctx, c, "/v1/agents/enroll", in)
}

// GetAgentSelf is the agent that asks. People are refused.
func (c *Client) GetAgentSelf(ctx context.Context) (api.AgentSelfResponse, error) {
	return read[api.AgentSelfResponse](ctx, c, agentRoute("me"), nil)
}

// GetAgent looks at an agent. An agent sees only itself.
func (c *Client) GetAgent(ctx context.Context, agent string) (api.AgentResponse, error) {
	return read[api.AgentResponse](ctx, c, agentRoute(agent), nil)
}

// UpdateAgent changes what the request names of an agent. It is for the person who
// registered it and for who manages the organisation.
func (c *Client) UpdateAgent(ctx context.Context, agent string, in api.UpdateAgentRequest) (api.AgentResponse, error) {
	return write[api.AgentResponse](ctx, c, http.MethodPatch, agentRoute(agent), in)
}

// ReplaceAgent is UpdateAgent by its other name: what is left out stays here too.
func (c *Client) ReplaceAgent(ctx context.Context, agent string, in api.UpdateAgentRequest) (api.AgentResponse, error) {
	return write[api.AgentResponse](ctx, c, http.MethodPut, agentRoute(agent), in)
}

// DeleteAgent deactivates an agent. Its tokens end with it.
func (c *Client) DeleteAgent(ctx context.Context, agent string) error {
	return tell(ctx, c, http.MethodDelete, agentRoute(agent), nil)
}

// RotateAgentKey gives an agent another key, shown this once; the one before is no
// longer taken. ErrConflict is an agent that signs in without a key.
func (c *Client) RotateAgentKey(ctx context.Context, agent string) (api.AgentKeyRotatedResponse, error) {
	return write[api.AgentKeyRotatedResponse](ctx, c, http.MethodPost, agentRoute(agent, "rotate-key"), nil)
}

// RotateAgentIdentityKeys makes new keys that an agent is known by to others.
func (c *Client) RotateAgentIdentityKeys(ctx context.Context, agent string) (api.AgentResponse, error) {
	return write[api.AgentResponse](ctx, c, http.MethodPost, agentRoute(agent, "rotate-identity-keys"), nil)
}

// GetAgentGuardrails says which limits an agent's transactions have beyond those
// in its record.
func (c *Client) GetAgentGuardrails(ctx context.Context, agent string) (api.GuardrailsResponse, error) {
	return read[api.GuardrailsResponse](ctx, c, agentRoute(agent, "guardrails"), nil)
}

// UpdateAgentGuardrails sets all of those limits: what is left out is no limit. It
// is for who manages the organisation, not for who registered the agent.
func (c *Client) UpdateAgentGuardrails(ctx context.Context, agent string, in api.GuardrailsRequest) (api.GuardrailsResponse, error) {
	return write[api.GuardrailsResponse](ctx, c, http.MethodPut, agentRoute(agent, "guardrails"), in)
}

// agentRoute is where an agent is, or something of it.
func agentRoute(agent string, below ...string) string {
	return route(append([]string{"v1", "agents", agent}, below...)...)
}
