package intents

import (
	"context"
	"errors"
	"sync"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
)

// round is one look at all open intents. What belongs to a chain or an account is
// asked once in it.
type round struct {
	service *Service

	mu     sync.Mutex
	chains map[uint64]*chainView
}

// chainView is a chain in a round.
type chainView struct {
	node Node
	head uint64

	mu     sync.Mutex
	err    error // that it does not answer any more
	nonces map[evm.Address]uint64
	filled map[evm.Address]bool
}

var errNoNode = errors.New("intents: the chain has no node")

// chain asks for the newest block of a chain, the first time.
func (r *round) chain(ctx context.Context, chain uint64) (*chainView, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.chains[chain]
	if !ok {
		v = &chainView{nonces: make(map[evm.Address]uint64), filled: make(map[evm.Address]bool)}
		r.chains[chain] = v
		if v.node, ok = r.service.nodeOf(ctx, chain); !ok {
			v.err = errNoNode
			return v, v.err
		}
		head, err := v.node.Head(ctx)
		v.head, v.err = head.Number, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v, v.err
}

func (v *chainView) fail(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.err = err
}

// nonceOf is how many transactions of an account are in blocks.
func (v *chainView) nonceOf(ctx context.Context, a evm.Address) (uint64, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
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
