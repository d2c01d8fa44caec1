package httpapi

import (
	"context"
	"slices"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/use"
)

type newBindingInput struct {
	AgentID id.ID `path:"agent_id" format:"uuid"`
	Body    api.CreateBindingRequest
}

func (s *Server) createBinding(ctx context.Context, in *newBindingInput) (*reply[api.BindingResponse], error) {
	b := in.Body
	if b.Credential != nil {
		return nil, invalidField("credential", "is not taken: a value is kept in a vault, whose policies and key hold for it. "+
			"Write it with PUT /v1/vaults/{vault_id}/secrets/{path}, and name that in credential_source")
	}
	if c := b.CredentialSource; c.VaultID == "" && c.Path == "" {
		return nil, invalidField("credential_source", "is required: the vault_id and the path of the secret")
	}
	sp := use.Spec{Name: b.Name, Description: b.Description, Active: true}
	specConfig(&sp, b.Config)
	specGuardrails(&sp, b.Guardrails)
	sp.Hosts, sp.Paths = slices.Concat(sp.Hosts, b.AllowedHosts), slices.Concat(sp.Paths, b.AllowedPaths)
	if err := specSource(&sp, b.CredentialSource); err != nil {
		return nil, err
	}
	return answerBinding(s.uses.Bind(ctx, caller(ctx), in.AgentID, sp))
}

func specConfig(sp *use.Spec, c api.BindingConfig) {
	sp.BaseURL = c.BaseURL
	sp.Auth = use.Auth{Type: use.AuthType(c.AuthType), Name: c.AuthHeader, Prefix: c.AuthPrefix, User: c.AuthUser}
	if sp.Auth.Type == use.InQuery {
		sp.Auth.Name = c.AuthParam
	}
}

func specGuardrails(sp *use.Spec, g api.BindingGuardrails) {
	sp.Hosts, sp.Methods, sp.Paths = g.AllowedHosts, g.AllowedMethods, g.AllowedPaths
}

func specSource(sp *use.Spec, c api.CredentialSource) (err error) {
	if sp.Vault, err = id.Parse(c.VaultID); err != nil {
		return invalidField("credential_source.vault_id", "is not a UUID")
	}
	sp.Path, err = vault.ParseSecretPath(c.Path)
	return err
}

func (s *Server) listBindings(ctx context.Context, in *agentInput) (*reply[api.BindingListResponse], error) {
	all, err := s.uses.Bindings(ctx, caller(ctx), in.AgentID)
	if err != nil {
		return nil, err
	}
	return answer(api.BindingListResponse{Bindings: listOf(all, wireBinding)})
}

type bindingInput struct {
	AgentID   id.ID `path:"agent_id" format:"uuid"`
	BindingID id.ID `path:"binding_id" format:"uuid"`
}

func (s *Server) getBinding(ctx context.Context, in *bindingInput) (*reply[api.BindingResponse], error) {
	return answerBinding(s.uses.Binding(ctx, caller(ctx), in.AgentID, in.BindingID))
}

type changeBindingInput struct {
	AgentID   id.ID `path:"agent_id" format:"uuid"`
	BindingID id.ID `path:"binding_id" format:"uuid"`
	Body      api.UpdateBindingRequest
}

func (s *Server) updateBinding(ctx context.Context, in *changeBindingInput) (*reply[api.BindingResponse], error) {
	b := in.Body
	if b.Credential != nil {
		return nil, invalidField("credential", "is not changed here: POST /v1/agents/{agent_id}/bindings/{binding_id}/rotate-credential writes a new value")
	}
	var source use.Spec
	if b.CredentialSource != nil {
		if err := specSource(&source, *b.CredentialSource); err != nil {
			return nil, err
		}
	}
	return answerBinding(s.uses.Rebind(ctx, caller(ctx), in.AgentID, in.BindingID, func(sp *use.Spec) {
		if b.Name != nil {
			sp.Name = *b.Name
		}
		if b.Description != nil {
			sp.Description = *b.Description
		}
		if b.Config != nil {
			specConfig(sp, *b.Config)
		}
		if b.Guardrails != nil {
			specGuardrails(sp, *b.Guardrails)
		}
		if b.CredentialSource != nil {
			sp.Vault, sp.Path = source.Vault, source.Path
		}
		if b.IsActive != nil {
			sp.Active = *b.IsActive
		}
	}))
}

func (s *Server) deleteBinding(ctx context.Context, in *bindingInput) (*none, error) {
	return nil, s.uses.Unbind(ctx, caller(ctx), in.AgentID, in.BindingID)
}

func (s *Server) testBinding(ctx context.Context, in *bindingInput) (*reply[api.TestBindingResponse], error) {
	t, err := s.uses.Test(ctx, caller(ctx), in.AgentID, in.BindingID)
	if err != nil {
		return nil, err
	}
	out := api.TestBindingResponse{Success: t.Err == nil, LatencyMS: t.Took.Milliseconds()}
	if f := fault.As(t.Err); f != nil {
		out.Error = f.Msg
	}
	return answer(out)
}

type rotateCredentialInput struct {
	AgentID   id.ID `path:"agent_id" format:"uuid"`
	BindingID id.ID `path:"binding_id" format:"uuid"`
	Body      api.RotateCredentialRequest
}

func (s *Server) rotateBindingCredential(ctx context.Context, in *rotateCredentialInput) (*reply[api.BindingResponse], error) {
	c := in.Body.Credential
	// Of the three one is meant, by the type; the others are empty, or this is a mistake.
	value := map[string]string{"bearer": c.Token, "basic": c.Password, "header": c.Value, "query": c.Value}[c.Type]
	if value != c.Token+c.Password+c.Value {
		return nil, invalidField("credential", "has a value that its type does not take")
	}
	return answerBinding(s.uses.Rotate(ctx, caller(ctx), in.AgentID, in.BindingID, use.Credential{
		Type: use.AuthType(c.Type), Name: c.Name, User: c.Username, Value: plain.FromString(value),
	}))
}

func answerBinding(b use.Binding, err error) (*reply[api.BindingResponse], error) {
	if err != nil {
		return nil, err
	}
	return answer(wireBinding(b))
}

func wireBinding(b use.Binding) api.BindingResponse {
	c := api.BindingConfig{BaseURL: b.BaseURL, AuthType: string(b.Auth.Type), AuthPrefix: b.Auth.Prefix, AuthUser: b.Auth.User}
	if b.Auth.Type == use.InQuery {
		c.AuthParam = b.Auth.Name
	} else {
		c.AuthHeader = b.Auth.Name
	}
	return api.BindingResponse{
		ID: b.ID.String(), AgentID: b.Agent.String(), BindingType: "http", Name: b.Name, Description: b.Description, Config: c,
		Guardrails: api.BindingGuardrails{AllowedHosts: b.Hosts, AllowedMethods: b.Methods, AllowedPaths: b.Paths},
		IsActive:   b.Active, CredentialSet: true, CredentialSourceType: "vault_ref",
		CredentialVaultID: b.Vault.String(), CredentialPath: b.Path.String(), GivenBy: b.GivenBy.String(),
		CreatedAt: api.At(b.CreatedAt), UpdatedAt: api.At(b.UpdatedAt),
	}
}
