package audit

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
)

// Scope says what Verify is asked about.
type Scope struct {
	Org      id.ID     // whose events are counted and named
	Everyone bool      // all organisations', for the operator
	From, To time.Time // counts events of this time only; zero: no bound
	Limit    uint64    // stops after so many of them; 0: none
	Old      []byte    // an older signed checkpoint that the log must continue
}

func (s *Scope) holds(l *leaf) bool { return s.Everyone || l.Org == s.Org }

func (s *Scope) counts(l *leaf) bool {
	return s.holds(l) && (s.From.IsZero() || !l.Time.Before(s.From)) && (s.To.IsZero() || l.Time.Before(s.To))
}

// Verify recomputes the log from its beginning. The hashes of the tree are held
// against the last checkpoint, its signature, the HSM's anchor and an older
// checkpoint; then each record against its hash and its chain. It stops at the
// first bad record and names it.
//
// An error means that it could not be done. What is wrong with the log is in
// the Report.
func (g *Log) Verify(ctx context.Context, s Scope) (*Report, error) {
	v := &verification{log: g, scope: s, rep: new(Report), chains: newChains(false)}
	if err := v.begin(ctx); err != nil {
		return nil, fmt.Errorf("audit: verify: %w", err)
	}
	if err := v.tree(ctx); err != nil {
		return nil, fmt.Errorf("audit: verify: %w", err)
	}
	if err := v.records(ctx); err != nil {
		return nil, fmt.Errorf("audit: verify: %w", err)
	}
	if err := v.heads(ctx); err != nil {
		return nil, fmt.Errorf("audit: verify: %w", err)
	}
	v.conclude()
	return v.rep, nil
}

// verification is one run of Verify.
type verification struct {
	log   *Log
	scope Scope
	rep   *Report

	signed, old, anchor *Checkpoint // nil: there is none
	ref                 *Checkpoint // the better of signed and anchor; nil: neither
	treeOK              bool        // the stored hashes are the ones that ref covers
	leaves              frontier    // over the records themselves
	leafRoot            tlog.Hash   // their root at ref's size
	chains              *chains
	bad                 *Problem // the first bad record
	ahead               int      // records looked at since, to find out its name
	done                bool
}

// begin collects what the log is held against.
func (v *verification) begin(ctx context.Context) error {
	vkey, err := v.log.Checkpoints.VerifierKey()
	if err != nil {
		return err
	}
	if v.scope.Old != nil {
		old, err := OpenCheckpoint(v.scope.Old, vkey)
		if err != nil {
			return err // the caller's mistake, not the log's
		}
		v.old = &old
	}
	if err := v.readAnchor(ctx); err != nil {
		return err
	}
	return v.readStored(ctx, vkey) // after the anchor, which never runs ahead of the store
}

func (v *verification) readStored(ctx context.Context, vkey string) error {
	var signed []byte
	err := v.log.DB.View(ctx, func(tx Tx) (err error) {
		if _, v.rep.Size, err = bounds(tx); damaged(err) {
			v.rep.Size, v.done = 0, true
			return nil
		}
		if err == nil {
			signed, err = tx.AuditCheckpoint()
			signed = bytes.Clone(signed)
		}
		return err
	})
	switch cp, bad := OpenCheckpoint(signed, vkey); {
	case v.done:
		v.rep.add(BadTree, 0, "how many records there are, and where, cannot be read any more")
	case damaged(err):
		v.rep.add(BadCheckpoint, 0, "the stored checkpoint cannot be read any more")
	case err != nil:
		return err
	case signed == nil && v.anchor != nil:
		v.rep.add(BadCheckpoint, 0, "the store has no checkpoint, although one was made")
	case signed == nil:
		v.rep.Unchecked = append(v.rep.Unchecked, "checkpoint: none was made yet")
	case bad != nil:
		v.rep.add(BadCheckpoint, 0, "the stored checkpoint is not one that this appliance signed")
	default:
		v.signed, v.rep.Checkpoint = &cp, cp
	}
	return nil
}

func (v *verification) readAnchor(ctx context.Context) (err error) {
	v.anchor, err = readAnchor(ctx, v.log.Checkpoints.Anchor)
	switch {
	case err == nil && v.anchor == nil:
		v.rep.Unchecked = append(v.rep.Unchecked, "anchor: the HSM holds none")
	case fault.As(err) != nil && fault.As(err).Code == ErrRolledBack.Code:
		v.rep.add(OtherAnchor, 0, "%s", fault.As(err).Msg)
	case err != nil && ctx.Err() == nil:
		v.rep.Unchecked = append(v.rep.Unchecked, "anchor: the HSM does not answer")
	}
	return ctx.Err()
}

// tree recomputes the root from the hash of every record and compares it with
// the tiles above and with all that was signed or remembered.
func (v *verification) tree(ctx context.Context) error {
	if v.done {
		return nil
	}
	m := newMilestones(v.rep.Size)
	for _, cp := range []*Checkpoint{v.signed, v.old, v.anchor} {
		if cp != nil {
			m.at[cp.Size] = tlog.Hash{}
		}
	}
	m.look()
	hashes := make([]tlog.Hash, chunkSize)
	for m.size < v.rep.Size {
		hashes = hashes[:min(chunkSize, v.rep.Size-m.size)]
		clear(hashes)
		if err := v.log.DB.View(ctx, func(tx Tx) error { return readHashes(tx, m.size, hashes) }); err != nil {
			return err
		}
		for _, h := range hashes {
			m.add(h)
		}
	}
	if v.signed != nil {
		v.rep.hold(m, *v.signed, OtherRoot, "the last checkpoint")
	}
	if v.old != nil {
		v.rep.hold(m, *v.old, OtherHistory, "the older checkpoint")
	}
	if v.anchor != nil {
		v.rep.hold(m, *v.anchor, OtherAnchor, "the HSM's anchor")
	}
	v.ref = v.signed
	if v.ref == nil {
		v.ref = v.anchor
	}
	v.treeOK = v.ref == nil || v.ref.Size <= m.size && m.at[v.ref.Size] == v.ref.Root
	return v.log.DB.View(ctx, func(tx Tx) error {
		if root, err := rootAt(tx, m.size); err != nil || root != m.root() {
			v.rep.add(BadTree, m.size, "the stored hashes contradict each other")
		}
		return nil
	})
}

