package intents_test

import (
	"context"
	"errors"
	"sync"

	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/evm/evmtest"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/internal/txn"
)

// fakeChain is a chain with one node and a pool, whose blocks a test makes. It
// keeps the rules that a chain does: a nonce is used once, in order.
type fakeChain struct {
	mu    sync.Mutex
	pool  map[evm.Address]map[uint64]pooled
	mined map[evm.Hash]mined
	next  map[evm.Address]uint64
	head  uint64
	forks []uint64 // blocks that were replaced, with those on top
	sent  [][]byte // everything that a node was shown
	asked int      // how often it was asked for a transaction or a nonce

	refuse  node.Outcome                        // what the node answers without taking anything, if it is set
	silent  bool                                // it takes what it is shown, and its answer is lost
	broken  bool                                // it does not answer at all
	reverts bool                                // what is simulated would fail
	effects func(simulation int) node.SimResult // what is simulated does, if it is set
	sims    int
}

type pooled struct {
	hash evm.Hash
	tx   evm.Tx
}

type mined struct {
	block uint64
	from  evm.Address
	nonce uint64
	value evm.Amount
	fails bool
}

var errDown = errors.New("the node does not answer")

func newChain() *fakeChain {
	return &fakeChain{pool: map[evm.Address]map[uint64]pooled{}, mined: map[evm.Hash]mined{}, next: map[evm.Address]uint64{}, head: 100}
}

// Node implements intents.Nodes.
func (c *fakeChain) Node(ch intents.Chain) (intents.Node, bool) { return c, len(ch.RPC) > 0 }

func (c *fakeChain) lock() (func(), error) {
	c.mu.Lock()
	if c.broken {
		return c.mu.Unlock, errDown
	}
	return c.mu.Unlock, nil
}

func (c *fakeChain) PendingNonce(_ context.Context, a evm.Address) (uint64, error) {
	unlock, err := c.lock()
	defer unlock()
	n := c.next[a]
	for _, there := c.pool[a][n]; there; _, there = c.pool[a][n] {
		n++
	}
	return n, err
}

func (c *fakeChain) LatestNonce(_ context.Context, a evm.Address) (uint64, error) {
	unlock, err := c.lock()
	defer unlock()
	c.asked++
	return c.next[a], err
}

func (c *fakeChain) Fees(context.Context) (node.Fees, error) {
	unlock, err := c.lock()
	defer unlock()
	base := evm.NewAmount(1_000_000_000)
	return node.Fees{Dynamic: true, BaseFee: base, Tip: evm.NewAmount(1_000_000), GasPrice: base}, err
}

func (c *fakeChain) Estimate(context.Context, evm.Address, evm.Call) (uint64, error) {
	unlock, err := c.lock()
	defer unlock()
	return 21000, err
}

func (c *fakeChain) Head(context.Context) (node.Head, error) {
	unlock, err := c.lock()
	defer unlock()
	return node.Head{Number: c.head, Hash: c.hash(c.head)}, err
}

func (c *fakeChain) BlockHash(_ context.Context, block uint64) (evm.Hash, error) {
	unlock, err := c.lock()
	defer unlock()
	if block > c.head {
		return evm.Hash{}, err
	}
	return c.hash(block), err
}

func (c *fakeChain) hash(block uint64) evm.Hash {
	h := evm.Hash{byte(block), byte(block >> 8)}
	for _, fork := range c.forks {
		if fork <= block {
			h[2]++
		}
	}
	return h
}

func (c *fakeChain) Health() []node.Health { return nil }

func (c *fakeChain) TokenInfo(context.Context, evm.Address) (node.TokenInfo, error) {
	return node.TokenInfo{}, errDown
}

func (c *fakeChain) Simulate(_ context.Context, calls []node.SimCall, _ uint64) ([]node.SimResult, error) {
	unlock, err := c.lock()
	defer unlock()
	out := make([]node.SimResult, len(calls))
	c.sims++
	for i := range calls {
		if c.effects != nil {
			out[i] = c.effects(c.sims)
			continue
		}
		if out[i] = (node.SimResult{Status: node.SimSuccess, GasUsed: 21000}); c.reverts {
			out[i] = node.SimResult{Status: node.SimReverted, Reason: "not today"}
		}
	}
	return out, err
}

func (c *fakeChain) Balance(context.Context, evm.Address) (evm.Amount, error) {
	return evm.NewAmount(1), nil
}

