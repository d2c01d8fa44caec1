package identity

import (
	"context"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

// activity remembers when agents and API keys were last seen, so that a
// request costs no write. Run flushes it; a crash loses at most one interval
// of a figure that only informs.
type activity struct {
	mu    sync.Mutex
	fresh map[id.ID]time.Time
}

func (a *activity) touch(p Principal, now time.Time) {
	if p.IsAgent() {
		a.touchKey(p.ID, now)
	}
}

func (a *activity) touchKey(who id.ID, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fresh == nil {
		a.fresh = make(map[id.ID]time.Time)
	}
	a.fresh[who] = now
}

func (a *activity) of(who id.ID) (time.Time, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.fresh[who]
	return t, ok
}

func (a *activity) take() map[id.ID]time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := a.fresh
	a.fresh = nil
	return m
}

// restore puts back what could not be flushed, unless something newer came.
func (a *activity) restore(m map[id.ID]time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fresh == nil {
		a.fresh = make(map[id.ID]time.Time)
	}
	for who, t := range m {
		if a.fresh[who].Before(t) {
			a.fresh[who] = t
		}
	}
}

// LastSeen is when who was last active, the zero time if never.
func (s *Service) LastSeen(tx Tx, who id.ID) (time.Time, error) {
	if t, ok := s.activity.of(who); ok {
		return t, nil
	}
	return tx.Activity(who)
}

// FlushActivity makes what was seen since the last call durable.
func (s *Service) FlushActivity(ctx context.Context) error {
	seen := s.activity.take()
	if len(seen) == 0 {
		return nil
	}
	err := s.db.Update(ctx, func(tx Tx) error {
		for who, t := range seen {
			if err := tx.PutActivity(who, t.UTC()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.activity.restore(seen)
	}
	return err
}
