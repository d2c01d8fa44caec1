package httpapi

import (
	"math"
	"net/netip"
	"sync"
	"time"
)

// Rate is how often one client may do something: PerSecond in the long run,
// Burst at once. The zero Rate means the default, a negative Burst no limit.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Limits are the limits per client address.
type Limits struct {
	// Global covers every request; by default 100/s with bursts of 200.
	Global Rate
	// Auth covers the public routes that take a credential, on top of Global;
	// by default 1/s with bursts of 5. Exchanges of a right agent key are free.
	Auth Rate
	// LimitLoopback applies Global to clients on this machine too. Auth always
	// covers them: behind a proxy that is not trusted, they are the world.
	LimitLoopback bool
}

var (
	defaultGlobal = Rate{PerSecond: 100, Burst: 200}
	defaultAuth   = Rate{PerSecond: 1, Burst: 5}
)

// maxBuckets bounds the memory of a limiter: about 4 MB.
const maxBuckets = 1 << 16

// limiter is a token bucket per client address. It stores one number for each:
// the time at which the bucket will be full again (the "theoretical arrival
// time" of the generic cell rate algorithm). A full bucket need not be stored.
type limiter struct {
	interval int64 // ns between tokens
	depth    int64 // ns by which a client may be ahead of the rate
	epoch    time.Time
	spare    bool // clients on this machine are not limited

	mu   sync.Mutex
	full map[netip.Addr]int64 // ns since epoch
}

// newLimiter returns nil for a rate without limit; a nil limiter allows all.
func newLimiter(r, def Rate) *limiter {
	if r == (Rate{}) {
		r = def
	}
	if r.Burst < 0 {
		return nil
	}
	if r.Burst == 0 {
		r.Burst = 1
	}
	if r.PerSecond <= 0 {
		r.PerSecond = def.PerSecond
	}
	interval := int64(math.Max(1, float64(time.Second)/r.PerSecond))
	return &limiter{
		interval: interval,
		depth:    interval * int64(r.Burst-1),
		epoch:    time.Now(),
		full:     map[netip.Addr]int64{},
	}
}

// take spends a token of client's, or says how long until there is one.
func (l *limiter) take(client netip.Addr) (wait time.Duration, ok bool) {
	if l == nil || l.spare && client.IsLoopback() {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait, ok = l.wait(client); ok {
		l.spend(client)
	}
	return wait, ok
}

// refund gives back what take spent.
func (l *limiter) refund(client netip.Addr) {
	if l == nil || l.spare && client.IsLoopback() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if key := bucketOf(client); l.full[key] != 0 {
		l.full[key] -= l.interval
	}
}

func (l *limiter) wait(client netip.Addr) (time.Duration, bool) {
	ahead := l.full[bucketOf(client)] - int64(time.Since(l.epoch))
	if ahead > l.depth {
		return time.Duration(ahead - l.depth), false
	}
	return 0, true
}

func (l *limiter) spend(client netip.Addr) {
	key, now := bucketOf(client), int64(time.Since(l.epoch))
	full, known := l.full[key]
	if !known && len(l.full) >= maxBuckets {
		l.evict(now)
	}
	l.full[key] = max(full, now) + l.interval
}

// evict makes room by looking at a few buckets, in the map's random order: the
// full ones go, and one other if none was. So the work for a request is
// bounded even while somebody sends from more addresses than there is room.
func (l *limiter) evict(now int64) {
	const look = 32
	seen, gone := 0, 0
	var last netip.Addr
	for key, full := range l.full {
		if last = key; full <= now {
			delete(l.full, key)
			gone++
		}
		if seen++; seen == look {
			break
		}
	}
	if gone == 0 {
		delete(l.full, last)
	}
}

// bucketOf is the address that shares a bucket: an IPv6 client owns a whole
// /64 and would otherwise have 2^64 of them.
func bucketOf(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
