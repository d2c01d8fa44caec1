package store

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// The tables of vault. Secrets of one vault are neighbours, under Names of
// their paths, so that a list reads one range and the order of the keys says
// nothing about the paths.
var (
	vaults     = table[vault.Vault]{name: "vault", version: 2} // 2 has generations of KEKs
	kekModules = table[string]{name: "kek-module", version: 1}
	doomed     = table[id.ID]{name: "doomed-vault", version: 1}
	secrets    = table[vault.Secret]{name: "secret", version: 1}
	secretRefs = table[vault.SecretRef]{name: "secret-ref", version: 1}
	versions   = table[vault.Version]{name: "secret-version", version: 1}
	envelopes  = rawTable{name: "envelope"}
	grants     = table[[]policy.Policy]{name: "grant", version: 1}
	holders    = table[policy.Principal]{name: "policy-holder", version: 1}
)

var _ vault.Tx = (*Tx)(nil)

// Vault implements vault.Tx.
func (t *Tx) Vault(org, v id.ID) (vault.Vault, bool, error) { return vaults.get(t, pair(org, v)) }

// PutVault implements vault.Tx.
func (t *Tx) PutVault(v vault.Vault) error { return vaults.put(t, pair(v.Org, v.ID), v) }

// DeleteVault implements vault.Tx.
func (t *Tx) DeleteVault(org, v id.ID) error { return vaults.delete(t, pair(org, v)) }

// Vaults implements vault.Tx.
func (t *Tx) Vaults(org id.ID) ([]vault.Vault, error) { return collect(t, vaults, org[:]) }

// VaultIDs implements vault.Tx.
func (t *Tx) VaultIDs(org id.ID) (out []id.ID, err error) {
	err = t.walk(vaults.name, page{Prefix: org[:]}, func(key, _ []byte) error {
		out = append(out, id.ID(key[len(org):]))
		return nil
	})
	return out, err
}

// AllVaults implements vault.Tx.
func (t *Tx) AllVaults(after vault.Vault, limit int) (out []vault.Vault, err error) {
	err = vaults.scan(t, page{After: pair(after.Org, after.ID), Limit: limit}, func(_ []byte, v vault.Vault) error {
		out = append(out, v)
		return nil
	})
	return out, err
}

// KEKModule implements vault.Tx.
func (t *Tx) KEKModule(org id.ID) (string, error) {
	name, _, err := kekModules.get(t, org[:])
	return name, err
}

// PutKEKModule implements vault.Tx.
func (t *Tx) PutKEKModule(org id.ID, module string) error {
	if module == "" {
		return kekModules.delete(t, org[:])
	}
	return kekModules.put(t, org[:], module)
}

// Doomed implements vault.Tx.
func (t *Tx) Doomed() ([]id.ID, error) { return collect(t, doomed, nil) }

// PutDoomed implements vault.Tx.
func (t *Tx) PutDoomed(v id.ID) error { return doomed.put(t, v[:], v) }

// DeleteDoomed implements vault.Tx.
func (t *Tx) DeleteDoomed(v id.ID) error { return doomed.delete(t, v[:]) }

// secretKey puts the secrets of a vault side by side. The vault is part of the
// Name too: equal paths in two vaults must not look equal.
func (t *Tx) secretKey(v id.ID, path vault.SecretPath) []byte {
	n := t.name("secret", string(v[:]), path.String())
	return slices.Concat(v[:], n[:])
}

// Secret implements vault.Tx.
func (t *Tx) Secret(v id.ID, path vault.SecretPath) (vault.Secret, bool, error) {
	return secrets.get(t, t.secretKey(v, path))
}

// PutSecret implements vault.Tx.
func (t *Tx) PutSecret(s vault.Secret) error {
	return secrets.put(t, t.secretKey(s.Vault, s.Path), s)
}

// DeleteSecret implements vault.Tx.
func (t *Tx) DeleteSecret(v id.ID, path vault.SecretPath) error {
	return secrets.delete(t, t.secretKey(v, path))
}

// Secrets implements vault.Tx.
func (t *Tx) Secrets(v id.ID) ([]vault.Secret, error) {
	out, err := collect(t, secrets, v[:])
	slices.SortFunc(out, func(a, b vault.Secret) int { return strings.Compare(a.Path.String(), b.Path.String()) })
	return out, err
}

