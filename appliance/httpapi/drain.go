package httpapi

import (
	"context"
	"sync"
)

// drain counts the requests in flight and, once closed, lets no more in. It is
// what lets the appliance seal its keys knowing that nobody is using them.
type drain struct {
	mu     sync.Mutex
	flying int
	closed bool
	idle   chan struct{} // closed when closed and flying == 0
}

func newDrain() *drain { return &drain{idle: make(chan struct{})} }

// enter reports whether a request may start; if so, leave must follow.
func (d *drain) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.flying++
	return true
}

func (d *drain) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flying--
	d.signal()
}

// close lets nobody in from now on and waits for those inside, or for ctx.
func (d *drain) close(ctx context.Context) error {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		d.signal()
	}
	d.mu.Unlock()
	select {
	case <-d.idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// signal tells close that the last request is gone. It runs at most once with
// closed and nothing flying: after that nobody enters, so nobody leaves.
func (d *drain) signal() {
	if d.closed && d.flying == 0 {
		close(d.idle)
	}
}
