package intents

import (
	"context"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// maxVersions bounds how often a key is rotated: old ones stay in the HSM, where
// there is room for some.
const maxVersions = 64

// CreateSigningKey makes a key in the HSM that an agent signs with on a chain
// where its requests name no other. It cannot be read by anybody.
func (s *Service) CreateSigningKey(ctx context.Context, p identity.Principal, agent id.ID, chain string) (SigningKey, error) {
	return s.addKey(ctx, p, agent, chain, audit.SigningKeyCreate, nil)
}

// RotateSigningKey makes another one in its place, with another address. What the
// old address has stays there: the old key is kept, and not used.
func (s *Service) RotateSigningKey(ctx context.Context, p identity.Principal, agent id.ID, chain string) (SigningKey, error) {
	return s.addKey(ctx, p, agent, chain, audit.SigningKeyRotate, nil)
}

// ImportSigningKey puts a key that was made elsewhere into the HSM. Only a person
// who has entered the password again may; reentered says so. The key stays the
// caller's to wipe.
func (s *Service) ImportSigningKey(ctx context.Context, p identity.Principal, agent id.ID, chain string, key plain.Bytes, reentered bool) (SigningKey, error) {
	if !reentered {
		return SigningKey{}, ErrReenter
	}
	scalar, err := evm.ParseKey(key.Reveal())
	if err != nil {
		return SigningKey{}, ErrBadScalar
	}
	defer scalar.Wipe()
	return s.addKey(ctx, p, agent, chain, audit.SigningKeyImport, &scalar)
}

// addKey makes the next version of an agent's key for a chain, if p may and it
// makes sense, and then stores it. If that fails, the key is destroyed again.
func (s *Service) addKey(ctx context.Context, p identity.Principal, agent id.ID, chain string, action audit.Action, imported *evm.Key) (k SigningKey, err error) {
	k = SigningKey{ID: id.New(), Org: p.Org, Agent: agent, Active: true, CreatedBy: p.ID, Imported: imported != nil}
	prepare := func(tx Tx) (all []SigningKey, refusal, err error) {
		if refusal, err = k.find(tx, p, chain); err != nil || refusal != nil {
			return nil, refusal, err
		}
		all, err = tx.SigningKeys(agent, k.Chain)
		return all, mayAdd(all, action), err
	}
	var refusal error
	if err = s.DB.View(ctx, func(tx Tx) (err error) { _, refusal, err = prepare(tx); return err }); err != nil {
		return k, err
	}
	if refusal != nil {
		return k, s.refused(ctx, k.event(p, action), refusal)
	}
	if err := s.makeKey(ctx, &k, imported); err != nil {
		return k, err
	}
	ctx = context.WithoutCancel(ctx)
	err = txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		all, refusal, err := prepare(tx)
		if err != nil {
			return nil, err
		}
		k.CreatedAt = s.now()
		k.Version = uint32(len(all)) + 1
		e := k.event(p, action)
		e.Time = k.CreatedAt
		if refusal != nil {
			return refuse(ctx, tx, e, refusal)
		}
		if err := tx.PutSigningKeys(agent, k.Chain, append(ended(all, k.CreatedAt), k)); err != nil {
			return nil, err
		}
		return nil, audit.Write(ctx, tx, e)
	})
	if err != nil {
		if undo := s.Accounts.DestroyAccountKey(ctx, k.Key); undo != nil {
			s.Log.WarnContext(ctx, "a key that nobody uses is left in the HSM", "error", undo)
		}
	}
	return k, err
}

// mayAdd says why another key cannot be added.
func mayAdd(all []SigningKey, action audit.Action) error {
	active := len(all) > 0 && all[len(all)-1].Active
	switch {
	case len(all) >= maxVersions:
		return ErrManyKeys
	case active && action != audit.SigningKeyRotate:
		return ErrKeyExists
	case !active && action == audit.SigningKeyRotate:
		return ErrKeyNotFound
	}
	return nil
}

