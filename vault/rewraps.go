package vault

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
)

// Rewrap is how far the envelopes of a vault are on their way to its KEK, as
// seen by this process.
type Rewrap struct {
	Vault      id.ID  `json:"vault"`
	Generation uint32 `json:"generation"` // of the KEK that they go to
	Total      int    `json:"total"`      // versions, as of the beginning
	Done       int    `json:"done"`       // under that KEK, or gone
	Damaged    int    `json:"damaged"`    // that cannot be unwrapped, and stay
	Pending    bool   `json:"pending"`    // it goes on, or will
	Error      string `json:"error,omitempty"`
}

// rewrap is one vault's.
type rewrap struct {
	vault    Ref
	progress Rewrap // guarded by rewraps.mu
	again    bool   // it got another KEK when it was perhaps too late to see that
}

// rewraps are done by one worker, which the first of them starts. The zero
// value has none.
type rewraps struct {
	mu     sync.Mutex
	known  map[id.ID]*rewrap // by vault; those that have ended too
	queue  []*rewrap
	cancel context.CancelFunc // nil while there is no worker
	worker sync.WaitGroup
	closed bool
}

// startRewrap has a vault's envelopes rewrapped in the background.
func (s *Service) startRewrap(vault Ref) {
	w := &s.rewraps
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.known[vault.Vault]
	switch {
	case w.closed:
		return
	case r != nil && r.progress.Pending:
		r.again = true
		return
	case w.known == nil:
		w.known = map[id.ID]*rewrap{}
	}
	r = &rewrap{vault: vault, progress: Rewrap{Vault: vault.Vault, Pending: true}}
	w.known[vault.Vault] = r
	w.queue = append(w.queue, r)
	if w.cancel == nil {
		ctx, cancel := context.WithCancel(context.Background()) // it outlives the request
		w.cancel = cancel
		w.worker.Go(func() { s.workRewraps(ctx) })
	}
}

// workRewraps takes one vault after the other until none is left.
func (s *Service) workRewraps(ctx context.Context) {
	for r := s.rewraps.take(); r != nil; r = s.rewraps.take() {
		err := s.rewrapVault(ctx, r)
		if err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "not everything of a vault could be taken to its new KEK", "vault", r.vault.Vault.String(), "err", err)
		}
		s.rewraps.ended(r, err)
	}
}

// take returns the next, or ends the worker.
func (w *rewraps) take() *rewrap {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 || w.closed {
		w.cancel()
		w.cancel = nil
		return nil
	}
	r := w.queue[0]
	w.queue = w.queue[1:]
	return r
}

func (w *rewraps) ended(r *rewrap, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case r.again:
		r.again = false
		w.queue = append(w.queue, r)
		return
	case err != nil:
		r.progress.Error = "internal error; see the log"
		if f := fault.As(err); f != nil {
			r.progress.Error = f.Msg
		}
	}
	r.progress.Pending = false
}

func (w *rewraps) report(r *rewrap, fn func(*Rewrap)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn(&r.progress)
}

func (w *rewraps) of(r *rewrap) Rewrap {
	w.mu.Lock()
	defer w.mu.Unlock()
	return r.progress
}

// stop ends the worker and lets none begin.
func (w *rewraps) stop() {
	w.mu.Lock()
	w.closed = true
	if w.cancel != nil {
		w.cancel()
	}
	w.mu.Unlock()
	w.worker.Wait()
}

// Rewraps are those of this process, in the order of their vaults.
func (s *Service) Rewraps() []Rewrap {
	w := &s.rewraps
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]Rewrap, 0, len(w.known))
	for _, r := range w.known {
		out = append(out, r.progress)
	}
	slices.SortFunc(out, func(a, b Rewrap) int { return slices.Compare(a.Vault[:], b.Vault[:]) })
	return out
}

// ResumeRewraps starts what is unfinished: after a crash, or because a module
// was away. It returns how many vaults that are.
func (s *Service) ResumeRewraps(ctx context.Context) (vaults int, err error) {
	err = s.eachVault(ctx, func(v Vault) error {
		if len(v.Older) > 0 {
			s.startRewrap(v.Ref())
			vaults++
		}
		return nil
	})
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return vaults, err
}
