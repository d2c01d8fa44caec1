package vault

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/envelope"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// A rotation encrypts the latest version of every live path with the new key,
// in place: number, metadata and counts stay, since to its readers it is the
// same value. Older versions stay under the key they were written with, and
// what can never be read again is left alone.
//
// Each batch is one transaction, and each version says which key it is under:
// so a rotation that broke off is taken up by starting it again with the same
// keys, and a value is never under a key other than the one it names.

// The limits of a batch. Values are opened and sealed before its transaction.
const (
	rotateBatch      = 100
	rotateBatchBytes = 32 << 20
)

// rotatePatience is how many times a rotation goes after what was written
// meanwhile before it stops the writers.
const rotatePatience = 16

// CMEKChange is a change of a vault's customer-managed key.
type CMEKChange struct {
	Old, New       plain.Bytes
	NewFingerprint string
}

// check returns what the change amounts to, without the vault.
func (c CMEKChange) check() (k rekey, from, to string, err error) {
	if c.Old.Len() != cmekKeySize || c.New.Len() != cmekKeySize {
		return k, "", "", ErrCMEKKey
	}
	if to, err = parseFingerprint(c.NewFingerprint); err != nil {
		return k, "", "", err
	}
	from = fingerprint(c.Old)
	switch {
	case fingerprint(c.New) != to:
		return k, "", "", ErrCMEKNewKey
	case from == to:
		return k, "", "", ErrCMEKSameKey
	}
	k, err = newRekey(c.Old, c.New)
	return k, from, to, err
}

// RotateCMEK starts to encrypt the vault's values with another key, or takes
// that up where it broke off; it goes on in the background. The keys in c are
// wiped before it returns: they are not kept anywhere, and what is derived
// from them goes with the rotation.
func (s *Service) RotateCMEK(ctx context.Context, p identity.Principal, vault id.ID, c CMEKChange) (CMEKJob, error) {
	keys, from, to, err := c.check()
	c.Old.Wipe()
	c.New.Wipe()
	if err != nil {
		return CMEKJob{}, err
	}
	job := CMEKJob{
		ID: id.New(), Vault: vault, OldFingerprint: from, NewFingerprint: to, Status: CMEKRunning, CreatedAt: s.now(),
	}
	background, stop := context.WithCancel(context.Background()) // it outlives the request, and its receipts
	r := &rotation{
		id: job.ID, job: job, by: p, keys: keys, stop: stop,
		done: map[SecretPath]bool{}, written: map[SecretPath]bool{},
	}
	job, err = s.beginRotation(ctx, r)
	switch {
	case err != nil:
		stop()
		return CMEKJob{}, err
	case job.Status != CMEKRunning:
		stop()
		s.rotations.release(r)
		return job, nil
	}
	go func() {
		defer s.rotations.release(r)
		defer stop()
		s.rotate(background, r)
	}()
	return job, nil
}

// beginRotation authorises r, claims the vault for it, finds what there is to
// do and records it. If it returns no error, r is to be released.
//
// The claim is made inside a transaction: those before it are durable when it
// returns, so that the look at the vault sees their writes, and those after it
// are noted.
func (s *Service) beginRotation(ctx context.Context, r *rotation) (CMEKJob, error) {
	err := txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		if r.vault, refusal, err = rotatable(tx, r); err != nil {
			return nil, err
		}
		if refusal == nil {
			refusal = s.rotations.claim(r)
		}
		if refusal != nil {
			return refuse(ctx, tx, cmekEvent(r.by, r.job.Vault, cmekRotate, s.now()), refusal)
		}
		return nil, nil
	})
	if err == nil {
		r.job, err = s.recordRotation(ctx, r)
	}
	if err != nil {
		s.rotations.release(r)
	}
	return r.job, err
}

func (s *Service) recordRotation(ctx context.Context, r *rotation) (job CMEKJob, err error) {
	err = s.DB.View(ctx, func(tx Tx) error {
		all, err := tx.Secrets(r.vault.ID)
		if err == nil {
			r.plan(all, s.now())
		}
		return err
	})
	if err != nil {
		return CMEKJob{}, err
	}
	err = txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		now := s.now()
		v, refusal, err := rotatable(tx, r)
		if err != nil {
			return nil, err
		}
		if refusal != nil {
			return refuse(ctx, tx, cmekEvent(r.by, r.job.Vault, cmekRotate, now), refusal)
		}
		job = r.progress()
		if len(r.queue) == 0 && s.rotations.quiet(r) {
			return nil, s.complete(ctx, tx, r, v, &job, now)
		}
		return nil, s.record(ctx, tx, r, job, now, audit.Success, "")
	})
	return job, err
}

