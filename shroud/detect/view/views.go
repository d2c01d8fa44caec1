package view

import (
	"slices"
	"strings"
)

// View is one reading of a text.
type View struct {
	Text       string
	Chain      []string // what was undone, the outermost first; empty for the normalised text
	Start, End int      // the bytes of the original that it was read from
}

// Budget bounds what Views makes. Zero fields mean the defaults.
type Budget struct {
	Views int // how many; 64, and one more for each 2 KiB of the text
	Bytes int // of all views but the first; twice the text and 64 KiB
	Depth int // decodings inside of decodings; Deepest
}

// Deepest is how many decodings are undone inside of each other.
const Deepest = 4

func (b Budget) orDefaults(text int) Budget {
	if b.Views == 0 {
		b.Views = 64 + text>>11
	}
	if b.Bytes == 0 {
		b.Bytes = 2*text + 64<<10
	}
	if b.Depth == 0 {
		b.Depth = Deepest
	}
	return b
}

// Views returns the normalised text and everything that is hidden or encoded in
// it. It reports whether the budget ended the search early: there was more than it has,
// or something to be undone in what lies deepest.
func Views(n Normal, b Budget) (views []View, cut bool) {
	r := &reader{budget: b.orDefaults(len(n.Text)), cut: n.overfull}
	r.views = append(r.views, View{Text: n.Text, Start: 0, End: len(n.original)})
	r.read(n, nil, n.Origin)
	return r.views, r.cut
}

// more reports whether anything is hidden or encoded in n.
func (n Normal) more() bool {
	found := len(n.hidden) > 0
	if !found {
		pieces(n.Text, func(piece) bool { found = true; return false })
	}
	return found
}

// reader collects the views of one text.
type reader struct {
	budget Budget
	bytes  int
	views  []View
	cut    bool // whether anything was left out
	full   bool // whether the budget is used up
}

// read adds what is in n, which was itself reached by chain. The function maps
// spans of n.Text to the original.
func (r *reader) read(n Normal, chain []string, origin func(start, end int) (int, int)) {
	if len(chain) >= r.budget.Depth {
		r.cut = r.cut || n.more()
		return
	}
	for _, h := range n.hidden {
		start, end := h.Start, h.End
		if len(chain) > 0 {
			start, end = origin(0, len(n.Text))
		}
		r.add(h.Text, append(slices.Clone(chain), h.Chain...), start, end)
	}
	skipped := pieces(n.Text, func(p piece) bool {
		start, end := origin(p.start, p.end)
		r.add(p.text, append(slices.Clone(chain), strings.Fields(p.chain)...), start, end)
		return !r.full
	})
	r.cut = r.cut || skipped
}

// add keeps a view, within the budget, and reads on inside of it.
func (r *reader) add(text string, chain []string, start, end int) {
	if len(r.views) >= r.budget.Views || r.bytes+len(text) > r.budget.Bytes {
		r.cut, r.full = true, true
		return
	}
	n := Normalise(text)
	r.bytes, r.cut = r.bytes+len(n.Text), r.cut || n.overfull
	r.views = append(r.views, View{Text: n.Text, Chain: chain, Start: start, End: end})
	r.read(n, chain, func(int, int) (int, int) { return start, end })
}
