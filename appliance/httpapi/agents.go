package httpapi

import (
	"context"
	"encoding/json"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/agents"
	"github.com/oneclaw/oneclawd/vault/identity"
)

func (s *Server) agentRoutes() []route {
	const (
		tag = "Agents"
		all = "/v1/agents"
		one = all + "/{agent_id}"
	)
	return []route{
		handle(post, all, "createAgent", s.createAgent, status(201), doc(tag, "Register an agent; its key is shown once")),
		handle(get, all, "listAgents", s.listAgents, doc(tag, "List the organisation's agents")),
		handle(get, all+"/me", "getAgentSelf", s.getAgentSelf, doc(tag, "The agent that asks")),
		handle(get, one, "getAgent", s.getAgent, doc(tag, "Look at an agent")),
		handle(patch, one, "updateAgent", s.updateAgent, doc(tag, "Change an agent in part")),
		handle(put, one, "replaceAgent", s.updateAgent, doc(tag, "The same as PATCH")),
		handle(remove, one, "deleteAgent", s.deleteAgent, doc(tag, "Deactivate an agent at once")),
		handle(post, one+"/rotate-key", "rotateAgentKey", s.rotateAgentKey, doc(tag, "Replace an agent's key; shown once")),
		handle(post, one+"/rotate-identity-keys", "rotateAgentIdentityKeys", s.rotateIdentityKeys, doc(tag, "Replace an agent's identity keys")),
		handle(get, one+"/delivery", "getAgentDelivery", s.getDelivery, doc(tag, "Whether an agent is shown values")),
		handle(put, one+"/delivery", "setAgentDelivery", s.setDelivery, doc(tag, "Show an agent values, or handles only")),
	}
}

type newAgentInput struct{ Body api.CreateAgentRequest }

func (s *Server) createAgent(ctx context.Context, in *newAgentInput) (*reply[api.AgentCreatedResponse], error) {
	spec, err := agentSpec(&in.Body)
	if err != nil {
		return nil, err
	}
	a, key, err := s.agents.Register(ctx, caller(ctx), spec)
	if err != nil {
		return nil, err
	}
	return answer(api.AgentCreatedResponse{Agent: wireAgent(a), APIKey: key})
}

func agentSpec(b *api.CreateAgentRequest) (agents.Spec, error) {
	vaults, err := parseIDs("vault_ids", b.VaultIDs)
	return agents.Spec{
		Name: b.Name, Description: b.Description, AuthMethod: identity.AuthMethod(b.AuthMethod),
		Scopes: b.Scopes, VaultIDs: vaults, TokenTTL: int(deref(b.TokenTTLSeconds)), ExpiresAt: b.ExpiresAt.Ptr(),
		CertFingerprint: b.ClientCertFingerprint, OIDCIssuer: b.OIDCIssuer, OIDCClientID: b.OIDCClientID,
		Intents: deref(b.Intents()), TxToAllowlist: b.TxToAllowlist, TxMaxValue: deref(b.TxMaxValueETH),
		TxDailyLimit: deref(b.TxDailyLimitETH), TxChains: b.TxAllowedChains,
		ShroudEnabled: deref(b.ShroudEnabled), ShroudConfig: json.RawMessage(b.ShroudConfig),
	}, err
}

// parseIDs parses identifiers of a body; the error names the field.
func parseIDs(field string, texts []string) ([]id.ID, error) {
	out := make([]id.ID, len(texts))
	for i, text := range texts {
		var err error
		if out[i], err = id.Parse(text); err != nil {
			return nil, invalidField(field, "has an entry that is not a UUID")
		}
	}
	return out, nil
}

// deref reads an absent value as its zero.
func deref[T any](v *T) (out T) {
	if v != nil {
		out = *v
	}
	return out
}

