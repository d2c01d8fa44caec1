package vault

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// rotation is one that is under way.
type rotation struct {
	id    id.ID // the job's, which others may ask for while job changes
	job   CMEKJob
	vault Vault
	by    identity.Principal
	keys  rekey

	queue []SecretPath
	done  map[SecretPath]bool // the paths counted in the job's total
	// written are paths that got a new version and are not known to be under the
	// new key. Guarded by rotations.mu.
	written map[SecretPath]bool
	stop    context.CancelFunc
}

// plan fills the queue with what is under the old key.
func (r *rotation) plan(all []Secret, now time.Time) {
	r.queue = r.queue[:0]
	for _, sec := range all {
		if sec.gone(now) != nil {
			continue
		}
		switch sec.Latest.CMEKFingerprint {
		case r.job.OldFingerprint:
			r.queue = append(r.queue, sec.Path)
			r.done[sec.Path] = false
		case r.job.NewFingerprint:
			r.done[sec.Path] = true
		}
	}
}

// progress is the job with its counts.
func (r *rotation) progress() CMEKJob {
	job := r.job
	job.Total, job.Processed = len(r.done), 0
	for _, done := range r.done {
		if done {
			job.Processed++
		}
	}
	return job
}

// rotations are those under way in this process. The zero value has none.
type rotations struct {
	mu      sync.Mutex
	of      map[id.ID]*rotation // by vault, until their end is decided
	jobs    map[id.ID]bool      // until it is durable
	closed  bool
	workers sync.WaitGroup
}

// claim registers r unless the vault has another. From then on no write to it
// is missed.
func (a *rotations) claim(r *rotation) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	vault := r.job.Vault
	switch {
	case a.of[vault] == r:
		return nil // the transaction runs again
	case a.closed:
		return errCMEKStopping
	case a.of[vault] != nil:
		return ErrCMEKRotating
	case a.of == nil:
		a.of, a.jobs = map[id.ID]*rotation{}, map[id.ID]bool{}
	}
	a.of[vault], a.jobs[r.id] = r, true
	a.workers.Add(1)
	return nil
}

// yield lets another rotation of the vault begin, as of the transaction that it
// is called in.
func (a *rotations) yield(r *rotation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of[r.vault.ID] == r {
		delete(a.of, r.vault.ID)
	}
}

// release undoes claim, if that was made.
func (a *rotations) release(r *rotation) {
	a.yield(r)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.jobs[r.id] {
		delete(a.jobs, r.id)
		a.workers.Done()
	}
}

// running reports whether a vault's key is being rotated.
func (a *rotations) running(vault id.ID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.of[vault] != nil
}

// has reports whether a job may still change.
func (a *rotations) has(job id.ID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.jobs[job]
}

// wrote notes a write, inside its transaction: the store runs transactions one
// after the other, so that the one that ends a rotation sees every earlier
// write here and every later one has the new fingerprint.
func (a *rotations) wrote(vault id.ID, path SecretPath) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r := a.of[vault]; r != nil {
		r.written[path] = true
	}
}

func (a *rotations) quiet(r *rotation) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(r.written) == 0
}

// toDo lists what was written. It stays noted: the transaction that wrote it
// may not be durable yet, and so not to be seen outside of transactions.
func (a *rotations) toDo(r *rotation) []SecretPath {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(maps.Keys(r.written))
}

// settled strikes a path out, inside the transaction that saw that nothing of
// it is under the old key.
func (a *rotations) settled(r *rotation, path SecretPath) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(r.written, path)
}

// StopRotations ends what rotates in the background and lets none begin; it
// returns when nothing of them uses the store or the keys any more. They are
// taken up by asking for them again.
func (s *Service) StopRotations() {
	s.rewraps.stop()
	s.rotations.mu.Lock()
	s.rotations.closed = true
	for _, r := range s.rotations.of {
		r.stop()
	}
	s.rotations.mu.Unlock()
	s.rotations.workers.Wait()
}

// lockAll makes the writers of every path wait.
func (s *stripes) lockAll() (unlock func()) {
	for i := range s.mu {
		s.mu[i].Lock()
	}
	return func() {
		for i := range s.mu {
			s.mu[i].Unlock()
		}
	}
}