// rotatable says whether r may begin, or go on being recorded.
func rotatable(tx Tx, r *rotation) (v Vault, refusal, err error) {
	v, refusal, err = cmekVault(tx, r.by, r.job.Vault, r.job.CreatedAt)
	switch {
	case err != nil || refusal != nil:
	case v.CMEKFingerprint == "":
		refusal = ErrCMEKOff
	case v.CMEKFingerprint != r.job.OldFingerprint:
		refusal = ErrCMEKOldKey
	}
	return v, refusal, err
}

// complete makes the new key the vault's.
func (s *Service) complete(ctx context.Context, tx Tx, r *rotation, v Vault, job *CMEKJob, now time.Time) error {
	v.CMEKFingerprint = r.job.NewFingerprint
	if err := tx.PutVault(v); err != nil {
		return err
	}
	job.Status, job.EndedAt = CMEKCompleted, &now
	return s.record(ctx, tx, r, *job, now, audit.Success, "")
}

// record writes the job and an event about it. One that has ended lets others
// begin, with this transaction.
func (s *Service) record(ctx context.Context, tx Tx, r *rotation, job CMEKJob, now time.Time, outcome audit.Outcome, reason string) error {
	if err := tx.PutCMEKJob(job); err != nil {
		return err
	}
	e := cmekEvent(r.by, job.Vault, cmekRotate, now)
	e.Outcome, e.Reason = outcome, reason
	e.Details["job_id"], e.Details["status"] = job.ID.String(), string(job.Status)
	e.Details["old_fingerprint"], e.Details["new_fingerprint"] = job.OldFingerprint, job.NewFingerprint
	e.Details["total_secrets"], e.Details["processed"] = job.Total, job.Processed
	if job.Error != "" {
		e.Details["error"] = job.Error
	}
	if job.Status != CMEKRunning {
		s.rotations.yield(r)
	}
	return audit.Write(ctx, tx, e)
}

// rotate works until nothing is left under the old key. Where writers are
// quicker than it is, they wait for its end.
func (s *Service) rotate(ctx context.Context, r *rotation) {
	for rounds := 0; r.job.Status == CMEKRunning; {
		if len(r.queue) == 0 {
			if rounds++; rounds == rotatePatience {
				defer s.writers.lockAll()()
			}
			r.queue = s.rotations.toDo(r)
			for _, path := range r.queue {
				r.done[path] = false // counted, if it is new
			}
		}
		if err := s.rotateBatch(ctx, r); err != nil {
			s.abandon(ctx, r, err)
			return
		}
	}
}

// abandon ends a rotation that a fault has stopped. That of a process that
// stops, and that of a vault that was deleted, need no record.
func (s *Service) abandon(ctx context.Context, r *rotation, why error) {
	if ctx.Err() != nil || errors.Is(why, ErrVaultNotFound) {
		return
	}
	slog.ErrorContext(ctx, "the rotation of a customer-managed key has stopped", "vault", r.vault.ID.String(), "job", r.job.ID.String(), "err", why)
	err := s.DB.Update(ctx, func(tx Tx) error {
		now := s.now()
		job := r.job // as the last batch left it
		job.Status, job.Error, job.EndedAt = CMEKFailed, interrupted, &now
		return s.record(ctx, tx, r, job, now, audit.Failed, "internal")
	})
	if err != nil {
		slog.ErrorContext(ctx, "and that could not be recorded", "job", r.job.ID.String(), "err", err)
	}
}

// rekeyed is a version under the new key, not stored yet.
type rekeyed struct {
	secret Secret
	sealed []byte // nil: the envelope stays, only the mark changes
}

// rotateBatch does the head of the queue. In the last batch's transaction the
// new key becomes the vault's.
func (s *Service) rotateBatch(ctx context.Context, r *rotation) error {
	batch, items, stuck, err := s.rekeyBatch(ctx, r)
	if err != nil {
		return err
	}
	var job CMEKJob
	var changed Vault
	err = s.DB.Update(ctx, func(tx Tx) error {
		changed = Vault{}
		v, ok, err := tx.Vault(r.vault.Org, r.vault.ID)
		switch {
		case err != nil:
			return err
		case !ok:
			return ErrVaultNotFound
		case v.CMEKFingerprint != r.job.OldFingerprint:
			return errors.New("vault: it changed while its key was rotated")
		case !v.Current().same(r.vault.Current()):
			changed = v // its KEK is another: the batch is to be sealed for that
			return nil
		}
		now := s.now()
		for _, it := range items {
			if err := r.store(tx, it, now); err != nil {
				return err
			}
		}
		if err := s.settle(tx, r, r.queue[:batch], now); err != nil {
			return err
		}
		job = r.progress()
		switch {
		case stuck != "":
			job.Status, job.Error, job.EndedAt = CMEKFailed, stuck, &now
			return s.record(ctx, tx, r, job, now, audit.Failed, errUndecryptable.Code)
		case batch == len(r.queue) && s.rotations.quiet(r):
			return s.complete(ctx, tx, r, v, &job, now)
		}
		return tx.PutCMEKJob(job)
	})
	if err != nil {
		return err
	}
	if !changed.ID.IsZero() {
		r.vault = changed
		return nil
	}
	r.job, r.queue = job, r.queue[batch:]
	return nil
}

