package agents

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Errors.
var (
	ErrName        = fault.New(fault.Invalid, "invalid_agent_name", "An agent needs a name of 1 to 255 characters, not blank, and without control characters")
	ErrDescription = fault.New(fault.Invalid, "invalid_description", "A description may have at most 4096 bytes")
	ErrLists       = fault.New(fault.Invalid, "too_many_entries", "scopes, vault_ids, tx_to_allowlist and tx_allowed_chains may have 100 entries each, of at most 512 bytes")
	ErrAuthMethod  = fault.New(fault.Invalid, "invalid_auth_method", "auth_method must be api_key, mtls (with client_cert_fingerprint) or oidc_client_credentials (with oidc_issuer and oidc_client_id)")
	ErrTTL         = fault.New(fault.Invalid, "invalid_token_ttl", "token_ttl_seconds must be 1 to 2592000")
	ErrVaults      = fault.New(fault.Invalid, "unknown_vault", "vault_ids names a vault that does not exist")
	ErrConfig      = fault.New(fault.Invalid, "invalid_shroud_config", "shroud_config must be a JSON object of at most 64 KiB")
	ErrExpiryPast  = fault.New(fault.Invalid, "expiry_in_past", "expires_at must lie in the future")
	ErrFingerprint = fault.New(fault.Invalid, "invalid_fingerprint", "client_cert_fingerprint must be a SHA-256 in hex")
	ErrProof       = fault.New(fault.Invalid, "not_its_proof", "An agent with auth_method mtls has a client_cert_fingerprint, one with oidc_client_credentials an oidc_issuer and oidc_client_id, and others have neither; auth_method cannot be changed")
	ErrNoKey       = fault.New(fault.Conflict, "agent_has_no_key", "This agent does not sign in with an API key")
	ErrTxLimit     = fault.New(fault.Invalid, "invalid_tx_limit", "tx_max_value_eth and tx_daily_limit_eth must be decimal numbers such as \"0.5\", with at most 18 decimals")
	ErrTxAllowlist = fault.New(fault.Invalid, "invalid_tx_to_allowlist", "tx_to_allowlist must hold addresses: 0x and 40 hex digits, in one case or with the checksum of EIP-55")
	ErrContended   = fault.New(fault.Conflict, "write_contended", "The agent is being changed by others; try again")
)

// Service manages agents. All methods may be called at once.
type Service struct {
	DB       txn.Runner[vault.Tx]
	Identity *identity.Service
	Vaults   *vault.Service
	Now      func() time.Time
}

// New returns a Service; now is time.Now if nil.
func New(db txn.Runner[vault.Tx], id *identity.Service, v *vault.Service, now func() time.Time) *Service {
	if now == nil {
		now = time.Now
	}
	return &Service{DB: db, Identity: id, Vaults: v, Now: now}
}

// Spec is what may be said of an agent, at registration and, with Change,
// later.
type Spec struct {
	Name, Description string
	AuthMethod        identity.AuthMethod // "" means api_key
	Scopes            []string
	VaultIDs          []id.ID
	TokenTTL          int // seconds; 0 means the default
	ExpiresAt         *time.Time
	CertFingerprint   string
	OIDCIssuer        string
	OIDCClientID      string

	Intents       bool
	TxToAllowlist []string
	TxMaxValue    string
	TxDailyLimit  string
	TxChains      []string
	ShroudEnabled bool
	ShroudConfig  json.RawMessage
}

// keyTries is how often identity keys are sealed again because the
// __agent-keys vault changed meanwhile.
const keyTries = 4

// Register makes an agent. The key is returned this once, and only where the
// agent signs in with one.
func (s *Service) Register(ctx context.Context, p identity.Principal, spec Spec) (identity.Agent, string, error) {
	now := s.now()
	a := identity.Agent{ID: id.New(), Org: p.Org, Active: true, CreatedBy: p.ID, CreatedAt: now}
	if err := spec.apply(&a, now); err != nil {
		return identity.Agent{}, "", err
	}
	e := p.Event(audit.AgentRegister, "agent", a.ID.String())
	e.Time, e.Details = now, audit.Details{"name": a.Name, "auth_method": string(a.AuthMethod)}
	if p.IsAgent() {
		return identity.Agent{}, "", s.refused(ctx, e, identity.ErrUsersOnly)
	}
	keys := newIdentityKeys(a.ID)
	defer keys.wipe()
	a.SSHPublicKey, a.ECDHPublicKey = keys.ssh, keys.ecdh
	var key string
	if a.AuthMethod == identity.AuthAPIKey {
		key = identity.NewKey(identity.AgentKeyPrefix)
		a.KeyHash = s.Identity.HashKey(key)
	}
	err := s.storeWithKeys(ctx, p, keys, e, func(tx vault.Tx) (refusal, err error) {
		if ok, err := vaultsExist(tx, p.Org, a.VaultIDs); err != nil || !ok {
			return s.refuse(ctx, tx, e, ErrVaults, err)
		}
		if refusal, err := s.keepClaim(tx, a, a); err != nil || refusal != nil {
			return s.refuse(ctx, tx, e, refusal, err)
		}
		if key != "" {
			if err := tx.PutCredential(a.KeyHash, identity.Credential{Kind: identity.KindAgent, Org: p.Org, ID: a.ID}); err != nil {
				return nil, err
			}
		}
		return nil, tx.PutAgent(a)
	})
	if err != nil {
		return identity.Agent{}, "", err
	}
	return a, key, nil
}

