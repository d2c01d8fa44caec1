package pii

import (
	"unicode"
	"unicode/utf8"
)

// class says what a token is made of.
type class uint8

const (
	word   class = iota // letters
	number              // digits
	mixed               // letters and digits
	wide                // letters of scripts that write no spaces
	ident               // something with an underscore: a name in code
)

// token is a run of letters and digits. Everything else is between tokens.
type token struct {
	start, end int32
	class      class
	upper      bool // begins with a capital
	shout      bool // all capitals, two at least
	ascii      bool
	roles      role
	topics     topic
}

func (t token) len() int { return int(t.end - t.start) }

// firstWide is where the scripts begin that write no spaces.
const firstWide = 0x2E80

// tokenise cuts text into tokens and looks each word up. It appends to tokens.
func tokenise(text string, tokens []token) []token {
	lex := lexicon()
	for i := 0; i < len(text); {
		t, next, ok := readToken(text, i)
		if ok {
			if t.class == word || t.class == mixed && t.len() < 12 {
				lex.describe(text, &t)
			}
			tokens = append(tokens, t)
		}
		i = next
	}
	return tokens
}

// readToken reads the token that begins at i, or says where to go on.
func readToken(text string, i int) (token, int, bool) {
	kind, size := asciiKinds[text[i]&127], 1
	if text[i] >= utf8.RuneSelf {
		kind, size = runeKind(text, i)
	}
	if kind == 0 {
		return token{}, i + size, false
	}
	t := token{start: int32(i), upper: kind&isUpper != 0, ascii: size == 1}
	seen, later := kind, kind&isLower
	j := i + size
	for j < len(text) {
		k, n := asciiKinds[text[j]&127], 1
		if text[j] >= utf8.RuneSelf {
			k, n = runeKind(text, j)
		}
		if k == 0 || (k^kind)&isWide != 0 || seen == isDigit && j-i >= 3 && isExtension(text[j:]) {
			break
		}
		seen |= k
		later |= k
		t.ascii = t.ascii && n == 1
		j += n
	}
	t.end = int32(j)
	t.shout = t.upper && later&isLower == 0 && j-i > 1 && seen&isDigit == 0
	t.class = classOf(seen)
	return t, j, true
}

// isExtension reports whether s is a phone's extension: x12.
func isExtension(s string) bool {
	return len(s) > 1 && (s[0] == 'x' || s[0] == 'X') && s[1] >= '0' && s[1] <= '9'
}

// Kinds of runes, as bits.
const (
	isLetter = 1 << iota
	isDigit
	isLower
	isUpper
	isWide
	isUnder
)

func classOf(seen uint8) class {
	switch {
	case seen&isUnder != 0:
		return ident
	case seen&isWide != 0:
		return wide
	case seen&isDigit == 0:
		return word
	case seen&isLetter == 0:
		return number
	}
	return mixed
}

var asciiKinds = func() (t [128]uint8) {
	for c := '0'; c <= '9'; c++ {
		t[c] = isDigit
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c] = isLetter | isLower
		t[c-'a'+'A'] = isLetter | isUpper
	}
	t['_'] = isUnder
	return t
}()

// runeKind says what is at i, and how many bytes it takes.
func runeKind(text string, i int) (uint8, int) {
	if c := text[i]; c < utf8.RuneSelf {
		return asciiKinds[c], 1
	}
	r, size := utf8.DecodeRuneInString(text[i:])
	switch {
	case r == utf8.RuneError, !unicode.In(r, unicode.L, unicode.M):
		return 0, size
	case r >= firstWide && r < 0xFF00:
		return isLetter | isWide, size
	case unicode.IsUpper(r):
		return isLetter | isUpper, size
	}
	return isLetter | isLower, size
}

// between is what stands between token i and the next one.
func (f *finder) between(i int) string {
	if i < 0 {
		return f.text[:f.tokens[0].start]
	}
	if i+1 >= len(f.tokens) {
		return f.text[f.tokens[i].end:]
	}
	return f.text[f.tokens[i].end:f.tokens[i+1].start]
}

// str is the text of token i.
func (f *finder) str(i int) string { return f.text[f.tokens[i].start:f.tokens[i].end] }