// SecretRef implements vault.Tx.
func (t *Tx) SecretRef(secret id.ID) (vault.SecretRef, bool, error) {
	return secretRefs.get(t, secret[:])
}

// PutSecretRef implements vault.Tx.
func (t *Tx) PutSecretRef(secret id.ID, ref vault.SecretRef) error {
	return secretRefs.put(t, secret[:], ref)
}

// DeleteSecretRef implements vault.Tx.
func (t *Tx) DeleteSecretRef(secret id.ID) error { return secretRefs.delete(t, secret[:]) }

// versionKey keeps the versions of a secret in their order.
func versionKey(secret id.ID, number uint32) []byte {
	return binary.BigEndian.AppendUint32(slices.Clone(secret[:]), number)
}

// Version implements vault.Tx.
func (t *Tx) Version(secret id.ID, number uint32) (vault.Version, bool, error) {
	return versions.get(t, versionKey(secret, number))
}

// PutVersion implements vault.Tx.
func (t *Tx) PutVersion(secret id.ID, v vault.Version) error {
	return versions.put(t, versionKey(secret, v.Number), v)
}

// DeleteVersion implements vault.Tx.
func (t *Tx) DeleteVersion(secret id.ID, number uint32) error {
	return versions.delete(t, versionKey(secret, number))
}

// Envelope implements vault.Tx.
func (t *Tx) Envelope(secret id.ID, number uint32) ([]byte, bool, error) {
	sealed, err := envelopes.peek(t, versionKey(secret, number))
	return sealed, sealed != nil, err
}

// PutEnvelope implements vault.Tx.
func (t *Tx) PutEnvelope(secret id.ID, number uint32, sealed []byte) error {
	return envelopes.give(t, versionKey(secret, number), sealed)
}

// Envelopes implements vault.Tx.
func (t *Tx) Envelopes(secret id.ID, after uint32, each func(number uint32, sealed []byte) error) error {
	p := page{Prefix: secret[:], After: versionKey(secret, after)}
	return envelopes.scan(t, p, func(key, sealed []byte) error {
		return each(binary.BigEndian.Uint32(key[len(secret):]), sealed)
	})
}

// DeleteEnvelope implements vault.Tx.
func (t *Tx) DeleteEnvelope(secret id.ID, number uint32) error {
	return envelopes.delete(t, versionKey(secret, number))
}

// holderKey begins with the principal, so that all grants of one are
// neighbours. Users and agents draw their identifiers from one space.
func holderKey(p policy.Principal) []byte { return append([]byte{kindByte(p.Type)}, p.ID[:]...) }

func kindByte(kind string) byte {
	if kind == "agent" {
		return 'a'
	}
	return 'u'
}

func grantKey(p policy.Principal, v id.ID) []byte { return append(holderKey(p), v[:]...) }

// Grants implements vault.Tx.
func (t *Tx) Grants(p policy.Principal, v id.ID) ([]policy.Policy, error) {
	list, _, err := grants.get(t, grantKey(p, v))
	return list, err
}

// PutGrants implements vault.Tx.
func (t *Tx) PutGrants(p policy.Principal, v id.ID, list []policy.Policy) error {
	if len(list) == 0 {
		return grants.delete(t, grantKey(p, v))
	}
	return grants.put(t, grantKey(p, v), list)
}

// PolicyHolder implements vault.Tx.
func (t *Tx) PolicyHolder(v, pol id.ID) (policy.Principal, bool, error) {
	return holders.get(t, pair(v, pol))
}

// PutPolicyHolder implements vault.Tx.
func (t *Tx) PutPolicyHolder(v, pol id.ID, holder policy.Principal) error {
	return holders.put(t, pair(v, pol), holder)
}

// DeletePolicyHolder implements vault.Tx.
func (t *Tx) DeletePolicyHolder(v, pol id.ID) error { return holders.delete(t, pair(v, pol)) }

// Policies implements vault.Tx.
func (t *Tx) Policies(v id.ID) (out []policy.Policy, err error) {
	lists := map[policy.Principal][]policy.Policy{}
	err = holders.scan(t, page{Prefix: v[:]}, func(_ []byte, holder policy.Principal) error {
		if _, seen := lists[holder]; seen {
			return nil
		}
		list, err := t.Grants(holder, v)
		lists[holder] = list
		out = append(out, list...)
		return err
	})
	slices.SortFunc(out, func(a, b policy.Policy) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return out, err
}
