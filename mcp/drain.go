package mcp

import (
	"context"
	"net/http"
	"sync"
)

// underWay counts calls that are to be answered before the end. Streams that wait
// for news are none: they would never be.
type underWay struct {
	mu     sync.Mutex
	n      int
	closed bool
	idle   chan struct{} // closed when the last is answered, once closed
}

func newUnderWay() *underWay { return &underWay{idle: make(chan struct{})} }

// begin lets a request in, and says whether there is something to end.
func (u *underWay) begin(r *http.Request) (counted, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return false, false
	}
	if r.Method != http.MethodPost || r.Header.Get("Mcp-Method") == "subscriptions/listen" {
		return false, true
	}
	u.n++
	return true, true
}

func (u *underWay) end() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n--; u.n == 0 && u.closed {
		close(u.idle)
	}
}

// close lets nobody in any more and waits for those inside.
func (u *underWay) close(ctx context.Context) error {
	u.mu.Lock()
	if !u.closed {
		u.closed = true
		if u.n == 0 {
			close(u.idle)
		}
	}
	u.mu.Unlock()
	select {
	case <-u.idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
