package view

import "unicode"

// invisible reports whether r is shown as nothing at all: format characters,
// fillers, selectors, tags, controls of direction.
func invisible(r rune) bool {
	switch {
	case r < 0x034F:
		return r == 0xAD
	case r < 0x200B:
		return r == 0x034F || r == 0x061C || r == 0x115F || r == 0x1160 || r == 0x17B4 || r == 0x17B5 || r >= 0x180B && r <= 0x180F
	case r <= 0x206F:
		return r <= 0x200F || r >= 0x202A && r <= 0x202E || r >= 0x2060
	case r < 0xFE00:
		return r == 0x3164
	case r <= 0xFFFB:
		return r <= 0xFE0F || r == 0xFEFF || r == 0xFFA0 || r >= 0xFFF9
	case r < 0xE0000:
		return r >= 0x1BCA0 && r <= 0x1BCA3 || r >= 0x1D173 && r <= 0x1D17A
	}
	return r <= 0xE0FFF
}

func isTag(r rune) bool { return r >= 0xE0000 && r <= 0xE007F }

// selector gives the byte that a variation selector stands for where bytes are
// smuggled in them.
func selector(r rune) (byte, bool) {
	switch {
	case r >= 0xFE00 && r <= 0xFE0F:
		return byte(r - 0xFE00), true
	case r >= 0xE0100 && r <= 0xE01EF:
		return byte(r - 0xE0100 + 16), true
	}
	return 0, false
}

// isBidi covers the marks, embeddings, overrides and isolates of direction.
func isBidi(r rune) bool {
	return r == 0x061C || r == 0x200E || r == 0x200F || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}

// symbol covers what emoji sequences are made of, and other bases of variation
// selectors that are not letters.
func symbol(r rune) bool {
	return r >= 0x2010 && r <= 0x3030 && !invisible(r) || r >= 0x1F000 && r <= 0x1FBFF ||
		r == 0xA9 || r == 0xAE || r == 0xFE0F || r == 0xFE0E || r == 0x200D || r == '#' || r == '*' || r >= '0' && r <= '9'
}

// alphabetic covers letters of the scripts that put no invisible characters
// between them: Latin, Greek, Cyrillic, Armenian.
func alphabetic(r rune) bool {
	if r < 0x80 {
		return asciiLetter(byte(r))
	}
	if r >= 0x590 && r < 0x1C80 || r >= 0x2E80 && r < 0xA640 || r >= 0xA880 && r < 0xAB30 || r >= 0xAB70 && r < 0xFB00 {
		return false
	}
	return unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Armenian)
}

// complexScript covers letters and marks of the scripts that do: Arabic, those of
// India and South-East Asia, Mongolian, and the ideographs, which have variants.
func complexScript(r rune) bool {
	return r >= 0x590 && !alphabetic(r) && (unicode.IsLetter(r) || unicode.IsMark(r))
}

func rightToLeft(r rune) bool {
	return r >= 0x590 && r <= 0x8FF || r >= 0xFB1D && r <= 0xFDFF || r >= 0xFE70 && r <= 0xFEFC || r >= 0x10800 && r <= 0x10FFF || r >= 0x1E800 && r <= 0x1EFFF
}

// stackable covers the marks that fit on any letter.
func stackable(r rune) bool {
	return r >= 0x300 && r <= 0x36F && r != 0x034F || r >= 0x483 && r <= 0x489 || r >= 0x1AB0 && r <= 0x1AFF ||
		r >= 0x1DC0 && r <= 0x1DFF || r >= 0x20D0 && r <= 0x20FF || r >= 0xFE20 && r <= 0xFE2F
}

// overlay covers marks through, under or around a letter that no orthography
// puts on Latin ones, letter after letter.
func overlay(r rune) bool {
	return r >= 0x332 && r <= 0x338 || r == 0x305 || r == 0x33F || r >= 0x20D2 && r <= 0x20F0
}

func asciiLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
func asciiDigit(b byte) bool  { return b >= '0' && b <= '9' }
func asciiSpace(b byte) bool  { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }
