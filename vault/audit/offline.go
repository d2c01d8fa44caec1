package audit

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/oneclaw/oneclawd/internal/id"
)

// VerifyExport verifies an export with nothing but the pinned verifier key: no
// server, no other key. old, if not nil, is an older checkpoint that the export
// must continue; only with one can it be seen that the end was cut off together
// with the checkpoint. oldKey is what signed that one, "" if it was verifierKey: after
// a recovery onto another HSM the log goes on under another key.
//
// An error means that it could not be done: r cannot be read, or the key or the
// older checkpoint is not one. What is wrong with the export is in the Report.
func VerifyExport(r io.Reader, verifierKey string, old []byte, oldKey string) (*Report, error) {
	x := &export{rep: new(Report)}
	if old != nil {
		cp, err := OpenCheckpoint(old, cmp.Or(oldKey, verifierKey))
		if err != nil {
			return nil, err
		}
		x.old = &cp
	} else if _, err := OpenCheckpoint(nil, verifierKey); errors.Is(err, errVerifierKey) {
		return nil, err
	}
	if err := x.read(bufio.NewReaderSize(r, 64*1024)); err != nil {
		return nil, fmt.Errorf("audit: verify export: %w", err)
	}
	x.judge(verifierKey)
	return x.rep, nil
}

// export is an export while it is verified. Of each record 48 bytes are kept.
type export struct {
	rep     *Report
	old     *Checkpoint
	first   uint64 // index of the first line, as that says
	lines   []tlog.Hash
	events  []id.ID // zero where a line cannot be read
	chains  *chains
	broken  *Problem // the first line that does not continue its chain
	orphans []orphan // the first lines that follow an event that is not there
	trailer []byte   // nil: there is none
	want    []tlog.Hash
}

// orphan is a line and the event that should be before it.
type orphan struct {
	line int
	prev id.ID
}

// maxOrphans is how many are kept: they only help to name the first bad record.
const maxOrphans = 64

// read reads all lines. It judges the chains on the way; the hashes come last.
func (x *export) read(r *bufio.Reader) error {
	for {
		line, err := r.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return err
		}
		line = bytes.TrimRight(line, "\n")
		switch {
		case len(line) == 0 && err == io.EOF:
			return nil
		case x.trailer != nil:
			x.rep.add(BadCheckpoint, uint64(len(x.lines)), "there is something after the checkpoint")
			return nil
		case bytes.HasPrefix(line, trailerStart):
			x.trailer = line
		default:
			x.line(line)
		}
	}
}

// line takes one record.
func (x *export) line(raw []byte) {
	at := len(x.lines)
	l, err := decodeLeaf(raw)
	if at == 0 {
		if err == nil {
			x.first = l.Seq
		}
		x.chains = newChains(x.first > 0)
	}
	x.lines = append(x.lines, tlog.RecordHash(raw))
	if err != nil {
		x.events = append(x.events, id.ID{})
		x.breaks(at, "the record cannot be read")
		return
	}
	x.events = append(x.events, l.ID)
	if l.Seq != x.first+uint64(at) {
		x.breaks(at, fmt.Sprintf("record %d stands in its place", l.Seq))
	}
	if !x.chains.known(l) && len(x.orphans) < maxOrphans {
		x.orphans = append(x.orphans, orphan{at, l.prev()})
	}
	if wrong := x.chains.follow(l); wrong != "" {
		x.breaks(at, wrong)
	}
}

func (x *export) breaks(at int, wrong string) {
	if x.broken == nil {
		x.broken = &Problem{Finding: Broken, Index: uint64(at), Event: x.events[at], Text: wrong}
	}
}

// judge holds the lines against the hashes and these against the checkpoints.
func (x *export) judge(verifierKey string) {
	treeOK := x.hold(verifierKey)
	bad := x.firstBad(treeOK)
	x.rep.Checked = uint64(len(x.lines))
	x.rep.Verified = x.rep.Checked
	if bad == nil {
		return
	}
	x.rep.Verified = min(x.rep.Checked, bad.Index) // lines, until here
	bad.Index += x.rep.First
	x.rep.Problems = append([]Problem{*bad}, x.rep.Problems...)
}

