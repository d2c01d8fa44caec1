package vault

import (
	"context"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// Grant is a policy to create.
type Grant struct {
	Pattern     policy.Pattern
	Principal   policy.Principal
	Permissions []policy.Permission
	Conditions  policy.Conditions
	ExpiresAt   *time.Time
}

// GrantChange is a change of a policy; nil leaves a part as it is.
type GrantChange struct {
	Permissions []policy.Permission
	Conditions  *policy.Conditions
	ExpiresAt   **time.Time // pointing to nil removes the expiry
}

// CreatePolicy grants rights in a vault. It takes effect with the next request.
func (s *Service) CreatePolicy(ctx context.Context, p identity.Principal, vault id.ID, g Grant) (policy.Policy, error) {
	now := s.now()
	if expired(g.ExpiresAt, now) {
		return policy.Policy{}, ErrExpiryPast
	}
	pol := policy.Policy{
		ID: id.New(), Vault: vault, Pattern: g.Pattern, Principal: g.Principal, Permissions: g.Permissions,
		Conditions: g.Conditions, ExpiresAt: g.ExpiresAt, CreatedBy: p.ID, CreatedByType: string(p.Kind), CreatedAt: now,
	}
	err := s.manage(ctx, p, vault, audit.PolicyCreate, pol.ID, func(tx Tx, e *audit.Event) (refusal, err error) {
		describe(e, pol)
		known, err := member(tx, p.Org, pol.Principal)
		if err != nil {
			return nil, err
		}
		if !known {
			return ErrPrincipal, nil
		}
		return nil, addGrant(tx, pol)
	})
	if err != nil {
		return policy.Policy{}, err
	}
	return pol, nil
}

// UpdatePolicy changes permissions, conditions or expiry of a policy.
func (s *Service) UpdatePolicy(ctx context.Context, p identity.Principal, vault, pol id.ID, c GrantChange) (out policy.Policy, err error) {
	now := s.now()
	if c.ExpiresAt != nil && expired(*c.ExpiresAt, now) {
		return policy.Policy{}, ErrExpiryPast
	}
	err = s.manage(ctx, p, vault, audit.PolicyUpdate, pol, func(tx Tx, e *audit.Event) (refusal, err error) {
		grants, i, err := findGrant(tx, vault, pol)
		if err != nil || i < 0 {
			return ErrPolicyNotFound, err
		}
		g := grants[i]
		if c.Permissions != nil {
			g.Permissions = c.Permissions
		}
		if c.Conditions != nil {
			g.Conditions = *c.Conditions
		}
		if c.ExpiresAt != nil {
			g.ExpiresAt = *c.ExpiresAt
		}
		grants = slices.Clone(grants)
		grants[i], out = g, g
		describe(e, g)
		return nil, tx.PutGrants(g.Principal, vault, grants)
	})
	if err != nil {
		return policy.Policy{}, err
	}
	return out, nil
}

// DeletePolicy takes rights back. It takes effect with the next request.
func (s *Service) DeletePolicy(ctx context.Context, p identity.Principal, vault, pol id.ID) error {
	return s.manage(ctx, p, vault, audit.PolicyDelete, pol, func(tx Tx, e *audit.Event) (refusal, err error) {
		grants, i, err := findGrant(tx, vault, pol)
		if err != nil || i < 0 {
			return ErrPolicyNotFound, err
		}
		describe(e, grants[i])
		holder := grants[i].Principal
		if err := tx.PutGrants(holder, vault, slices.Delete(slices.Clone(grants), i, i+1)); err != nil {
			return nil, err
		}
		return nil, tx.DeletePolicyHolder(vault, pol)
	})
}

// Policies lists a vault's policies, oldest first.
func (s *Service) Policies(ctx context.Context, p identity.Principal, vault id.ID) ([]policy.Policy, error) {
	out := []policy.Policy{}
	var refusal error
	err := s.DB.View(ctx, func(tx Tx) (err error) {
		if refusal, err = mayManage(tx, p, vault, s.now()); err != nil || refusal != nil {
			return err
		}
		all, err := tx.Policies(vault)
		out = append([]policy.Policy{}, all...) // never nil
		return err
	})
	if err == nil && refusal != nil {
		e := p.Event(audit.PolicyList, "vault", vault.String())
		e.Time = s.now()
		err = s.refused(ctx, e, refusal)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// manage runs fn if p may manage the vault's policies, and audits either way.
func (s *Service) manage(ctx context.Context, p identity.Principal, vault id.ID, action audit.Action, pol id.ID,
	fn func(tx Tx, e *audit.Event) (refusal, err error)) error {
	return txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		now := s.now()
		e := p.Event(action, "policy", pol.String())
		e.Time, e.Details = now, audit.Details{"vault_id": vault.String()}
		refusal, err = mayManage(tx, p, vault, now)
		if err == nil && refusal == nil {
			refusal, err = fn(tx, &e)
		}
		if err != nil {
			return nil, err
		}
		if refusal != nil {
			return refuse(ctx, tx, e, refusal)
		}
		return nil, audit.Write(ctx, tx, e)
	})
}

func mayManage(tx Tx, p identity.Principal, vault id.ID, now time.Time) (refusal, err error) {
	v, refusal, err := visible(tx, p, vault, now)
	if err != nil || refusal != nil {
		return refusal, err
	}
	if !manages(p, v) {
		return ErrDenied, nil
	}
	return nil, nil
}

// describe puts what a policy says into its event: who may do what where.
func describe(e *audit.Event, g policy.Policy) {
	perms := make([]string, len(g.Permissions))
	for i, perm := range g.Permissions {
		perms[i] = string(perm)
	}
	e.Details["principal_type"], e.Details["principal_id"] = g.Principal.Type, g.Principal.ID.String()
	e.Details["pattern"], e.Details["permissions"] = g.Pattern.String(), perms
}

// member reports whether a principal belongs to the organisation.
func member(tx Tx, org id.ID, who policy.Principal) (ok bool, err error) {
	switch identity.Kind(who.Type) {
	case identity.KindAgent:
		_, ok, err = tx.Agent(org, who.ID)
	case identity.KindUser:
		_, ok, err = tx.User(org, who.ID)
	}
	return ok, err
}

func addGrant(tx Tx, g policy.Policy) error {
	grants, err := tx.Grants(g.Principal, g.Vault)
	if err != nil {
		return err
	}
	if err := tx.PutPolicyHolder(g.Vault, g.ID, g.Principal); err != nil {
		return err
	}
	return tx.PutGrants(g.Principal, g.Vault, append(slices.Clone(grants), g))
}

// findGrant returns the list that holds a policy and its place there, -1 if
// there is no such policy.
func findGrant(tx Tx, vault, pol id.ID) ([]policy.Policy, int, error) {
	holder, ok, err := tx.PolicyHolder(vault, pol)
	if err != nil || !ok {
		return nil, -1, err
	}
	grants, err := tx.Grants(holder, vault)
	if err != nil {
		return nil, -1, err
	}
	return grants, slices.IndexFunc(grants, func(g policy.Policy) bool { return g.ID == pol }), nil
}
