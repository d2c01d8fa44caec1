package view

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// Normal is a text without the tricks of Unicode.
type Normal struct {
	Text    string  // valid UTF-8 in NFKC, without what cannot be seen
	Changed bool    // whether Text is not the original
	Tricks  []Trick // what looks like hiding on purpose, by place

	original string
	steps    []mapping // each from one text to the next
	hidden   []View    // what Tricks hid, in the order found
	overfull bool      // whether there was too much to undo all of it
}

// Trick is a place that hides or disguises something.
type Trick struct {
	Kind       string // one of the constants
	Start, End int    // bytes of the original
}

// Kinds of Trick. Those of pages and documents (comments, invisible styles) are
// also found in harmless ones; the others have no use in ordinary writing.
const (
	ZeroWidth   = "zero-width"          // invisible characters inside words
	Tags        = "tags"                // the alphabet of Unicode's tag characters
	Selectors   = "variation-selectors" // bytes as variation selectors
	HiddenBits  = "hidden-bits"         // bits as two or three invisible characters
	Bidi        = "bidi"                // text that is shown in another order
	Homoglyph   = "homoglyph"           // letters of another script inside a word
	FullWidth   = "full-width"          // text in full-width Latin letters
	Styled      = "styled"              // text in mathematical, circled or squared letters
	Combining   = "combining"           // letters under heaps of marks
	Terminal    = "ansi"                // escapes that move, erase or conceal
	HTMLComment = "html-comment"
	CSSHidden   = "css-hidden"
	Markdown    = "markdown" // comments and titles that are not rendered
)

// Normalise undoes the tricks of Unicode in text and finds what it hides.
func Normalise(text string) Normal {
	n := Normal{Text: text, original: text}
	if !plainASCII(text) {
		f := &finder{n: &n}
		f.step(f.strip)
		if f.odd {
			f.step(f.compose)
		}
		f.step(f.unmask)
		n.Changed = n.Text != text
	}
	n.findHidden()
	sort.SliceStable(n.Tricks, func(i, j int) bool { return n.Tricks[i].Start < n.Tricks[j].Start })
	return n
}

// Origin maps a span of Text to the bytes of the original that it came from.
func (n Normal) Origin(start, end int) (int, int) {
	start, end = clamp(start, 0, len(n.Text)), clamp(end, 0, len(n.Text))
	for i := len(n.steps) - 1; i >= 0; i-- {
		start, end = n.steps[i].origin(start, end)
	}
	return start, max(start, end)
}

func clamp(i, low, high int) int { return min(max(i, low), high) }

// plainASCII reports whether text has nothing that normalising could change:
// bytes from space to tilde, and the white space of text files.
func plainASCII(text string) bool {
	for i := 0; i < len(text); i++ {
		if b := text[i]; b-' ' > '~'-' ' && (b-'\t' > '\r'-'\t') {
			return false
		}
	}
	return true
}

// finder is one run of Normalise.
type finder struct {
	n        *Normal
	rtl      *bool // whether the text has letters written from right to left
	tagged   payload
	selected payload
	bits     payload
	badges   dress // circled and squared letters
	lastShy  int   // where the last soft hyphen ended
	turned   int   // where the last override ended
	wordEnd  int   // where the last word with marks ended
	heap     bool  // whether it had heaps of them
	odd      bool  // whether there is more than ASCII, Latin-1 and Russian
}

// step replaces the text by what fn makes of it.
func (f *finder) step(fn func(*rewrite)) {
	w := &rewrite{in: f.n.Text}
	fn(w)
	if len(w.edits) == 0 {
		return
	}
	f.n.Text = string(append(w.out, w.in[w.done:]...))
	f.n.steps = append(f.n.steps, mapping(w.edits))
}

// trick notes a span of the text of the current step. Neighbours of one kind
// are one.
func (f *finder) trick(kind string, start, end int) {
	start, end = f.n.Origin(start, end)
	f.n.addTrick(kind, start, end)
}

// Close tricks are merged, and beyond a number they are only counted as part of
// the last one: who hides a thing ten thousand times is told once.
const (
	trickGap  = 32
	maxTricks = 256
	maxHidden = 4096
)

func (n *Normal) addTrick(kind string, start, end int) {
	for i := len(n.Tricks) - 1; i >= 0; i-- {
		t := &n.Tricks[i]
		if t.Kind != kind {
			continue
		}
		if start-t.End <= trickGap || len(n.Tricks) >= maxTricks {
			t.Start, t.End = min(t.Start, start), max(t.End, end)
			return
		}
		break
	}
	if len(n.Tricks) < maxTricks+16 { // room for kinds that come late
		n.Tricks = append(n.Tricks, Trick{kind, start, end})
	}
}

// hide notes text that was taken from a span of the original.
func (n *Normal) hide(chain, text string, start, end int) {
	switch {
	case strings.TrimSpace(text) == "":
	case len(n.hidden) >= maxHidden:
		n.overfull = true
	default:
		n.hidden = append(n.hidden, View{Text: text, Chain: []string{chain}, Start: start, End: end})
	}
}

// edit says that n bytes of the new text at a place stand for m of the old.
type edit struct{ at, n, from, m int }

// mapping leads from a text back to the one it was made of. Edits are in order.
type mapping []edit

func (m mapping) origin(start, end int) (int, int) {
	i := sort.Search(len(m), func(i int) bool { return m[i].at > start })
	j := sort.Search(len(m), func(j int) bool { return m[j].at >= end })
	from, to := start, end
	if i > 0 {
		if e := m[i-1]; start < e.at+e.n {
			from = e.from
		} else {
			from = e.from + e.m + start - (e.at + e.n)
		}
	}
	if j > 0 {
		if e := m[j-1]; end <= e.at+e.n {
			to = e.from + e.m
		} else {
			to = e.from + e.m + end - (e.at + e.n)
		}
	}
	return from, max(from, to)
}

// rewrite makes a new text of another, and remembers where it differs.
type rewrite struct {
	in    string
	out   []byte
	done  int // how much of in is in out
	edits []edit
}

// replace puts by where in[from:to] was. Calls are in order.
func (w *rewrite) replace(from, to int, by string) {
	w.out = append(w.out, w.in[w.done:from]...)
	if k := len(w.edits) - 1; k >= 0 && w.edits[k].from+w.edits[k].m == from && w.edits[k].n == 0 && by == "" {
		w.edits[k].m += to - from
	} else {
		w.edits = append(w.edits, edit{len(w.out), len(by), from, to - from})
	}
	w.out = append(w.out, by...)
	w.done = to
}

func runeBefore(s string, i int) rune { r, _ := utf8.DecodeLastRuneInString(s[:i]); return r }
func runeAt(s string, i int) rune     { r, _ := utf8.DecodeRuneInString(s[i:]); return r }
