package outbox

import "sync"

// doorbell tells the dispatchers of this process that a message was put in.
// There is one for all, so that Enqueue needs nothing but a transaction and
// nobody can forget to connect it: whom it wakes for another's message looks
// once and sleeps on.
var doorbell bell

type bell struct {
	mu        sync.Mutex
	listeners map[chan struct{}]bool
}

// ring never waits: a listener that has not looked since the last ring will.
func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.listeners {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// listen returns a channel that gets a value after a ring, until hush is called.
func (b *bell) listen() (rung <-chan struct{}, hush func()) {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listeners == nil {
		b.listeners = map[chan struct{}]bool{}
	}
	b.listeners[c] = true
	return c, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.listeners, c)
	}
}
