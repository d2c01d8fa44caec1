package vault

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// Vault is a folder of secrets under one KEK.
type Vault struct {
	ID          id.ID            `json:"id"`
	Org         id.ID            `json:"org"`
	Name        string           `json:"name"`
	Description string           `json:"description,omitempty"`
	KEK         hsm.KEK          `json:"kek"` // wrapped under the root key of its module
	Creator     policy.Principal `json:"creator"`
	CreatedAt   time.Time        `json:"created_at"`

	// CMEKFingerprint is the SHA-256 of the customer's key, lower-case hex;
	// empty while customer-managed encryption is off.
	CMEKFingerprint string `json:"cmek_fingerprint,omitempty"`

	// Module is the name of the HSM module that keeps KEK, empty for the default
	// one. Generation counts the vault's KEKs; 0 is the first, as in records from
	// before there were others. KEKMadeAt is nil for the first.
	Module     string     `json:"module,omitempty"`
	Generation uint32     `json:"generation,omitempty"`
	KEKMadeAt  *time.Time `json:"kek_made_at,omitempty"`
	// Older are the KEKs before, oldest first, that envelopes may still be under.
	Older []KEK `json:"older_keks,omitempty"`
}

// CreatedBy reports whether p made the vault.
func (v Vault) CreatedBy(p identity.Principal) bool { return v.Creator == p.Policy() }

// AgentKeysName is the vault that holds agents' identity keys. Names that
// begin like it are reserved.
const (
	AgentKeysName  = "__agent-keys"
	reservedPrefix = "__"
)

// Type says what kind of value a secret is.
type Type string

// The types that change what is allowed.
const (
	TypeGeneric    Type = "generic"
	TypePrivateKey Type = "private_key"
	TypeSSHKey     Type = "ssh_key"
)

// Types lists every type, in the order of the documentation.
var Types = []Type{
	TypeGeneric, "password", "api_key", "certificate", TypePrivateKey, TypeSSHKey,
	"env", "env_bundle", "file", "note", "token",
}

// Known reports whether t is one of Types.
func (t Type) Known() bool { return slices.Contains(Types, t) }

// Signs reports whether a value of this type is a key that the Intents API
// signs with, which its agents must never see.
func (t Type) Signs() bool { return t == TypePrivateKey || t == TypeSSHKey }

// Version is one written value, without the value.
type Version struct {
	Number         uint32           `json:"number"`
	Type           Type             `json:"type"`
	Metadata       json.RawMessage  `json:"metadata,omitempty"`        // a JSON object
	RotationPolicy json.RawMessage  `json:"rotation_policy,omitempty"` // a JSON object, kept as it came
	CreatedBy      policy.Principal `json:"created_by"`
	CreatedAt      time.Time        `json:"created_at"`
	ExpiresAt      *time.Time       `json:"expires_at,omitempty"`
	MaxAccess      uint32           `json:"max_access,omitempty"` // reads allowed; 0 means any number
	Reads          uint32           `json:"reads,omitempty"`      // counted only where MaxAccess is set
	DisabledAt     *time.Time       `json:"disabled_at,omitempty"`

	CMEKFingerprint string `json:"cmek_fingerprint,omitempty"` // of the customer's key at the time of writing
}

// gone says why the version cannot be read at now, or nil.
func (v Version) gone(now time.Time) error {
	switch {
	case v.DisabledAt != nil:
		return ErrVersionDisabled
	case v.ExpiresAt != nil && !now.Before(*v.ExpiresAt):
		return ErrSecretExpired
	case v.MaxAccess > 0 && v.Reads >= v.MaxAccess:
		return ErrSecretExhausted
	}
	return nil
}

// Secret is a path and its latest version. ID stays the same for all versions
// of the path, also across deletion.
type Secret struct {
	ID        id.ID      `json:"id"`
	Vault     id.ID      `json:"vault"`
	Path      SecretPath `json:"path"`
	Latest    Version    `json:"latest"`
	DeletedAt *time.Time `json:"deleted_at,omitempty"`
	// DeletedThrough is the last version that a deletion covered: writing the
	// path again does not bring those before back.
	DeletedThrough uint32 `json:"deleted_through,omitempty"`
}

// gone says why the latest version cannot be read at now, or nil.
func (s Secret) gone(now time.Time) error {
	if s.DeletedAt != nil {
		return ErrSecretDeleted
	}
	return s.Latest.gone(now)
}

// SecretRef finds a secret by its ID.
type SecretRef struct {
	Org   id.ID      `json:"org"`
	Vault id.ID      `json:"vault"`
	Path  SecretPath `json:"path"`
}
