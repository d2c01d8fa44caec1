package use

import (
	"context"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// maxBindings bounds those of one agent: they are one record.
const maxBindings = 64

// Spec is what a person says of a binding.
type Spec struct {
	Name, Description string
	BaseURL           string
	Auth              Auth
	Hosts             []string
	Methods, Paths    []string
	Vault             id.ID
	Path              vault.SecretPath
	Active            bool
}

// spec is what was said of b.
func (b Binding) spec() Spec {
	return Spec{b.Name, b.Description, b.BaseURL, b.Auth, b.Hosts, b.Methods, b.Paths, b.Vault, b.Path, b.Active}
}

func (b *Binding) set(sp Spec) {
	b.Name, b.Description, b.BaseURL, b.Auth = sp.Name, sp.Description, sp.BaseURL, sp.Auth
	b.Hosts, b.Methods, b.Paths = sp.Hosts, sp.Methods, sp.Paths
	b.Vault, b.Path, b.Active = sp.Vault, sp.Path, sp.Active
}

// Bind makes a binding for an agent. Those who manage the organisation may, for
// secrets that they may read themselves.
func (s *Service) Bind(ctx context.Context, p identity.Principal, agent id.ID, sp Spec) (Binding, error) {
	now := s.now()
	b := Binding{ID: id.New(), Org: p.Org, Agent: agent, GivenBy: p.ID, CreatedAt: now, UpdatedAt: now}
	b.set(sp)
	if err := b.check(); err != nil {
		return Binding{}, err
	}
	err := s.change(ctx, p, agent, audit.BindingCreate, b.ID, func(tx Tx, all []Binding) ([]Binding, error, error) {
		switch {
		case len(all) >= maxBindings:
			return nil, ErrBindings, nil
		case slices.ContainsFunc(all, func(have Binding) bool { return have.Name == b.Name }):
			return nil, ErrBindingName, nil
		}
		refusal, err := b.give(tx, p, now)
		return append(slices.Clone(all), b), refusal, err
	})
	if err != nil {
		return Binding{}, err
	}
	return b, nil
}

// give makes p the one by whose right the binding is used.
func (b *Binding) give(tx Tx, p identity.Principal, now time.Time) (refusal, err error) {
	l, why, err := vault.Lend(tx, p, b.Vault, b.Path, now)
	if err == nil && why == nil {
		why = l.Sendable()
	}
	if err != nil || why != nil {
		return why, err
	}
	b.Secret, b.DeletedThrough, b.GivenBy = l.Secret.ID, l.Secret.DeletedThrough, p.ID
	return nil, nil
}

// Rebind changes a binding; edit changes what was said of it. From then on it is
// used by the right of whoever changed it, unless it was only switched off.
func (s *Service) Rebind(ctx context.Context, p identity.Principal, agent, binding id.ID, edit func(*Spec)) (out Binding, err error) {
	now := s.now()
	err = s.change(ctx, p, agent, audit.BindingUpdate, binding, func(tx Tx, all []Binding) ([]Binding, error, error) {
		i := slices.IndexFunc(all, func(b Binding) bool { return b.ID == binding })
		if i < 0 {
			return nil, ErrNoBinding, nil
		}
		b, sp := all[i], all[i].spec()
		edit(&sp)
		b.set(sp)
		b.UpdatedAt = now
		if why := b.check(); why != nil {
			return nil, why, nil
		}
		if slices.ContainsFunc(all, func(have Binding) bool { return have.Name == b.Name && have.ID != b.ID }) {
			return nil, ErrBindingName, nil
		}
		if b.Active {
			if why, err := b.give(tx, p, now); err != nil || why != nil {
				return nil, why, err
			}
		}
		all = slices.Clone(all)
		all[i], out = b, b
		return all, nil, nil
	})
	return out, err
}

// Unbind takes a binding away.
func (s *Service) Unbind(ctx context.Context, p identity.Principal, agent, binding id.ID) error {
	return s.change(ctx, p, agent, audit.BindingDelete, binding, func(_ Tx, all []Binding) ([]Binding, error, error) {
		left := slices.DeleteFunc(slices.Clone(all), func(b Binding) bool { return b.ID == binding })
		if len(left) == len(all) {
			return nil, ErrNoBinding, nil
		}
		return left, nil, nil
	})
}

// change replaces the bindings of an agent by what fn makes of them, if p may.
func (s *Service) change(ctx context.Context, p identity.Principal, agent id.ID, action audit.Action, binding id.ID,
	fn func(Tx, []Binding) (all []Binding, refusal, err error)) error {
	return txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
		e := bindingEvent(p, action, agent, binding, s.now())
		why, err := mayBind(tx, p, agent)
		if err != nil {
			return nil, err
		}
		var all []Binding
		if why == nil {
			if all, err = tx.Bindings(agent); err != nil {
				return nil, err
			}
			if all, why, err = fn(tx, all); err != nil {
				return nil, err
			}
		}
		if why != nil {
			return refuse(ctx, tx, e, why)
		}
		if err := tx.PutBindings(agent, all); err != nil {
			return nil, err
		}
		for _, b := range all {
			if b.ID == binding {
				describe(&e, b)
			}
		}
		return nil, audit.Write(ctx, tx, e)
	})
}

