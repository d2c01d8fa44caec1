package vault

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/envelope"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// Version numbers that are none.
const (
	latest    = 0
	noVersion = math.MaxUint32
)

// admitted is a read that was allowed, counted and audited, but not opened.
type admitted struct {
	vault   Vault
	secret  Secret
	version Version
	sealed  []byte
	event   audit.Event
}

// Read returns the latest value of a path. The read is decided, counted and
// audited in one durable transaction before the value is unsealed; should the
// HSM then fail, the count stays used and the failure is audited too.
func (s *Service) Read(ctx context.Context, p identity.Principal, vault id.ID, path SecretPath) (Secret, plain.Bytes, error) {
	got, value, err := s.read(ctx, attempt{p, vault, path, audit.SecretRead, toRead}, latest)
	return got.secret, value, err
}

// ReadVersion returns the value of one version of a path, which keeps its own
// expiry and count.
func (s *Service) ReadVersion(ctx context.Context, p identity.Principal, vault id.ID, path SecretPath, number uint32) (Secret, Version, plain.Bytes, error) {
	if number == latest {
		number = noVersion // a caller's 0 is a number that no version has
	}
	got, value, err := s.read(ctx, attempt{p, vault, path, audit.SecretRead, toRead}, number)
	return got.secret, got.version, value, err
}

func (s *Service) read(ctx context.Context, a attempt, number uint32) (admitted, plain.Bytes, error) {
	var got admitted
	err := txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		got, refusal, err = admitRead(ctx, tx, a, number, s.now())
		return refusal, err
	})
	if err != nil {
		return admitted{}, plain.Bytes{}, err
	}
	value, err := s.open(ctx, got.vault, binding(got.vault, got.secret.ID, got.version.Number), got.sealed)
	if err != nil {
		return admitted{}, plain.Bytes{}, s.failed(ctx, got.event, err)
	}
	return got, value, nil
}

func binding(v Vault, secret id.ID, number uint32) envelope.Binding {
	return envelope.Binding{Org: v.Org, Vault: v.ID, Secret: secret, Version: number}
}

// admitRead decides a read and applies it: the count and the audit event.
func admitRead(ctx context.Context, tx Tx, a attempt, number uint32, now time.Time) (got admitted, refusal, err error) {
	v, d, err := decide(tx, a, now)
	if err != nil {
		return got, nil, err
	}
	e := a.event(d, now)
	if d.Refusal != nil {
		refusal, err = refuse(ctx, tx, e, d.Refusal)
		return got, refusal, err
	}
	sec, ver, why, err := loadVersion(tx, a, number, now)
	if err != nil {
		return got, nil, err
	}
	if why != nil {
		refusal, err = refuse(ctx, tx, e, why)
		return got, refusal, err
	}
	sealed, ok, err := tx.Envelope(sec.ID, ver.Number)
	if err != nil || !ok {
		return got, nil, orDamaged(err)
	}
	if err := count(tx, &sec, &ver); err != nil {
		return got, nil, err
	}
	e.Details["secret_id"], e.Details["version"] = sec.ID.String(), ver.Number
	if err := audit.Write(ctx, tx, e); err != nil {
		return got, nil, err
	}
	return admitted{v, sec, ver, sealed, e}, nil, nil
}

// orDamaged is for a sealed value that must be there and is not.
func orDamaged(err error) error {
	if err != nil {
		return err
	}
	return envelope.ErrDamaged
}

// loadVersion finds a version that may be handed out, or says why none may.
func loadVersion(tx Tx, a attempt, number uint32, now time.Time) (sec Secret, ver Version, why, err error) {
	sec, ok, err := tx.Secret(a.vault, a.path)
	switch {
	case err != nil:
		return sec, ver, nil, err
	case !ok || number > sec.Latest.Number:
		return sec, ver, ErrSecretNotFound, nil
	case sec.DeletedAt != nil || number != latest && number <= sec.DeletedThrough:
		return sec, ver, ErrSecretDeleted, nil
	}
	ver = sec.Latest
	if number != latest && number != ver.Number {
		if ver, ok, err = tx.Version(sec.ID, number); err != nil || !ok {
			return sec, ver, ErrSecretNotFound, err
		}
	}
	if why := ver.gone(now); why != nil {
		return sec, ver, why, nil
	}
	if ver.Type.Signs() && (a.p.Intents || a.uses()) {
		return sec, ver, ErrSigningKey, nil
	}
	return sec, ver, nil, nil
}

// count uses up one of a limited version's reads.
func count(tx Tx, sec *Secret, ver *Version) error {
	if ver.MaxAccess == 0 {
		return nil
	}
	ver.Reads++
	if ver.Number == sec.Latest.Number {
		sec.Latest = *ver
		return tx.PutSecret(*sec)
	}
	return tx.PutVersion(sec.ID, *ver)
}

