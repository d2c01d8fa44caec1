package intents

import (
	"context"
	"sync"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
)

// chainView is a chain in one round of the tracker. What belongs to it or to an
// account is asked once.
type chainView struct {
	service *Service
	node    Node

	mu     sync.Mutex
	begun  bool
	head   uint64
	err    error // that it does not answer any more
	nonces map[evm.Address]uint64
	filled map[evm.Address]bool
}

// begin asks for the newest block, the first time.
func (v *chainView) begin(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.begun {
		head, err := v.node.Head(ctx)
		v.begun, v.head, v.err = true, head.Number, err
	}
	return v.err
}

func (v *chainView) fail(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.err = err
}

func (v *chainView) failed() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.err
}

// nonceOf is how many transactions of an account are in blocks.
func (v *chainView) nonceOf(ctx context.Context, a evm.Address) (uint64, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.err != nil {
		return 0, v.err
	}
	if n, ok := v.nonces[a]; ok {
		return n, nil
	}
	n, err := v.node.LatestNonce(ctx, a)
	if err == nil {
		v.nonces[a] = n
	}
	return n, err
}

// fillsOnce reports, once in a round, that a gap of an account may be filled.
func (v *chainView) fillsOnce(a evm.Address) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	first := !v.filled[a]
	v.filled[a] = true
	return first
}

// look asks about every try of an intent. The nonce was asked for before: a try
// that lands in between is then found, and not taken for replaced.
func (v *chainView) look(ctx context.Context, in Intent, nonce, safety uint64) (s sighting, err error) {
	s = sighting{head: v.head, nonce: nonce, safety: safety, tries: make([]node.Lookup, len(in.Tries))}
	for i, t := range in.Tries {
		if s.tries[i], err = v.node.Lookup(ctx, t.Hash); err != nil {
			return s, err
		}
	}
	return s, nil
}
