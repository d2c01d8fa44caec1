package audit

import (
	"fmt"

	"github.com/oneclaw/oneclawd/internal/id"
)

// Finding says in one word what is wrong.
type Finding string

// The findings. The first group is about one record, at Problem.Index.
const (
	Changed    Finding = "changed"    // the record is not the one that was logged
	Missing    Finding = "missing"    // the record is gone
	Moved      Finding = "moved"      // a record of another place stands here
	Duplicated Finding = "duplicated" // the record before it stands here again
	Broken     Finding = "broken"     // it does not continue its organisation's chain
	Truncated  Finding = "truncated"  // the log ends here, and it was longer

	BadTree       Finding = "tree"       // the stored hashes are damaged
	BadCheckpoint Finding = "checkpoint" // it is absent, or its signature is wrong
	OtherRoot     Finding = "root"       // the log is not the one that was signed
	OtherHistory  Finding = "history"    // the log does not continue the older checkpoint
	OtherAnchor   Finding = "anchor"     // the log is not the one that the HSM remembers
)

// Problem is one thing that is wrong with the log.
type Problem struct {
	Finding Finding
	Index   uint64 // of the record, or how many records are concerned
	Event   id.ID  // the record's event; zero if not known, or not the caller's
	Text    string // for people
}

// Report is the outcome of a verification.
type Report struct {
	Size       uint64     // records of the log that were in question
	First      uint64     // the first that is still kept; those before have expired
	Checked    uint64     // records of the scope that were looked at
	Verified   uint64     // of these, how many are right
	Checkpoint Checkpoint // that the log was held against; zero if there is none
	Problems   []Problem  // the first bad record first
	Unchecked  []string   // what could not be held against the log, and why
}

// OK reports whether nothing is wrong.
func (r *Report) OK() bool { return len(r.Problems) == 0 }

// BrokenAt is the event of the first bad record; zero if there is none, or it
// cannot be told.
func (r *Report) BrokenAt() id.ID {
	for _, p := range r.Problems {
		if !p.Event.IsZero() {
			return p.Event
		}
	}
	return id.ID{}
}

// Continue adds what is wrong if the export of r is not the next after the one of
// earlier, which it has to be verified against.
func (r *Report) Continue(earlier *Report) {
	if end := earlier.Checkpoint.Size; r.First > end {
		r.add(Missing, end, "%d records are neither in the earlier export nor in this one", r.First-end)
	}
}

func (r *Report) add(f Finding, index uint64, format string, args ...any) {
	r.Problems = append(r.Problems, Problem{Finding: f, Index: index, Text: fmt.Sprintf(format, args...)})
}

// hold compares the log, as m found it, with a checkpoint.
func (r *Report) hold(m *milestones, cp Checkpoint, other Finding, name string) {
	switch {
	case cp.Size > m.size:
		r.add(Truncated, m.size, "the log ends before record %d, but %s covers %d records", m.size, name, cp.Size)
	case m.at[cp.Size] != cp.Root:
		r.add(other, cp.Size, "the first %d records are not the ones that %s covers", cp.Size, name)
	}
}
