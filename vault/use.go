package vault

import (
	"context"
	"errors"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault/envelope"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// toUse are the permissions that let a signing key be used for a principal: who
// may read it may, and so may who may only use it.
var toUse = []policy.Permission{policy.Read, policy.Use}

// Use is a signing key that may be used for an agent. It holds no key: OpenUse does.
type Use struct {
	Vault    id.ID
	Secret   id.ID
	Path     SecretPath
	Version  uint32
	Policies []id.ID // that allowed it, for the audit record

	vault  Vault
	sealed []byte
}

// Reach lists the vaults of an organisation in which an agent can be allowed anything,
// oldest first: those that it made, and those with a policy for it. It looks at
// every vault; what it says is good until a vault or a policy changes.
func Reach(tx Tx, org, agent id.ID) (out []id.ID, err error) {
	who := policy.Principal{Type: policy.Agent, ID: agent}
	vaults, err := tx.VaultIDs(org)
	if err != nil {
		return nil, err
	}
	for _, v := range vaults {
		grants, err := tx.Grants(who, v)
		if err != nil {
			return nil, err
		}
		if len(grants) == 0 {
			if made, _, err := tx.Vault(org, v); err != nil {
				return nil, err
			} else if made.Creator != who {
				continue
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// FindUse looks, in the caller's view, for the first of some vaults, those of Reach, in
// which the signing key at path may be used for an agent that by acts for: itself, or a
// person who manages it. The refusal is ErrNoSigningKey where there is none: whoever
// may not use it learns nothing of it.
func FindUse(tx Tx, by identity.Principal, agent id.ID, path SecretPath, vaults []id.ID, now time.Time) (u Use, refusal, err error) {
	for _, v := range vaults {
		u, refusal, err = AdmitUse(tx, by, agent, v, path, now)
		if err != nil || refusal == nil {
			return u, nil, err
		}
		if errors.Is(refusal, ErrNotSigningKey) || fault.KindOf(refusal) == fault.Gone {
			return u, refusal, nil // there is one that it may use, but cannot
		}
	}
	return u, ErrNoSigningKey, nil
}

// AdmitUse decides, in the caller's transaction, whether the private key at path
// may be used for an agent at now, which by acts for: its own policies say so,
// whoever asks. Nothing is written: the caller audits what it does with the key.
//
// A key with a limit of reads cannot be used: uses are not reads, and its owner
// did not say how many of them there may be. Nor can one that the customer
// encrypted, which the appliance does not have.
func AdmitUse(tx Tx, by identity.Principal, agent, vault id.ID, path SecretPath, now time.Time) (u Use, refusal, err error) {
	p, ok, err := actingFor(tx, by, agent, vault, now)
	if err != nil || !ok {
		return u, ErrDenied, err
	}
	v, d, err := decide(tx, attempt{p: p, vault: vault, path: path, any: toUse}, now)
	if err != nil {
		return u, nil, err
	}
	if d.Refusal != nil {
		return u, d.Refusal, nil
	}
	sec, ok, err := tx.Secret(vault, path)
	if err != nil || !ok {
		return u, ErrSecretNotFound, err
	}
	ver := sec.Latest
	if why := sec.gone(now); why != nil {
		return u, why, nil
	}
	if ver.Type != TypePrivateKey || ver.MaxAccess != 0 || ver.CMEKFingerprint != "" {
		return u, ErrNotSigningKey, nil
	}
	sealed, ok, err := tx.Envelope(sec.ID, ver.Number)
	if err != nil || !ok {
		return u, nil, orDamaged(err)
	}
	return Use{
		Vault: vault, Secret: sec.ID, Path: path, Version: ver.Number, Policies: d.Policies, vault: v, sealed: sealed,
	}, nil, nil
}

// actingFor is the agent as it would ask itself, from where by asks.
func actingFor(tx Tx, by identity.Principal, agent, vault id.ID, now time.Time) (p identity.Principal, ok bool, err error) {
	if by.IsAgent() {
		return by, by.ID == agent, nil
	}
	p, ok, err = Lender(tx, by.Org, policy.Principal{Type: policy.Agent, ID: agent}, vault, now)
	p.IP = by.IP
	return p, ok && by.Manages(), err
}

// OpenUse returns the key of an admitted use. It is not to leave the process,
// and the caller's to wipe.
func (s *Service) OpenUse(ctx context.Context, u Use) (plain.Bytes, error) {
	return s.open(ctx, u.vault, envelope.Binding{Org: u.vault.Org, Vault: u.Vault, Secret: u.Secret, Version: u.Version}, u.sealed)
}
