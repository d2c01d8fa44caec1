package shroud

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/oneclaw/oneclawd/shroud/detect"
	"github.com/oneclaw/oneclawd/shroud/detect/view"
	"github.com/oneclaw/oneclawd/shroud/redact"
	"github.com/oneclaw/oneclawd/shroud/tokens"
)

// reading is what there is to know of a text, whoever says it. It does not change.
type reading struct {
	text   string
	bare   string         // without the values of the vaults; text itself if it has none
	leaks  int            // values that are not in bare
	masked bool           // some of them were behind tricks of Unicode
	report *detect.Report // of bare; nil if it is not inspected
	size   int            // tokens, about

	matcher weak.Pointer[redact.Matcher] // of the values, which are not to be kept for this
	counted atomic.Int64                 // tokens and one; 0 if nobody asked
}

// count is how many tokens the text has.
func (r *reading) count() int {
	n := int(r.counted.Load())
	if n == 0 {
		n = tokens.Count(r.text) + 1
		r.counted.Store(int64(n))
	}
	return n - 1
}

// isCounted reports whether count takes no time.
func (r *reading) isCounted() bool { return r.counted.Load() > 0 }

// readings remembers readings: agents send the whole conversation again with every
// message. A text is told from others by all of its bytes, so that none passes for
// another. What is kept is a copy, since a piece of a body would keep all of it, and
// never a text with a value of a vault. The zero value is ready.
//
// It is bounded by the size of the texts; what was not asked for since half of it was
// filled anew is forgotten.
type readings struct {
	begin sync.Once
	seed  maphash.Seed

	mu       sync.Mutex
	new, old map[readingKey]*reading
	size     int // of new
}

// Bounds of what is remembered, in bytes.
const (
	maxRemembered   = 32 << 20
	readingOverhead = 1 << 10 // of each text, beside its own
	shortText       = 64      // what is not inspected, and shorter, is as soon read again
)

// readingKey is how a text was inspected, by no policy if it was not, and what it is,
// nearly.
type readingKey struct {
	policy *detect.Policy
	as     detect.Context
	sum    uint64
}

// of reads a text. Without a policy it is only looked through for values.
func (rs *readings) of(text string, m *redact.Matcher, p *detect.Policy, as detect.Context) *reading {
	if p == nil && len(text) < shortText {
		return newReading(text, m, false)
	}
	have := rs.find(text, p, as)
	if have != nil && have.matcher == weak.Make(m) {
		return have
	}
	if have != nil {
		text = have.text
	} else {
		text = strings.Clone(text)
	}
	r := newReading(text, m, p != nil)
	switch {
	case p == nil:
	case have != nil && have.bare == r.bare:
		r.report = have.report
	case r.leaks > 0:
		r.report = rs.report(r.bare, p, as)
	default:
		r.report = inspect(r.bare, p, as)
	}
	if r.leaks == 0 {
		rs.keep(r, p, as)
	}
	return r
}

// report inspects a text from which the values of the vaults are gone.
func (rs *readings) report(bare string, p *detect.Policy, as detect.Context) *detect.Report {
	if have := rs.find(bare, p, as); have != nil && have.bare == bare {
		return have.report
	}
	bare = strings.Clone(bare)
	r := &reading{text: bare, bare: bare, size: estimate(bare), report: inspect(bare, p, as)}
	rs.keep(r, p, as)
	return r.report
}

func inspect(text string, p *detect.Policy, as detect.Context) *detect.Report {
	return detect.Inspect(text, detect.Options{Context: as, Policy: p, Structured: true})
}

// newReading takes the values out of a text. Those that tricks of Unicode and encodings
// keep from being found are looked for in words, not in what is for machines.
func newReading(text string, m *redact.Matcher, words bool) *reading {
	r := &reading{text: text, size: estimate(text), matcher: weak.Make(m)}
	bare, hits := m.Redact(text)
	r.bare, r.leaks = bare, len(hits)
	if !words || m.Patterns() == 0 {
		return r
	}
	n := view.Normalise(bare)
	if n.Changed {
		if clean, hits := m.Redact(n.Text); len(hits) > 0 { // all of the tricks go, then
			r.bare, r.leaks, r.masked = clean, r.leaks+len(hits), true
			n = view.Normalise(clean)
		}
	}
	r.undo(n, m)
	return r
}

// undo takes out what reads as a value once it is decoded, the whole of it.
func (r *reading) undo(n view.Normal, m *redact.Matcher) {
	views, _ := view.Views(n, view.Budget{})
	var edits []edit
	for _, v := range views[1:] {
		if hits := m.Find(v.Text); len(hits) > 0 {
			mark, _ := m.Redact(v.Text[hits[0].Start:hits[0].End])
			edits = append(edits, edit{v.Start, v.End, mark})
			r.leaks += len(hits)
		}
	}
	r.bare = apply(r.bare, edits)
}

func (rs *readings) key(text string, p *detect.Policy, as detect.Context) readingKey {
	rs.begin.Do(func() { rs.seed = maphash.MakeSeed() })
	return readingKey{p, as, maphash.String(rs.seed, text)}
}

// find is what is remembered of a text, nil if nothing is.
func (rs *readings) find(text string, p *detect.Policy, as detect.Context) *reading {
	key := rs.key(text, p, as)
	rs.mu.Lock()
	r := rs.new[key]
	if r == nil {
		if r = rs.old[key]; r != nil {
			rs.put(key, r)
		}
	}
	rs.mu.Unlock()
	if r == nil || r.text != text {
		return nil
	}
	return r
}

func (rs *readings) keep(r *reading, p *detect.Policy, as detect.Context) {
	key := rs.key(r.text, p, as)
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.put(key, r)
}

// put remembers a reading in place of another one of the same key.
func (rs *readings) put(key readingKey, r *reading) {
	size := len(r.text) + readingOverhead
	if before := rs.new[key]; before != nil {
		rs.size -= len(before.text) + readingOverhead
	}
	if rs.new == nil || rs.size+size > maxRemembered/2 {
		rs.new, rs.old, rs.size = map[readingKey]*reading{}, rs.new, 0
	}
	rs.new[key] = r
	rs.size += size
}
