package view

import (
	"strings"
	"unicode/utf8"
)

// strip takes out what cannot be seen, except where writing needs it.
func (f *finder) strip(w *rewrite) {
	for i := 0; i < len(w.in); {
		b := w.in[i]
		switch {
		case b >= ' ' && b < 0x7F || b >= '\t' && b <= '\r':
			i++
		case b == 0x1B:
			i = f.escape(w, i)
		case b < utf8.RuneSelf:
			w.replace(i, i+1, "")
			i++
		default:
			if size := ordinary(w.in, i); size > 0 {
				i += size
				continue
			}
			f.odd = true
			i = f.beyond(w, i)
		}
	}
	f.tagged.flush(f, Tags)
	f.selected.flush(f, Selectors)
	f.bits.flush(f, HiddenBits)
	f.dressedUp(f.badges)
}

// ordinary is the size of a letter of Latin-1 or Russian at i, which no step would
// change: most text that is not of ASCII passes here.
func ordinary(s string, i int) int {
	if i+1 < len(s) && (s[i] == 0xD0 || s[i] == 0xD1 || s[i] == 0xC3) && s[i+1] >= 0x80 && s[i+1] < 0xC0 {
		return 2
	}
	return 0
}

// beyond handles the rune at i, which is not of ASCII, and returns what is next.
func (f *finder) beyond(w *rewrite, i int) int {
	r, size := utf8.DecodeRuneInString(w.in[i:])
	switch {
	case r == utf8.RuneError && size == 1:
		w.replace(i, i+1, "\uFFFD")
	case r >= 0x80 && r < 0xA0:
		w.replace(i, i+size, "")
	case invisible(r):
		return f.unseen(w, i)
	case stackable(r):
		return f.marks(w, i)
	case r >= 0x1F150 && r <= 0x1F1FF:
		return f.badge(w, i)
	case inParentheses(r) && (inParentheses(runeAt(w.in, i+size)) || inParentheses(runeBefore(w.in, i))):
		// One alone numbers a list. In a row they are words, which NFKC makes "(w)(o)…" of.
		f.badges.add(i, i+size)
		w.replace(i, i+size, string(r-0x249C+'a'))
	}
	return i + size
}

// inParentheses reports whether a rune is a letter in parentheses.
func inParentheses(r rune) bool { return r >= 0x249C && r <= 0x24B5 }

// badge writes the white letter in a circle or square, or of half a flag, at i as
// a letter: NFKC keeps those. Two halves are a flag.
func (f *finder) badge(w *rewrite, i int) int {
	j, halves := i, 0
	for j < len(w.in) {
		r, size := utf8.DecodeRuneInString(w.in[j:])
		if r < 0x1F1E6 || r > 0x1F1FF {
			break
		}
		j, halves = j+size, halves+1
	}
	if halves > 0 && halves%2 == 0 {
		return j
	}
	for end := max(j, i+4); i < end; i += 4 {
		var letter rune
		switch r := runeAt(w.in, i); {
		case r <= 0x1F169:
			letter = r - 0x1F150 + 'A'
		case r >= 0x1F170 && r <= 0x1F189:
			letter = r - 0x1F170 + 'A'
		case r >= 0x1F1E6:
			letter = r - 0x1F1E6 + 'A'
		default:
			continue
		}
		f.badges.add(i, i+4)
		w.replace(i, i+4, string(letter))
	}
	return i
}

// unseen handles the run of invisible characters at i.
func (f *finder) unseen(w *rewrite, i int) int {
	s, j, count := w.in, i, 0
	for j < len(s) {
		r, size := utf8.DecodeRuneInString(s[j:])
		if !invisible(r) {
			break
		}
		j, count = j+size, count+1
	}
	if f.natural(s, i, j, count) {
		return j
	}
	for k := i; k < j; {
		r, size := utf8.DecodeRuneInString(s[k:])
		f.collect(s, k, k+size, r)
		k += size
	}
	if hiding := strings.TrimLeft(s[i:j], "\u00AD\uFEFF"); count >= 4 || hiding != "" && alphabetic(runeBefore(s, i)) && alphabetic(runeAt(s, j)) {
		if !isTag(runeAt(s, i)) && !isBidi(runeAt(s, i)) {
			f.trick(ZeroWidth, i, j)
		}
	} else if alphabetic(runeAt(s, j)) && i > 0 {
		f.sparse(s, i, j)
	}
	w.replace(i, j, "")
	return j
}

// sparse finds soft hyphens and byte order marks after every letter or two. One in
// a word is a place to break a line, or a file that was joined to another.
func (f *finder) sparse(s string, i, j int) {
	if f.lastShy > 0 && utf8.RuneCountInString(s[f.lastShy:i]) <= 2 {
		f.trick(ZeroWidth, f.lastShy, j)
	}
	f.lastShy = j
}

// natural reports whether a run of invisible characters is what writing needs.
func (f *finder) natural(s string, i, j, count int) bool {
	before, after, first := runeBefore(s, i), runeAt(s, j), runeAt(s, i)
	switch {
	case isTag(first):
		return before == 0x1F3F4 && flagTags(s[i:j]) // a flag of England, say
	case isBidi(first):
		return count <= 3 && first != 0x202D && first != 0x202E && f.hasRTL()
	case count > 3:
		return false
	}
	joins := strings.Trim(s[i:j], "\u200D\uFE0E\uFE0F") == ""
	if joins && symbol(before) && i > 0 {
		return s[i:j] != "\u200D" && count == 1 || symbol(after)
	}
	if _, sel := selector(first); sel {
		return count == 1 && (complexScript(before) || symbol(before))
	}
	switch first {
	case 0x200B, 0x200C, 0x200D, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180E, 0x180F:
		return count <= 2 && (complexScript(before) || complexScript(after))
	}
	return false
}

