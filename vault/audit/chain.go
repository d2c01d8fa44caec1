package audit

import (
	"fmt"

	"github.com/oneclaw/oneclawd/internal/id"
)

// Scheme describes the chain to whoever verifies it by other means.
func Scheme() map[string]string {
	return map[string]string{
		"hash":      "lower-case hex SHA-256",
		"input":     "prev_hash|event_id|actor_id|action|resource_type|resource_id|timestamp",
		"genesis":   "prev_hash is empty, prev_event_id is null",
		"timestamp": "RFC 3339, UTC, digit by digit as created_at",
		"scope":     "one chain per organisation",
		"log":       "RFC 6962 SHA-256 Merkle tree over all records, c2sp.org/tlog-checkpoint signed with Ed25519",
	}
}

// chains follows every organisation's chain through the log.
type chains struct {
	heads map[id.ID]ChainHead
	// partial says that the log is read from somewhere in its middle: where a
	// chain is met first, its link is taken as it is.
	partial bool
}

func newChains(partial bool) *chains {
	return &chains{heads: map[id.ID]ChainHead{}, partial: partial}
}

// prev returns the event that l says it follows; zero if none.
func (l *leaf) prev() id.ID {
	if l.PrevEvent == nil {
		return id.ID{}
	}
	return *l.PrevEvent
}

// known reports whether l follows the last event seen of its chain.
func (c *chains) known(l *leaf) bool {
	head, seen := c.heads[l.Org]
	if !seen && c.partial {
		return true
	}
	return head.Event == l.prev()
}

// follow checks l against its chain, says in words what is wrong with it, and
// goes on from l.
func (c *chains) follow(l *leaf) (wrong string) {
	head, seen := c.heads[l.Org]
	switch {
	case !c.known(l):
		wrong = fmt.Sprintf("it follows event %s, but the one before it in its chain is %s", l.prev(), head.Event)
	case (seen || !c.partial) && head.Hash != l.PrevHash:
		wrong = "its prev_hash is not the integrity_hash of the event before it"
	case l.integrity() != l.IntegrityHash:
		wrong = "its integrity_hash does not follow from its fields"
	}
	c.heads[l.Org] = ChainHead{Event: l.ID, Hash: l.IntegrityHash, Count: head.Count + 1}
	return wrong
}
