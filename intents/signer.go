package intents

import (
	"context"
	"errors"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// signer is a key and its address: a secret of a vault, or a key of the HSM.
type signer struct {
	address  evm.Address
	use      vault.Use   // if it is a secret
	derived  bool        // its address was, just now, so that it is still to be stored
	resident *SigningKey // if it is in the HSM
}

// ref names the key in an intent's record.
func (g signer) ref() KeyRef {
	if g.resident != nil {
		return KeyRef{Resident: g.resident.ID, Version: g.resident.Version}
	}
	return KeyRef{Path: g.use.Path.String(), Vault: g.use.Vault, Secret: g.use.Secret, Version: g.use.Version}
}

// describe says in an audit event which kind of key signs, and which.
func (g signer) describe(d audit.Details) {
	switch {
	case g.resident == nil:
		d["key"], d["key_path"] = "soft", g.use.Path.String()
		d["vault_id"], d["secret_id"], d["version"] = g.use.Vault.String(), g.use.Secret.String(), g.use.Version
	case g.resident.Imported:
		d["key"], d["signing_key_id"], d["version"] = "imported", g.resident.ID.String(), g.resident.Version
	default:
		d["key"], d["signing_key_id"], d["version"] = "resident", g.resident.ID.String(), g.resident.Version
	}
}

// soft reports whether the key is a secret.
func (g signer) soft() bool { return g.resident == nil }

// signDigest has the key sign. A soft key is in memory for as long as that takes.
func (s *Service) signDigest(ctx context.Context, g signer, digest evm.Hash) (evm.Signature, error) {
	if g.resident != nil {
		rs, err := s.Accounts.SignDigest(ctx, g.resident.Key, digest)
		if err != nil {
			return evm.Signature{}, err
		}
		return evm.NewSignature(rs[:32], rs[32:], digest, g.address)
	}
	key, err := s.openKey(ctx, g.use)
	if err != nil {
		return evm.Signature{}, err
	}
	defer key.Wipe()
	return key.Sign(digest)
}

// signing is a key as signDigest uses it.
func (s *Service) signing(ctx context.Context, g signer) func(evm.Hash) (evm.Signature, error) {
	return func(digest evm.Hash) (evm.Signature, error) { return s.signDigest(ctx, g, digest) }
}

// openKey opens a soft key, to be wiped by the caller.
func (s *Service) openKey(ctx context.Context, u vault.Use) (evm.Key, error) {
	value, err := s.Vaults.OpenUse(ctx, u)
	if err != nil {
		return evm.Key{}, err
	}
	defer value.Wipe()
	key, err := evm.ParseKey(value.Reveal())
	if err != nil {
		return evm.Key{}, ErrBadKey
	}
	return key, nil
}

// findKey finds, in a view, the key that signs. Where the request names none, it
// is the agent's own key in the HSM for the chain, if it has one, or else the
// secret at the published default.
func (t *task) findKey(tx Tx, s *Service, now time.Time) (refusal, err error) {
	unnamed := t.path == (vault.SecretPath{})
	if unnamed {
		if found, err := t.findResident(tx); err != nil || found {
			return nil, err
		}
	}
	path, err := t.keyPath(t.chain)
	if err != nil {
		return nil, err
	}
	vaults, err := s.reachOf(tx, t)
	if err != nil {
		return nil, err
	}
	t.signer.use, refusal, err = vault.FindUse(tx, t.asked, t.agent, path, vaults, now)
	switch {
	case err != nil:
		return nil, err
	case unnamed && errors.Is(refusal, vault.ErrNoSigningKey):
		return vault.ErrNoSigningKey.Detail("Access denied: no policy lets this agent use a signing key at %s, or there is none", path), nil
	case refusal != nil:
		return refusal, nil
	}
	t.signer.address, _, err = tx.SignerAddress(t.signer.use.Secret, t.signer.use.Version)
	return nil, err
}

// reach is vault.Reach of an agent, as of when Rights was a number.
type reach struct {
	rights uint64
	vaults []id.ID
}

// maxReach bounds of how many agents it is kept.
const maxReach = 4096

// reachOf are the vaults in which the agent of a task can have a key. Finding them out
// takes the longer the more vaults the organisation has, and a signature should not.
func (s *Service) reachOf(tx Tx, t *task) ([]id.ID, error) {
	if s.Rights == nil {
		return vault.Reach(tx, t.asked.Org, t.agent)
	}
	s.mu.Lock()
	known, ok := s.reach[t.agent]
	s.mu.Unlock()
	if ok && known.rights == t.rights {
		return known.vaults, nil
	}
	vaults, err := vault.Reach(tx, t.asked.Org, t.agent)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.reach) >= maxReach {
		clear(s.reach)
	}
	s.reach[t.agent] = reach{t.rights, vaults}
	return vaults, nil
}

