package httpapi

import (
	"context"
	"encoding/json"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/policy"
)

func (s *Server) policyRoutes() []route {
	const (
		tag      = "Policies"
		policies = "/v1/vaults/{vault_id}/policies"
		one      = policies + "/{policy_id}"
	)
	return []route{
		handle(post, policies, "createPolicy", s.createPolicy, status(201), doc(tag, "Grant rights on a path pattern")),
		handle(get, policies, "listPolicies", s.listPolicies, doc(tag, "List what is granted in a vault")),
		handle(put, one, "updatePolicy", s.updatePolicy, doc(tag, "Change permissions, conditions or expiry")),
		handle(remove, one, "deletePolicy", s.deletePolicy, doc(tag, "Take rights back")),
	}
}

type newPolicyInput struct {
	VaultID id.ID `path:"vault_id" format:"uuid"`
	Body    api.CreatePolicyRequest
}

func (s *Server) createPolicy(ctx context.Context, in *newPolicyInput) (*reply[api.PolicyResponse], error) {
	g, err := grantOf(&in.Body)
	if err != nil {
		return nil, err
	}
	p, err := s.vaults.CreatePolicy(ctx, caller(ctx), in.VaultID, g)
	if err != nil {
		return nil, err
	}
	return answerPolicy(p)
}

var errUnsupported = fault.New(fault.Invalid, "unsupported", "")

func grantOf(b *api.CreatePolicyRequest) (g vault.Grant, err error) {
	if bad := b.Unsupported(); len(bad) > 0 {
		refusal := errUnsupported.Detail("This appliance does not do what the request asks for: %s", summary(bad))
		refusal.Fields = bad
		return g, refusal
	}
	if g.Pattern, err = policy.ParsePattern(b.Pattern()); err != nil {
		return g, err
	}
	if g.Permissions, err = policy.ParsePermissions(b.Permissions); err != nil {
		return g, err
	}
	if g.Conditions, err = policy.ParseConditions(json.RawMessage(b.Conditions)); err != nil {
		return g, err
	}
	g.Principal.Type = b.PrincipalType
	if g.Principal.ID, err = id.Parse(b.PrincipalID); err != nil {
		return g, invalidField("principal_id", "is not a UUID")
	}
	g.ExpiresAt = b.ExpiresAt.Ptr()
	return g, nil
}

func (s *Server) listPolicies(ctx context.Context, in *vaultInput) (*reply[api.PolicyListResponse], error) {
	all, err := s.vaults.Policies(ctx, caller(ctx), in.VaultID)
	if err != nil {
		return nil, err
	}
	out := api.PolicyListResponse{Policies: make([]api.PolicyResponse, len(all))}
	for i, p := range all {
		if out.Policies[i], err = wirePolicy(p); err != nil {
			return nil, err
		}
	}
	return answer(out)
}

type policyInput struct {
	VaultID  id.ID `path:"vault_id" format:"uuid"`
	PolicyID id.ID `path:"policy_id" format:"uuid"`
}

type changePolicyInput struct {
	VaultID  id.ID `path:"vault_id" format:"uuid"`
	PolicyID id.ID `path:"policy_id" format:"uuid"`
	Body     api.UpdatePolicyRequest
}

func (s *Server) updatePolicy(ctx context.Context, in *changePolicyInput) (*reply[api.PolicyResponse], error) {
	var c vault.GrantChange
	var err error
	if in.Body.Permissions != nil {
		if c.Permissions, err = policy.ParsePermissions(in.Body.Permissions); err != nil {
			return nil, err
		}
	}
	if in.Body.Conditions != nil {
		conditions, err := policy.ParseConditions(json.RawMessage(in.Body.Conditions))
		if err != nil {
			return nil, err
		}
		c.Conditions = &conditions
	}
	c.ExpiresAt = optionalTime(in.Body.ExpiresAt)
	p, err := s.vaults.UpdatePolicy(ctx, caller(ctx), in.VaultID, in.PolicyID, c)
	if err != nil {
		return nil, err
	}
	return answerPolicy(p)
}

// optionalTime is nil for absent, and points to nil for null.
func optionalTime(o api.Optional[api.Time]) **time.Time {
	if !o.Set {
		return nil
	}
	var t *time.Time
	if o.Value != nil {
		t = o.Value.Ptr()
	}
	return &t
}

func (s *Server) deletePolicy(ctx context.Context, in *policyInput) (*none, error) {
	return nil, s.vaults.DeletePolicy(ctx, caller(ctx), in.VaultID, in.PolicyID)
}

func answerPolicy(p policy.Policy) (*reply[api.PolicyResponse], error) {
	out, err := wirePolicy(p)
	if err != nil {
		return nil, err
	}
	return answer(out)
}

func wirePolicy(p policy.Policy) (api.PolicyResponse, error) {
	conditions, err := p.Conditions.MarshalJSON()
	return api.PolicyResponse{
		ID: p.ID.String(), VaultID: p.Vault.String(), SecretPathPattern: p.Pattern.String(),
		PrincipalType: p.Principal.Type, PrincipalID: p.Principal.ID.String(),
		Permissions: listOf(p.Permissions, func(x policy.Permission) string { return string(x) }),
		Conditions:  conditions, ExpiresAt: api.AtOrNone(p.ExpiresAt),
		CreatedBy: p.CreatedBy.String(), CreatedByType: p.CreatedByType, CreatedAt: api.At(p.CreatedAt),
	}, err
}