func (s *Service) makeKey(ctx context.Context, k *SigningKey, imported *evm.Key) (err error) {
	if imported == nil {
		k.Key, err = s.Accounts.NewAccountKey(ctx)
	} else {
		err = imported.Scalar(func(b []byte) (err error) {
			k.Key, err = s.Accounts.ImportAccountKey(ctx, b)
			return err
		})
	}
	if err == nil {
		k.Address = evm.AddressOf(k.Key.Public)
	}
	return err
}

// find finds the chain by its name and whether p may manage the agent's keys.
func (k *SigningKey) find(tx Tx, p identity.Principal, chain string) (refusal, err error) {
	if !p.Manages() {
		return ErrDenied, nil
	}
	if _, ok, err := tx.Agent(p.Org, k.Agent); err != nil || !ok {
		return ErrAgentNotFound, err
	}
	c, ok, err := findChain(tx, chain)
	if err == nil && (!ok || !c.Enabled) {
		refusal = ErrUnknownChain
	}
	k.Chain = c.Name
	return refusal, err
}

// ended are keys of which none is used any more.
func ended(all []SigningKey, now time.Time) []SigningKey {
	all = slices.Clone(all)
	for i := range all {
		if all[i].Active {
			all[i].Active, all[i].EndedAt = false, now
		}
	}
	return all
}

func (k SigningKey) event(p identity.Principal, action audit.Action) audit.Event {
	e := p.Event(action, "signing_key", k.ID.String())
	e.Details = audit.Details{"agent_id": k.Agent.String(), "chain": k.Chain, "imported": k.Imported}
	if !k.Address.IsZero() {
		e.Details["address"] = k.Address.String()
	}
	return e
}

// DeactivateSigningKey has the agent sign with its key no more. The key stays in
// the HSM, since its address may have something.
func (s *Service) DeactivateSigningKey(ctx context.Context, p identity.Principal, agent id.ID, chain string) error {
	return txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		k := SigningKey{Org: p.Org, Agent: agent}
		refusal, err = k.find(tx, p, chain)
		if err != nil {
			return nil, err
		}
		var all []SigningKey
		if refusal == nil {
			if all, err = tx.SigningKeys(agent, k.Chain); err != nil {
				return nil, err
			}
			if refusal = ErrKeyNotFound; len(all) > 0 && all[len(all)-1].Active {
				k, refusal = all[len(all)-1], nil
			}
		}
		e := k.event(p, audit.SigningKeyDeactivate)
		e.Time = s.now()
		if refusal != nil {
			return refuse(ctx, tx, e, refusal)
		}
		if err := tx.PutSigningKeys(agent, k.Chain, ended(all, e.Time)); err != nil {
			return nil, err
		}
		return nil, audit.Write(ctx, tx, e)
	})
}

// SigningKeys lists the keys of an agent in the HSM, old ones too, for the agent
// and for people of its organisation.
func (s *Service) SigningKeys(ctx context.Context, p identity.Principal, agent id.ID) (all []SigningKey, err error) {
	var refusal error
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		if refusal, err = mayLook(tx, p, agent); err != nil || refusal != nil {
			return err
		}
		all, err = tx.AllSigningKeys(agent)
		return err
	})
	if err == nil && refusal != nil {
		err = s.refused(ctx, p.Event(audit.AgentRead, "agent", agent.String()), refusal)
	}
	return all, err
}

// Balance is what the address of an agent's key has of the chain's coin.
func (s *Service) Balance(ctx context.Context, p identity.Principal, agent id.ID, chain string) (k SigningKey, c Chain, has evm.Amount, err error) {
	all, err := s.SigningKeys(ctx, p, agent)
	if err != nil {
		return k, c, has, err
	}
	if c, err = s.Chain(ctx, chain); err != nil {
		return k, c, has, err
	}
	i := slices.IndexFunc(all, func(k SigningKey) bool { return k.Chain == c.Name && k.Active })
	if i < 0 {
		return k, c, has, ErrKeyNotFound
	}
	n, ok := s.Nodes.Node(c)
	if !ok {
		return all[i], c, has, ErrNoNode
	}
	has, err = n.Balance(ctx, all[i].Address)
	return all[i], c, has, err
}
