package view

import (
	"strings"
	"unicode/utf8"
)

// leastCodes is how many numbers in a row are looked at as codes of characters.
const leastCodes = 6

// codes finds text written as numbers with separators (hexadecimal, decimal,
// octal, binary) and in Morse code.
func (c *scanner) codes() {
	s := c.text
	for i := 0; i < len(s) && !c.full; {
		switch codeKinds[s[i]] {
		case codeDigit:
			i = c.numbers(i)
		case codeSign:
			i = c.morse(i)
		case codeLetter:
			for i < len(s) && codeKinds[s[i]]&codeWord != 0 {
				i++
			}
		default:
			i++
		}
	}
}

// Kinds of bytes to codes.
const (
	codeLetter = 1
	codeDigit  = 2
	codeWord   = codeLetter | codeDigit
	codeSign   = 4 // of Morse code
)

var codeKinds = func() (t [256]uint8) {
	for i := range t {
		switch b := byte(i); {
		case asciiLetter(b):
			t[i] = codeLetter
		case asciiDigit(b):
			t[i] = codeDigit
		case b == '.' || b == '-':
			t[i] = codeSign
		}
	}
	return t
}()

// numbers reads the list of numbers at i and returns where it ends.
func (c *scanner) numbers(start int) int {
	s := c.text
	list := c.list[:0]
	defer func() { c.list = list[:0] }()
	end, longest, shortest := start, 0, 9
	for i := start; i < len(s); {
		if strings.HasPrefix(s[i:], "U+") || strings.HasPrefix(s[i:], "u+") {
			i += 2
		}
		j := i
		for j < len(s) && j-i <= 10 && codeKinds[s[j]]&codeWord != 0 {
			j++
		}
		token := s[i:j]
		if len(token) >= 2 && token[0] == '0' && token[1]|0x20 == 'x' {
			token = token[2:]
		}
		if len(token) == 0 || len(token) > 8 || !allHex(token) {
			break
		}
		list, end = append(list, token), j
		longest, shortest = max(longest, len(token)), min(shortest, len(token))
		if i = separated(s, j); i == j {
			break
		}
	}
	if len(list) < leastCodes {
		return max(end, start+1)
	}
	for _, e := range []struct {
		chain       string
		base        int
		least, most int
	}{{"binary", 2, 7, 8}, {"hex", 16, 2, 2}, {"decimal", 10, 1, 7}, {"octal", 8, 2, 3}, {"unicode", 16, 4, 6}} {
		if shortest < e.least || longest > e.most {
			continue
		}
		if text := characters(list, e.base); text != "" && readsOn(text) {
			c.found(e.chain, text, start, end)
			break
		}
	}
	return end
}

func allHex(s string) bool {
	for i := range len(s) {
		if digit(s[i]) > 15 {
			return false
		}
	}
	return true
}

// separated skips what may be between two numbers.
func separated(s string, i int) int {
	for limit := i + 3; i < len(s) && i < limit && strings.IndexByte(" ,;:-|/\n\t", s[i]) >= 0; {
		i++
	}
	return i
}

// characters reads numbers as bytes, or as code points where they are too large
// for that.
func characters(list []string, base int) string {
	out := make([]byte, 0, len(list))
	for _, token := range list {
		v, n := number(token, base, 1, 8)
		switch {
		case n < len(token):
			return ""
		case v < 256 && base != 16 || v < 256 && len(token) == 2:
			out = append(out, byte(v))
		default:
			out = utf8.AppendRune(out, rune(v))
		}
	}
	return string(out)
}

// readsOn is plausible for short codes: what is of ASCII has letters that go
// together.
func readsOn(text string) bool {
	if !plausible(text) {
		return false
	}
	p := reads(text)
	return p.pairs == 0 && strings.ContainsFunc(text, func(r rune) bool { return r > 0x250 }) || p.pairs*3 >= utf8.RuneCountInString(text) && p.mean() < readable+1
}

var morseLetters = map[string]byte{
	".-": 'a', "-...": 'b', "-.-.": 'c', "-..": 'd', ".": 'e', "..-.": 'f', "--.": 'g', "....": 'h', "..": 'i', ".---": 'j',
	"-.-": 'k', ".-..": 'l', "--": 'm', "-.": 'n', "---": 'o', ".--.": 'p', "--.-": 'q', ".-.": 'r', "...": 's', "-": 't',
	"..-": 'u', "...-": 'v', ".--": 'w', "-..-": 'x', "-.--": 'y', "--..": 'z',
	"-----": '0', ".----": '1', "..---": '2', "...--": '3', "....-": '4', ".....": '5', "-....": '6', "--...": '7', "---..": '8', "----.": '9',
	".-.-.-": '.', "--..--": ',', "..--..": '?', "-.-.--": '!', "-..-.": '/', ".----.": '\'',
}

// morse reads Morse code at i and returns where it ends.
func (c *scanner) morse(start int) int {
	s, end := c.text, start
	for end < len(s) && (codeKinds[s[end]] == codeSign || s[end] == ' ' || s[end] == '/' || s[end] == '|' || s[end] == '\n') {
		end++
	}
	if end-start < 16 {
		return end
	}
	var out strings.Builder
	letters, gap := 0, 0
	for i := start; i < end; {
		j := i
		for j < end && (s[j] == '.' || s[j] == '-') {
			j++
		}
		if j == i {
			if gap++; s[i] != ' ' || gap == 2 {
				out.WriteByte(' ')
			}
			i++
			continue
		}
		b, ok := morseLetters[s[i:j]]
		if !ok {
			return end
		}
		out.WriteByte(b)
		letters, gap, i = letters+1, 0, j
	}
	if text := strings.Join(strings.Fields(out.String()), " "); letters >= 8 && varied(text) && readsOn(text) {
		c.found("morse", text, start, end)
	}
	return end
}

// varied reports whether text has a few letters, rather than one again and again.
func varied(text string) bool {
	var seen [256]bool
	n := 0
	for i := range len(text) {
		if !seen[text[i]] {
			seen[text[i]] = true
			n++
		}
	}
	return n >= 5
}
