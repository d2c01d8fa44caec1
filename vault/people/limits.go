package people

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oneclaw/oneclawd/vault/identity"
)

// How many mails strangers can have sent to one address, and how many
// invitations an organisation may send.
const (
	mailsMost   = 4
	mailsIn     = time.Hour
	invitesMost = 50
	invitesIn   = 10 * time.Minute
)

// Wrong passwords and codes: the first few cost nothing, as people mistype. Each
// one after them doubles the time before the next is looked at.
const (
	freeTries    = 5
	firstDelay   = time.Second
	longestDelay = 15 * time.Minute
	triesKept    = time.Hour // forgotten after so long without one
)

// wait is how long the next attempt has to wait at now.
func (t Tries) wait(now time.Time) time.Duration {
	if t.Wrong < freeTries {
		return 0
	}
	delay := min(firstDelay<<min(t.Wrong-freeTries, 16), longestDelay)
	return max(0, t.Last.Add(delay).Sub(now))
}

// wrong counts one more.
func (t Tries) wrong(now time.Time) Tries {
	if now.Sub(t.Last) >= triesKept {
		t.Wrong = 0
	}
	return Tries{Wrong: min(t.Wrong+1, 1<<20), Last: now}
}

// turns makes attempts on one account take turns. Accounts share places, by a
// seed that nobody knows, so that none can be crowded out on purpose.
type turns struct {
	seed  maphash.Seed
	place [64]turn
}

type turn struct {
	busy chan struct{}
	in   atomic.Int32 // whose turn it is, and who waits for theirs
}

// turnsWaiting bounds who waits at one place: the last would wait some seconds.
const (
	turnsWaiting = 32
	turnsRetry   = 5 * time.Second
)

func newTurns() *turns {
	t := &turns{}
	t.seed = maphash.MakeSeed()
	for i := range t.place {
		t.place[i].busy = make(chan struct{}, 1)
	}
	return t
}

// take waits for the account's turn. It is identity.ErrBusy at once where too
// many wait.
func (t *turns) take(ctx context.Context, account string) (done func(), err error) {
	p := &t.place[maphash.String(t.seed, account)%uint64(len(t.place))]
	if p.in.Add(1) > 1+turnsWaiting {
		p.in.Add(-1)
		return nil, identity.ErrBusy.After(turnsRetry)
	}
	select {
	case p.busy <- struct{}{}:
		return func() { <-p.busy; p.in.Add(-1) }, nil
	case <-ctx.Done():
		p.in.Add(-1)
		return nil, ctx.Err()
	}
}

// limiter counts what was done lately for each of many. It is in memory only: a
// restart takes longer than what it would save an abuser.
type limiter[K comparable] struct {
	most int
	in   time.Duration

	mu   sync.Mutex
	done map[K][]time.Time // oldest first, at most most
}

// maxLimited bounds how many are counted; beyond, a random one is forgotten.
const maxLimited = 1 << 14

// take counts one more, or says how long until there may be one.
func (l *limiter[K]) take(who K, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done == nil {
		l.done = map[K][]time.Time{}
	}
	times := l.done[who]
	for len(times) > 0 && now.Sub(times[0]) >= l.in {
		times = times[1:]
	}
	if len(times) >= l.most {
		l.done[who] = times
		return times[0].Add(l.in).Sub(now)
	}
	if _, known := l.done[who]; !known && len(l.done) >= maxLimited {
		l.evict(now)
	}
	l.done[who] = append(times, now)
	return 0
}

// evict makes room by looking at a few, in the map's random order.
func (l *limiter[K]) evict(now time.Time) {
	seen, gone := 0, 0
	var last K
	for k, times := range l.done {
		if last = k; now.Sub(times[len(times)-1]) >= l.in {
			delete(l.done, k)
			gone++
		}
		if seen++; seen == 32 {
			break
		}
	}
	if gone == 0 {
		delete(l.done, last)
	}
}
