package vault

import (
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// Tx is what this package reads and writes. A read of something absent
// reports false, not an error. Methods marked (scan) work in a View only.
type Tx interface {
	identity.Tx

	Vault(org, vault id.ID) (Vault, bool, error)
	PutVault(Vault) error
	DeleteVault(org, vault id.ID) error
	Vaults(org id.ID) ([]Vault, error) // (scan) oldest first
	// VaultIDs are those of Vaults. No record is opened for them. (scan)
	VaultIDs(org id.ID) ([]id.ID, error)
	// AllVaults lists at most limit vaults of all organisations that come after
	// one, in the order of their keys; the zero Vault is before all. (scan)
	AllVaults(after Vault, limit int) ([]Vault, error)

	// KEKModule is the module that keeps the KEKs of an organisation's new vaults,
	// "" unless an operator named one.
	KEKModule(org id.ID) (string, error)
	PutKEKModule(org id.ID, module string) error

	// Doomed are deleted vaults whose contents are still to be removed. (scan)
	Doomed() ([]id.ID, error)
	PutDoomed(vault id.ID) error
	DeleteDoomed(vault id.ID) error

	Secret(vault id.ID, path SecretPath) (Secret, bool, error)
	PutSecret(Secret) error
	DeleteSecret(vault id.ID, path SecretPath) error
	Secrets(vault id.ID) ([]Secret, error) // (scan) in the order of their paths, deleted ones too

	SecretRef(secret id.ID) (SecretRef, bool, error)
	PutSecretRef(secret id.ID, ref SecretRef) error
	DeleteSecretRef(secret id.ID) error

	// Version is an older version; the latest one is in Secret.
	Version(secret id.ID, number uint32) (Version, bool, error)
	PutVersion(secret id.ID, v Version) error
	DeleteVersion(secret id.ID, number uint32) error

	// Envelope is the sealed value of any version, the latest one too.
	Envelope(secret id.ID, number uint32) ([]byte, bool, error)
	PutEnvelope(secret id.ID, number uint32, sealed []byte) error
	// Envelopes calls each with the envelopes of a secret's versions after a
	// number, in their order, until it fails. They are shared, and only good during
	// the call. (scan)
	Envelopes(secret id.ID, after uint32, each func(number uint32, sealed []byte) error) error
	DeleteEnvelope(secret id.ID, number uint32) error

	// Grants are the policies of one vault that name p.
	Grants(p policy.Principal, vault id.ID) ([]policy.Policy, error)
	// PutGrants replaces them; an empty list removes the record.
	PutGrants(p policy.Principal, vault id.ID, grants []policy.Policy) error
	// PolicyHolder is whom a policy of the vault names.
	PolicyHolder(vault, policy id.ID) (policy.Principal, bool, error)
	PutPolicyHolder(vault, policy id.ID, holder policy.Principal) error
	DeletePolicyHolder(vault, policy id.ID) error
	Policies(vault id.ID) ([]policy.Policy, error) // (scan) oldest first

	CMEKJob(vault, job id.ID) (CMEKJob, bool, error)
	PutCMEKJob(CMEKJob) error
	DeleteCMEKJob(vault, job id.ID) error
	CMEKJobs(vault id.ID) ([]CMEKJob, error) // (scan) oldest first
}