// findAddress derives the address of a key that was never used before.
func (s *Service) findAddress(ctx context.Context, t *task) error {
	if !t.signer.address.IsZero() {
		return nil
	}
	key, err := s.openKey(ctx, t.signer.use)
	if err != nil {
		return err
	}
	defer key.Wipe()
	t.signer.address, t.signer.derived = key.Address(), true
	return nil
}

// keepAddress stores what findAddress derived.
func (g signer) keepAddress(tx Tx) error {
	if !g.derived {
		return nil
	}
	return tx.PutSignerAddress(g.use.Secret, g.use.Version, g.address)
}

// findResident finds the agent's key in the HSM for the chain.
func (t *task) findResident(tx Tx) (bool, error) {
	keys, err := tx.SigningKeys(t.agent, t.chain.Name)
	if err != nil || len(keys) == 0 || !keys[len(keys)-1].Active {
		return false, err
	}
	k := keys[len(keys)-1]
	t.signer = signer{address: k.Address, resident: &k}
	return true, nil
}

// sameKey admits the use of the key once more, and wants it to be the same: its
// address is what everything was prepared for.
func (t *task) sameKey(tx Tx, now time.Time) (refusal, err error) {
	if k := t.signer.resident; k != nil {
		again := *t
		found, err := again.findResident(tx)
		if err == nil && (!found || again.signer.resident.ID != k.ID) {
			refusal = ErrKeyChanged
		}
		return refusal, err
	}
	u := t.signer.use
	again, refusal, err := vault.AdmitUse(tx, t.asked, t.agent, u.Vault, u.Path, now)
	if err == nil && refusal == nil && (again.Secret != u.Secret || again.Version != u.Version) {
		refusal = ErrKeyChanged
	}
	return refusal, err
}

// keyOf has the task sign with the key of an intent again, if it still may.
func (t *task) keyOf(tx Tx, in Intent, now time.Time) (refusal, err error) {
	if !in.Key.Resident.IsZero() {
		found, err := t.findResident(tx)
		if err == nil && (!found || t.signer.resident.ID != in.Key.Resident) {
			refusal = ErrKeyChanged
		}
		return refusal, err
	}
	path, err := vault.ParseSecretPath(in.Key.Path)
	if err != nil {
		return nil, err
	}
	t.signer.address = in.From
	t.signer.use, refusal, err = vault.AdmitUse(tx, t.asked, t.agent, in.Key.Vault, path, now)
	if err == nil && refusal == nil && (t.signer.use.Secret != in.Key.Secret || t.signer.use.Version != in.Key.Version) {
		refusal = ErrKeyChanged
	}
	return refusal, err
}

// SigningKey is a key pair of an agent on secp256k1 whose private half is in the
// HSM.
type SigningKey struct {
	ID        id.ID          `json:"id"`
	Org       id.ID          `json:"org"`
	Agent     id.ID          `json:"agent"`
	Chain     string         `json:"chain"`   // name
	Version   uint32         `json:"version"` // counts the agent's keys for the chain
	Key       hsm.AccountKey `json:"key"`
	Address   evm.Address    `json:"address"`
	Imported  bool           `json:"imported,omitempty"` // it was made elsewhere, where copies may be
	Active    bool           `json:"active"`
	CreatedBy id.ID          `json:"created_by"`
	CreatedAt time.Time      `json:"created_at"`
	EndedAt   time.Time      `json:"ended_at,omitzero"` // rotated or deactivated
}