func (c *fakeChain) Send(_ context.Context, signed evm.Signed) (node.Sent, error) {
	unlock, err := c.lock()
	defer unlock()
	if err != nil {
		return node.Sent{}, err
	}
	raw := signed.Raw
	c.sent = append(c.sent, raw)
	if c.refuse != "" {
		return node.Sent{Outcome: c.refuse, Reason: "insufficient funds"}, nil
	}
	tx, from, err := evmtest.ParseSigned(raw)
	if err != nil {
		return node.Sent{Outcome: node.Rejected, Reason: err.Error()}, nil
	}
	hash := evm.RawHash(raw)
	if _, there := c.mined[hash]; there || tx.Nonce < c.next[from] {
		return node.Sent{Outcome: node.NonceTooLow, Reason: "nonce too low"}, nil
	}
	if old, there := c.pool[from][tx.Nonce]; there {
		switch {
		case old.hash == hash:
			return node.Sent{Outcome: node.Known, Reason: "already known"}, nil
		case tx.MaxFee.Cmp(old.tx.MaxFee) <= 0:
			return node.Sent{Outcome: node.Underpriced, Reason: "replacement transaction underpriced"}, nil
		}
	}
	if c.pool[from] == nil {
		c.pool[from] = map[uint64]pooled{}
	}
	c.pool[from][tx.Nonce] = pooled{hash, tx}
	if c.silent {
		return node.Sent{Outcome: node.Unclear}, nil
	}
	return node.Sent{Outcome: node.Accepted}, nil
}

func (c *fakeChain) Lookup(_ context.Context, hash evm.Hash) (node.Lookup, error) {
	unlock, err := c.lock()
	defer unlock()
	c.asked++
	if err != nil {
		return node.Lookup{}, err
	}
	if m, ok := c.mined[hash]; ok {
		return node.Lookup{Fate: node.Mined, Block: m.block, BlockHash: c.hash(m.block), GasUsed: 21000, Success: !m.fails}, nil
	}
	for _, txs := range c.pool {
		for _, p := range txs {
			if p.hash == hash {
				return node.Lookup{Fate: node.Pending}, nil
			}
		}
	}
	return node.Lookup{Fate: node.Unknown}, nil
}

// mine makes a block of all that can be in it, and n-1 empty ones on top.
func (c *fakeChain) mine(n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.head++
	for a, txs := range c.pool {
		for p, there := txs[c.next[a]]; there; p, there = txs[c.next[a]] {
			c.mined[p.hash] = mined{block: c.head, from: a, nonce: p.tx.Nonce, value: p.tx.Value}
			delete(txs, c.next[a])
			c.next[a]++
		}
	}
	c.head += n - 1
}

// forget empties the pool, as a node's restart does.
func (c *fakeChain) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.pool)
}

// reorg takes a transaction out of its block and of the pool again.
func (c *fakeChain) reorg(hash evm.Hash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.mined[hash]
	delete(c.mined, hash)
	c.forks = append(c.forks, m.block)
	c.next[m.from] = m.nonce
}

// use has somebody else's software use the account's next nonce.
func (c *fakeChain) use(a evm.Address) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pool[a], c.next[a])
	c.next[a]++
	c.head++
}

// moved is what all transactions in blocks moved.
func (c *fakeChain) moved() (sum evm.Amount) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.mined {
		sum, _ = sum.Add(m.value)
	}
	return sum
}

// faults is a store that stops working after a number of commits.
type faults struct {
	txn.Runner[intents.Tx]
	mu    sync.Mutex
	left  int // commits until the end, if it is armed
	armed bool
	doubt bool // the next commit is made, and said to have failed
}

var (
	errKilled = errors.New("killed")
	errDoubt  = errors.New("in doubt")
)

func (f *faults) Update(ctx context.Context, fn func(intents.Tx) error) error {
	f.mu.Lock()
	dead := f.armed && f.left == 0
	if f.armed && f.left > 0 {
		f.left--
	}
	doubt := f.doubt
	f.doubt = false
	f.mu.Unlock()
	if dead {
		return errKilled
	}
	if err := f.Runner.Update(ctx, fn); err != nil || !doubt {
		return err
	}
	return errDoubt
}

// killAfter lets n more commits be made.
func (f *faults) killAfter(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.armed = n, true
}
