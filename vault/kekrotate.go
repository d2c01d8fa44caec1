package vault

import (
	"context"
	"maps"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// A vault gets another KEK, in the module that it has or in another, while it
// is in use. From the transaction on that says so everything is sealed under the
// new one; what was there is under the older ones until it is rewrapped, in the
// background and in batches. A KEK is dropped when nothing is left under it.
//
// That state is the vault's record and the generations in its envelopes, and
// nothing else: what a crash interrupts is taken up by looking.

// maxOlder bounds the KEKs that a vault has besides its own, which its record
// carries along.
const maxOlder = 16

// Ref names a vault.
type Ref struct{ Org, Vault id.ID }

// Ref is the name of v.
func (v Vault) Ref() Ref { return Ref{v.Org, v.ID} }

// newKEK makes a KEK in a module.
func (s *Service) newKEK(ctx context.Context, module string) (hsm.KEK, error) {
	m, err := s.Keys.Module(module)
	if err != nil {
		return nil, err
	}
	return m.NewKEK(ctx)
}

// RotateKEK gives a vault a KEK of a module, and starts to rewrap what is under
// those before. by says for the audit log who had it done.
func (s *Service) RotateKEK(ctx context.Context, vault Ref, module string, by audit.Details) (Vault, error) {
	if _, err := s.Keys.Module(module); err != nil {
		return Vault{}, ErrKEKModule.Because(err)
	}
	key, err := s.newKEK(ctx, module)
	if err != nil {
		return Vault{}, err
	}
	var out Vault
	err = s.DB.Update(ctx, func(tx Tx) error {
		v, ok, err := tx.Vault(vault.Org, vault.Vault)
		switch {
		case err != nil:
			return err
		case !ok:
			return ErrVaultNotFound
		case len(v.Older) >= maxOlder:
			return ErrKEKsUnfinished
		}
		now := s.now()
		old := v.Current()
		out = v.withKEK(key, module, now)
		if err := tx.PutVault(out); err != nil {
			return err
		}
		e := kekEvent(out, audit.KEKRotate, by)
		e.Time = now
		e.Details["from_module"] = old.Module
		return audit.Write(ctx, tx, e)
	})
	if err != nil {
		return Vault{}, err
	}
	s.startRewrap(vault)
	return out, nil
}

// kekEvent is an event about v's KEK, in the log of its organisation.
func kekEvent(v Vault, action audit.Action, more audit.Details) audit.Event {
	d := audit.Details{"vault_id": v.ID.String(), "generation": v.Current().Generation, "module": v.Module}
	maps.Copy(d, more)
	return audit.Event{
		Org: v.Org, Actor: audit.Actor{Type: "system"}, Action: action,
		Resource: audit.Resource{Type: "vault", ID: v.ID.String()}, Details: d,
	}
}

// AssignModule says which module keeps the KEKs of an organisation's vaults
// from now on; those there stay where they are. It is not checked whether the
// module can be used.
func (s *Service) AssignModule(ctx context.Context, org id.ID, module string, by audit.Details) error {
	if _, err := s.Keys.Module(module); err != nil {
		return ErrKEKModule.Because(err)
	}
	return s.DB.Update(ctx, func(tx Tx) error {
		if _, ok, err := tx.Org(org); err != nil || !ok {
			return orElse(err, ErrOrgNotFound)
		}
		if err := tx.PutKEKModule(org, module); err != nil {
			return err
		}
		d := audit.Details{"module": module}
		maps.Copy(d, by)
		return audit.Write(ctx, tx, audit.Event{
			Org: org, Actor: audit.Actor{Type: "system"}, Action: audit.KEKAssign,
			Resource: audit.Resource{Type: "organisation", ID: org.String()}, Details: d, Time: s.now(),
		})
	})
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// vaultsPage is how many vaults one look at the store takes.
const vaultsPage = 256

// eachVault calls fn with every vault there is, outside of transactions.
func (s *Service) eachVault(ctx context.Context, fn func(Vault) error) error {
	for after := (Vault{}); ; {
		var some []Vault
		err := s.DB.View(ctx, func(tx Tx) (err error) {
			some, err = tx.AllVaults(after, vaultsPage)
			return err
		})
		if err != nil || len(some) == 0 {
			return err
		}
		for _, v := range some {
			if err := fn(v); err != nil {
				return err
			}
		}
		after = some[len(some)-1]
	}
}

// Refs lists every vault, or the one with an ID.
func (s *Service) Refs(ctx context.Context, only *id.ID) (out []Vault, err error) {
	err = s.eachVault(ctx, func(v Vault) error {
		if only == nil || v.ID == *only {
			out = append(out, v)
		}
		return nil
	})
	if err == nil && only != nil && len(out) == 0 {
		err = ErrVaultNotFound
	}
	return out, err
}
