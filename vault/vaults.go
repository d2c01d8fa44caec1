package vault

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// Create makes a vault and its KEK. An agent's vault is shared at once, in
// full, with the person who registered the agent, and comes within the
// agent's own binding.
func (s *Service) Create(ctx context.Context, p identity.Principal, name, description string) (Vault, error) {
	switch {
	case !identity.IsName(name):
		return Vault{}, ErrVaultName
	case len(description) > 4096:
		return Vault{}, ErrDescription
	case strings.HasPrefix(strings.TrimSpace(name), reservedPrefix):
		return Vault{}, ErrReservedName
	}
	v, err := s.newVault(ctx, p, name, description)
	if err != nil {
		return Vault{}, err
	}
	err = s.DB.Update(ctx, func(tx Tx) error {
		if err := tx.PutVault(v); err != nil {
			return err
		}
		if err := audit.Write(ctx, tx, created(p, v)); err != nil || !p.IsAgent() {
			return err
		}
		return shareWithCreator(ctx, tx, p, v)
	})
	if err != nil {
		return Vault{}, err
	}
	return v, nil
}

// created is the event of a new vault.
func created(p identity.Principal, v Vault) audit.Event {
	e := p.Event(audit.VaultCreate, "vault", v.ID.String())
	e.Time, e.Details = v.CreatedAt, audit.Details{"vault_id": v.ID.String(), "name": v.Name}
	return e
}

// newVault makes a record and a KEK for it; nothing is stored.
func (s *Service) newVault(ctx context.Context, p identity.Principal, name, description string) (Vault, error) {
	var module string // as the operator assigned it
	err := s.DB.View(ctx, func(tx Tx) (err error) {
		module, err = tx.KEKModule(p.Org)
		return err
	})
	if err != nil {
		return Vault{}, err
	}
	kek, err := s.newKEK(ctx, module)
	if err != nil {
		return Vault{}, err
	}
	return Vault{
		ID: id.New(), Org: p.Org, Name: name, Description: description, KEK: kek, Module: module,
		Creator: p.Policy(), CreatedAt: s.now(),
	}, nil
}

func shareWithCreator(ctx context.Context, tx Tx, p identity.Principal, v Vault) error {
	a, ok, err := tx.Agent(p.Org, p.ID)
	if err != nil || !ok {
		return err
	}
	if len(a.VaultIDs) > 0 {
		a.VaultIDs = append(slices.Clone(a.VaultIDs), v.ID)
		if err := tx.PutAgent(a); err != nil {
			return err
		}
	}
	if a.CreatedBy.IsZero() {
		return nil
	}
	everything, err := policy.ParsePattern("**")
	if err != nil {
		return err
	}
	return grantAlong(ctx, tx, p, v, everything, subject(identity.KindUser, a.CreatedBy),
		policy.Read, policy.Write, policy.Delete)
}

// grantAlong adds the policy that comes with something else p does, and its
// event.
func grantAlong(ctx context.Context, tx Tx, p identity.Principal, v Vault, pattern policy.Pattern,
	to policy.Principal, perms ...policy.Permission) error {
	g := policy.Policy{
		ID: id.New(), Vault: v.ID, Pattern: pattern, Principal: to, Permissions: perms,
		CreatedBy: p.ID, CreatedByType: string(p.Kind), CreatedAt: v.CreatedAt,
	}
	e := p.Event(audit.PolicyCreate, "policy", g.ID.String())
	e.Time, e.Details = g.CreatedAt, audit.Details{"vault_id": v.ID.String()}
	describe(&e, g)
	if err := addGrant(tx, g); err != nil {
		return err
	}
	return audit.Write(ctx, tx, e)
}

// Vaults lists what p may know of. Clients that are told no vault take the
// first one, so those that p can use come first and reserved ones last.
func (s *Service) Vaults(ctx context.Context, p identity.Principal) ([]Vault, error) {
	out := []Vault{}
	now := s.now()
	err := s.DB.View(ctx, func(tx Tx) error {
		all, err := tx.Vaults(p.Org)
		if err != nil {
			return err
		}
		for _, v := range all {
			_, refusal, err := visible(tx, p, v.ID, now)
			if err != nil {
				return err
			}
			if refusal == nil {
				out = append(out, v)
			}
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b Vault) int { return rank(a, p) - rank(b, p) })
	return out, err
}

func rank(v Vault, p identity.Principal) int {
	switch {
	case strings.HasPrefix(v.Name, reservedPrefix):
		return 2
	case p.IsAgent() || v.CreatedBy(p):
		return 0
	}
	return 1
}

// Vault returns one vault that p may know of.
func (s *Service) Vault(ctx context.Context, p identity.Principal, vault id.ID) (v Vault, err error) {
	var refusal error
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		v, refusal, err = visible(tx, p, vault, s.now())
		return err
	})
	if err == nil && refusal != nil {
		e := p.Event(audit.VaultRead, "vault", vault.String())
		e.Time = s.now()
		err = s.refused(ctx, e, refusal)
	}
	if err != nil {
		return Vault{}, err
	}
	return v, nil
}

