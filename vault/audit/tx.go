package audit

import "github.com/oneclaw/oneclawd/internal/id"

// Tx is what the log needs of a store transaction. Every method reads or
// writes known keys only, so that Append may run inside any Update. Slices that
// a method returns are valid until the transaction ends and are never written
// to; slices handed in are the store's from then on.
//
// A read of something never written returns its zero value and no error; of something
// that cannot be opened any more ErrUnreadable, or another fault that is Internal.
type Tx interface {
	// AuditSize is how many events the log holds: the next one's index.
	AuditSize() (uint64, error)
	SetAuditSize(n uint64) error

	// AuditChain is the end of one organisation's chain.
	AuditChain(org id.ID) (ChainHead, error)
	PutAuditChain(org id.ID, h ChainHead) error

	// AuditTile is the n-th tile of a level: 1 to 256 hashes of 32 bytes.
	AuditTile(level int, n uint64) ([]byte, error)
	PutAuditTile(level int, n uint64, hashes []byte) error

	// AuditLeaf is an event's bytes while they wait in the outbox; nil once
	// they are in the archive only.
	AuditLeaf(seq uint64) ([]byte, error)
	PutAuditLeaf(seq uint64, leaf []byte) error
	DeleteAuditLeaf(seq uint64) error

	// AuditDrained is how many events left the outbox: those below are in the
	// archive.
	AuditDrained() (uint64, error)
	SetAuditDrained(n uint64) error

	// AuditCheckpoint is the last signed checkpoint.
	AuditCheckpoint() ([]byte, error)
	PutAuditCheckpoint(note []byte) error

	// OnCommit runs fn once the transaction is durable, before Update returns;
	// never if it is rolled back or run again.
	OnCommit(fn func())
}

// ChainHead is the last event of an organisation's chain.
type ChainHead struct {
	Event id.ID  `json:"event,omitzero"` // zero: the chain is empty
	Hash  string `json:"hash,omitempty"` // its integrity hash, lower-case hex
	Count uint64 `json:"count,omitzero"` // events in the chain
}
