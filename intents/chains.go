package intents

import (
	"cmp"
	"context"
	"slices"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/site"
)

// SeedChains makes the registry of a new appliance. One that is there stays as
// people left it.
func (s *Service) SeedChains(ctx context.Context) error {
	return s.DB.Update(ctx, func(tx Tx) error {
		all, err := tx.Chains()
		if err != nil || all != nil {
			return err
		}
		return tx.PutChains(firstRegistry(s.now()))
	})
}

// Chains lists those that are enabled, in the order of their chain ids.
func (s *Service) Chains(ctx context.Context) ([]Chain, error) {
	all, err := s.allChains(ctx)
	return slices.DeleteFunc(all, func(c Chain) bool { return !c.Enabled }), err
}

// Chain is an enabled one, by its name or chain id.
func (s *Service) Chain(ctx context.Context, name string) (Chain, error) {
	all, err := s.Chains(ctx)
	if err != nil {
		return Chain{}, err
	}
	i := slices.IndexFunc(all, func(c Chain) bool { return c.named(name) })
	if i < 0 {
		return Chain{}, ErrChainNotFound
	}
	return all[i], nil
}

func (s *Service) allChains(ctx context.Context) (all []Chain, err error) {
	err = s.DB.View(ctx, func(tx Tx) error {
		all, err = tx.Chains()
		all = slices.Clone(all)
		return err
	})
	return all, err
}

// Registry lists all chains, with their nodes, for those who run the appliance.
func (s *Service) Registry(ctx context.Context, p identity.Principal) (all []Chain, err error) {
	var runs bool
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		if runs, err = site.Runs(tx, p); err != nil || !runs {
			return err
		}
		all, err = tx.Chains()
		return err
	})
	if err == nil && !runs {
		err = s.refused(ctx, p.Event(audit.ChainRead, "chain", ""), ErrDenied)
	}
	return all, err
}

// AddChain puts a chain into the registry.
func (s *Service) AddChain(ctx context.Context, p identity.Principal, c Chain) (Chain, error) {
	c.ID, c.CreatedAt = id.New(), s.now()
	c.UpdatedAt = c.CreatedAt
	if err := c.check(); err != nil {
		return Chain{}, err
	}
	return c, s.changeChains(ctx, p, audit.ChainCreate, c.ID, func(all []Chain) ([]Chain, error) {
		switch {
		case len(all) >= maxChains:
			return nil, ErrTooManyChains
		case slices.ContainsFunc(all, func(o Chain) bool { return o.Name == c.Name || o.ChainID == c.ChainID }):
			return nil, ErrChainExists
		}
		return append(all, c), nil
	})
}

// ChangeChain has fn change a chain of the registry, but not which network it is.
func (s *Service) ChangeChain(ctx context.Context, p identity.Principal, row id.ID, fn func(*Chain)) (out Chain, err error) {
	err = s.changeChains(ctx, p, audit.ChainUpdate, row, func(all []Chain) ([]Chain, error) {
		i := slices.IndexFunc(all, func(c Chain) bool { return c.ID == row })
		if i < 0 {
			return nil, ErrChainNotFound
		}
		c := all[i]
		fn(&c)
		c.ID, c.Name, c.ChainID, c.UpdatedAt = row, all[i].Name, all[i].ChainID, s.now()
		if err := c.check(); err != nil {
			return nil, err
		}
		all[i], out = c, c
		return all, nil
	})
	return out, err
}

// RemoveChain takes a chain away. Transactions on it that are not settled would
// never be: it can be disabled then.
func (s *Service) RemoveChain(ctx context.Context, p identity.Principal, row id.ID) error {
	used := make(map[uint64]bool)
	err := s.DB.View(ctx, func(tx Tx) error {
		all, err := tx.Chains()
		for _, c := range all {
			open, err := tx.OpenIntents(c.ChainID, id.ID{}, 1)
			if err != nil {
				return err
			}
			unseen, err := tx.UnseenAccounts(c.ChainID)
			if err != nil {
				return err
			}
			used[c.ChainID] = len(open)+len(unseen) > 0
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.changeChains(ctx, p, audit.ChainDelete, row, func(all []Chain) ([]Chain, error) {
		i := slices.IndexFunc(all, func(c Chain) bool { return c.ID == row })
		switch {
		case i < 0:
			return nil, ErrChainNotFound
		case used[all[i].ChainID]:
			return nil, ErrChainInUse
		}
		return slices.Delete(all, i, i+1), nil
	})
}

// changeChains has fn change a copy of the registry, for those who run the
// appliance.
func (s *Service) changeChains(ctx context.Context, p identity.Principal, action audit.Action, row id.ID, fn func([]Chain) ([]Chain, error)) error {
	return txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		e := p.Event(action, "chain", row.String())
		e.Time, e.Details = s.now(), audit.Details{}
		runs, err := site.Runs(tx, p)
		if err != nil {
			return nil, err
		}
		if !runs {
			return refuse(ctx, tx, e, ErrDenied)
		}
		all, err := tx.Chains()
		if err != nil {
			return nil, err
		}
		all, refusal = fn(slices.Clone(all))
		if refusal != nil {
			return refuse(ctx, tx, e, refusal)
		}
		if i := slices.IndexFunc(all, func(c Chain) bool { return c.ID == row }); i >= 0 {
			e.Details["name"], e.Details["chain_id"], e.Details["rpc"] = all[i].Name, all[i].ChainID, all[i].PublicRPC()
		}
		slices.SortFunc(all, func(a, b Chain) int { return cmp.Compare(a.ChainID, b.ChainID) })
		if err := tx.PutChains(all); err != nil {
			return nil, err
		}
		return nil, audit.Write(ctx, tx, e)
	})
}
