package view

import (
	"unicode"
	"unicode/utf8"
)

// plausible reports whether decoded bytes read like text of some language, or
// like something encoded once more.
func plausible(s string) bool { return len(s) > 0 && readableTo(s) == len(s) }

// readableTo returns how much of s is plausible text, which is nothing if it does
// not begin like text. Random bytes end it soon.
func readableTo(s string) int {
	var letters, beyond, scripts, runes int
	latin := false
	last, i := script(0), 0
	for i < len(s) {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			if r, size = utf8.DecodeRuneInString(s[i:]); !printable(r) {
				break
			}
			beyond++
			if unicode.IsLetter(r) || unicode.IsMark(r) {
				letters++
				if now := scriptOf(r); now != last {
					last, scripts = now, scripts+1
				}
			}
		} else if r < ' ' && (r < '\t' || r > '\r') && r != 0x1B || r == 0x7F {
			break
		} else if asciiLetter(byte(r)) {
			letters++
			latin = true
		}
		runes++
		i += size
	}
	if latin && scripts > 0 {
		scripts++
	}
	switch {
	case beyond == 0 && i >= 16: // the chance of as many printable bytes is nil
		return i
	case i < 16 && (letters*2 < runes || beyond > 0 && scripts > 1):
		return 0
	case letters*3 >= runes && scripts*4 <= runes+4:
		return i
	}
	return 0
}

func printable(r rune) bool {
	return r != utf8.RuneError && (unicode.IsPrint(r) || invisible(r) || r == 0xA0 || r == 0x2028 || r == 0x3000)
}

// script is a rough block of letters: enough to see that random code points come
// from everywhere.
type script rune

func scriptOf(r rune) script {
	switch {
	case r < 0x250 || r >= 0x1E00 && r < 0x1F00 || stackable(r):
		return 1 // Latin
	case r < 0x2E80:
		return script(r>>7) + 16
	case r >= 0xAC00 && r < 0xD7A4:
		return 2 // Hangul
	case r < 0xA000:
		return 3 // kana and ideographs
	}
	return script(r>>8) + 1024
}
