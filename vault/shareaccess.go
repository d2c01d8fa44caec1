package vault

import (
	"context"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// Loan is the latest version of a secret that somebody may read and so may
// lend to others: see Lend.
type Loan struct {
	Secret Secret

	vault   Vault
	version Version
	sealed  []byte // once taken
	attempt attempt
	made    policy.Decision
}

// Lend decides whether p may read the latest version of a path now, by what
// Read decides it by. It neither counts nor audits: whoever lends does both in
// the same transaction.
func Lend(tx Tx, p identity.Principal, vault id.ID, path SecretPath, now time.Time) (l Loan, refusal, err error) {
	return lend(tx, attempt{p: p, vault: vault, path: path, any: toRead}, now)
}

func lend(tx Tx, a attempt, now time.Time) (l Loan, refusal, err error) {
	l.attempt = a
	if l.vault, l.made, err = decide(tx, l.attempt, now); err != nil {
		return l, nil, err
	}
	if l.made.Refusal != nil {
		return l, l.made.Refusal, nil
	}
	l.Secret, l.version, refusal, err = loadVersion(tx, l.attempt, latest, now)
	return l, refusal, err
}

// Lender is the principal that who would be if it asked at now, without a
// token: what an agent's next token would cover of the vault. It reports false
// for somebody who may no longer act.
func Lender(tx Tx, org id.ID, who policy.Principal, vault id.ID, now time.Time) (p identity.Principal, ok bool, err error) {
	p = identity.Principal{Kind: identity.Kind(who.Type), ID: who.ID, Org: org}
	if !p.IsAgent() {
		var u identity.User
		u, ok, err = tx.User(org, who.ID)
		p.Role = u.Role
		return p, ok, err
	}
	a, ok, err := tx.Agent(org, who.ID)
	if err != nil || !ok || !a.Usable(now) {
		return p, false, err
	}
	// A token's scopes may come from the grants in all vaults, but a path here is
	// granted by those in this one, and they cover what they grant.
	grants, err := tx.Grants(who, vault)
	if err != nil {
		return p, false, err
	}
	p.Scopes, p.VaultIDs, p.Intents = policy.Scopes(a.Scopes, grants, now), a.VaultIDs, a.Intents
	return p, true, nil
}

// Take uses up one of the secret's reads, if they are limited, for Open.
func (l *Loan) Take(tx Tx) error {
	sealed, ok, err := tx.Envelope(l.Secret.ID, l.version.Number)
	if err != nil || !ok {
		return orDamaged(err)
	}
	l.sealed = sealed
	return count(tx, &l.Secret, &l.version)
}

// Describe puts into an event which secret was asked for and what allowed it;
// nothing if it was not Lend that made l.
func (l *Loan) Describe(e *audit.Event) {
	if l.attempt.vault.IsZero() {
		return
	}
	e.Policies, e.Inputs = l.made.Policies, l.attempt.inputs()
	if e.Details == nil {
		e.Details = audit.Details{}
	}
	e.Details["vault_id"], e.Details["path"] = l.attempt.vault.String(), l.attempt.path.String()
	if l.made.Owner {
		e.Details["owner"] = true
	}
	if !l.Secret.ID.IsZero() {
		e.Details["secret_id"], e.Details["version"] = l.Secret.ID.String(), l.Secret.Latest.Number
	}
}

// OpenLoan opens a loan that was taken, once that is durable; e is the event
// that recorded it. Should the HSM fail, the read stays used and a second event
// says so.
func (s *Service) OpenLoan(ctx context.Context, l Loan, e audit.Event) (plain.Bytes, error) {
	value, err := s.open(ctx, l.vault, binding(l.vault, l.Secret.ID, l.version.Number), l.sealed)
	if err != nil {
		return plain.Bytes{}, s.failed(ctx, e, err)
	}
	return value, nil
}
