package store

import (
	"encoding/binary"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// The tables of vault/audit. Leaves and tiles are bytes that the package
// defines to the bit, so they are kept as they are.
var (
	auditCounters    = table[uint64]{name: "audit-counter", version: 1, late: true}
	auditChains      = table[audit.ChainHead]{name: "audit-chain", version: 1, late: true}
	auditTiles       = rawTable{name: "audit-tile"}
	auditLeaves      = rawTable{name: "audit-leaf"}
	auditCheckpoints = rawTable{name: "audit-checkpoint"}
)

// The keys of auditCounters, and the one of auditCheckpoints.
var (
	keyAuditSize    = []byte("size")
	keyAuditDrained = []byte("drained")
	keyLast         = []byte("last")
)

var _ audit.Tx = (*Tx)(nil)

// AuditSize implements audit.Tx.
func (t *Tx) AuditSize() (uint64, error) {
	n, _, err := auditCounters.get(t, keyAuditSize)
	return n, err
}

// SetAuditSize implements audit.Tx.
func (t *Tx) SetAuditSize(n uint64) error { return auditCounters.put(t, keyAuditSize, n) }

// AuditChain implements audit.Tx.
func (t *Tx) AuditChain(org id.ID) (audit.ChainHead, error) {
	h, _, err := auditChains.get(t, org[:])
	return h, err
}

// PutAuditChain implements audit.Tx.
func (t *Tx) PutAuditChain(org id.ID, h audit.ChainHead) error { return auditChains.put(t, org[:], h) }

// tileKey keeps the tiles of a level side by side, in order.
func tileKey(level int, n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{byte(level)}, n)
}

// AuditTile implements audit.Tx.
func (t *Tx) AuditTile(level int, n uint64) ([]byte, error) {
	return auditTiles.peek(t, tileKey(level, n))
}

// PutAuditTile implements audit.Tx.
func (t *Tx) PutAuditTile(level int, n uint64, hashes []byte) error {
	return auditTiles.give(t, tileKey(level, n), hashes)
}

func leafKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// AuditLeaf implements audit.Tx.
func (t *Tx) AuditLeaf(seq uint64) ([]byte, error) { return auditLeaves.peek(t, leafKey(seq)) }

// PutAuditLeaf implements audit.Tx.
func (t *Tx) PutAuditLeaf(seq uint64, leaf []byte) error {
	return auditLeaves.give(t, leafKey(seq), leaf)
}

// DeleteAuditLeaf implements audit.Tx.
func (t *Tx) DeleteAuditLeaf(seq uint64) error { return auditLeaves.delete(t, leafKey(seq)) }

// AuditDrained implements audit.Tx.
func (t *Tx) AuditDrained() (uint64, error) {
	n, _, err := auditCounters.get(t, keyAuditDrained)
	return n, err
}

// SetAuditDrained implements audit.Tx.
func (t *Tx) SetAuditDrained(n uint64) error { return auditCounters.put(t, keyAuditDrained, n) }

// AuditCheckpoint implements audit.Tx.
func (t *Tx) AuditCheckpoint() ([]byte, error) { return auditCheckpoints.peek(t, keyLast) }

// PutAuditCheckpoint implements audit.Tx.
func (t *Tx) PutAuditCheckpoint(note []byte) error { return auditCheckpoints.put(t, keyLast, note) }
