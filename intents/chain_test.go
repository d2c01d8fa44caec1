package intents_test

import (
	"context"
	"errors"
	"sync"

	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
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
	sent  [][]byte // everything that a node was shown

	refuse node.Outcome // what the node answers without taking anything, if it is set
	silent bool         // it takes what it is shown, and its answer is lost
	broken bool         // it does not answer at all
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
	return c.next[a], err
}

func (c *fakeChain) Fees(context.Context) (node.Fees, error) {
	unlock, err := c.lock()
	defer unlock()
	base := evm.NewAmount(1_000_000_000)
	return node.Fees{BaseFee: &base, Tip: evm.NewAmount(1_000_000), GasPrice: base}, err
}

func (c *fakeChain) Estimate(context.Context, evm.Address, evm.Call) (uint64, error) {
	unlock, err := c.lock()
	defer unlock()
	return 21000, err
}

func (c *fakeChain) Head(context.Context) (uint64, error) {
	unlock, err := c.lock()
	defer unlock()
	return c.head, err
}

func (c *fakeChain) Balance(context.Context, evm.Address) (evm.Amount, error) {
	return evm.NewAmount(1), nil
}

func (c *fakeChain) Send(_ context.Context, raw []byte) (node.Outcome, error) {
	unlock, err := c.lock()
	defer unlock()
	if err != nil {
		return node.Unclear, err
	}
	c.sent = append(c.sent, raw)
	if c.refuse != node.Unclear {
		return c.refuse, errors.New("insufficient funds")
	}
	tx, from, err := evm.ParseSigned(raw)
	if err != nil {
		return node.RejectedForGood, err
	}
	hash := evm.RawHash(raw)
	if _, there := c.mined[hash]; there || tx.Nonce < c.next[from] {
		return node.NonceTooLow, errors.New("nonce too low")
	}
	if old, there := c.pool[from][tx.Nonce]; there {
		switch {
		case old.hash == hash:
			return node.AlreadyKnown, errors.New("already known")
		case tx.MaxFee.Cmp(old.tx.MaxFee) <= 0:
			return node.Underpriced, errors.New("replacement transaction underpriced")
		}
	}
	if c.pool[from] == nil {
		c.pool[from] = map[uint64]pooled{}
	}
	c.pool[from][tx.Nonce] = pooled{hash, tx}
	if c.silent {
		return node.Unclear, errDown
	}
	return node.Accepted, nil
}

func (c *fakeChain) Lookup(_ context.Context, hash evm.Hash) (node.Status, error) {
	unlock, err := c.lock()
	defer unlock()
	if err != nil {
		return node.Status{}, err
	}
	if m, ok := c.mined[hash]; ok {
		return node.Status{State: node.Mined, Block: m.block, BlockHash: evm.Hash{byte(m.block)}, GasUsed: 21000, Success: !m.fails}, nil
	}
	for _, txs := range c.pool {
		for _, p := range txs {
			if p.hash == hash {
				return node.Status{State: node.Pending}, nil
			}
		}
	}
	return node.Status{}, nil
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
	c.next[m.from] = m.nonce
}

// use has somebody else's software use the account's next nonce.
func (c *fakeChain) use(a evm.Address) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pool[a], c.next[a])
	c.next[a]++
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
}

var errKilled = errors.New("killed")

func (f *faults) Update(ctx context.Context, fn func(intents.Tx) error) error {
	f.mu.Lock()
	dead := f.armed && f.left == 0
	if f.armed && f.left > 0 {
		f.left--
	}
	f.mu.Unlock()
	if dead {
		return errKilled
	}
	return f.Runner.Update(ctx, fn)
}

// killAfter lets n more commits be made.
func (f *faults) killAfter(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.armed = n, true
}
