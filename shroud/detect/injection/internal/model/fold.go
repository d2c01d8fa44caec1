package model

import (
	"unicode"
	"unicode/utf8"
)

// kind is what a rune is to the tokeniser.
type kind uint8

const (
	space kind = iota
	letter
	digit
	punct
	dense // of a script that writes no spaces: Han, kana, Thai
)

// folds maps accented Latin and Greek letters to plain ones. Indexed from
// U+00C0; zero means that the letter is left as it is.
var folds = buildFolds()

const (
	foldFirst = 0x00C0
	foldLast  = 0x1EFF
)

// foldSource lists letters by what they fold to: closed under case, since case
// is folded first.
var foldSource = map[rune]string{
	'a': "àáâãäåāăąǎǟǡǻȁȃạảấầẩẫậắằẳẵặ",
	'c': "çćĉċč",
	'd': "ďđð",
	'e': "èéêëēĕėęěȅȇẹẻẽếềểễệ",
	'g': "ĝğġģǧ",
	'h': "ĥħ",
	'i': "ìíîïĩīĭįıǐȉȋịỉ",
	'j': "ĵ",
	'k': "ķ",
	'l': "ĺļľŀł",
	'n': "ñńņňŉ",
	'o': "òóôõöøōŏőǒȍȏơọỏốồổỗộớờởỡợ",
	'r': "ŕŗř",
	's': "śŝşšșſß",
	't': "ţťŧț",
	'u': "ùúûüũūŭůűųǔưụủứừửữự",
	'w': "ŵẁẃẅ",
	'y': "ýÿŷỳỵỷỹ",
	'z': "źżž",
	'α': "ά", 'ε': "έ", 'η': "ή", 'ι': "ίϊΐ", 'ο': "ό", 'υ': "ύϋΰ", 'ω': "ώ", 'σ': "ς",
	'е': "ё",
}

func buildFolds() (t [foldLast - foldFirst + 1]uint16) {
	for to, from := range foldSource {
		for _, r := range from {
			t[r-foldFirst] = uint16(to)
		}
	}
	return t
}

// foldRune lowers case, drops accents and says what the rune is. ok is false
// for a rune that is dropped: a combining mark.
func foldRune(r rune) (out rune, k kind, ok bool) {
	switch {
	case r >= 0x0300 && r <= 0x036F:
		return 0, space, false
	case r >= 0x064B && r <= 0x065F, r == 0x0670, r == 0x0640: // Arabic vowels, tatweel
		return 0, space, false
	case r >= 0x05B0 && r <= 0x05C7: // Hebrew points
		return 0, space, false
	case r == 0x200C || r == 0x200D || r == 0xFEFF || r == 0x00AD:
		return 0, space, false
	case isDense(r):
		return r, dense, true
	case r >= 0x0900 && r <= 0x0DFF: // Indic: vowel signs belong to words
		if r == 0x0964 || r == 0x0965 {
			return r, punct, true
		}
		return r, letter, true
	}
	r = unicode.ToLower(r)
	if r >= foldFirst && r <= foldLast {
		if t := folds[r-foldFirst]; t != 0 {
			r = rune(t)
		}
	}
	switch {
	case unicode.IsLetter(r) || unicode.Is(unicode.Mn, r):
		return r, letter, true
	case unicode.IsDigit(r):
		return r, digit, true
	case unicode.IsSpace(r):
		return ' ', space, true
	}
	return r, punct, true
}

func isDense(r rune) bool {
	return r >= 0x3040 && r <= 0x30FF || r >= 0x3400 && r <= 0x9FFF || r >= 0x0E00 && r <= 0x0E7F ||
		r >= 0x0E80 && r <= 0x0EFF || r >= 0x1780 && r <= 0x17FF || r >= 0x1000 && r <= 0x109F ||
		r >= 0xF900 && r <= 0xFAFF
}

// foldText folds a whole string: what the lexicon is read with.
func foldText(s string) string {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if f, _, ok := foldRune(r); ok {
			out = utf8.AppendRune(out, f)
		}
	}
	return string(out)
}

// asciiKind is the kind of each byte below 0x80, and asciiFold its fold.
var asciiKind, asciiFold = buildASCII()

func buildASCII() (k [128]kind, f [128]byte) {
	for c := range byte(128) {
		f[c] = c
		switch {
		case c >= 'a' && c <= 'z':
			k[c] = letter
		case c >= 'A' && c <= 'Z':
			k[c], f[c] = letter, c+'a'-'A'
		case c >= '0' && c <= '9':
			k[c] = digit
		case c <= ' ' || c == 0x7F:
			k[c], f[c] = space, ' '
		default:
			k[c] = punct
		}
	}
	return k, f
}

// asciiWord is what a byte is in a word, folded; zero ends the word.
var asciiWord = buildWord()

func buildWord() (w [256]byte) {
	for c := range asciiKind {
		if asciiKind[c] == letter || asciiKind[c] == digit {
			w[c] = asciiFold[c]
		}
	}
	return w
}