// records holds each record against its hash and its chain.
func (v *verification) records(ctx context.Context) error {
	for from := uint64(0); from < v.rep.Size && !v.done; from += chunkSize {
		if err := ctx.Err(); err != nil {
			return err
		}
		c, err := v.log.read(ctx, from, v.rep.Size)
		if err != nil {
			return err
		}
		for i := 0; i < len(c.leaves) && !v.done; i++ {
			v.record(from+uint64(i), c.leaves[i], c.hashes[i])
		}
	}
	return nil
}

// record checks one record, or, after the first bad one, looks for its name.
func (v *verification) record(index uint64, raw []byte, want tlog.Hash) {
	if raw == nil && v.log.Expires && v.rep.First == index && v.bad == nil {
		v.rep.First++ // so far nothing was there: it has expired
		v.chains.partial = true
		v.leaves.add(want)
		return
	}
	l, p := v.check(index, raw, want)
	switch {
	case v.bad != nil:
		v.lookAhead(l)
		return
	case l != nil && v.scope.counts(l):
		v.rep.Checked++
		if p == nil {
			v.rep.Verified++
		}
	}
	if p == nil {
		v.done = v.treeOK && v.scope.Limit > 0 && v.rep.Checked >= v.scope.Limit
		return
	}
	p.Index = index
	if l != nil && v.scope.holds(l) {
		p.Event = l.ID
	}
	v.bad = p
}

// check returns the record and what is wrong with it, if anything.
func (v *verification) check(index uint64, raw []byte, want tlog.Hash) (*leaf, *Problem) {
	if raw == nil {
		return nil, &Problem{Finding: Missing, Text: "the record is missing"}
	}
	have := tlog.RecordHash(raw)
	v.leaves.add(have)
	if v.ref != nil && v.leaves.size == v.ref.Size {
		v.leafRoot = v.leaves.root()
	}
	l, err := decodeLeaf(raw)
	switch {
	case err == nil && l.Seq != index:
		return l, &Problem{Finding: Moved, Text: fmt.Sprintf("record %d stands in its place", l.Seq)}
	case have != want:
		return l, &Problem{Finding: Changed, Text: "the record is not the one that was logged"}
	case err != nil:
		return nil, &Problem{Finding: Changed, Text: "the record cannot be read"}
	case v.bad != nil:
		return l, nil
	}
	if wrong := v.chains.follow(l); wrong != "" {
		return l, &Problem{Finding: Broken, Text: wrong}
	}
	return l, nil
}

// lookAhead learns the name of a bad record from the one that follows it in its
// chain. Where the tree itself is in doubt it reads on to the end, for the root
// over the records.
func (v *verification) lookAhead(l *leaf) {
	v.ahead++
	named := v.bad.Finding == Moved || v.bad.Finding == Broken
	if l != nil && !named && v.ahead <= chunkSize {
		if v.scope.holds(l) && !v.chains.known(l) && l.PrevEvent != nil {
			v.bad.Event = l.prev()
			v.ahead = chunkSize
		} else {
			v.chains.follow(l)
		}
	}
	v.done = v.treeOK && (named || v.ahead >= chunkSize)
}

// heads holds the stored end of each chain, which the next event will follow, against
// the records.
func (v *verification) heads(ctx context.Context) error {
	if v.bad != nil || v.done {
		return nil
	}
	return v.log.DB.View(ctx, func(tx Tx) error {
		if err := v.catchUp(tx); err != nil {
			return err
		}
		for org, last := range v.chains.heads {
			if !v.scope.Everyone && org != v.scope.Org {
				continue
			}
			head, err := tx.AuditChain(org)
			if err != nil && !damaged(err) {
				return err
			}
			if err != nil || head.Event != last.Event || head.Hash != last.Hash {
				v.rep.Problems = append(v.rep.Problems, Problem{Finding: Broken, Index: v.rep.Size, Event: last.Event,
					Text: "the stored end of its chain is not this event: the next one will not follow it"})
			}
		}
		return nil
	})
}

// catchUp follows the chains through what was logged since, which is judged next time.
func (v *verification) catchUp(tx Tx) error {
	_, size, err := bounds(tx)
	if err != nil {
		return err
	}
	for seq := v.rep.Size; seq < size; seq++ {
		raw, err := tx.AuditLeaf(seq)
		if err == nil && raw == nil {
			raw, err = v.log.Archive.Leaf(seq)
		}
		if err != nil && !damaged(err) {
			return err
		}
		if l, bad := decodeLeaf(raw); bad == nil {
			v.chains.follow(l)
		}
	}
	return nil
}

// conclude puts the first bad record before everything that follows from it.
func (v *verification) conclude() {
	if v.bad == nil {
		return
	}
	if !v.treeOK && v.ref != nil && v.leaves.size >= v.ref.Size && v.leafRoot == v.ref.Root {
		// The records give the signed root, so it is the hash that is wrong.
		v.bad.Finding, v.bad.Event = BadTree, id.ID{}
		v.bad.Text = "the stored hash of the record is damaged; the record is right"
	}
	v.rep.Problems = slices.Insert(v.rep.Problems, 0, *v.bad)
}
