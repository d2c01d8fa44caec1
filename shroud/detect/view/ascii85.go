package view

import (
	"encoding/ascii85"
	"strings"
)

// leastDense is how long a word of base 85 is at least.
const leastDense = 20

// alphabet85 is that of RFC 1924, which Python and git write.
const alphabet85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"

// dense finds what is written in nearly all of ASCII: base 85 in both alphabets,
// lines of uuencode, and letters moved by 47 places.
func (c *scanner) dense() {
	s := c.text
	var lines []byte // of uuencode, so far
	from, to := 0, 0
	for i := 0; i < len(s) && !c.full; {
		end := strings.IndexByte(s[i:], '\n')
		if end < 0 {
			end = len(s) - i
		}
		text, ok := uudecode(strings.TrimSuffix(s[i:i+end], "\r"))
		switch {
		case ok && lines == nil:
			lines, from, to = []byte(text), i, i+end
		case ok:
			lines, to = append(lines, text...), i+end
		default:
			c.found("uuencode", string(lines), from, to)
			lines = nil
			c.denseWords(i, i+end)
		}
		i += end + 1
	}
	c.found("uuencode", string(lines), from, to)
}

// denseWords looks at the words of a line that have many signs.
func (c *scanner) denseWords(i, end int) {
	s := c.text
	moved := 0 // where the words moved by 47 places began, plus one
	last := i
	for i < end {
		for i < end && s[i] <= ' ' {
			i++
		}
		j, counts := i, uint64(0)
		for ; j < end && s[j] > ' '; j++ {
			counts += denseCounts[s[j]]
		}
		signs, low := int(counts&(1<<32-1)), int(counts>>32)
		word := s[i:j]
		if len(word) >= leastDense && signs*5 >= len(word) && varied(word) {
			c.base85(word, i, j)
		}
		if low*10 >= len(word)*7 && signs > 0 {
			if moved == 0 {
				moved = i + 1
			}
			last = j
		} else if moved > 0 && (j-i > 1 || j == end) {
			c.moved47(moved, last)
			moved = 0
		}
		i = j
	}
	c.moved47(moved, last)
}

// denseCounts counts, for each byte, what is no letter, and what letters become when
// they are moved by 47 places, above 2^32.
var denseCounts = func() (t [256]uint64) {
	for i := range t {
		if !asciiLetter(byte(i)) {
			t[i] = 1
		}
		if i >= '0' && i <= 'O' {
			t[i] |= 1 << 32
		}
	}
	return t
}()

// base85 decodes a word.
func (c *scanner) base85(word string, start, end int) {
	inner := strings.TrimSuffix(strings.TrimPrefix(word, "<~"), "~>")
	for len(inner) > leastDense && strings.ContainsRune("\"'`,.", rune(inner[0])) {
		inner = inner[1:]
	}
	inner = strings.TrimRight(inner, "\"'`")
	for _, text := range []string{inner, standard85(inner)} {
		if len(text) < leastDense {
			continue
		}
		head := make([]byte, 4*leastDense)
		if n, _, err := ascii85.Decode(head, []byte(text[:leastDense]), true); err != nil || n < 16 || readableTo(string(head[:n])) < n {
			continue
		}
		out := make([]byte, 4*len(text))
		if n, _, err := ascii85.Decode(out, []byte(text), true); err == nil && c.readable("base85", string(out[:n]), start, end) {
			return
		}
	}
}

// standard85 writes RFC 1924 in Adobe's alphabet. It returns "" for what is not in
// the former.
func standard85(s string) string {
	out := make([]byte, len(s))
	for i := range len(s) {
		k := strings.IndexByte(alphabet85, s[i])
		if k < 0 {
			return ""
		}
		out[i] = byte(k) + '!'
	}
	return string(out)
}

// uudecode decodes a line, if its first sign says how long it is.
func uudecode(line string) (string, bool) {
	if len(line) < leastDense || len(line) > 61 || line[0] <= ' ' || line[0] > 'M' {
		return "", false
	}
	n := int(line[0] - ' ')
	if body := (n + 2) / 3 * 4; len(line)-1 != body {
		return "", false
	}
	out := make([]byte, 0, 48)
	for i := 1; i+3 < len(line); i += 4 {
		v := 0
		for _, b := range []byte(line[i : i+4]) {
			if b < ' ' || b > '`' {
				return "", false
			}
			v = v<<6 | int(b-' ')&63
		}
		out = append(out, byte(v>>16), byte(v>>8), byte(v))
	}
	text := string(out[:n])
	return text, plausible(text)
}

// moved47 hands over the words from start (plus one) to end with each sign of ASCII
// moved by 47 places, if that reads like text.
func (c *scanner) moved47(start, end int) {
	if start == 0 || end-start < leastDense || !varied(c.text[start-1:end]) {
		return
	}
	out := []byte(c.text[start-1 : end])
	for i, b := range out {
		if b > ' ' && b <= '~' {
			out[i] = '!' + (b-'!'+47)%94
		}
	}
	if p := reads(string(out)); p.pairs >= leastPairs && p.mean() < readable-0.6 {
		c.found("rot47", string(out), start-1, end)
	}
}