// hold reads the trailer and reports whether the hashes in it are what the
// checkpoint covers.
func (x *export) hold(verifierKey string) bool {
	x.rep.First = x.first
	if x.trailer == nil {
		x.rep.add(BadCheckpoint, uint64(len(x.lines)), "the export does not end with a checkpoint: it is not whole")
		return false
	}
	var t trailer
	if err := json.Unmarshal(x.trailer, &t); err != nil {
		x.rep.add(BadCheckpoint, uint64(len(x.lines)), "the line of the checkpoint cannot be read")
		return false
	}
	cp, err := OpenCheckpoint([]byte(t.Checkpoint), verifierKey)
	if err != nil {
		x.rep.add(BadCheckpoint, uint64(len(x.lines)), "the checkpoint is not one that this appliance signed")
		return false
	}
	x.rep.Checkpoint, x.rep.Size = cp, cp.Size
	m := newMilestones(cp.Size)
	if x.old != nil {
		m.at[x.old.Size] = tlog.Hash{}
	}
	if !x.grow(m, &t) {
		x.rep.add(BadTree, 0, "the hashes in the export are not whole")
		return false
	}
	treeOK := m.size == cp.Size && m.at[cp.Size] == cp.Root
	switch {
	case treeOK:
	case m.size > cp.Size: // without a word on it, lines that nobody signed would pass
		x.rep.add(BadTree, cp.Size, "the export has hashes of more records than the checkpoint covers")
	case x.linesAre(cp):
		x.rep.add(BadTree, 0, "the hashes in the export are wrong; the records are the ones that the checkpoint covers")
	default:
		x.rep.hold(m, cp, OtherRoot, "the checkpoint")
	}
	switch {
	case x.old == nil:
	case x.old.Size < x.rep.First:
		x.rep.Unchecked = append(x.rep.Unchecked, "older checkpoint: it covers only records before the first of this export")
	default:
		x.rep.hold(m, *x.old, OtherHistory, "the older checkpoint")
	}
	return treeOK
}

// linesAre reports whether the lines, whatever the hashes in the trailer say,
// are the whole log that cp covers.
func (x *export) linesAre(cp Checkpoint) bool {
	var f frontier
	for _, h := range x.lines {
		f.add(h)
	}
	return f.size == cp.Size && f.root() == cp.Root
}

// grow adds the hashes of t to m.
func (x *export) grow(m *milestones, t *trailer) bool {
	x.rep.First = 0
	if e := t.Expired; e != nil {
		m.size, x.rep.First = e.Size, e.Size
		for _, n := range e.Nodes {
			if len(n) != hashSize {
				return false
			}
			m.nodes = append(m.nodes, tlog.Hash(n))
		}
		if !m.valid() {
			return false
		}
	}
	m.look()
	if len(t.Hashes)%hashSize != 0 {
		return false
	}
	for b := t.Hashes; len(b) > 0; b = b[hashSize:] {
		x.want = append(x.want, tlog.Hash(b))
		m.add(tlog.Hash(b))
	}
	return true
}

// firstBad returns the first bad record, its Index being that of its line.
func (x *export) firstBad(treeOK bool) *Problem {
	if !treeOK {
		// No hash can be relied on. What the chains say still holds.
		return x.broken
	}
	for i := range max(len(x.lines), len(x.want)) {
		if i >= len(x.lines) || i >= len(x.want) || x.lines[i] != x.want[i] {
			return x.classify(i)
		}
	}
	return x.broken
}

// classify says what happened where the lines first leave the log.
func (x *export) classify(i int) *Problem {
	p := &Problem{Index: uint64(i)}
	if i >= len(x.lines) {
		p.Finding = Truncated
		p.Text = fmt.Sprintf("the export ends here; the checkpoint covers %d more records", len(x.want)-i)
		return p
	}
	p.Event = x.events[i]
	from := -1 // where in the log this line belongs
	for j, h := range x.want {
		if h == x.lines[i] {
			from = j
			break
		}
	}
	switch {
	case from < 0:
		p.Finding, p.Text = Changed, "the record is not the one that was logged"
		if prev := x.orphanFrom(i + 1); !prev.IsZero() {
			p.Event = prev
		}
	case from < i:
		p.Finding, p.Text = Duplicated, fmt.Sprintf("record %d stands here again", x.rep.First+uint64(from))
	case x.resumes(i, from):
		p.Finding, p.Text = Missing, fmt.Sprintf("%d records are missing here", from-i)
		p.Event = x.orphanFrom(i)
	default:
		p.Finding, p.Text = Moved, fmt.Sprintf("record %d stands in its place", x.rep.First+uint64(from))
	}
	return p
}

// resumes reports whether the lines from i on go on like the log from at on.
func (x *export) resumes(i, at int) bool {
	return i+1 >= len(x.lines) || at+1 >= len(x.want) || x.lines[i+1] == x.want[at+1]
}

// orphanFrom returns the missing predecessor of the first line from i on that
// has one.
func (x *export) orphanFrom(i int) id.ID {
	for _, o := range x.orphans {
		if o.line >= i {
			return o.prev
		}
	}
	return id.ID{}
}
