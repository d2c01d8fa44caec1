package share

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

// How many shares an organisation may make, and in what time.
const (
	createdMost = 10
	createdIn   = time.Minute
)

// limiter counts the shares that organisations made lately. It is in memory
// only: a restart takes longer than what it would save an abuser.
type limiter struct {
	mu   sync.Mutex
	made map[id.ID][]time.Time // oldest first, at most createdMost
}

// take counts one share of org, or says how long until there may be one. undo
// takes the count back, for a share that was not made.
func (l *limiter) take(org id.ID, now time.Time) (wait time.Duration, undo func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == nil {
		l.made = map[id.ID][]time.Time{}
	}
	for o, times := range l.made { // only those that made shares within a minute stay
		if now.Sub(times[len(times)-1]) >= createdIn {
			delete(l.made, o)
		}
	}
	times := slices.DeleteFunc(l.made[org], func(t time.Time) bool { return now.Sub(t) >= createdIn })
	if len(times) >= createdMost {
		l.made[org] = times
		return times[0].Add(createdIn).Sub(now), func() {}
	}
	l.made[org] = append(times, now)
	return 0, func() { l.undo(org, now) }
}

func (l *limiter) undo(org id.ID, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	times := l.made[org]
	if i := slices.Index(times, at); i >= 0 {
		times = slices.Delete(times, i, i+1)
	}
	if l.made[org] = times; len(times) == 0 {
		delete(l.made, org)
	}
}

// Wrong passphrases: the first few cost nothing, as people mistype. Each one
// after them doubles the time before the next is looked at.
const (
	freeGuesses  = 5
	firstDelay   = time.Second
	longestDelay = time.Hour
)

// guessDelay is how long after the n-th wrong guess the next one has to wait.
func guessDelay(n uint32) time.Duration {
	if n < freeGuesses {
		return 0
	}
	return min(firstDelay<<min(n-freeGuesses, 16), longestDelay)
}

// turns makes guesses at one share take turns, so that many at once are not
// all looked at before the first is counted.
type turns [64]chan struct{}

func newTurns() (t turns) {
	for i := range t {
		t[i] = make(chan struct{}, 1)
	}
	return t
}

func (t *turns) take(ctx context.Context, share id.ID) (done func(), err error) {
	c := t[int(share[len(share)-1])%len(t)]
	select {
	case c <- struct{}{}:
		return func() { <-c }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