// List returns the latest version of every path that p may read or use and that
// can still be read, in the order of their paths, without values. Nothing is
// counted. prefix is a plain string prefix.
func (s *Service) List(ctx context.Context, p identity.Principal, vault id.ID, prefix string) ([]Secret, error) {
	var (
		out     = []Secret{}
		refusal error
		now     = s.now()
	)
	err := s.DB.View(ctx, func(tx Tx) (err error) {
		var v Vault
		if v, refusal, err = visible(tx, p, vault, now); err != nil || refusal != nil {
			return err
		}
		out, err = permitted(tx, p, v, prefix, toUse, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	e := p.Event(audit.SecretList, "vault", vault.String())
	e.Time = now
	e.Details = audit.Details{"vault_id": vault.String(), "count": len(out)}
	err = txn.Decide(ctx, s.DB, func(tx Tx) (error, error) {
		if refusal != nil {
			return refuse(ctx, tx, e, refusal)
		}
		return nil, audit.Write(ctx, tx, e)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// permitted filters a vault's live secrets by what p has one of the permissions on.
func permitted(tx Tx, p identity.Principal, v Vault, prefix string, one []policy.Permission, now time.Time) ([]Secret, error) {
	all, err := tx.Secrets(v.ID)
	if err != nil {
		return nil, err
	}
	grants, err := tx.Grants(p.Policy(), v.ID)
	if err != nil {
		return nil, err
	}
	req := request(p, v, now)
	req.Any = one
	out := make([]Secret, 0, len(all))
	for _, sec := range all {
		if sec.gone(now) != nil || !strings.HasPrefix(sec.Path.String(), prefix) {
			continue
		}
		req.Path = sec.Path.String()
		if policy.Evaluate(req, grants).Allowed {
			out = append(out, sec)
		}
	}
	return out, nil
}

// visible says whether p may know of a vault at all: its creator, those who
// manage the organisation, and whoever a policy in force names.
func visible(tx Tx, p identity.Principal, vault id.ID, now time.Time) (v Vault, refusal, err error) {
	v, ok, err := tx.Vault(p.Org, vault)
	switch {
	case err != nil:
		return v, nil, err
	case !ok:
		return v, ErrVaultNotFound, nil
	case v.CreatedBy(p) || p.Manages():
		return v, nil, nil
	case !p.BoundTo(vault):
		return v, policy.ErrNotBound, nil
	}
	grants, err := tx.Grants(p.Policy(), vault)
	if err != nil {
		return v, nil, err
	}
	named := slices.ContainsFunc(grants, func(g policy.Policy) bool { return g.Active(now) })
	switch {
	case !named:
		return v, ErrDenied, nil
	case p.IsAgent() && len(p.Scopes) == 0:
		return v, policy.ErrNoScopes, nil
	}
	return v, nil, nil
}

// Versions lists every version of a path, newest first, without values. It
// needs the right to read or use the path and counts nothing.
func (s *Service) Versions(ctx context.Context, p identity.Principal, vault id.ID, path SecretPath) (Secret, []Version, error) {
	a := attempt{p, vault, path, audit.SecretList, toUse}
	var (
		sec      Secret
		versions []Version
		e        audit.Event
		refusal  error
	)
	err := s.DB.View(ctx, func(tx Tx) (err error) {
		sec, versions, e, refusal, err = listVersions(tx, a, s.now())
		return err
	})
	if err != nil {
		return Secret{}, nil, err
	}
	err = txn.Decide(ctx, s.DB, func(tx Tx) (error, error) {
		if refusal != nil {
			return refuse(ctx, tx, e, refusal)
		}
		return nil, audit.Write(ctx, tx, e)
	})
	if err != nil {
		return Secret{}, nil, err
	}
	return sec, versions, nil
}

// listVersions decides and loads; there may be many versions, so not while
// every writer waits.
func listVersions(tx Tx, a attempt, now time.Time) (sec Secret, versions []Version, e audit.Event, refusal, err error) {
	_, d, err := decide(tx, a, now)
	if err != nil {
		return sec, nil, e, nil, err
	}
	if e = a.event(d, now); d.Refusal != nil {
		return sec, nil, e, d.Refusal, nil
	}
	sec, ok, err := tx.Secret(a.vault, a.path)
	switch {
	case err != nil:
		return sec, nil, e, nil, err
	case !ok:
		return sec, nil, e, ErrSecretNotFound, nil
	case sec.DeletedAt != nil:
		return sec, nil, e, ErrSecretDeleted, nil
	}
	versions, err = history(tx, sec)
	return sec, versions, e, nil, err
}

// history loads all versions that no deletion covered by their numbers, newest
// first.
func history(tx Tx, sec Secret) ([]Version, error) {
	out := make([]Version, 0, sec.Latest.Number-sec.DeletedThrough)
	out = append(out, sec.Latest)
	for n := sec.Latest.Number - 1; n > sec.DeletedThrough; n-- {
		v, ok, err := tx.Version(sec.ID, n)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, v)
		}
	}
	return out, nil
}