// settle strikes out the paths that need nothing more.
func (s *Service) settle(tx Tx, r *rotation, paths []SecretPath, now time.Time) error {
	for _, path := range paths {
		sec, ok, err := tx.Secret(r.vault.ID, path)
		if err != nil {
			return err
		}
		if !r.pending(sec, ok, now) {
			s.rotations.settled(r, path)
		}
	}
	return nil
}

// pending reports whether a path's latest version is to be rotated.
func (r *rotation) pending(sec Secret, exists bool, now time.Time) bool {
	return exists && sec.gone(now) == nil && sec.Latest.CMEKFingerprint == r.job.OldFingerprint
}

// store applies one item, unless its path got another version meanwhile, in
// which case it is in the queue again.
func (r *rotation) store(tx Tx, it rekeyed, now time.Time) error {
	sec, ok, err := tx.Secret(r.vault.ID, it.secret.Path)
	if err != nil || !r.pending(sec, ok, now) || sec.ID != it.secret.ID || sec.Latest.Number != it.secret.Latest.Number {
		return err
	}
	if it.sealed != nil {
		if err := tx.PutEnvelope(sec.ID, sec.Latest.Number, it.sealed); err != nil {
			return err
		}
	}
	sec.Latest.CMEKFingerprint = r.job.NewFingerprint
	return tx.PutSecret(sec)
}

// rekeyBatch prepares the next batch: how much of the queue it is, and what is
// to be stored. It stops at a value that cannot be decrypted, and says which.
func (s *Service) rekeyBatch(ctx context.Context, r *rotation) (batch int, items []rekeyed, stuck string, err error) {
	size := 0
	for _, path := range r.queue[:min(rotateBatch, len(r.queue))] {
		if size > rotateBatchBytes {
			break
		}
		it, todo, err := s.rekeyOne(ctx, r, path)
		switch {
		case errors.Is(err, errUndecryptable):
			return batch, items, "a secret could not be decrypted with the old key: " + path.String(), nil
		case errors.Is(err, envelope.ErrDamaged):
			return batch, items, "a secret is damaged: " + path.String(), nil
		case err != nil:
			return 0, nil, "", err
		}
		if todo {
			items = append(items, it)
			size += len(it.sealed)
		}
		r.done[path] = true
		batch++
	}
	return batch, items, "", nil
}

// rekeyOne opens, encrypts and seals one value. It reports false where there
// is nothing to do.
func (s *Service) rekeyOne(ctx context.Context, r *rotation, path SecretPath) (it rekeyed, todo bool, err error) {
	var sealed []byte
	now := r.vault // with all KEKs that its envelopes are under
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		v, ok, err := tx.Vault(r.vault.Org, r.vault.ID)
		if err != nil || !ok {
			return err
		}
		now = v
		sec, ok, err := tx.Secret(r.vault.ID, path)
		todo = r.pending(sec, ok, s.now())
		if err != nil || !todo {
			return err
		}
		it.secret = sec
		b, ok, err := tx.Envelope(sec.ID, sec.Latest.Number)
		if err != nil || !ok {
			return orDamaged(err)
		}
		sealed = bytes.Clone(b)
		return nil
	})
	if err != nil || !todo {
		return rekeyed{}, false, err
	}
	b := binding(r.vault, it.secret.ID, it.secret.Latest.Number)
	value, err := s.open(ctx, now, b, sealed)
	if err != nil {
		return rekeyed{}, false, err
	}
	defer value.Wipe()
	fresh, what := r.keys.apply(value)
	switch what {
	case undecryptable:
		return rekeyed{}, false, errUndecryptable
	case unchanged:
		return it, true, nil
	}
	defer fresh.Wipe()
	it.sealed, err = s.seal(ctx, r.vault, b, fresh)
	return it, true, err
}
