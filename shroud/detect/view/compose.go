package view

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// compose brings the text to NFKC, and looks at the letters that were dressed up.
func (f *finder) compose(w *rewrite) { f.bring(w, norm.NFKC) }

// Some signs are eighteen letters in NFKC. Text in which they are more than a few stays
// as it is from where it has grown to twice its length.
const (
	maxGrowth = 2
	smallText = 64 << 10
)

// bring is compose for any form.
func (f *finder) bring(w *rewrite, form norm.Form) {
	s := w.in
	var wide, styled dress
	for i := 0; i < len(s); {
		i += form.QuickSpanString(s[i:])
		if i >= len(s) {
			break
		}
		if len(w.out) > maxGrowth*len(s)+smallText {
			f.n.overfull = true
			break
		}
		end := i + segment(form, s[i:])
		old := s[i:end]
		if to := form.String(old); to != old {
			w.replace(i, end, to)
			if len(to) == 1 && asciiLetter(to[0]) {
				dressed(runeAt(old, 0), &wide, &styled).add(i, end)
			}
		}
		i = end
	}
	if wide.letters >= 40 || wide.letters >= 8 && !strings.ContainsFunc(s, eastAsian) {
		f.trick(FullWidth, wide.start, wide.end)
	}
	f.dressedUp(styled)
}

// dressedUp notes letters in odd forms, if they are more than a logo.
func (f *finder) dressedUp(d dress) {
	if d.letters >= 6 {
		f.trick(Styled, d.start, d.end)
	}
}

// segment is the length of what has to be composed together.
func segment(form norm.Form, s string) int {
	if n := form.NextBoundaryInString(s, true); n > 0 {
		return n
	}
	_, size := utf8.DecodeRuneInString(s)
	return size
}

// dress counts letters of one kind of presentation form.
type dress struct{ letters, start, end int }

func (d *dress) add(start, end int) {
	if d.letters == 0 {
		d.start = start
	}
	d.letters, d.end = d.letters+1, end
}

func dressed(r rune, wide, styled *dress) *dress {
	switch {
	case r >= 0xFF21 && r <= 0xFF5A:
		return wide
	case r >= 0x1D400 || r >= 0x2460 && r <= 0x24FF || r >= 0x2100 && r <= 0x214F:
		return styled
	}
	return &dress{} // superscripts and others that writing has a use for
}

func eastAsian(r rune) bool {
	return r >= 0x3001 && unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han, unicode.Hangul) || r >= 0x3001 && r <= 0x301F
}
