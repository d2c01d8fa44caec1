package activity

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

const (
	maxWaiting = 4096      // calls that are not written yet
	maxDaily   = 20_000    // calls of an organisation that are kept of a day
	maxRequest = 256 << 10 // bytes of a request that are kept
	maxKept    = 64 << 20  // bytes of requests of an organisation that are kept of a day
	maxHeld    = 32 << 20  // bytes of requests that are not written yet
)

// Log takes calls and writes them in batches, so that none waits for the disk.
type Log struct {
	store Store
	log   *slog.Logger
	wake  chan struct{}

	writing sync.Mutex // taken before mu
	failing bool       // the last batch was given up
	mu      sync.Mutex
	waiting []Call
	held    int   // bytes of requests that wait
	day     int64 // since 1970
	taken   map[id.ID]share
}

// share is what an organisation has taken of a day.
type share struct{ calls, bytes int }

// NewLog returns a Log that writes to a store.
func NewLog(s Store, log *slog.Logger) *Log {
	return &Log{store: s, log: log, wake: make(chan struct{}, 1), taken: map[id.ID]share{}}
}

// Add remembers a call, unless there are too many, and returns the ID that it gives
// it.
func (l *Log) Add(c Call) id.ID {
	c.ID = id.New()
	if len(c.Model) > maxName {
		c.Model = strings.ToValidUTF8(c.Model[:maxName], "")
	}
	c.Request = clip(c.Request)
	l.mu.Lock()
	defer l.mu.Unlock()
	if day := c.Began.Unix() / int64(24*time.Hour/time.Second); day > l.day {
		l.day = day
		clear(l.taken)
	}
	t := l.taken[c.Org]
	if len(l.waiting) >= maxWaiting || t.calls >= maxDaily {
		return c.ID
	}
	if c.Keep <= 0 || len(c.Request) == 0 || t.bytes+len(c.Request) > maxKept || l.held+len(c.Request) > maxHeld {
		c.Request, c.Keep = nil, 0
	}
	l.taken[c.Org] = share{t.calls + 1, t.bytes + len(c.Request)}
	l.held += len(c.Request)
	l.waiting = append(l.waiting, c)
	select {
	case l.wake <- struct{}{}:
	default: // it is awake
	}
	return c.ID
}

// clip leaves out the middle of what is too long: what was found last is at the end.
func clip(request []byte) []byte {
	const left, begin = "\n[... the middle is left out ...]\n", maxRequest / 8
	if len(request) <= maxRequest {
		return request
	}
	end := request[len(request)-(maxRequest-begin-len(left)):]
	return slices.Concat(request[:begin], []byte(left), end)
}

// gathers is how long calls wait for others that are written with them. Who lists calls
// does not wait.
const gathers = 200 * time.Millisecond

// Run writes what is added until ctx ends.
func (l *Log) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(gathers):
			l.Flush()
		}
	}
}

// Flush writes what was added. What cannot be written is given up.
func (l *Log) Flush() {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	batch := l.waiting
	l.waiting, l.held = nil, 0
	l.mu.Unlock()
	if len(batch) == 0 {
		return
	}
	err := l.store.AppendCalls(batch)
	if err != nil && !l.failing { // a full disk is said once
		l.log.Warn("calls of models are missing in the activity, until there is room again", "calls", len(batch), "err", err)
	}
	l.failing = err != nil
}

// calls is Store.Calls with all that was added before.
func (l *Log) calls(org, before id.ID, fn func(Call) bool) error {
	l.Flush()
	return l.store.Calls(org, before, fn)
}

// call is Store.Call with all that was added before.
func (l *Log) call(org, call id.ID) (Call, bool, error) {
	l.Flush()
	return l.store.Call(org, call)
}
