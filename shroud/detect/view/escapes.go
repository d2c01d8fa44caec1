package view

import (
	"html"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// escaped describes an encoding in which each character is written as an escape.
type escaped struct {
	chain  string
	mark   byte                                                // what every escape begins with
	escape func(s string) (text string, counts bool, size int) // reads the escape at the start of s, size 0 if there is none
	least  int                                                 // how many that count make it worth a view
	gap    int                                                 // how many plain bytes may be between two
	ends   string                                              // plain bytes that end it
}

// escapes finds the stretches of text that are written in e. A stretch begins at
// the start of the word that its first escape is in.
func (c *scanner) escapes(e escaped) {
	s := c.text
	for i := 0; i < len(s) && !c.full; {
		k := strings.IndexByte(s[i:], e.mark)
		if k < 0 {
			return
		}
		at := i + k
		if _, counts, size := e.escape(s[at:]); size == 0 || !counts {
			i = at + 1
			continue
		}
		i = c.stretch(e, i, at)
	}
}

// stretch decodes from the escape at first on, and returns where to go on. Nothing
// before floor belongs to it.
func (c *scanner) stretch(e escaped, floor, first int) int {
	s, start := c.text, first
	for start > max(floor, first-e.gap) && !strings.ContainsRune(" \t\n\"'`<>"+e.ends, rune(s[start-1])) {
		start--
	}
	for !utf8.RuneStart(s[start]) {
		start++
	}
	out := []byte(s[start:first])
	count, end, kept := 0, first, 0
	for i := first; i < len(s) && i-end <= e.gap; {
		if s[i] == e.mark {
			if text, counts, size := e.escape(s[i:]); size > 0 {
				out = append(out, text...)
				i += size
				if counts {
					count, end, kept = count+1, i, len(out)
				}
				continue
			}
		}
		if strings.IndexByte(e.ends, s[i]) >= 0 {
			break
		}
		out = append(out, s[i])
		i++
	}
	if count >= e.least {
		for end < len(s) && kept < len(out) && out[kept] > ' ' && s[end] == out[kept] { // the rest of the word
			end, kept = end+1, kept+1
		}
		if text := string(out[:kept]); plausible(text) {
			c.found(e.chain, text, start, end)
		}
	}
	return end
}

func (c *scanner) backslashes() {
	for _, e := range []escaped{
		{chain: "hex-escape", mark: '\\', escape: backslash('x', 'X'), least: 3, gap: 48},
		{chain: "unicode-escape", mark: '\\', escape: backslash('u', 'U'), least: 3, gap: 48},
		{chain: "octal-escape", mark: '\\', escape: backslash('0', '1'), least: 4, gap: 12},
	} {
		c.escapes(e)
	}
}

// backslash reads escapes of programming languages; those of kind a or b count.
func backslash(a, b byte) func(string) (string, bool, int) {
	return func(s string) (string, bool, int) {
		if len(s) > 2 && s[1] == '\\' { // escaped twice, as in JSON in a string
			text, counts, size := backslash(a, b)(s[1:])
			if size == 0 || !counts {
				return "", false, 0
			}
			return text, counts, size + 1
		}
		if len(s) < 2 {
			return "", false, 0
		}
		counts := s[1] == a || s[1] == b
		switch s[1] {
		case 'n', 'r', 't':
			return map[byte]string{'n': "\n", 'r': "\r", 't': "\t"}[s[1]], false, 2
		case '"', '\'', '/':
			return s[1:2], false, 2
		case 'x', 'X':
			v, n := number(s[2:], 16, 2, 2)
			return string([]byte{byte(v)}), counts, sized(n, 2+n)
		case 'u':
			return unicodeEscape(s, counts)
		case 'U':
			v, n := number(s[2:], 16, 8, 8)
			return string(rune(v)), counts, sized(n, 2+n)
		case '0', '1', '2', '3':
			v, n := number(s[1:], 8, 3, 3)
			return string([]byte{byte(v)}), a == '0', sized(n, 1+n)
		}
		return "", false, 0
	}
}

func sized(digits, size int) int {
	if digits == 0 {
		return 0
	}
	return size
}

// unicodeEscape reads \uXXXX, the surrogate after it, or \u{X…}.
func unicodeEscape(s string, counts bool) (string, bool, int) {
	if strings.HasPrefix(s, `\u{`) {
		v, n := number(s[3:], 16, 1, 6)
		if n == 0 || len(s) <= 3+n || s[3+n] != '}' {
			return "", false, 0
		}
		return string(rune(v)), counts, 4 + n
	}
	v, n := number(s[2:], 16, 4, 4)
	if n == 0 {
		return "", false, 0
	}
	if utf16.IsSurrogate(rune(v)) && strings.HasPrefix(s[6:], `\u`) {
		if low, n := number(s[8:], 16, 4, 4); n > 0 {
			if r := utf16.DecodeRune(rune(v), rune(low)); r != utf8.RuneError {
				return string(r), counts, 12
			}
		}
	}
	return string(rune(v)), counts, 6
}

// number reads digits of a base, at least and at most so many, and returns how
// many there were.
func number(s string, base, least, most int) (v, n int) {
	for n < len(s) && n < most {
		d := digit(s[n])
		if d >= base {
			break
		}
		v, n = v*base+d, n+1
	}
	if n < least {
		return 0, 0
	}
	return v, n
}

func digit(b byte) int {
	switch {
	case b >= '0' && b <= '9':
		return int(b - '0')
	case b|0x20 >= 'a' && b|0x20 <= 'f':
		return int(b|0x20-'a') + 10
	}
	return 99
}

// percents finds the encoding of URLs.
func (c *scanner) percents() {
	c.escapes(escaped{chain: "url", mark: '%', escape: afterMark, least: 3, gap: 48, ends: " \t\n\"'`<>"})
}

// printable finds quoted-printable, which mails are in.
func (c *scanner) printable() {
	c.escapes(escaped{chain: "quoted-printable", mark: '=', escape: afterMark, least: 6, gap: 4, ends: "\"'`<>&"})
}

// afterMark reads two hexadecimal digits after a mark, or a soft line break.
func afterMark(s string) (string, bool, int) {
	if strings.HasPrefix(s, "=\n") {
		return "", false, 2
	}
	if strings.HasPrefix(s, "%u") { // as escape() of JavaScript has it
		v, n := number(s[2:], 16, 4, 4)
		return string(rune(v)), true, sized(n, 2+n)
	}
	v, n := number(s[1:], 16, 2, 2)
	if n == 0 {
		return "", false, 0
	}
	return string([]byte{byte(v)}), true, 3
}

// entities finds characters written as numbers in HTML.
func (c *scanner) entities() {
	c.escapes(escaped{chain: "html-entity", mark: '&', escape: entity, least: 3, gap: 16, ends: "<>"})
}

// entity reads one; only those with a number count, since names are in every page.
func entity(s string) (string, bool, int) {
	k := strings.IndexByte(s[:min(len(s), 12)], ';')
	if bare := bareEntity(s); bare > 0 && (k < 0 || k > bare) { // browsers do without the semicolon
		return html.UnescapeString(s[:bare]), true, bare
	}
	if k < 2 {
		return "", false, 0
	}
	text := html.UnescapeString(s[:k+1])
	if text == s[:k+1] {
		return "", false, 0
	}
	return text, s[1] == '#', k + 1
}

// bareEntity is how long the number of a character at the start of s is, which may do
// without an end.
func bareEntity(s string) int {
	if len(s) < 4 || s[1] != '#' {
		return 0
	}
	from, base, most := 2, 10, 7
	if s[2]|0x20 == 'x' {
		from, base, most = 3, 16, 6
	}
	_, n := number(s[from:], base, 2, most)
	return sized(n, from+n)
}
