package audit

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
)

// Errors of the log.
var (
	ErrRange    = fault.New(fault.Invalid, "audit_range", "the log has no such index or size")
	ErrNotFound = fault.New(fault.NotFound, "audit_event_not_found", "no such audit event")
)

// Log reads and proves the log. Its events are in two places: the outbox, in
// the store, has those from AuditDrained on; the archive has those below. One
// read of AuditDrained therefore splits them without gap or overlap, however
// far the Drainer got meanwhile.
type Log struct {
	DB          txn.Runner[Tx]
	Archive     Archive
	Checkpoints *Checkpointer
	// Expires says that the archive forgets old events: their absence at the
	// beginning is then not a finding. Their hashes stay.
	Expires bool
}

// chunkSize is how many events are read per transaction: long ones would keep
// the store from reusing its pages.
const chunkSize = 4 * tileWidth

// chunk is a run of events and what the tree says their hashes are.
type chunk struct {
	from   uint64
	leaves [][]byte // nil where one is missing, empty where one is damaged
	hashes []tlog.Hash
}

// size returns how many events the log holds now.
func (g *Log) size(ctx context.Context) (size uint64, err error) {
	err = g.DB.View(ctx, func(tx Tx) error {
		size, err = tx.AuditSize()
		return err
	})
	return size, err
}

// Figures are how far the log and what follows it have come.
type Figures struct {
	Events    uint64 // in the log
	Undrained uint64 // of these, not yet in the archive
	Unsigned  uint64 // of these, not yet under a checkpoint
}

// Figures returns the present ones.
func (g *Log) Figures(ctx context.Context) (f Figures, err error) {
	err = g.DB.View(ctx, func(tx Tx) error {
		drained, size, err := bounds(tx)
		f.Events, f.Undrained = size, size-drained
		return err
	})
	f.Unsigned = f.Events - min(f.Events, g.Checkpoints.covers())
	return f, err
}