// flagTags reports whether tags spell a region, as the flags of emoji do.
func flagTags(tags string) bool {
	n := 0
	for _, r := range tags {
		switch c := r - 0xE0000; {
		case c == 0x7F:
			return n >= 2 && n <= 6
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			n++
		default:
			return false
		}
	}
	return false
}

func (f *finder) hasRTL() bool {
	if f.rtl == nil {
		has := strings.ContainsFunc(f.n.Text, rightToLeft)
		f.rtl = &has
	}
	return *f.rtl
}

// collect puts one invisible character where it may carry a message.
func (f *finder) collect(s string, i, j int, r rune) {
	if isTag(r) {
		if r >= 0xE0020 && r < 0xE007F {
			f.tagged.add(f, Tags, i, j, string(r-0xE0000))
		}
		return
	}
	if b, ok := selector(r); ok {
		f.selected.add(f, Selectors, i, j, string([]byte{b}))
		return
	}
	if isBidi(r) {
		f.direction(s, i, j, r)
	}
	f.bits.add(f, HiddenBits, i, j, s[i:j])
}

// direction handles a control of direction where no letter needs it.
func (f *finder) direction(s string, i, j int, r rune) {
	switch r {
	case 0x202B, 0x2067:
		if !f.hasRTL() {
			f.trick(Bidi, i, j)
		}
	case 0x202D, 0x202E:
		if i < f.turned {
			return
		}
		end := overrideEnd(s, j)
		f.turned = end
		f.trick(Bidi, i, end)
		if r == 0x202E {
			f.n.hide(Bidi, reverse(s[j:end]), j, end)
		}
	}
}

// overrideEnd finds the end of a line or of what is turned around from j on.
func overrideEnd(s string, j int) int {
	for k := j; k < len(s); k++ {
		if s[k] == '\n' || s[k] == 0xE2 && (strings.HasPrefix(s[k:], "\u202C") || strings.HasPrefix(s[k:], "\u2069")) {
			return k
		}
	}
	return len(s)
}

func reverse(s string) string {
	out := make([]byte, len(s))
	for at := len(s); len(s) > 0; {
		_, size := utf8.DecodeRuneInString(s)
		at -= size
		copy(out[at:], s[:size])
		s = s[size:]
	}
	return string(out)
}

// marks handles the run of combining marks at i: heaps of them, and lines through
// or under every letter, are not spelling.
func (f *finder) marks(w *rewrite, i int) int {
	s, j, count, over := w.in, i, 0, false
	for j < len(s) {
		r, size := utf8.DecodeRuneInString(s[j:])
		if !stackable(r) {
			break
		}
		j, count, over = j+size, count+1, over || overlay(r)
	}
	if base := runeBefore(s, i); count >= 3 || over && i > 0 && alphabetic(base) || f.heaped(s, i) {
		f.trick(Combining, i, j)
		w.replace(i, j, "")
	}
	return j
}

// heaped reports whether most letters of the word around the mark at i have marks,
// where no spelling puts so many.
func (f *finder) heaped(s string, i int) bool {
	if i < f.wordEnd {
		return f.heap
	}
	letters, marked, was := 1, 0, false
	k := i
	for k < len(s) && k < i+256 {
		r, size := utf8.DecodeRuneInString(s[k:])
		switch {
		case stackable(r):
			if !was {
				marked++
			}
			was = true
		case alphabetic(r):
			letters, was = letters+1, false
		default:
			size = 0
		}
		if size == 0 {
			break
		}
		k += size
	}
	f.wordEnd, f.heap = k, marked >= 4 && marked*3 >= letters*2
	return f.heap
}

// escape takes out the terminal's escape at i.
func (f *finder) escape(w *rewrite, i int) int {
	s, j := w.in, min(i+2, len(w.in))
	odd := false
	if j == i+2 {
		switch s[i+1] {
		case '[':
			for j < len(s) && s[j] >= 0x20 && s[j] < 0x40 {
				j++
			}
			odd = j < len(s) && (s[j] != 'm' || conceals(s[i+2:j]))
			j = min(j+1, len(s))
		case ']', 'P', '^', '_':
			odd = true
			j = stringEnd(s, j)
		}
	}
	for j < len(s) && !utf8.RuneStart(s[j]) {
		j++
	}
	if odd {
		f.trick(Terminal, i, j)
	}
	w.replace(i, j, "")
	return j
}

// stringEnd finds the end of a terminal's string, which is a bell or ESC \, on the
// same line.
func stringEnd(s string, from int) int {
	k := strings.IndexAny(s[from:min(len(s), from+4096)], "\a\x1b\n")
	switch {
	case k < 0:
		return from
	case s[from+k] == 0x1B && from+k+1 < len(s):
		return from + k + 2
	}
	return from + k + 1
}

// conceals reports whether the parameters of a colour make text invisible.
func conceals(params string) bool {
	for p := range strings.SplitSeq(params, ";") {
		if len(p) == 2 && p[0] == '3' && p[1] < '8' && strings.Contains(";"+params+";", ";4"+p[1:]+";") {
			return true // the colour of what is behind
		}
		if p == "8" {
			return !strings.Contains(params, "38;") && !strings.Contains(params, "48;")
		}
	}
	return false
}
