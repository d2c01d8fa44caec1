package agents

import (
	"context"
	"errors"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// List returns the organisation's agents, deactivated ones too, oldest first.
func (s *Service) List(ctx context.Context, p identity.Principal) (out []identity.Agent, err error) {
	if p.IsAgent() {
		e := p.Event(audit.AgentRead, "agent", p.ID.String())
		e.Time = s.now()
		return nil, s.refused(ctx, e, identity.ErrUsersOnly)
	}
	err = s.DB.View(ctx, func(tx vault.Tx) error {
		if out, err = tx.Agents(p.Org); err != nil {
			return err
		}
		out = append([]identity.Agent{}, out...) // never nil
		for i := range out {
			if out[i].LastActivityAt, err = s.Identity.LastSeen(tx, out[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// Get returns an agent of the organisation; an agent may get itself only.
func (s *Service) Get(ctx context.Context, p identity.Principal, agent id.ID) (a identity.Agent, err error) {
	if p.IsAgent() && p.ID != agent {
		return a, s.refused(ctx, s.event(p, audit.AgentRead, agent), identity.ErrDenied)
	}
	err = s.DB.View(ctx, func(tx vault.Tx) error {
		var ok bool
		if a, ok, err = tx.Agent(p.Org, agent); err == nil && !ok {
			err = identity.ErrNoAgent
		}
		return err
	})
	if errors.Is(err, identity.ErrNoAgent) {
		return a, s.refused(ctx, s.event(p, audit.AgentRead, agent), err)
	}
	if err != nil {
		return a, err
	}
	return s.seen(ctx, a)
}

// Self returns the agent who asks; people are refused.
func (s *Service) Self(ctx context.Context, p identity.Principal) (identity.Agent, error) {
	if !p.IsAgent() {
		return identity.Agent{}, s.refused(ctx, s.event(p, audit.AgentRead, p.ID), identity.ErrAgentsOnly)
	}
	return s.Get(ctx, p, p.ID)
}

// seen fills in when the agent was last active.
func (s *Service) seen(ctx context.Context, a identity.Agent) (identity.Agent, error) {
	err := s.DB.View(ctx, func(tx vault.Tx) (err error) {
		a.LastActivityAt, err = s.Identity.LastSeen(tx, a.ID)
		return err
	})
	return a, err
}

// Update changes an agent in part. It is in force with the next request; what
// a token froze (scopes, binding) with the next exchange.
func (s *Service) Update(ctx context.Context, p identity.Principal, agent id.ID, c Change) (identity.Agent, error) {
	a, err := s.change(ctx, p, audit.AgentUpdate, agent, func(tx vault.Tx, a *identity.Agent) (refusal *fault.Error, err error) {
		if err := c.apply(a, s.now()); err != nil {
			return fault.As(err), nil
		}
		if c.VaultIDs != nil {
			if ok, err := vaultsExist(tx, p.Org, a.VaultIDs); err != nil || !ok {
				return ErrVaults, err
			}
		}
		return nil, nil
	})
	if err != nil {
		return identity.Agent{}, err
	}
	return s.seen(ctx, a)
}

// Deactivate stops an agent at once: its tokens are refused from the next
// request on. The record stays, and Update can make it active again.
func (s *Service) Deactivate(ctx context.Context, p identity.Principal, agent id.ID) error {
	off := false
	_, err := s.change(ctx, p, audit.AgentDeactivate, agent, func(_ vault.Tx, a *identity.Agent) (*fault.Error, error) {
		return fault.As(Change{Active: &off}.apply(a, s.now())), nil
	})
	return err
}

// RotateKey replaces an agent's ocv_ key, which is returned this once. The old
// key fails at once; tokens it bought run out by themselves.
func (s *Service) RotateKey(ctx context.Context, p identity.Principal, agent id.ID) (string, error) {
	key := identity.NewKey(identity.AgentKeyPrefix)
	hash := s.Identity.HashKey(key)
	_, err := s.change(ctx, p, audit.AgentRotateKey, agent, func(tx vault.Tx, a *identity.Agent) (*fault.Error, error) {
		if a.AuthMethod != identity.AuthAPIKey {
			return ErrNoKey, nil
		}
		if err := tx.DeleteCredential(a.KeyHash); err != nil {
			return nil, err
		}
		a.KeyHash = hash
		return nil, tx.PutCredential(hash, identity.Credential{Kind: identity.KindAgent, Org: a.Org, ID: a.ID})
	})
	if err != nil {
		return "", err
	}
	return key, nil
}

// change loads an agent that p may change, lets fn change it, stores and
// audits. A refusal by fn is audited and leaves everything as it was.
func (s *Service) change(ctx context.Context, p identity.Principal, action audit.Action, agent id.ID,
	fn func(vault.Tx, *identity.Agent) (*fault.Error, error)) (a identity.Agent, err error) {
	err = txn.Decide(ctx, s.DB, func(tx vault.Tx) (refusal, err error) {
		e := s.event(p, action, agent)
		a, refusal, err = load(tx, p, agent)
		if err != nil {
			return nil, err
		}
		if refusal != nil {
			return s.refuse(ctx, tx, e, fault.As(refusal), nil)
		}
		before := a
		if why, err := fn(tx, &a); err != nil || why != nil {
			return s.refuse(ctx, tx, e, why, err)
		}
		if why, err := s.keepClaim(tx, before, a); err != nil || why != nil {
			return s.refuse(ctx, tx, e, why, err)
		}
		if err := tx.PutAgent(a); err != nil {
			return nil, err
		}
		return nil, audit.Write(ctx, tx, e)
	})
	return a, err
}