// mayBind says why p may not manage the bindings of an agent, or nil.
func mayBind(tx Tx, p identity.Principal, agent id.ID) (refusal, err error) {
	if p.IsAgent() {
		return identity.ErrUsersOnly, nil
	}
	_, ok, err := tx.Agent(p.Org, agent)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return identity.ErrNoAgent, nil
	case !p.Manages():
		return identity.ErrDenied, nil
	}
	return nil, nil
}

func bindingEvent(p identity.Principal, action audit.Action, agent, binding id.ID, now time.Time) audit.Event {
	of := binding.String()
	if binding.IsZero() {
		of = ""
	}
	e := p.Event(action, "binding", of)
	e.Time, e.Details = now, audit.Details{"agent_id": agent.String()}
	return e
}

// describe puts what a binding gives into its event.
func describe(e *audit.Event, b Binding) {
	e.Details["name"], e.Details["secret_id"], e.Details["vault_id"] = b.Name, b.Secret.String(), b.Vault.String()
	e.Details["path"], e.Details["active"] = b.Path.String(), b.Active
	if _, origin, err := parseURL(b.BaseURL); err == nil {
		e.Details["host"] = origin.String()
	}
	if len(b.Hosts) > 0 {
		e.Details["allowed_hosts"] = b.Hosts
	}
}

// Bindings lists those of an agent, for itself and for those who may bind.
func (s *Service) Bindings(ctx context.Context, p identity.Principal, agent id.ID) (all []Binding, err error) {
	var why error
	err = s.db.View(ctx, func(tx Tx) (err error) {
		if !p.IsAgent() || p.ID != agent {
			if why, err = mayBind(tx, p, agent); err != nil || why != nil {
				return err
			}
		}
		all, err = tx.Bindings(agent)
		return err
	})
	if err == nil && why != nil {
		err = s.refused(ctx, bindingEvent(p, audit.BindingRead, agent, id.ID{}, s.now()), why)
	}
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Binding is one of them.
func (s *Service) Binding(ctx context.Context, p identity.Principal, agent, binding id.ID) (Binding, error) {
	all, err := s.Bindings(ctx, p, agent)
	if err != nil {
		return Binding{}, err
	}
	for _, b := range all {
		if b.ID == binding {
			return b, nil
		}
	}
	return Binding{}, s.refused(ctx, bindingEvent(p, audit.BindingRead, agent, binding, s.now()), ErrNoBinding)
}

// Tested is what came of asking a binding's host.
type Tested struct {
	Took time.Duration
	Err  error // nil if it answered, whatever it said
}

// Test asks the base URL of a binding for an answer, without the secret.
func (s *Service) Test(ctx context.Context, p identity.Principal, agent, binding id.ID) (Tested, error) {
	var b Binding
	err := s.change(ctx, p, agent, audit.BindingTest, binding, func(_ Tx, all []Binding) ([]Binding, error, error) {
		i := slices.IndexFunc(all, func(b Binding) bool { return b.ID == binding })
		if i < 0 {
			return nil, ErrNoBinding, nil
		}
		b = all[i]
		return all, nil, nil
	})
	if err != nil {
		return Tested{}, err
	}
	began := s.now()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err = s.sender.Send(ctx, Outgoing{Method: "HEAD", URL: plain.FromString(b.BaseURL)}, 0)
	if err != nil {
		err = unreached(ctx, err)
	}
	return Tested{Took: s.now().Sub(began), Err: err}, nil
}
