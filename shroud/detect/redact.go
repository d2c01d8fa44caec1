package detect

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/oneclaw/oneclawd/shroud/detect/pii"
	"github.com/oneclaw/oneclawd/shroud/detect/view"
)

// part is a stretch of Report.Text that does not get out.
type part struct {
	start, end int
	secret     string    // the rule of a credential, or
	match      pii.Match // personal data
}

// settleParts puts the parts in order and joins those that overlap: credentials win,
// and what they reach into goes with them. It moves them from the text that was judged
// to the one that goes on.
func (r *reading) settleParts() {
	parts := r.report.parts
	slices.SortStableFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
	})
	var out []part
	for _, p := range parts {
		if p.start >= p.end {
			continue
		}
		k := len(out) - 1
		if k < 0 || p.start >= out[k].end {
			out = append(out, p)
			continue
		}
		last := &out[k]
		if last.secret == "" && p.secret != "" {
			last.secret = p.secret
		}
		last.end = max(last.end, p.end)
		last.match.End = last.end
	}
	if r.clean.Text != r.normal.Text {
		out = r.moved(out)
	}
	r.report.parts = out
}

// moved are parts of the text that was judged, in the one that goes on. Two may have
// become of one character there: the first has it.
func (r *reading) moved(parts []part) (out []part) {
	from := 0
	for _, p := range parts {
		start, end := r.normal.Origin(p.start, p.end)
		start, end = within(r.clean, start, end)
		if start = max(start, from); start >= end {
			continue
		}
		p.start, p.end, p.match.Start, p.match.End, from = start, end, start, end, end
		out = append(out, p)
	}
	return out
}

// Redact returns Text without its credentials and personal data. Credentials become
// [REDACTED:rule], personal data tokens such as [EMAIL_1] of the given placeholders,
// with which a conversation can restore them; nil is for a text on its own.
func (r *Report) Redact(tokens *pii.Placeholders) string {
	if tokens == nil {
		tokens = &pii.Placeholders{}
	}
	var out strings.Builder
	from := 0
	var open []pii.Match
	flush := func(to int) {
		for i := range open {
			open[i].Start, open[i].End = open[i].Start-from, open[i].End-from
		}
		out.WriteString(tokens.Redact(r.Text[from:to], open))
		open = nil
	}
	for _, p := range r.parts {
		if p.secret == "" {
			open = append(open, p.match)
			continue
		}
		flush(p.start)
		out.WriteString("[REDACTED:" + p.secret + "]")
		from = p.end
	}
	flush(len(r.Text))
	return out.String()
}

// within finds the span of n's text that came from a span of the original: what Origin
// does, the other way, by looking for it.
func within(n view.Normal, start, end int) (int, int) {
	if !n.Changed {
		return start, end
	}
	from := sort.Search(len(n.Text), func(i int) bool { _, e := n.Origin(i, i+1); return e > start })
	to := sort.Search(len(n.Text), func(i int) bool { s, _ := n.Origin(i, i+1); return s >= end })
	return runeBorder(n.Text, from), runeBorder(n.Text, max(from, to))
}
