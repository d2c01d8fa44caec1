package audit

import (
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// frontier is a growing Merkle tree of which only the roots of its full
// subtrees are kept, largest first: enough to add leaves and tell the root.
type frontier struct {
	size  uint64
	nodes []tlog.Hash
}

// add appends the hash of the next leaf.
func (f *frontier) add(h tlog.Hash) {
	for n := f.size; n&1 == 1; n >>= 1 {
		last := len(f.nodes) - 1
		h = tlog.NodeHash(f.nodes[last], h)
		f.nodes = f.nodes[:last]
	}
	f.nodes = append(f.nodes, h)
	f.size++
}

// root returns the root over all leaves.
func (f *frontier) root() tlog.Hash {
	if f.size == 0 {
		h, _ := tlog.TreeHash(0, nil)
		return h
	}
	last := len(f.nodes) - 1
	h := f.nodes[last]
	for i := last - 1; i >= 0; i-- {
		h = tlog.NodeHash(f.nodes[i], h)
	}
	return h
}

// valid reports whether f has as many nodes as its size needs.
func (f *frontier) valid() bool { return len(f.nodes) == bits.OnesCount64(f.size) }

// frontierAt reads the frontier over the first size leaves.
func frontierAt(tx Tx, size uint64) (frontier, error) {
	var indexes []int64
	for level, at := 63, uint64(0); level >= 0; level-- {
		if size&(1<<level) != 0 {
			indexes = append(indexes, tlog.StoredHashIndex(level, int64(at>>level)))
			at += 1 << level
		}
	}
	nodes, err := tiles{tx}.ReadHashes(indexes)
	return frontier{size, nodes}, err
}

// milestones are the roots of a tree at chosen sizes while it grows.
type milestones struct {
	frontier
	at map[uint64]tlog.Hash // sizes to look out for, and the roots found there
}

func newMilestones(sizes ...uint64) *milestones {
	m := &milestones{at: map[uint64]tlog.Hash{}}
	for _, n := range sizes {
		m.at[n] = tlog.Hash{}
	}
	m.look()
	return m
}

func (m *milestones) add(h tlog.Hash) {
	m.frontier.add(h)
	m.look()
}

func (m *milestones) look() {
	if _, ok := m.at[m.size]; ok {
		m.at[m.size] = m.root()
	}
}
