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
	chain   uint64

	mu     sync.Mutex
	begun  bool
	before seen // in the last round that was complete
	head   node.Head
	steady bool  // the block that was the newest then is still in the chain
	err    error // that it does not answer any more
	nonces map[evm.Address]uint64
	filled map[evm.Address]bool
}

// seen is what a complete round saw of a chain.
type seen struct {
	head   node.Head
	nonces map[evm.Address]uint64
}

func (s *Service) newView(c Chain, n Node) *chainView {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &chainView{
		service: s, node: n, chain: c.ChainID, before: s.rounds[c.ChainID],
		nonces: make(map[evm.Address]uint64), filled: make(map[evm.Address]bool),
	}
}

// begin asks for the newest block, the first time, and whether the chain has only
// grown since the last round. Where it is the same block, so are the accounts'
// nonces.
func (v *chainView) begin(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.begun {
		return v.err
	}
	v.begun = true
	if v.head, v.err = v.node.Head(ctx); v.err != nil || v.before.nonces == nil {
		return v.err
	}
	if v.head.Hash == v.before.head.Hash {
		v.steady, v.nonces = true, v.before.nonces
		return nil
	}
	var still evm.Hash
	still, v.err = v.node.BlockHash(ctx, v.before.head.Number)
	v.steady = v.err == nil && still == v.before.head.Hash
	return v.err
}

// end keeps what was seen, once every open intent was looked after: what was seen of
// them in blocks up to this one holds for as long as the chain has it.
func (v *chainView) end() {
	if !v.begun {
		return
	}
	v.service.mu.Lock()
	defer v.service.mu.Unlock()
	v.service.rounds[v.chain] = seen{v.head, v.nonces}
}

// waits reports whether nothing can be seen of an intent: it was in a block, or
// another transaction had its nonce, that block is in the chain, and there are not yet
// enough on top.
func (v *chainView) waits(in Intent, safety uint64) bool {
	at := in.GoneAt
	if in.Block != nil {
		at = in.Block.Number
	}
	return at != 0 && v.steady && at <= v.before.head.Number && v.head.Number < at+safety
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
	s = sighting{head: v.head.Number, nonce: nonce, safety: safety, tries: make([]node.Lookup, len(in.Tries))}
	for i, t := range in.Tries {
		if s.tries[i], err = v.node.Lookup(ctx, t.Hash); err != nil {
			return s, err
		}
	}
	return s, nil
}