// refused records a refusal that was decided in a View.
func (s *Service) refused(ctx context.Context, e audit.Event, why error) error {
	return txn.Decide(ctx, s.DB, func(tx Tx) (error, error) { return refuse(ctx, tx, e, why) })
}

// DeleteVault removes a vault and its KEK, and with it everything inside. From
// then on nothing in it can be reached or opened; the records go in batches
// afterwards, and FinishDeletions takes up what a crash left.
func (s *Service) DeleteVault(ctx context.Context, p identity.Principal, vault id.ID) error {
	err := txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		now := s.now()
		e := p.Event(audit.VaultDelete, "vault", vault.String())
		e.Time, e.Details = now, audit.Details{"vault_id": vault.String()}
		v, refusal, err := visible(tx, p, vault, now)
		if err != nil {
			return nil, err
		}
		if refusal == nil && (!manages(p, v) || v.Name == AgentKeysName) {
			refusal = ErrDenied
		}
		if refusal != nil {
			return refuse(ctx, tx, e, refusal)
		}
		if err := tx.PutDoomed(vault); err != nil {
			return nil, err
		}
		if err := tx.DeleteVault(p.Org, vault); err != nil {
			return nil, err
		}
		return nil, audit.Write(ctx, tx, e)
	})
	if err != nil {
		return err
	}
	if err := s.purge(context.WithoutCancel(ctx), vault); err != nil {
		// The vault is gone all the same, and must not be reported otherwise.
		slog.WarnContext(ctx, "the contents of a deleted vault could not all be removed; the next start tries again", "err", err)
	}
	return nil
}

// manages reports whether p may grant rights in v and delete it: its creator,
// and people who manage the organisation.
func manages(p identity.Principal, v Vault) bool { return v.CreatedBy(p) || p.Manages() }

// FinishDeletions removes what is left of deleted vaults. One that cannot be
// removed does not keep the others.
func (s *Service) FinishDeletions(ctx context.Context) error {
	var doomed []id.ID
	err := s.DB.View(ctx, func(tx Tx) (err error) {
		doomed, err = tx.Doomed()
		return err
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, v := range doomed {
		errs = append(errs, s.purge(ctx, v))
	}
	return errors.Join(errs...)
}

// purgeBatch bounds how many secrets one purging transaction removes.
const purgeBatch = 64

func (s *Service) purge(ctx context.Context, vault id.ID) error {
	var (
		secrets []Secret
		grants  []policy.Policy
		jobs    []CMEKJob
	)
	err := s.DB.View(ctx, func(tx Tx) (err error) {
		if secrets, err = tx.Secrets(vault); err != nil {
			return err
		}
		if grants, err = tx.Policies(vault); err != nil {
			return err
		}
		jobs, err = tx.CMEKJobs(vault)
		return err
	})
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(secrets, purgeBatch) {
		err := s.DB.Update(ctx, func(tx Tx) error { return dropSecrets(tx, batch) })
		if err != nil {
			return err
		}
	}
	return s.DB.Update(ctx, func(tx Tx) error {
		for _, g := range grants {
			if err := tx.PutGrants(g.Principal, vault, nil); err != nil {
				return err
			}
			if err := tx.DeletePolicyHolder(vault, g.ID); err != nil {
				return err
			}
		}
		for _, j := range jobs {
			if err := tx.DeleteCMEKJob(vault, j.ID); err != nil {
				return err
			}
		}
		return tx.DeleteDoomed(vault)
	})
}

func dropSecrets(tx Tx, secrets []Secret) error {
	for _, sec := range secrets {
		for n := uint32(1); n <= sec.Latest.Number; n++ {
			if err := tx.DeleteEnvelope(sec.ID, n); err != nil {
				return err
			}
			if err := tx.DeleteVersion(sec.ID, n); err != nil {
				return err
			}
		}
		if err := tx.DeleteSecretRef(sec.ID); err != nil {
			return err
		}
		if err := tx.DeleteSecret(sec.Vault, sec.Path); err != nil {
			return err
		}
	}
	return nil
}

// expired reports whether t is set and has passed.
func expired(t *time.Time, now time.Time) bool { return t != nil && !now.Before(*t) }
