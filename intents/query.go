package intents

import (
	"context"
	"slices"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Page bounds of a list.
const (
	DefaultPage = 100
	MaxPage     = 1000
)

// Get is one transaction of an agent, for the agent and for people of its
// organisation.
func (s *Service) Get(ctx context.Context, p identity.Principal, agent, intent id.ID) (in Intent, err error) {
	var refusal error
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		if refusal, err = mayLook(tx, p, agent); err != nil || refusal != nil {
			return err
		}
		var ok bool
		if in, ok, err = tx.Intent(agent, intent); err == nil && !ok {
			refusal = ErrNotFound
		}
		return err
	})
	if err == nil && refusal != nil {
		err = s.refused(ctx, p.Event(audit.TransactionRead, "transaction", intent.String()), refusal)
	}
	return in, err
}

// List are an agent's transactions before one, newest first; from the newest on
// before the zero ID.
func (s *Service) List(ctx context.Context, p identity.Principal, agent, before id.ID, limit int) (list []Intent, err error) {
	var refusal error
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		if refusal, err = mayLook(tx, p, agent); err != nil || refusal != nil {
			return err
		}
		list, err = tx.Intents(agent, before, min(max(limit, 1), MaxPage))
		return err
	})
	if err == nil && refusal != nil {
		err = s.refused(ctx, p.Event(audit.TransactionRead, "agent", agent.String()), refusal)
	}
	return list, err
}

// mayLook: an agent looks at its own, a person at those of the organisation.
func mayLook(tx Tx, p identity.Principal, agent id.ID) (refusal, err error) {
	if p.IsAgent() && p.ID != agent {
		return ErrOtherAgent, nil
	}
	_, ok, err := tx.Agent(p.Org, agent)
	if err == nil && !ok {
		return ErrAgentNotFound, nil
	}
	return nil, err
}

// findChain finds a chain by its name or chain id.
func findChain(tx Tx, s string) (Chain, bool, error) {
	all, err := tx.Chains()
	if err != nil {
		return Chain{}, false, err
	}
	i := slices.IndexFunc(all, func(c Chain) bool { return c.named(s) })
	if i < 0 {
		return Chain{}, false, nil
	}
	return all[i], true, nil
}

// ForgetRepeats drops the records of Idempotency-Keys that are too old to be
// asked for.
func (s *Service) ForgetRepeats(ctx context.Context) error {
	for {
		var old []RepeatKey
		err := s.DB.View(ctx, func(tx Tx) (err error) {
			old, err = tx.OldRepeats(s.now().Add(-forgetAfter), pageSize)
			return err
		})
		if err != nil || len(old) == 0 {
			return err
		}
		err = s.DB.Update(ctx, func(tx Tx) error {
			for _, k := range old {
				if err := tx.ForgetRepeat(k); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}
