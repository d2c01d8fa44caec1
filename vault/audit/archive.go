package audit

// Entry is one event's bytes at its place in the log.
type Entry struct {
	Seq  uint64
	Leaf []byte
}

// Archive keeps the leaves that left the outbox. It decides nothing: that the
// log is complete follows from the tiles and checkpoints in the store, so an
// archive that loses or changes a leaf is found out by Verify.
//
// All methods may be called at once from many goroutines.
type Archive interface {
	// Append makes batch durable before it returns. Entries that are already
	// there are replaced: the Drainer delivers again after a crash.
	Append(batch []Entry) error
	// Leaf returns one leaf; nil if it is not there.
	Leaf(seq uint64) ([]byte, error)
	// Ascend calls fn with the entries of [from, to), oldest first, until fn
	// returns false. An entry is valid only during its call.
	Ascend(from, to uint64, fn func(Entry) bool) error
	// Descend does so newest first.
	Descend(from, to uint64, fn func(Entry) bool) error
	// Next returns the index after the newest entry; 0 if there is none.
	Next() (uint64, error)
	Close() error
}
