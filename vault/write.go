package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// MaxValue bounds a secret value, in bytes.
const MaxValue = 5 << 20

// maxMetadata bounds metadata and rotation_policy, in bytes: lists carry them.
const maxMetadata = 64 << 10

// writeTries is how often a write seals again because the version it sealed
// for was taken meanwhile. Writers of one path take turns in this process, so
// once is the rule.
const writeTries = 4

// NewVersion is what a write brings.
type NewVersion struct {
	Type           Type // empty: that of the version before, or generic
	Value          plain.Bytes
	Metadata       json.RawMessage
	RotationPolicy json.RawMessage
	ExpiresAt      *time.Time
	MaxAccess      *int64 // nil: any number of reads
}

func (n NewVersion) check(now time.Time) error {
	switch {
	case n.Type != "" && !n.Type.Known():
		return ErrType
	case n.Value.Len() > MaxValue:
		return ErrValueTooLarge
	case !object(n.Metadata) || !object(n.RotationPolicy) || len(n.Metadata) > maxMetadata || len(n.RotationPolicy) > maxMetadata:
		return ErrMetadata
	case n.ExpiresAt != nil && !now.Before(*n.ExpiresAt):
		return ErrExpiryPast
	case n.MaxAccess != nil && (*n.MaxAccess < 1 || *n.MaxAccess > 1<<31-1):
		return ErrMaxAccess
	}
	return nil
}

// object reports whether raw is absent or a JSON object.
func object(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || string(raw) == "null" || raw[0] == '{' && json.Valid(raw)
}

// Put writes a new version of a path, its first one if there is none. A path
// that was deleted lives again, and its numbering goes on.
func (s *Service) Put(ctx context.Context, p identity.Principal, vault id.ID, path SecretPath, n NewVersion) (Secret, error) {
	if err := n.check(s.now()); err != nil {
		return Secret{}, err
	}
	return s.write(ctx, attempt{p, vault, path, audit.SecretWrite, toWrite}, func(prev *Secret) (Version, plain.Bytes, error) {
		v := Version{
			Type: n.Type, Metadata: n.Metadata, RotationPolicy: n.RotationPolicy, ExpiresAt: n.ExpiresAt,
		}
		if n.MaxAccess != nil {
			v.MaxAccess = uint32(*n.MaxAccess)
		}
		if v.Type == "" {
			v.Type = TypeGeneric
			if prev != nil {
				v.Type = prev.Latest.Type // so that no update downgrades a protected key
			}
		}
		return v, n.Value, nil
	})
}

// next makes the new version out of what is there; prev is nil if nothing is.
// An error is a refusal.
type next func(prev *Secret) (Version, plain.Bytes, error)

// plan is what a write will do if nothing changes before it is applied.
type plan struct {
	vault    Vault
	secret   Secret   // as it will be
	previous *Version // to be moved into the history
	value    plain.Bytes
	event    audit.Event
	refusal  error
}

func (w plan) same(b plan) bool {
	return w.secret.ID == b.secret.ID && w.secret.Latest.Number == b.secret.Latest.Number &&
		w.vault.Current().same(b.vault.Current())
}

// write seals outside the transaction that stores, since that may not wait for
// the HSM: plan, seal, then plan again inside and apply if it is the same plan.
func (s *Service) write(ctx context.Context, a attempt, next next) (Secret, error) {
	defer s.writers.lock(a.vault, a.path)()
	fresh := id.New()
	for range writeTries {
		out, stale, err := s.tryWrite(ctx, a, fresh, next)
		if err != nil || !stale {
			return out, err
		}
	}
	return Secret{}, ErrContended
}

func (s *Service) tryWrite(ctx context.Context, a attempt, fresh id.ID, next next) (out Secret, stale bool, err error) {
	var before plan
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		before, err = s.plan(tx, a, fresh, next)
		return err
	})
	if err != nil {
		return Secret{}, false, err
	}
	var sealed []byte
	if before.refusal == nil {
		b := binding(before.vault, before.secret.ID, before.secret.Latest.Number)
		if sealed, err = s.seal(ctx, before.vault, b, before.value); err != nil {
			return Secret{}, false, s.failed(ctx, before.event, err)
		}
	}
	err = txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		after, err := s.plan(tx, a, fresh, next)
		if err != nil {
			return nil, err
		}
		if after.refusal != nil {
			return refuse(ctx, tx, after.event, after.refusal)
		}
		if stale = sealed == nil || !after.same(before); stale {
			return nil, nil
		}
		out = after.secret
		s.rotations.wrote(a.vault, a.path)
		return nil, after.apply(ctx, tx, sealed)
	})
	return out, stale, err
}

