package view

import (
	"unicode"
	"unicode/utf8"
)

// plausible reports whether decoded bytes read like text of some language, or
// like something encoded once more.
func plausible(s string) bool {
	var letters, spaces, other, scripts int
	var last *unicode.RangeTable
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError {
				return false
			}
		}
		i += size
		switch {
		case r < ' ' && r != '\n' && r != '\t' && r != '\r' && r != 0x1B, r == 0x7F, r >= 0x80 && r < 0xA0:
			return false
		case r == ' ' || r == '\n':
			spaces++
		case r < utf8.RuneSelf && asciiLetter(byte(r)):
			letters++
		case r < utf8.RuneSelf:
			other++
		case unicode.IsLetter(r) || unicode.IsMark(r):
			letters++
			if last == nil || !unicode.Is(last, r) {
				last = scriptOf(r)
				scripts++
			}
		case invisible(r) || unicode.IsPrint(r):
			other++
		default:
			return false
		}
	}
	n := letters + spaces + other
	return n > 0 && letters*3 >= n && scripts*4 <= n
}

func scriptOf(r rune) *unicode.RangeTable {
	for _, t := range []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Han, unicode.Arabic, unicode.Hangul, unicode.Devanagari} {
		if unicode.Is(t, r) {
			return t
		}
	}
	return unicode.Letter
}
