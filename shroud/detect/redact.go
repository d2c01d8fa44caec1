package detect

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/oneclaw/oneclawd/shroud/detect/pii"
)

// part is a stretch of Report.Text that does not get out.
type part struct {
	start, end int
	secret     string    // the rule of a credential, or
	match      pii.Match // personal data
}

// settleParts puts the parts in order and joins those that overlap: credentials win,
// and what they reach into goes with them. It moves them to the original where the
// policy wants that text.
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
	if !r.policy.config.Unicode.Enabled {
		for i := range out {
			out[i].start, out[i].end = r.normal.Origin(out[i].start, out[i].end)
			out[i].match.Start, out[i].match.End = out[i].start, out[i].end
		}
	}
	r.report.parts = out
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

// inNormal finds the span of the normalised text that came from a span of the
// original: what Origin does, the other way, by looking for it.
func (r *reading) inNormal(start, end int) (int, int) {
	n := r.normal
	if !n.Changed {
		return start, end
	}
	from := sort.Search(len(n.Text), func(i int) bool { _, e := n.Origin(i, i+1); return e > start })
	to := sort.Search(len(n.Text), func(i int) bool { s, _ := n.Origin(i, i+1); return s >= end })
	return runeBorder(n.Text, from), runeBorder(n.Text, max(from, to))
}
