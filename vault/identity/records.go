package identity

import (
	"encoding/json"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

// Org is an organisation: the wall that nothing crosses.
type Org struct {
	ID             id.ID     `json:"id"`
	Name           string    `json:"name"`
	AgentKeysVault id.ID     `json:"agent_keys_vault,omitzero"` // where agents' identity keys are kept
	CreatedAt      time.Time `json:"created_at"`
}

// User is a person.
type User struct {
	ID              id.ID     `json:"id"`
	Org             id.ID     `json:"org"`
	Email           string    `json:"email"` // as the person wrote it; looked up by its folded form
	DisplayName     string    `json:"display_name,omitempty"`
	Role            Role      `json:"role"`
	AuthMethod      string    `json:"auth_method"` // "password"
	PasswordHash    string    `json:"password_hash,omitempty"`
	EmailVerified   bool      `json:"email_verified"`
	MarketingEmails bool      `json:"marketing_emails"`
	CreatedAt       time.Time `json:"created_at"`
	// TokensFrom refuses JWTs issued before it; it moves when a password does.
	TokensFrom time.Time `json:"tokens_from,omitzero"`
	// KeptToken is the one older token that stays good: of whoever changed the
	// password, signed in.
	KeptToken string `json:"kept_token,omitempty"`
}

// UserRef finds a user.
type UserRef struct {
	Org  id.ID `json:"org"`
	User id.ID `json:"user"`
}

// AgentRef finds an agent.
type AgentRef struct {
	Org   id.ID `json:"org"`
	Agent id.ID `json:"agent"`
}

// AuthMethod is how an agent proves itself.
type AuthMethod string

// The ways in for agents.
const (
	AuthAPIKey AuthMethod = "api_key"
	AuthMTLS   AuthMethod = "mtls"
	AuthOIDC   AuthMethod = "oidc_client_credentials"
)

// Agent is a program that acts on its own.
type Agent struct {
	ID          id.ID      `json:"id"`
	Org         id.ID      `json:"org"`
	Name        string     `json:"name"`
	Description string     `json:"description,omitempty"`
	AuthMethod  AuthMethod `json:"auth_method"`
	Active      bool       `json:"active"`
	Scopes      []string   `json:"scopes,omitempty"` // as given; see policy.Scopes
	VaultIDs    []id.ID    `json:"vault_ids,omitempty"`
	TokenTTL    int        `json:"token_ttl,omitempty"` // seconds; 0 means the default
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`

	KeyHash []byte `json:"key_hash,omitempty"` // finds the credential to remove on rotation

	// HandleOnly: values are used for the agent, and it is shown none, whatever
	// its policies say.
	HandleOnly bool `json:"handle_only,omitempty"`

	CertFingerprint string `json:"cert_fingerprint,omitempty"`
	OIDCIssuer      string `json:"oidc_issuer,omitempty"`
	OIDCClientID    string `json:"oidc_client_id,omitempty"`

	SSHPublicKey  string `json:"ssh_public_key"`  // standard base64 of the raw Ed25519 key
	ECDHPublicKey string `json:"ecdh_public_key"` // standard base64 of the uncompressed P-256 point

	Intents        bool            `json:"intents"`
	TxToAllowlist  []string        `json:"tx_to_allowlist,omitempty"`
	TxMaxValue     string          `json:"tx_max_value,omitempty"`
	TxDailyLimit   string          `json:"tx_daily_limit,omitempty"`
	TxChains       []string        `json:"tx_chains,omitempty"`
	ShroudEnabled  bool            `json:"shroud_enabled"`
	ShroudConfig   json.RawMessage `json:"shroud_config,omitempty"`
	CreatedBy      id.ID           `json:"created_by"`
	CreatedAt      time.Time       `json:"created_at"`
	DeactivatedAt  *time.Time      `json:"deactivated_at,omitempty"`
	LastActivityAt time.Time       `json:"-"` // filled in by whoever reads; see Activity
}

// Usable reports whether the agent may act at now.
func (a Agent) Usable(now time.Time) bool {
	return a.Active && (a.ExpiresAt == nil || now.Before(*a.ExpiresAt))
}

// APIKey is a person's 1ck_ key, without the key.
type APIKey struct {
	ID        id.ID      `json:"id"`
	User      id.ID      `json:"user"`
	Name      string     `json:"name"`
	Prefix    string     `json:"prefix"` // first 12 characters, for people to tell keys apart
	Scopes    []string   `json:"scopes,omitempty"`
	Active    bool       `json:"active"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	KeyHash   []byte     `json:"key_hash"`
}

// Usable reports whether the key works at now.
func (k APIKey) Usable(now time.Time) bool {
	return k.Active && (k.ExpiresAt == nil || now.Before(*k.ExpiresAt))
}

// Credential says whose key a key is. It is found by the key's HMAC.
type Credential struct {
	Kind Kind  `json:"kind"`
	Org  id.ID `json:"org"`
	ID   id.ID `json:"id"`           // the user or agent
	Key  id.ID `json:"key,omitzero"` // the APIKey of a user
}