func (s *Service) plan(tx Tx, a attempt, fresh id.ID, next next) (plan, error) {
	now := s.now()
	v, d, err := decide(tx, a, now)
	if err != nil {
		return plan{}, err
	}
	out := plan{vault: v, event: a.event(d, now)}
	if d.Refusal != nil {
		out.refusal = d.Refusal
		return out, nil
	}
	if a.action == audit.SecretRotate && v.CMEKFingerprint != "" {
		out.refusal = ErrCMEKGenerated
		return out, nil
	}
	old, exists, err := tx.Secret(a.vault, a.path)
	if err != nil {
		return plan{}, err
	}
	out.secret = Secret{ID: fresh, Vault: a.vault, Path: a.path}
	var prev *Secret
	if exists {
		prev = &old
		out.secret.ID, out.secret.DeletedThrough, out.previous = old.ID, old.DeletedThrough, &old.Latest
	}
	ver, value, refusal := next(prev)
	if refusal != nil {
		out.refusal = refusal
		return out, nil
	}
	ver.Number = old.Latest.Number + 1
	ver.CreatedBy, ver.CreatedAt, ver.CMEKFingerprint = a.p.Policy(), now, v.CMEKFingerprint
	out.secret.Latest, out.value = ver, value
	out.event.Details["secret_id"], out.event.Details["version"] = out.secret.ID.String(), ver.Number
	return out, nil
}

func (w plan) apply(ctx context.Context, tx Tx, sealed []byte) error {
	if err := w.store(tx, sealed); err != nil {
		return err
	}
	return audit.Write(ctx, tx, w.event)
}

// store writes the version without an audit event of its own.
func (w plan) store(tx Tx, sealed []byte) error {
	if w.previous != nil {
		if err := tx.PutVersion(w.secret.ID, *w.previous); err != nil {
			return err
		}
	} else {
		ref := SecretRef{Org: w.vault.Org, Vault: w.vault.ID, Path: w.secret.Path}
		if err := tx.PutSecretRef(w.secret.ID, ref); err != nil {
			return err
		}
	}
	if err := tx.PutEnvelope(w.secret.ID, w.secret.Latest.Number, sealed); err != nil {
		return err
	}
	return tx.PutSecret(w.secret)
}

// Delete soft-deletes a path: all its versions answer "gone" until it is
// written again.
func (s *Service) Delete(ctx context.Context, p identity.Principal, vault id.ID, path SecretPath) error {
	a := attempt{p, vault, path, audit.SecretDelete, toDelete}
	return s.change(ctx, a, func(tx Tx, _ *audit.Event, sec Secret, now time.Time) (refusal, err error) {
		sec.DeletedAt, sec.DeletedThrough = &now, sec.Latest.Number
		return nil, tx.PutSecret(sec)
	})
}

// DisableVersion makes one version of a path unreadable for good.
func (s *Service) DisableVersion(ctx context.Context, p identity.Principal, vault id.ID, path SecretPath, number uint32) (of Secret, ver Version, err error) {
	a := attempt{p, vault, path, audit.SecretDisable, toWrite}
	err = s.change(ctx, a, func(tx Tx, e *audit.Event, sec Secret, now time.Time) (refusal, err error) {
		e.Details["version"] = number
		of = sec
		if number == sec.Latest.Number {
			if sec.Latest.DisabledAt == nil {
				sec.Latest.DisabledAt = &now
			}
			of, ver = sec, sec.Latest
			return nil, tx.PutSecret(sec)
		}
		var ok bool
		if ver, ok, err = tx.Version(sec.ID, number); err != nil || !ok {
			return ErrSecretNotFound, err
		}
		if ver.DisabledAt == nil {
			ver.DisabledAt = &now
		}
		return nil, tx.PutVersion(sec.ID, ver)
	})
	return of, ver, err
}

// change decides an attempt on a path that exists, applies fn and audits.
func (s *Service) change(ctx context.Context, a attempt, fn func(tx Tx, e *audit.Event, sec Secret, now time.Time) (refusal, err error)) error {
	return txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		now := s.now()
		_, d, err := decide(tx, a, now)
		if err != nil {
			return nil, err
		}
		e := a.event(d, now)
		if d.Refusal != nil {
			return refuse(ctx, tx, e, d.Refusal)
		}
		sec, ok, err := tx.Secret(a.vault, a.path)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return refuse(ctx, tx, e, ErrSecretNotFound)
		case sec.DeletedAt != nil:
			return refuse(ctx, tx, e, ErrSecretDeleted)
		}
		if refusal, err = fn(tx, &e, sec, now); err != nil {
			return nil, err
		}
		if refusal != nil {
			return refuse(ctx, tx, e, refusal)
		}
		e.Details["secret_id"] = sec.ID.String()
		return nil, audit.Write(ctx, tx, e)
	})
}

// subject is the principal that a policy names.
func subject(kind identity.Kind, who id.ID) policy.Principal {
	return policy.Principal{Type: string(kind), ID: who}
}
