package vault

import (
	"context"
	"slices"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// KeyDeposit is private keys of one agent, sealed for the organisation's
// __agent-keys vault and not stored yet: whoever changes the agent stores
// them in the same transaction.
type KeyDeposit struct {
	org     id.ID
	agent   id.ID
	created bool // the vault is to be made as well
	vault   Vault
	writes  []depositWrite
}

type depositWrite struct {
	plan   plan
	sealed []byte
}

// SealAgentKeys seals an agent's keys for paths in the organisation's
// __agent-keys vault. The vault is made with the first deposit and is nobody's:
// whoever registered an agent may read that agent's keys and no others, and
// agents have no right in it, not even to their own.
func (s *Service) SealAgentKeys(ctx context.Context, p identity.Principal, agent id.ID, values map[SecretPath]plain.Bytes) (KeyDeposit, error) {
	d := KeyDeposit{org: p.Org, agent: agent}
	before := make(map[SecretPath]*Secret, len(values))
	err := s.DB.View(ctx, func(tx Tx) (err error) {
		if d.vault, d.created, err = agentKeysVault(tx, p.Org); err != nil || d.created {
			return err
		}
		for path := range values {
			sec, ok, err := tx.Secret(d.vault.ID, path)
			if err != nil {
				return err
			}
			if ok {
				before[path] = &sec
			}
		}
		return nil
	})
	if err != nil {
		return d, err
	}
	if d.created {
		if d.vault, err = s.newVault(ctx, p, AgentKeysName, "Identity keys of this organisation's agents"); err != nil {
			return d, err
		}
		d.vault.Creator = policy.Principal{Type: "system", ID: p.Org}
	}
	for path, value := range values {
		w, err := s.sealDeposit(ctx, p, d.vault, path, before[path], value)
		if err != nil {
			return d, err
		}
		d.writes = append(d.writes, w)
	}
	return d, nil
}

func (s *Service) sealDeposit(ctx context.Context, p identity.Principal, v Vault, path SecretPath, old *Secret, value plain.Bytes) (depositWrite, error) {
	sec := Secret{ID: id.New(), Vault: v.ID, Path: path}
	w := depositWrite{plan: plan{vault: v}}
	if old != nil {
		sec.ID, sec.DeletedThrough, w.plan.previous = old.ID, old.DeletedThrough, &old.Latest
		sec.Latest.Number = old.Latest.Number
	}
	sec.Latest = Version{Number: sec.Latest.Number + 1, Type: TypeGeneric, CreatedBy: p.Policy(), CreatedAt: s.now()}
	w.plan.secret = sec
	var err error
	w.sealed, err = s.seal(ctx, v, binding(v, sec.ID, sec.Latest.Number), value)
	return w, err
}

// agentKeysVault finds the vault, or reports that it is to be made.
func agentKeysVault(tx Tx, org id.ID) (v Vault, create bool, err error) {
	o, ok, err := tx.Org(org)
	if err != nil || !ok || o.AgentKeysVault.IsZero() {
		return Vault{}, true, err
	}
	v, ok, err = tx.Vault(org, o.AgentKeysVault)
	if err == nil && !ok {
		create = true
	}
	return v, create, err
}

// Store writes the deposit; with an agent's first keys comes p's right to read
// them. It reports false, having written nothing, where what it was sealed for
// has changed meanwhile: seal again.
func (d KeyDeposit) Store(ctx context.Context, tx Tx, p identity.Principal) (bool, error) {
	stored, err := d.Place(ctx, tx, p)
	if err != nil || !stored || !d.first() {
		return stored, err
	}
	return true, d.letRead(ctx, tx, p)
}

// first reports whether the agent had no keys before.
func (d KeyDeposit) first() bool {
	return !slices.ContainsFunc(d.writes, func(w depositWrite) bool { return w.plan.previous != nil })
}

// Place is Store without anybody's right to read: nobody of the organisation has
// asked for the agent.
func (d KeyDeposit) Place(ctx context.Context, tx Tx, p identity.Principal) (bool, error) {
	current, missing, err := agentKeysVault(tx, d.org)
	if err != nil || missing != d.created || !missing && (current.ID != d.vault.ID || !current.Current().same(d.vault.Current())) {
		return false, err
	}
	for _, w := range d.writes {
		sec, exists, err := tx.Secret(d.vault.ID, w.plan.secret.Path)
		if err != nil {
			return false, err
		}
		if exists != (w.plan.previous != nil) || exists && sec.Latest.Number != w.plan.previous.Number {
			return false, nil
		}
	}
	if d.created {
		if err := d.storeVault(ctx, tx, p); err != nil {
			return false, err
		}
	}
	for _, w := range d.writes {
		if err := w.plan.store(tx, w.sealed); err != nil {
			return false, err
		}
	}
	return true, nil
}

// letRead grants p the right to read the deposited keys.
func (d KeyDeposit) letRead(ctx context.Context, tx Tx, p identity.Principal) error {
	keys, err := policy.ParsePattern("agents/" + d.agent.String() + "/**")
	if err != nil {
		return err
	}
	return grantAlong(ctx, tx, p, d.vault, keys, p.Policy(), policy.Read)
}

func (d KeyDeposit) storeVault(ctx context.Context, tx Tx, p identity.Principal) error {
	o, _, err := tx.Org(d.org)
	if err != nil {
		return err
	}
	o.ID, o.AgentKeysVault = d.org, d.vault.ID
	if err := tx.PutOrg(o); err != nil {
		return err
	}
	if err := tx.PutVault(d.vault); err != nil {
		return err
	}
	return audit.Write(ctx, tx, created(p, d.vault))
}

var _ Modules = (*hsm.Gate)(nil)
