package view

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// alike maps letters to the ASCII letters that they look like.
var alike = sync.OnceValue(func() map[rune]byte {
	m := map[rune]byte{}
	for _, l := range lookalikes {
		for _, r := range l.alike {
			m[r] = l.letter
		}
	}
	return m
})

// near has alike of the first letters, which are most, as a table.
var near = sync.OnceValue(func() *[0x600]byte {
	var t [0x600]byte
	for r, b := range alike() {
		if r < rune(len(t)) {
			t[r] = b
		}
	}
	return &t
})

// cyrillic has the Cyrillic letters for the ASCII ones that look like them, to
// restore words in which Latin letters are the foreign ones.
var cyrillic = map[rune]rune{
	'a': 'а', 'c': 'с', 'e': 'е', 'o': 'о', 'p': 'р', 'x': 'х', 'y': 'у', 'A': 'А', 'B': 'В', 'C': 'С', 'E': 'Е',
	'H': 'Н', 'K': 'К', 'M': 'М', 'O': 'О', 'P': 'Р', 'T': 'Т', 'X': 'Х',
}

// word is a stretch of letters with some that are not of ASCII.
type word struct {
	start, end int
	ascii      int  // letters of ASCII
	masked     int  // letters that look like one of those
	other      int  // letters of Latin beyond ASCII
	foreign    int  // letters of other scripts that look like none
	greek      int  // the masked ones that are Greek
	small      int  // the masked ones that are small capitals of phonetics
	switches   int  // changes between ASCII and masked letters
	was        byte // 'a' or 'm', of the letter before
}

// unmask writes words that mix scripts in one of them.
func (f *finder) unmask(w *rewrite) {
	if !mixes(w.in) {
		return
	}
	words, ascii, beyond := mixedWords(w.in)
	certain, mixed := false, 0
	for _, m := range words {
		if m.ascii > 0 && m.disguised() && !m.quantity() {
			mixed++
			certain = certain || m.ascii+m.masked >= 4 && m.switches >= 2
		}
	}
	certain = certain || mixed >= 2 && ascii > beyond
	for _, m := range words {
		switch {
		case m.disguised() && (m.small >= 3 && m.small == m.masked || m.ascii+m.other > 0 && !m.quantity() || certain && ascii > beyond):
			if certain || m.small >= 3 {
				f.trick(Homoglyph, m.start, m.end)
			}
			w.latin(m)
		case m.foreign > 0 && m.ascii > 0 && m.ascii <= m.masked+m.foreign && w.slavic(m):
			f.trick(Homoglyph, m.start, m.end)
		}
	}
}

// mixes reports whether a letter of ASCII stands beside a letter that is not of
// Latin orthographies: a cheap no for most texts.
func mixes(s string) bool {
	for i := 1; i < len(s); i++ {
		if s[i-1]^s[i] < utf8.RuneSelf {
			continue
		}
		if s[i] >= utf8.RuneSelf { // on a border of runes, as the byte before is one
			if asciiLetter(s[i-1]) && beyondLatin(runeAt(s, i)) || phonetic(s[i:]) && smallCapital(runeAt(s, i)) {
				return true
			}
		} else if asciiLetter(s[i]) && beyondLatin(runeBefore(s, i)) {
			return true
		}
	}
	return false
}

// phonetic is a cheap no to what smallCapital reports.
func phonetic(s string) bool {
	return s[0] == 0xC9 || s[0] == 0xCA || s[0] == 0xE1 && len(s) > 1 && s[1] == 0xB4 || s[0] == 0xEA && len(s) > 1 && s[1] == 0x9C
}

// smallCapital reports whether a letter is a capital in the size of small ones. Phonetics
// has them beside other letters; words of nothing else are in none of its alphabets.
func smallCapital(r rune) bool {
	switch r {
	case 0x262, 0x26A, 0x274, 0x280, 0x28F, 0x299, 0x29C, 0x29F, 0xA730, 0xA731:
		return true
	}
	return r >= 0x1D00 && r <= 0x1D22 && unicode.Is(unicode.Latin, r)
}

func beyondLatin(r rune) bool {
	return r >= 0x180 && (r < 0x1E00 || r > 0x2C00 || r >= 0x1F00 && r < 0x2000)
}

// disguised reports whether a word is one of Latin letters once those that look
// like them are.
func (m word) disguised() bool { return m.foreign == 0 && m.masked > 0 }

// quantity reports whether a word is a Greek letter beside Latin ones, as in
// physics.
func (m word) quantity() bool { return m.masked == 1 && m.greek == 1 && m.switches == 1 }

// mixedWords lists the words that have masked letters, and counts the letters of
// ASCII and beyond it.
func mixedWords(s string) (words []word, ascii, beyond int) {
	table, m := alike(), word{start: -1}
	first := near()
	end := func(at int) {
		if m.masked > 0 || m.foreign > 0 && m.ascii > 0 {
			m.end = at
			words = append(words, m)
		}
		ascii, beyond = ascii+m.ascii, beyond+m.masked+m.other+m.foreign
		m = word{start: -1}
	}
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			from := i
			for i < len(s) && letterAt[s[i]] != noLetter {
				i++
			}
			if i > from {
				m.plain(from, i)
				continue
			}
			if m.start >= 0 {
				end(i)
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if size == 1 || (r >= rune(len(first)) || first[r] == 0) && !unicode.IsLetter(r) && !unicode.IsMark(r) {
			if m.start >= 0 {
				end(i)
			}
			i += size
			continue
		}
		if m.start < 0 {
			m.start = i
		}
		if r < rune(len(first)) {
			m.count(r, first[r])
		} else {
			m.count(r, table[r])
		}
		i += size
	}
	end(len(s))
	return words, ascii, beyond
}

// plain notes letters of ASCII.
func (m *word) plain(from, to int) {
	if m.start < 0 {
		m.start = from
	}
	m.ascii += to - from
	m.turn('a')
}

// turn notes of which kind the letters go on to be.
func (m *word) turn(kind byte) {
	if m.was != 0 && kind != m.was {
		m.switches++
	}
	m.was = kind
}

// count notes a letter beyond ASCII, which looks like another one if that is not 0.
func (m *word) count(r rune, like byte) {
	switch {
	case r >= 0x2E80 && r < 0xA000 || r >= 0xAC00 && r < 0xD7A4: // no look-alikes there
		m.foreign++
	case like != 0:
		m.masked++
		m.turn('m')
		if r >= 0x370 && r < 0x400 {
			m.greek++
		} else if smallCapital(r) {
			m.small++
		}
	case unicode.IsMark(r):
	case unicode.Is(unicode.Latin, r):
		m.other++
	default:
		m.foreign++
	}
}

// latin writes a word in Latin letters.
func (w *rewrite) latin(m word) {
	table := alike()
	for i := m.start; i < m.end; {
		r, size := utf8.DecodeRuneInString(w.in[i:])
		if to := table[r]; to != 0 {
			w.replace(i, i+size, string(rune(to)))
		}
		i += size
	}
}

// slavic writes a word in Cyrillic letters, if it is one of those but for letters
// that look like them.
func (w *rewrite) slavic(m word) bool {
	for _, r := range w.in[m.start:m.end] {
		if cyrillic[r] == 0 && !unicode.Is(unicode.Cyrillic, r) {
			return false
		}
	}
	for i := m.start; i < m.end; {
		r, size := utf8.DecodeRuneInString(w.in[i:])
		if to := cyrillic[r]; to != 0 {
			w.replace(i, i+size, string(to))
		}
		i += size
	}
	return true
}
