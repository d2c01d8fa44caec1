package view

import (
	"strings"
	"unicode/utf8"
)

// payload gathers a message from invisible characters, which may be spread over
// visible ones.
type payload struct {
	text       strings.Builder
	start, end int
	symbols    int
}

// spread is how many bytes may lie between two parts of one message.
const spread = 256

func (p *payload) add(f *finder, kind string, start, end int, text string) {
	if p.symbols > 0 && start-p.end > spread {
		p.flush(f, kind)
	}
	if p.symbols == 0 {
		p.start = start
	}
	p.text.WriteString(text)
	p.symbols++
	p.end = end
}

// flush ends a message: what reads like text becomes a view.
func (p *payload) flush(f *finder, kind string) {
	text, n := p.text.String(), p.symbols
	defer func() { *p = payload{} }()
	switch kind {
	case Tags:
		if n > 0 {
			f.trick(kind, p.start, p.end)
			f.n.hide(kind, text, p.start, p.end)
		}
	case Selectors:
		if n < 4 {
			return
		}
		f.trick(kind, p.start, p.end)
		if utf8.ValidString(text) && plausible(text) {
			f.n.hide(kind, text, p.start, p.end)
		}
	case HiddenBits:
		if decoded := fromBits(text); decoded != "" {
			f.trick(kind, p.start, p.end)
			f.n.hide(kind, decoded, p.start, p.end)
		}
	}
}

// fromBits reads bits written as two invisible characters, perhaps with a third
// between the bytes, and returns "" if no reading is text.
func fromBits(symbols string) string {
	const least = 4 * 7
	var kinds []rune
	var counts [4]int
	for _, r := range symbols {
		k := indexRune(kinds, r)
		if k < 0 {
			if len(kinds) == 3 {
				return ""
			}
			k, kinds = len(kinds), append(kinds, r)
		}
		counts[k]++
	}
	if len(kinds) < 2 || len(symbols) < least*2 {
		return ""
	}
	if len(kinds) == 3 { // the rarest separates
		rare := 0
		for k := range kinds {
			if counts[k] < counts[rare] {
				rare = k
			}
		}
		symbols = strings.ReplaceAll(symbols, string(kinds[rare]), "")
		kinds = append(kinds[:rare:rare], kinds[rare+1:]...)
	}
	for _, one := range kinds {
		for _, width := range []int{8, 7, 16} {
			if s := packBits(symbols, one, width); s != "" && utf8.ValidString(s) && plausible(s) {
				return s
			}
		}
	}
	return ""
}

func indexRune(rs []rune, r rune) int {
	for i, x := range rs {
		if x == r {
			return i
		}
	}
	return -1
}

// packBits reads groups of width bits, the highest first. Groups of 16 are code
// points.
func packBits(symbols string, one rune, width int) string {
	var out strings.Builder
	v, n := rune(0), 0
	for _, r := range symbols {
		v <<= 1
		if r == one {
			v |= 1
		}
		if n++; n == width {
			if width == 16 {
				out.WriteRune(v)
			} else {
				out.WriteByte(byte(v))
			}
			v, n = 0, 0
		}
	}
	return out.String()
}
