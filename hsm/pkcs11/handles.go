//go:build cgo

package pkcs11

import (
	"container/list"
	"sync"
)

// handles keeps opened KEKs, least recently used first to go. V is what an
// opened KEK is: an object in the token, or a slot of locked memory. Where account
// keys were found is kept in the same way.
//
// An entry that somebody uses is never given up, so there may briefly be more
// than max of them. Callers that miss on one KEK at once open it once.
type handles[V any] struct {
	mu    sync.Mutex
	max   int
	byKEK map[string]*handle[V]
	order list.List // of *handle[V], most recently used first
}

// handle is one opened KEK.
type handle[V any] struct {
	kek   string
	value V
	err   error
	ready chan struct{} // closed when value or err is set
	users int
	place *list.Element
}

func newHandles[V any](max int) *handles[V] {
	return &handles[V]{max: max, byKEK: make(map[string]*handle[V])}
}

// acquire returns the handle of kek, made by open if need be. The caller must
// release it unless there is an error.
func (h *handles[V]) acquire(kek []byte, open func() (V, error)) (*handle[V], error) {
	h.mu.Lock()
	e, ok := h.byKEK[string(kek)] // no allocation
	if ok {
		e.users++
		h.order.MoveToFront(e.place)
		h.mu.Unlock()
		<-e.ready
		if e.err != nil {
			return nil, e.err
		}
		return e, nil
	}
	e = &handle[V]{kek: string(kek), ready: make(chan struct{}), users: 1}
	h.byKEK[e.kek] = e
	e.place = h.order.PushFront(e)
	h.mu.Unlock()

	e.value, e.err = open()
	if e.err != nil {
		h.mu.Lock()
		h.drop(e)
		h.mu.Unlock()
	}
	close(e.ready)
	if e.err != nil {
		return nil, e.err
	}
	return e, nil
}

// release gives a handle back and calls destroy for those that there is no room
// for any more.
func (h *handles[V]) release(e *handle[V], destroy func(V)) {
	h.mu.Lock()
	e.users--
	if h.order.Len() <= h.max {
		h.mu.Unlock()
		return
	}
	var gone []V
	for at := h.order.Back(); at != nil && h.order.Len() > h.max; {
		old, before := at.Value.(*handle[V]), at.Prev()
		if old.users == 0 {
			h.drop(old)
			gone = append(gone, old.value)
		}
		at = before
	}
	h.mu.Unlock()
	for _, v := range gone {
		destroy(v)
	}
}

// forget drops an entry that turned out to be of no use; the next who asks for it
// opens it anew. Nothing is destroyed.
func (h *handles[V]) forget(kek []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e, ok := h.byKEK[string(kek)]; ok {
		h.drop(e)
	}
}

// drop is called with the lock held. Another entry may be in the place of e.
func (h *handles[V]) drop(e *handle[V]) {
	if h.byKEK[e.kek] == e {
		delete(h.byKEK, e.kek)
	}
	h.order.Remove(e.place)
}

// size is how many KEKs are open.
func (h *handles[V]) size() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.order.Len()
}
