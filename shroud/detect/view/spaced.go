package view

import (
	"strings"
	"unicode/utf8"
)

// leastSpaced is how many single letters in a row count as spaced out.
const leastSpaced = 6

// separators are what letters are spaced out with.
const separators = " .-_*|,/+~\n"

// spaced finds words whose letters are apart: "i g n o r e", "i-g-n-o-r-e".
func (c *scanner) spaced() {
	s := c.text
	for i := 1; i+4 < len(s) && !c.full; i++ {
		// A separator, one character, the same again, and once more.
		if b := s[i]; s[i+2] == b && s[i+4] == b && s[i+1] != b && strings.IndexByte(separators, b) >= 0 {
			i = max(i, c.letters(i-1, b)-1)
		} else if b >= utf8.RuneSelf && utf8.RuneStart(b) {
			_, size := utf8.DecodeRuneInString(s[i:])
			if j := i + size; j < len(s) && strings.IndexByte(separators, s[j]) >= 0 && strings.IndexByte(separators, s[i-1]) >= 0 {
				i = max(i, c.letters(i, s[j])-1)
			}
		}
	}
}

// letters reads letters that are separated by sep from i on, and returns where
// they end. What is more than one separator ends a word.
func (c *scanner) letters(start int, sep byte) int {
	s := c.text
	for start > 0 && !utf8.RuneStart(s[start]) {
		start--
	}
	out, end, count, glued := []byte{}, start, 0, 0
	for i := start; i < len(s); {
		_, size := utf8.DecodeRuneInString(s[i:])
		if s[i] == sep || asciiSpace(s[i]) {
			break
		}
		out = append(out, s[i:i+size]...)
		i += size
		j := i
		for j < len(s) && (s[j] == sep || asciiSpace(s[j])) {
			j++
		}
		if j == i && i < len(s) { // two characters together
			if glued++; glued*4 > count {
				out = out[:len(out)-size]
				break
			}
		}
		end, count = i, count+1
		if gap := s[i:j]; sep != '\n' && strings.Contains(gap, "\n") {
			out = append(out, '\n')
		} else if gap != "" && gap != string(sep) {
			out = append(out, ' ')
		}
		i = j
	}
	if text := strings.TrimSpace(string(out)); count >= leastSpaced && readsOn(text) {
		c.found("spaced", text, start, end)
	}
	return end
}
