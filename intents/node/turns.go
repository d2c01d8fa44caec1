package node

import (
	"context"
	"sync"
)

// turns shares answers among those who ask the same at the same time. Whoever comes
// while it is being asked waits for the next turn: its answer was asked for after it
// came, as if it had asked alone. The zero value works.
type turns[K comparable, V any] struct {
	mu      sync.Mutex
	current map[K]*turn[V] // that are asking
	next    map[K]*turn[V] // that whoever comes now takes part in
}

type turn[V any] struct {
	over  chan struct{} // closed once there is an answer
	value V
	err   error
}

// get is what ask says of key. Who gives up does not end the turn of the others.
func (t *turns[K, V]) get(ctx context.Context, key K, ask func(context.Context) (V, error)) (V, error) {
	mine := t.join(key, func() (V, error) { return ask(context.WithoutCancel(ctx)) })
	select {
	case <-mine.over:
		return mine.value, mine.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

func (t *turns[K, V]) join(key K, ask func() (V, error)) *turn[V] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next[key] == nil {
		if t.next == nil {
			t.current, t.next = map[K]*turn[V]{}, map[K]*turn[V]{}
		}
		mine := &turn[V]{over: make(chan struct{})}
		t.next[key] = mine
		go t.run(key, mine, t.current[key], ask)
	}
	return t.next[key]
}

func (t *turns[K, V]) run(key K, mine, before *turn[V], ask func() (V, error)) {
	if before != nil {
		<-before.over
	}
	t.mu.Lock()
	delete(t.next, key)
	t.current[key] = mine
	t.mu.Unlock()
	mine.value, mine.err = ask()
	t.mu.Lock()
	if t.current[key] == mine {
		delete(t.current, key)
	}
	t.mu.Unlock()
	close(mine.over)
}