// errStale rolls back what was prepared for an __agent-keys vault that changed
// meanwhile.
var errStale = errors.New("agents: the keys were sealed for another state of the vault")

// storeWithKeys seals identity keys, then stores them in the transaction of
// apply, with e as its last event; a refusal by apply stores neither.
func (s *Service) storeWithKeys(ctx context.Context, p identity.Principal, keys identityKeys, e audit.Event,
	apply func(vault.Tx) (refusal, err error)) error {
	for range keyTries {
		deposit, err := s.Vaults.SealAgentKeys(ctx, p, keys.agent, map[vault.SecretPath]plain.Bytes{
			keys.sshPath: keys.sshPrivate, keys.ecdhPath: keys.ecdhPrivate,
		})
		if err != nil {
			return err
		}
		err = txn.Decide(ctx, s.DB, func(tx vault.Tx) (refusal, err error) {
			if refusal, err := apply(tx); err != nil || refusal != nil {
				return refusal, err
			}
			stored, err := deposit.Store(ctx, tx, p)
			if err == nil && !stored {
				err = errStale
			}
			if err != nil {
				return nil, err
			}
			return nil, audit.Write(ctx, tx, e)
		})
		if !errors.Is(err, errStale) {
			return err
		}
	}
	return ErrContended
}

// RotateIdentityKeys replaces an agent's identity keys; the private halves
// become new versions at the same paths.
func (s *Service) RotateIdentityKeys(ctx context.Context, p identity.Principal, agent id.ID) (a identity.Agent, err error) {
	e := s.event(p, audit.AgentRotateIDKeys, agent)
	if refusal, err := s.manageable(ctx, p, agent); err != nil {
		return a, err
	} else if refusal != nil {
		return a, s.refused(ctx, e, refusal)
	}
	keys := newIdentityKeys(agent)
	defer keys.wipe()
	err = s.storeWithKeys(ctx, p, keys, e, func(tx vault.Tx) (refusal, err error) {
		// Decided before any key was made; an agent is never removed, so this
		// cannot have changed but by a change of roles.
		if a, refusal, err = load(tx, p, agent); err != nil || refusal != nil {
			return nil, orRefusal(err, refusal)
		}
		a.SSHPublicKey, a.ECDHPublicKey = keys.ssh, keys.ecdh
		return nil, tx.PutAgent(a)
	})
	if err != nil {
		return identity.Agent{}, err
	}
	return s.seen(ctx, a)
}

// orRefusal returns err, or else the refusal as an error: it rolls back.
func orRefusal(err, refusal error) error {
	if err != nil {
		return err
	}
	return refusal
}

// manageable decides in a View whether p may change the agent.
func (s *Service) manageable(ctx context.Context, p identity.Principal, agent id.ID) (refusal, err error) {
	err = s.DB.View(ctx, func(tx vault.Tx) (err error) {
		_, refusal, err = load(tx, p, agent)
		return err
	})
	return refusal, err
}

// load finds an agent that p may change.
func load(tx vault.Tx, p identity.Principal, agent id.ID) (a identity.Agent, refusal, err error) {
	if p.IsAgent() {
		return a, identity.ErrUsersOnly, nil
	}
	a, ok, err := tx.Agent(p.Org, agent)
	switch {
	case err != nil:
		return a, nil, err
	case !ok:
		return a, identity.ErrNoAgent, nil
	case a.CreatedBy != p.ID && !p.Manages():
		return a, identity.ErrDenied, nil
	}
	return a, nil, nil
}

func (s *Service) event(p identity.Principal, action audit.Action, agent id.ID) audit.Event {
	e := p.Event(action, "agent", agent.String())
	e.Time = s.now()
	return e
}

// refuse appends the event of a refusal; a fault of the store comes first.
func (s *Service) refuse(ctx context.Context, tx vault.Tx, e audit.Event, why *fault.Error, err error) (refusal, fault error) {
	if err != nil {
		return nil, err
	}
	e.Outcome, e.Reason = audit.Refused, why.Code
	return why, audit.Write(ctx, tx, e)
}

// refused records a refusal in a transaction of its own.
func (s *Service) refused(ctx context.Context, e audit.Event, why error) error {
	return txn.Decide(ctx, s.DB, func(tx vault.Tx) (error, error) {
		return s.refuse(ctx, tx, e, fault.As(why), nil)
	})
}

// keepClaim has the agent found by its certificate or client, as long as it is
// active, and no longer by that of before.
func (s *Service) keepClaim(tx vault.Tx, before, a identity.Agent) (refusal *fault.Error, err error) {
	err = s.Identity.MoveClaim(tx, before, a)
	if errors.Is(err, identity.ErrClaimTaken) {
		return identity.ErrClaimTaken, nil
	}
	return nil, err
}

func vaultsExist(tx vault.Tx, org id.ID, vaults []id.ID) (bool, error) {
	for _, v := range vaults {
		if _, ok, err := tx.Vault(org, v); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

func (s *Service) now() time.Time { return s.Now().UTC() }
