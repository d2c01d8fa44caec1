package detect

import "strings"

// literals finds any of a few hundred words in a text in small letters, and says
// where. It looks up two bytes at every place; a word is looked for by its rarest
// two.
type literals struct {
	some  [1 << 10]uint64 // a bit for each two bytes that a word has: small enough for the nearest cache
	first map[uint16][]literal
}

type literal struct {
	word string // in small letters
	at   int    // where its two bytes are
	id   int
}

// hit is a word found at a place.
type hit struct{ id, start, end int }

// fold maps capitals of ASCII to small letters.
var fold = func() (t [256]byte) {
	for i := range t {
		if t[i] = byte(i); i >= 'A' && i <= 'Z' {
			t[i] |= 0x20
		}
	}
	return t
}()

// lowered is text with small letters for those of ASCII. No byte moves.
func lowered(text string) []byte {
	out := []byte(text)
	for i, b := range out {
		out[i] = fold[b]
	}
	return out
}

func pair(a, b byte) uint16 { return uint16(a) | uint16(b)<<8 }

// newLiterals finds words by their index. They have two bytes at least.
func newLiterals(words []string) *literals {
	l := &literals{first: map[uint16][]literal{}}
	for id, w := range words {
		w = string(lowered(w))
		at := rarest(w)
		k := pair(w[at], w[at+1])
		l.some[k>>6] |= 1 << (k & 63)
		l.first[k] = append(l.first[k], literal{w, at, id})
	}
	return l
}

// usual has letters from the most frequent on: pairs of others are rare in text.
const usual = " etaoinsrhldcumfpgwybv"

func rarest(w string) (best int) {
	most := -1
	for i := 0; i+1 < len(w); i++ {
		rare := 0
		for _, b := range []byte{w[i], w[i+1]} {
			if k := strings.IndexByte(usual, b); k < 0 {
				rare += 2 * len(usual)
			} else {
				rare += k
			}
		}
		if rare > most {
			best, most = i, rare
		}
	}
	return best
}

// scan calls fn for every word in text, until it returns false. One that begins
// with a letter is not looked for inside of others.
func (l *literals) scan(text []byte, fn func(hit) bool) {
	for i := 0; i+1 < len(text); i++ {
		k := pair(text[i], text[i+1])
		if l.some[k>>6]&(1<<(k&63)) == 0 {
			continue
		}
		for _, w := range l.first[k] {
			start := i - w.at
			end := start + len(w.word)
			if start < 0 || end > len(text) || string(text[start:end]) != w.word || inWord(text, start) {
				continue
			}
			if !fn(hit{w.id, start, end}) {
				return
			}
		}
	}
}

// inWord reports whether a letter of ASCII at i goes on a word.
func inWord(s []byte, i int) bool {
	return i > 0 && s[i] >= 'a' && s[i] <= 'z' && s[i-1] >= 'a' && s[i-1] <= 'z'
}
