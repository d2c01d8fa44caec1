package detect

import "strings"

// literals finds any of a few hundred words in a text, without regard to case, and
// says where. It looks two bytes up at every place; a word is looked for by its
// rarest two.
type literals struct {
	first [1 << 16]uint16 // one more than the index into lists, by two folded bytes
	lists [][]literal
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

func pair(a, b byte) uint16 { return uint16(fold[a]) | uint16(fold[b])<<8 }

// newLiterals finds words by their index. They have two bytes at least.
func newLiterals(words []string) *literals {
	l := &literals{}
	for id, w := range words {
		w = strings.ToLower(w)
		at := rarest(w)
		k := &l.first[pair(w[at], w[at+1])]
		if *k == 0 {
			l.lists = append(l.lists, nil)
			*k = uint16(len(l.lists))
		}
		l.lists[*k-1] = append(l.lists[*k-1], literal{w, at, id})
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
func (l *literals) scan(text string, fn func(hit) bool) {
	for i := 0; i+1 < len(text); i++ {
		k := l.first[pair(text[i], text[i+1])]
		if k == 0 {
			continue
		}
		for _, w := range l.lists[k-1] {
			start := i - w.at
			end := start + len(w.word)
			if start < 0 || end > len(text) || !folded(text[start:end], w.word) || inWord(text, start) {
				continue
			}
			if !fn(hit{w.id, start, end}) {
				return
			}
		}
	}
}

// inWord reports whether a letter of ASCII at i goes on a word.
func inWord(s string, i int) bool {
	a := fold[s[i]]
	return i > 0 && a >= 'a' && a <= 'z' && fold[s[i-1]] >= 'a' && fold[s[i-1]] <= 'z'
}

// folded reports whether s is word but for case. They are of one length.
func folded(s, word string) bool {
	for i := range len(word) {
		if fold[s[i]] != word[i] {
			return false
		}
	}
	return true
}