// read returns the events of [from, to), at most chunkSize of them, with their
// hashes. A damaged tile leaves zero hashes, which match nothing.
func (g *Log) read(ctx context.Context, from, to uint64) (*chunk, error) {
	c := &chunk{from: from}
	to = min(to, from+chunkSize)
	c.leaves, c.hashes = make([][]byte, to-from), make([]tlog.Hash, to-from)
	var drained uint64
	err := g.DB.View(ctx, func(tx Tx) (err error) {
		if drained, _, err = bounds(tx); err != nil {
			return err
		}
		if err := readHashes(tx, from, c.hashes); err != nil {
			return err
		}
		for seq := max(from, drained); seq < to; seq++ {
			raw, err := tx.AuditLeaf(seq)
			switch {
			case damaged(err):
				c.leaves[seq-from] = []byte{}
			case err != nil:
				return err
			default:
				c.leaves[seq-from] = bytes.Clone(raw)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if from < drained {
		err = g.Archive.Ascend(from, min(to, drained), func(e Entry) bool {
			c.leaves[e.Seq-from] = bytes.Clone(e.Leaf)
			return true
		})
	}
	return c, err
}

// readHashes fills hashes with those of the leaves from from on.
func readHashes(tx Tx, from uint64, hashes []tlog.Hash) error {
	for i := 0; i < len(hashes); {
		seq := from + uint64(i)
		tile, err := tx.AuditTile(0, seq/tileWidth)
		if err != nil && !damaged(err) {
			return fmt.Errorf("audit: tile 0/%d: %w", seq/tileWidth, err)
		}
		for at := int(seq % tileWidth); at < tileWidth && i < len(hashes); at++ {
			if len(tile) >= (at+1)*hashSize {
				hashes[i] = tlog.Hash(tile[at*hashSize:])
			}
			i++
		}
	}
	return nil
}

// newestFirst calls fn with every event that is there, newest first, until fn
// returns false. The bytes are valid only during the call.
func (g *Log) newestFirst(ctx context.Context, fn func(raw []byte) bool) error {
	drained, to := uint64(0), uint64(0)
	err := g.DB.View(ctx, func(tx Tx) (err error) {
		drained, to, err = bounds(tx)
		return err
	})
	if err != nil {
		return err
	}
	for more := true; to > drained; {
		from := max(drained, to-min(to, tileWidth))
		c, err := g.read(ctx, from, to) // those that were drained since included
		if err != nil {
			return err
		}
		for i := len(c.leaves) - 1; i >= 0 && more; i-- {
			if len(c.leaves[i]) > 0 {
				more = fn(c.leaves[i])
			}
		}
		if !more {
			return nil
		}
		to = from
	}
	n := 0
	err = g.Archive.Descend(0, drained, func(e Entry) bool {
		if n++; n%tileWidth == 0 && ctx.Err() != nil {
			return false
		}
		return fn(e.Leaf)
	})
	return firstError(err, ctx.Err())
}

// leaf returns the bytes of one event; nil if it is not there.
func (g *Log) leaf(ctx context.Context, index uint64) (raw []byte, err error) {
	err = g.DB.View(ctx, func(tx Tx) error {
		b, err := tx.AuditLeaf(index)
		raw = bytes.Clone(b)
		return err
	})
	if err != nil || raw != nil {
		return raw, err
	}
	return g.Archive.Leaf(index)
}

// Leaf returns the exact bytes of an event of org, whose RFC 6962 hash an
// inclusion proof is about. Another organisation's is not found.
func (g *Log) Leaf(ctx context.Context, org id.ID, index uint64) ([]byte, error) {
	size, err := g.size(ctx)
	if err != nil {
		return nil, err
	}
	if index >= size {
		return nil, ErrNotFound
	}
	raw, err := g.leaf(ctx, index)
	if err != nil {
		return nil, err
	}
	if raw == nil {
		return nil, ErrNotFound
	}
	l, err := decodeLeaf(raw)
	if err != nil {
		return nil, err
	}
	if l.Org != org {
		return nil, ErrNotFound
	}
	return raw, nil
}

// Checkpoint returns a signed checkpoint of the whole log.
func (g *Log) Checkpoint(ctx context.Context) (Checkpoint, error) {
	return g.Checkpoints.Checkpoint(ctx)
}

// CoveringCheckpoint returns a checkpoint of all that was logged before the call, for
// whoever may ask. They cannot wear out the HSM, which signs and remembers each new
// one: whoever asks within a second of the last waits for the second to end, and all
// who wait get the same.
func (g *Log) CoveringCheckpoint(ctx context.Context) (Checkpoint, error) {
	size, err := g.size(ctx)
	if err != nil {
		return Checkpoint{}, err
	}
	for {
		cp, pause, err := g.Checkpoints.covering(ctx, size)
		if err != nil || pause == 0 {
			return cp, err
		}
		select {
		case <-ctx.Done():
			return Checkpoint{}, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// InclusionProof proves that the event at index is in the log of the given
// size, 0 being the last checkpoint's: an RFC 6962 audit path.
func (g *Log) InclusionProof(ctx context.Context, index, size uint64) (proof []tlog.Hash, err error) {
	if size == 0 {
		cp, err := g.Checkpoints.stored(ctx)
		if err != nil {
			return nil, err
		}
		size = cp.Size
	}
	err = g.DB.View(ctx, func(tx Tx) error {
		if n, err := tx.AuditSize(); err != nil || size > n || index >= size {
			return firstError(err, ErrRange)
		}
		proof, err = tlog.ProveRecord(int64(size), int64(index), tiles{tx})
		return err
	})
	return proof, err
}

// ConsistencyProof proves that the log of size to begins with the log of size
// from: an RFC 6962 consistency proof.
func (g *Log) ConsistencyProof(ctx context.Context, from, to uint64) (proof []tlog.Hash, err error) {
	err = g.DB.View(ctx, func(tx Tx) error {
		if n, err := tx.AuditSize(); err != nil || from == 0 || to > n || from > to {
			return firstError(err, ErrRange)
		}
		proof, err = tlog.ProveTree(int64(to), int64(from), tiles{tx})
		return err
	})
	return proof, err
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
