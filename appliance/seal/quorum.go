package seal

import (
	"context"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// Quorum collects the shares of one set, from several people and one at a time.
// It is an Opener: when no more are missing, Unseal with it. Its methods may be
// called from many goroutines.
//
// Shares are forgotten when they were used, when Reset is called, and when the time
// is over that it was given: people who come to open meet within it.
type Quorum struct {
	sets []shamirDoc
	wait time.Duration

	mu     sync.Mutex // guards the rest
	set    *shamirDoc // that of the first share
	shares map[byte]*shareOf
	timer  *time.Timer
	round  int // counts resets, so that an old timer ends no new round
}

// NewQuorum collects for f. Shares are forgotten wait after the first.
func NewQuorum(f *File, wait time.Duration) (*Quorum, error) {
	q := &Quorum{wait: wait, shares: map[byte]*shareOf{}}
	for _, s := range f.slots() {
		if s.Kind == KindShamir {
			q.sets = append(q.sets, *s.Shamir)
		}
	}
	if len(q.sets) == 0 {
		return nil, ErrNoSlot.Detail("the file has no shamir slot")
	}
	return q, nil
}

// Add takes one share and returns how many are still missing. A share that is
// mistyped (ErrTyped), of another set (ErrShareSet), given before (ErrShareTwice)
// or forged (ErrShareWrong) is refused by itself; those before it stay. The caller
// wipes the text.
func (q *Quorum) Add(text plain.Bytes) (missing int, err error) {
	s, err := parseShare(prefixShare, text)
	if err != nil {
		return q.Missing(), err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	set, err := q.fit(s)
	if err != nil {
		s.wipe()
		return q.missing(), err
	}
	if q.set == nil {
		q.set = set
		round := q.round
		q.timer = time.AfterFunc(q.wait, func() { q.end(round) })
	}
	q.shares[s.index] = s
	return q.missing(), nil
}

// fit finds the set that s is of.
func (q *Quorum) fit(s *shareOf) (*shamirDoc, error) {
	if q.set != nil {
		if err := s.of(q.set); err != nil {
			return nil, err
		}
		if q.shares[s.index] != nil {
			return nil, ErrShareTwice.Detail("share %d was given already; another person's is needed", s.index)
		}
		return q.set, nil
	}
	err := error(ErrShareSet)
	for i := range q.sets {
		fits := s.of(&q.sets[i])
		if fits == nil {
			return &q.sets[i], nil
		}
		if fits != error(ErrShareSet) { //nolint:errorlint // our own sentinel, unwrapped: of another set or not
			err = fits
		}
	}
	return nil, err
}

// Missing is how many shares are still needed: before the first, the fewest that
// any set of the file needs.
func (q *Quorum) Missing() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.missing()
}

func (q *Quorum) missing() int {
	if q.set != nil {
		return max(0, q.set.Threshold-len(q.shares))
	}
	fewest := q.sets[0].Threshold
	for _, s := range q.sets {
		fewest = min(fewest, s.Threshold)
	}
	return fewest
}

// Reset forgets all shares.
func (q *Quorum) Reset() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.reset()
}

func (q *Quorum) end(round int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if round == q.round {
		q.reset()
	}
}

func (q *Quorum) reset() {
	for _, s := range q.shares {
		s.wipe()
	}
	clear(q.shares)
	if q.timer != nil {
		q.timer.Stop()
	}
	q.set, q.timer = nil, nil
	q.round++
}

func (*Quorum) kind() string { return KindShamir }

// secret uses the shares up.
func (q *Quorum) secret(_ context.Context, s *slotDoc) (plain.Bytes, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := q.missing(); n > 0 {
		return plain.Bytes{}, ErrMissing.Detail("%d more shares are needed", n)
	}
	if s.Shamir.Set != q.set.Set {
		return plain.Bytes{}, ErrRefused
	}
	var all []*shareOf
	for _, share := range q.shares {
		all = append(all, share)
	}
	defer q.reset()
	return combine(q.set.Threshold, all)
}
