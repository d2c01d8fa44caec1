package intents

import (
	"slices"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// Account is an address on a chain: what nonces belong to, whichever agents
// sign with its key.
type Account struct {
	ChainID uint64      `json:"chain_id"`
	Address evm.Address `json:"address"`
	// Next is the lowest nonce that was never handed out.
	Next uint64 `json:"next"`
	// Free are nonces below Next that nothing uses, in ascending order.
	Free []uint64 `json:"free,omitempty"`
}

// maxGap is how far ahead of the next nonce an agent may choose one.
const maxGap = 64

// take hands out a nonce: the one the agent chose, else the lowest free one,
// else the next. pending is what the chain's node expects next, counting its
// pool; nonces below it that are free were used elsewhere.
func (a Account) take(pending uint64, chosen *uint64) (nonce uint64, after Account, refusal error) {
	a.Free = slices.DeleteFunc(slices.Clone(a.Free), func(n uint64) bool { return n < pending })
	a.Next = max(a.Next, pending)
	if chosen != nil {
		return a.takeChosen(*chosen, pending)
	}
	if len(a.Free) > 0 {
		nonce = a.Free[0]
		a.Free = a.Free[1:]
		return nonce, a, nil
	}
	nonce = a.Next
	a.Next++
	return nonce, a, nil
}

func (a Account) takeChosen(chosen, pending uint64) (nonce uint64, after Account, refusal error) {
	switch i, free := slices.BinarySearch(a.Free, chosen); {
	case free:
		a.Free = slices.Delete(a.Free, i, i+1)
		return chosen, a, nil
	case chosen < pending:
		return 0, a, ErrNonceUsed
	case chosen < a.Next:
		return 0, a, ErrNonceTaken
	case chosen-a.Next > maxGap:
		return 0, a, ErrNonceGap
	}
	for n := a.Next; n < chosen; n++ {
		a.Free = append(a.Free, n) // later transactions fill the gap
	}
	a.Next = chosen + 1
	return chosen, a, nil
}

// give takes a nonce back that no node ever had a transaction with.
func (a Account) give(nonce uint64) Account {
	if nonce >= a.Next {
		return a
	}
	a.Free = slices.Clone(a.Free)
	if i, there := slices.BinarySearch(a.Free, nonce); !there {
		a.Free = slices.Insert(a.Free, i, nonce)
	}
	for len(a.Free) > 0 && a.Free[len(a.Free)-1] == a.Next-1 {
		a.Free = a.Free[:len(a.Free)-1]
		a.Next--
	}
	return a
}
