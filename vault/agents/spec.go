package agents

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// maxConfig bounds shroud_config, in bytes.
const maxConfig = 64 << 10

// apply checks the spec and puts it into a new agent.
func (sp Spec) apply(a *identity.Agent, now time.Time) error {
	a.Name, a.Description = sp.Name, sp.Description
	a.AuthMethod = sp.AuthMethod
	if a.AuthMethod == "" {
		a.AuthMethod = identity.AuthAPIKey
	}
	a.Scopes, a.VaultIDs, a.TokenTTL, a.ExpiresAt = sp.Scopes, sp.VaultIDs, sp.TokenTTL, sp.ExpiresAt
	a.OIDCIssuer, a.OIDCClientID = sp.OIDCIssuer, sp.OIDCClientID
	a.Intents, a.TxToAllowlist, a.TxMaxValue = sp.Intents, sp.TxToAllowlist, sp.TxMaxValue
	a.TxDailyLimit, a.TxChains = sp.TxDailyLimit, sp.TxChains
	a.ShroudEnabled, a.ShroudConfig = sp.ShroudEnabled, sp.ShroudConfig
	if a.AuthMethod == identity.AuthMTLS {
		a.CertFingerprint = foldFingerprint(sp.CertFingerprint)
	}
	if err := checkProof(*a); err != nil {
		return err
	}
	if a.ExpiresAt != nil && !now.Before(*a.ExpiresAt) {
		return ErrExpiryPast
	}
	return check(*a)
}

// checkProof is what an agent needs to prove itself by its method.
func checkProof(a identity.Agent) error {
	switch a.AuthMethod {
	case identity.AuthAPIKey:
		return nil
	case identity.AuthMTLS:
		if a.CertFingerprint == "" {
			return ErrAuthMethod
		}
		if raw, err := hex.DecodeString(a.CertFingerprint); err != nil || len(raw) != 32 {
			return ErrFingerprint
		}
		return nil
	case identity.AuthOIDC:
		if a.OIDCIssuer == "" || a.OIDCClientID == "" {
			return ErrAuthMethod
		}
		return nil
	}
	return ErrAuthMethod
}

// foldFingerprint is a SHA-256 fingerprint without colons, in lower case.
func foldFingerprint(s string) string {
	return strings.ToLower(strings.ReplaceAll(s, ":", ""))
}

// Bounds of an agent's lists: scopes and vaults travel in every token.
const (
	maxEntries = 100
	maxEntry   = 512
)

func bounded(list []string) bool {
	return len(list) <= maxEntries && !slices.ContainsFunc(list, func(s string) bool { return len(s) > maxEntry })
}

// check is what holds for every agent, new or changed.
func check(a identity.Agent) error {
	switch {
	case !identity.IsName(a.Name):
		return ErrName
	case len(a.Description) > 4096:
		return ErrDescription
	case len(a.VaultIDs) > maxEntries || !bounded(a.Scopes) || !bounded(a.TxToAllowlist) || !bounded(a.TxChains):
		return ErrLists
	case a.TokenTTL < 0 || a.TokenTTL > int(identity.MaxAgentTokenTTL/time.Second):
		return ErrTTL
	case len(a.ShroudConfig) > maxConfig:
		return ErrConfig
	}
	if err := checkLimits(a); err != nil {
		return err
	}
	if c := bytes.TrimSpace(a.ShroudConfig); len(c) > 0 && (c[0] != '{' || !json.Valid(c)) {
		return ErrConfig
	}
	return nil
}

// nativeDecimals are those of the coin that limits are in.
const nativeDecimals = 18

// checkLimits refuses guardrails that could not be read when they are needed.
func checkLimits(a identity.Agent) error {
	for _, limit := range []string{a.TxMaxValue, a.TxDailyLimit} {
		if limit == "" {
			continue
		}
		if _, err := evm.ParseUnits(limit, nativeDecimals); err != nil {
			return ErrTxLimit
		}
	}
	for _, addr := range a.TxToAllowlist {
		if _, err := evm.ParseAddress(addr); err != nil {
			return ErrTxAllowlist
		}
	}
	return nil
}

// Change is a partial update: nil leaves a part as it is; for the parts that
// can be taken away, a pointer to the zero value does.
type Change struct {
	Name, Description *string
	Active            *bool
	Scopes            *[]string
	VaultIDs          *[]id.ID
	TokenTTL          *int
	ExpiresAt         **time.Time

	// How the agent proves itself, if that is its method.
	CertFingerprint          *string
	OIDCIssuer, OIDCClientID *string

	Intents       *bool
	TxToAllowlist *[]string
	TxMaxValue    *string
	TxDailyLimit  *string
	TxChains      *[]string
	ShroudEnabled *bool
	ShroudConfig  *json.RawMessage
}

// apply checks the change and makes it.
func (c Change) apply(a *identity.Agent, now time.Time) error {
	set(&a.Name, c.Name)
	set(&a.Description, c.Description)
	set(&a.Scopes, c.Scopes)
	set(&a.VaultIDs, c.VaultIDs)
	set(&a.TokenTTL, c.TokenTTL)
	set(&a.ExpiresAt, c.ExpiresAt)
	set(&a.Intents, c.Intents)
	set(&a.TxToAllowlist, c.TxToAllowlist)
	set(&a.TxMaxValue, c.TxMaxValue)
	set(&a.TxDailyLimit, c.TxDailyLimit)
	set(&a.TxChains, c.TxChains)
	set(&a.ShroudEnabled, c.ShroudEnabled)
	set(&a.ShroudConfig, c.ShroudConfig)
	if err := c.applyProof(a); err != nil {
		return err
	}
	if c.ExpiresAt != nil && *c.ExpiresAt != nil && !now.Before(**c.ExpiresAt) {
		return ErrExpiryPast
	}
	if c.Active != nil && *c.Active != a.Active {
		a.Active, a.DeactivatedAt = *c.Active, nil
		if !a.Active {
			a.DeactivatedAt = &now
		}
	}
	return check(*a)
}

// applyProof changes how the agent proves itself: within its method, which stays.
func (c Change) applyProof(a *identity.Agent) error {
	before := *a
	if c.CertFingerprint != nil {
		a.CertFingerprint = foldFingerprint(*c.CertFingerprint)
	}
	set(&a.OIDCIssuer, c.OIDCIssuer)
	set(&a.OIDCClientID, c.OIDCClientID)
	cert := a.CertFingerprint != before.CertFingerprint
	client := a.OIDCIssuer != before.OIDCIssuer || a.OIDCClientID != before.OIDCClientID
	switch {
	case !cert && !client:
		return nil
	case cert && a.AuthMethod != identity.AuthMTLS, client && a.AuthMethod != identity.AuthOIDC:
		return ErrProof
	}
	return checkProof(*a)
}

func set[T any](dst *T, v *T) {
	if v != nil {
		*dst = *v
	}
}
