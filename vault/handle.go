package vault

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// Withheld reports whether p is shown no values at all, but has them used for it:
// an agent that people want to have handles only.
func Withheld(tx Tx, p identity.Principal) (bool, error) {
	if !p.IsAgent() {
		return false, nil
	}
	a, _, err := tx.Agent(p.Org, p.ID)
	return a.HandleOnly, err
}

// withhold makes a decision about reading ErrHandleOnly, where an agent may have
// the value used for it and not see it: because it gets handles only, or because
// its policies say use and not read. Like every refusal this one is made before
// the path is looked up.
func withhold(tx Tx, p identity.Principal, req policy.Request, grants []policy.Policy, d policy.Decision) (policy.Decision, error) {
	if !p.IsAgent() || len(req.Any) != 1 || req.Any[0] != policy.Read {
		return d, nil
	}
	if d.Allowed {
		withheld, err := Withheld(tx, p)
		if err != nil || !withheld {
			return d, err
		}
	} else {
		req.Any = []policy.Permission{policy.Use}
		if !errors.Is(d.Refusal, policy.ErrInsufficient) || !policy.Evaluate(req, grants).Allowed {
			return d, nil
		}
	}
	return policy.Decision{Refusal: ErrHandleOnly}, nil
}

// uses reports whether the value would go elsewhere on p's behalf, unseen: what
// signs never does, since use of a signing key is its use by the Intents API.
func (a attempt) uses() bool { return slices.Contains(a.any, policy.Use) }

// ReadForUse is Read for a part of the appliance that uses the value for p and does
// not show it: being allowed to use it is enough. Whoever calls it sees to it that the
// value goes nowhere but to where its path says.
func (s *Service) ReadForUse(ctx context.Context, p identity.Principal, vault id.ID, path SecretPath) (Secret, plain.Bytes, error) {
	got, value, err := s.read(ctx, attempt{p, vault, path, audit.SecretRead, toUse}, latest)
	return got.secret, value, err
}

// LendForUse is Lend for values that are used for p and not shown to it: being
// allowed to use it is enough.
func LendForUse(tx Tx, p identity.Principal, vault id.ID, path SecretPath, now time.Time) (l Loan, refusal, err error) {
	l, refusal, err = lend(tx, attempt{p: p, vault: vault, path: path, any: toUse}, now)
	if err == nil && refusal == nil {
		refusal = l.Sendable()
	}
	return l, refusal, err
}

// Sendable says why a value may go nowhere, whoever may read it: it signs, is one
// of the appliance's own, or is here only as the customer encrypted it.
func (l Loan) Sendable() error {
	v := l.Secret.Latest
	if v.Type.Signs() || strings.HasPrefix(l.vault.Name, reservedPrefix) || v.CMEKFingerprint != "" {
		return ErrNotSendable
	}
	return nil
}

// Policies are those that allow the loan.
func (l Loan) Policies() []id.ID { return l.made.Policies }

// Inputs is the hash of what else decided about it.
func (l Loan) Inputs() []byte { return l.attempt.inputs() }

// FindUsable is the first vault, oldest first, in which p may use what is at path:
// for values that are asked for by their path alone. Nothing is read or counted.
// ErrSecretNotFound says that there is none, or none for p.
func (s *Service) FindUsable(ctx context.Context, p identity.Principal, path SecretPath) (found id.ID, err error) {
	all, err := s.Usable(ctx, p, path)
	if err != nil {
		return found, err
	}
	if len(all) == 0 {
		return found, ErrSecretNotFound
	}
	return all[0], nil
}

// Usable are all such vaults.
func (s *Service) Usable(ctx context.Context, p identity.Principal, path SecretPath) (found []id.ID, err error) {
	err = s.DB.View(ctx, func(tx Tx) error {
		vaults, err := tx.Vaults(p.Org)
		if err != nil {
			return err
		}
		found = nil
		for _, v := range vaults {
			_, d, err := decide(tx, attempt{p: p, vault: v.ID, path: path, any: toUse}, s.now())
			if err != nil {
				return err
			}
			if d.Refusal != nil {
				continue
			}
			sec, ok, err := tx.Secret(v.ID, path)
			if err != nil {
				return err
			}
			if ok && sec.gone(s.now()) == nil {
				found = append(found, v.ID)
			}
		}
		return nil
	})
	return found, err
}
