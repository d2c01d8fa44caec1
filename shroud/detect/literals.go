package detect

import "strings"

// literals finds any of a few hundred words in a text in small letters, and says
// where. It looks up three bytes at every place; a word is looked for by its rarest
// three.
type literals struct {
	some  [1 << someBits / 64]uint64 // a bit for each three bytes that a word has: small enough for the nearest cache
	slots [1 << slotBits][]literal
}

const (
	someBits = 16
	slotBits = 10
)

// literal is a word, and where its three bytes are in it. Those of a word of two are
// these and any other one.
type literal struct {
	key  uint32
	at   int
	word string // in small letters
	id   int
}

// spread mixes three bytes.
func spread(key uint32) uint32 { return key * 0x9E3779B1 }

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

func triple(a, b, c byte) uint32 { return uint32(a) | uint32(b)<<8 | uint32(c)<<16 }

// newLiterals finds words by their index. They have two bytes at least.
func newLiterals(words []string) *literals {
	l := &literals{}
	for id, w := range words {
		w = string(lowered(w))
		if len(w) == 2 {
			for c := range 256 {
				l.add(literal{triple(w[0], w[1], byte(c)), 0, w, id})
			}
			continue
		}
		at := rarest(w)
		l.add(literal{triple(w[at], w[at+1], w[at+2]), at, w, id})
	}
	return l
}

func (l *literals) add(w literal) {
	k := spread(w.key)
	l.some[k>>(32-someBits)>>6] |= 1 << (k >> (32 - someBits) & 63)
	l.slots[k>>(32-slotBits)] = append(l.slots[k>>(32-slotBits)], w)
}

// usual has letters from the most frequent on: pairs of others are rare in text.
const usual = " etaoinsrhldcumfpgwybv"

func rarest(w string) (best int) {
	most := -1
	for i := 0; i+2 < len(w); i++ {
		rare := 0
		for _, b := range []byte(w[i : i+3]) {
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
	if len(text) < 2 {
		return
	}
	key := triple(0, text[0], text[1])
	for i := range len(text) - 1 {
		key >>= 8
		if i+2 < len(text) {
			key |= uint32(text[i+2]) << 16
		}
		k := spread(key)
		if l.some[k>>(32-someBits)>>6]>>(k>>(32-someBits)&63)&1 == 0 {
			continue
		}
		of := l.slots[k>>(32-slotBits)]
		for n := range of {
			w := &of[n]
			start := i - w.at
			end := start + len(w.word)
			if w.key != key || start < 0 || end > len(text) || string(text[start:end]) != w.word || inWord(text, start) {
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