func (s *Server) listAgents(ctx context.Context, _ *none) (*reply[api.AgentListResponse], error) {
	all, err := s.agents.List(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return answer(api.AgentListResponse{Agents: listOf(all, wireAgent)})
}

type agentInput struct {
	AgentID id.ID `path:"agent_id" format:"uuid"`
}

func (s *Server) getAgent(ctx context.Context, in *agentInput) (*reply[api.AgentResponse], error) {
	return answerAgent(s.agents.Get(ctx, caller(ctx), in.AgentID))
}

func (s *Server) getAgentSelf(ctx context.Context, _ *none) (*reply[api.AgentSelfResponse], error) {
	a, err := s.agents.Self(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	out := api.AgentSelfResponse{
		ID: a.ID.String(), Name: a.Name, Description: a.Description, OrgID: a.Org.String(),
		Scopes: notNil(a.Scopes), VaultIDs: listOf(a.VaultIDs, id.ID.String), IsActive: a.Active,
		IntentsAPIEnabled: a.Intents, SSHPublicKey: a.SSHPublicKey, ECDHPublicKey: a.ECDHPublicKey,
		ShroudEnabled: a.ShroudEnabled, ShroudConfig: api.Object(a.ShroudConfig),
		CreatedAt: api.At(a.CreatedAt), ExpiresAt: api.AtOrNone(a.ExpiresAt), LastActiveAt: api.At(a.LastActivityAt),
	}
	if !a.CreatedBy.IsZero() {
		out.CreatedBy = a.CreatedBy.String()
	}
	return answer(out)
}

type changeAgentInput struct {
	AgentID id.ID `path:"agent_id" format:"uuid"`
	Body    api.UpdateAgentRequest
}

func (s *Server) updateAgent(ctx context.Context, in *changeAgentInput) (*reply[api.AgentResponse], error) {
	c, err := agentChange(&in.Body)
	if err != nil {
		return nil, err
	}
	return answerAgent(s.agents.Update(ctx, caller(ctx), in.AgentID, c))
}

func agentChange(b *api.UpdateAgentRequest) (agents.Change, error) {
	c := agents.Change{
		Name: b.Name, Description: b.Description, Active: b.IsActive,
		CertFingerprint: b.ClientCertFingerprint, OIDCIssuer: b.OIDCIssuer, OIDCClientID: b.OIDCClientID,
		Scopes: present(b.Scopes), ExpiresAt: optionalTime(b.ExpiresAt), Intents: b.Intents(),
		TxToAllowlist: present(b.TxToAllowlist), TxMaxValue: cleared(b.TxMaxValueETH),
		TxDailyLimit: cleared(b.TxDailyLimitETH), TxChains: present(b.TxAllowedChains), ShroudEnabled: b.ShroudEnabled,
	}
	if ttl := cleared(b.TokenTTLSeconds); ttl != nil {
		seconds := int(*ttl)
		c.TokenTTL = &seconds
	}
	if o := cleared(b.ShroudConfig); o != nil {
		raw := json.RawMessage(*o)
		c.ShroudConfig = &raw
	}
	if b.VaultIDs != nil {
		vaults, err := parseIDs("vault_ids", b.VaultIDs)
		if err != nil {
			return c, err
		}
		c.VaultIDs = &vaults
	}
	return c, nil
}

// present is nil for a list that was left out; [] is present.
func present[T any](list []T) *[]T {
	if list == nil {
		return nil
	}
	return &list
}

// cleared is nil for a field that was left out, and points to the zero value
// for one that was null.
func cleared[T any](o api.Optional[T]) *T {
	if !o.Set {
		return nil
	}
	v := deref(o.Value)
	return &v
}

func (s *Server) deleteAgent(ctx context.Context, in *agentInput) (*none, error) {
	return nil, s.agents.Deactivate(ctx, caller(ctx), in.AgentID)
}

func (s *Server) rotateAgentKey(ctx context.Context, in *agentInput) (*reply[api.AgentKeyRotatedResponse], error) {
	key, err := s.agents.RotateKey(ctx, caller(ctx), in.AgentID)
	if err != nil {
		return nil, err
	}
	return answer(api.AgentKeyRotatedResponse{APIKey: key})
}

func (s *Server) rotateIdentityKeys(ctx context.Context, in *agentInput) (*reply[api.AgentResponse], error) {
	return answerAgent(s.agents.RotateIdentityKeys(ctx, caller(ctx), in.AgentID))
}

func answerAgent(a identity.Agent, err error) (*reply[api.AgentResponse], error) {
	if err != nil {
		return nil, err
	}
	return answer(wireAgent(a))
}

func wireAgent(a identity.Agent) api.AgentResponse {
	out := api.AgentResponse{
		ID: a.ID.String(), Name: a.Name, Description: a.Description, AuthMethod: string(a.AuthMethod),
		Scopes: notNil(a.Scopes), IsActive: a.Active, IntentsAPIEnabled: a.Intents,
		TxToAllowlist: notNil(a.TxToAllowlist), TxMaxValueETH: a.TxMaxValue, TxDailyLimitETH: a.TxDailyLimit,
		TxAllowedChains: notNil(a.TxChains), VaultIDs: listOf(a.VaultIDs, id.ID.String),
		ClientCertFingerprint: a.CertFingerprint, OIDCIssuer: a.OIDCIssuer, OIDCClientID: a.OIDCClientID,
		SSHPublicKey: a.SSHPublicKey, ECDHPublicKey: a.ECDHPublicKey,
		ShroudEnabled: a.ShroudEnabled, ShroudConfig: api.Object(a.ShroudConfig),
		CreatedAt: api.At(a.CreatedAt), ExpiresAt: api.AtOrNone(a.ExpiresAt), LastActiveAt: api.At(a.LastActivityAt),
	}
	if a.TokenTTL > 0 {
		ttl := int32(a.TokenTTL) // at most 30 days
		out.TokenTTLSeconds = &ttl
	}
	return out
}
