package view

import (
	"encoding/base32"
	"encoding/hex"
	"strings"
)

// minRun is the shortest run of characters that is looked at as base64, base32 or
// hexadecimal: twelve bytes of base64.
const minRun = 16

// digit64 has the value of each character of base64, in both alphabets, plus one.
var digit64 = func() (t [256]byte) {
	for i, b := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[b] = byte(i + 1)
	}
	t['-'], t['_'] = t['+'], t['/']
	return t
}()

// runs finds base64, base32 and hexadecimal without separators. It looks at every
// sixteenth byte only, where there are no long runs.
func (c *scanner) runs() {
	s := c.text
	for i := 0; i+minRun <= len(s) && !c.full; {
		j := i + minRun - 1
		k := j
		for k >= i && digit64[s[k]] != 0 {
			k--
		}
		if k >= i {
			i = k + 1
			continue
		}
		for j < len(s) && digit64[s[j]] != 0 {
			j++
		}
		i = max(j, c.run(i, j))
	}
}

// run decodes the run from start to end, with the lines that continue it, and
// returns where it ends.
func (c *scanner) run(start, end int) int {
	text, end := c.continued(start, end)
	for pad := end + 6; end < len(c.text) && end < pad && c.text[end] == '='; {
		end++
	}
	if strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0X") {
		text = text[2:]
	}
	switch {
	case c.binary(text, start, end):
	case len(text) >= minRun && strings.Trim(text, hexDigits) == "":
		c.hexRun(text, start, end)
	case c.base32Run(text, start, end):
	default:
		c.base64Run(text, start, end)
	}
	return end
}

const hexDigits = "0123456789abcdefABCDEF"

// continued joins the lines of wrapped base64 or hexadecimal that begins with a
// run, and returns where the last of them ends.
func (c *scanner) continued(start, end int) (string, int) {
	s, first := c.text, end-start
	if first < 40 {
		return s[start:end], end
	}
	var joined []byte
	for at := end; ; {
		next := lineBreak(s, at)
		k := next
		for k < len(s) && digit64[s[k]] != 0 && k-next <= first {
			k++
		}
		if next == at || k == next || k-next > first || k < len(s) && k-next < first && !strings.ContainsRune("=\r\n\"'`\\<) ", rune(s[k])) {
			break
		}
		if joined == nil {
			joined = append(joined, s[start:end]...)
		}
		joined = append(joined, s[next:k]...)
		if at, end = k, k; k-next < first {
			break
		}
	}
	if joined == nil {
		return s[start:end], end
	}
	return string(joined), end
}

// lineBreak skips one line break, written out or escaped, and the indentation or
// quoting after it.
func lineBreak(s string, i int) int {
	from := i
	switch {
	case strings.HasPrefix(s[i:], "\r\n"), strings.HasPrefix(s[i:], `\n`):
		i += 2
	case strings.HasPrefix(s[i:], `\r\n`):
		i += 4
	case i < len(s) && s[i] == '\n':
		i++
	default:
		return from
	}
	for limit := i + 16; i < len(s) && i < limit && (s[i] == ' ' || s[i] == '\t' || s[i] == '>'); {
		i++
	}
	return i
}

func (c *scanner) hexRun(text string, start, end int) {
	for _, t := range []string{text, reverse(text)} {
		b, _ := hex.DecodeString(t[:len(t)&^1])
		if c.compressed("hex", b, start, end) || c.readable("hex", wide(b), start, end) {
			return
		}
	}
}

// base32Run reports whether the run is base32. Its alphabet has letters of one size only,
// so that little else is taken for it; small ones have to go on for longer.
func (c *scanner) base32Run(text string, start, end int) bool {
	if len(text) >= 32 && text == strings.ToLower(text) {
		text = strings.ToUpper(text)
	}
	encoding := base32.StdEncoding
	if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		if encoding = base32.HexEncoding; len(text) < 32 || strings.Trim(text, "0123456789ABCDEFGHIJKLMNOPQRSTUV") != "" {
			return false
		}
	}
	for n := len(text); n > len(text)-8 && n >= 8; n-- { // lengths that cannot be are cut
		if b, err := encoding.WithPadding(base32.NoPadding).DecodeString(text[:n]); err == nil {
			return c.readable("base32", wide(b), start, end)
		}
	}
	return false
}

// base64Run tries a run from each of its first four characters, after what a
// separator sets apart, and backwards.
func (c *scanner) base64Run(text string, start, end int) {
	const separators = 4
	if len(text) >= 24 && mayPack64(text) && c.compressed("base64", unbase64(text), start, end) {
		return
	}
	for from, n := 0, 0; ; n++ {
		for shift := 0; shift < 4 && from+shift+minRun <= len(text); shift++ {
			if part := text[from+shift:]; begins64(part) && c.readable("base64", wide(unbase64(part)), start, end) {
				return
			}
		}
		k := strings.IndexAny(text[from:], "-_/")
		if k < 0 || n == separators {
			break
		}
		from += k + 1
	}
	if turned := rot13.decode(text[:min(len(text), 24)]); len(text) >= 24 && begins64(turned) {
		if c.readable("rot13 base64", wide(unbase64(rot13.decode(text))), start, end) {
			return
		}
	}
	if start > 0 && c.text[start-1] == '=' {
		if back := reverse(text); begins64(back) {
			c.readable("base64", wide(unbase64(back)), start, end)
		}
	}
}

var rot13 = cipher{"rot13", 13}

// mayPack64 reports whether a run begins as gzip or zlib does in base64.
func mayPack64(s string) bool {
	return strings.HasPrefix(s, "H4sI") || s[0] == 'e' && s[1] >= 'A' && s[1] <= 'P'
}

// begins64 reports whether the first characters decode to what text may begin
// with: a cheap no for words, paths and hashes.
func begins64(s string) bool {
	if !mayBegin64(s) {
		return false
	}
	head := wide(unbase64(s[:min(len(s), 24)]))
	return readableTo(head)+3 >= len(head) // the last character may be cut
}

// mayBegin64 is a cheaper no: one of the first bytes controls something. s has minRun
// characters. UTF-16 is full of zeros.
func mayBegin64(s string) bool {
	for i := 0; i < 8; i += 4 {
		v := uint32(digit64[s[i]]-1)<<18 | uint32(digit64[s[i+1]]-1)<<12 | uint32(digit64[s[i+2]]-1)<<6 | uint32(digit64[s[i+3]]-1)
		a, b, c := byte(v>>16), byte(v>>8), byte(v)
		if b == 0 && i == 0 {
			return true
		}
		if control[a] || control[b] || control[c] {
			return false
		}
	}
	return true
}

// control has the bytes of ASCII that text does not have.
var control = func() (t [256]bool) {
	for b := range byte(' ') {
		t[b] = (b < '\t' || b > '\r') && b != 0x1B
	}
	t[0x7F] = true
	return t
}()

// unbase64 decodes characters of either alphabet.
func unbase64(s string) []byte {
	out := make([]byte, 0, len(s)*3/4)
	v, n := 0, 0
	for i := range len(s) {
		v = v<<6 | int(digit64[s[i]]-1)
		if n++; n == 4 {
			out = append(out, byte(v>>16), byte(v>>8), byte(v))
			v, n = 0, 0
		}
	}
	switch n {
	case 2:
		out = append(out, byte(v>>4))
	case 3:
		out = append(out, byte(v>>10), byte(v>>2))
	}
	return out
}

// wide makes of UTF-16, as PowerShell takes its commands, the bytes of ASCII.
func wide(b []byte) string {
	if len(b) < 8 || len(b)%2 != 0 {
		return string(b)
	}
	out := make([]byte, 0, len(b)/2)
	for i := 0; i < len(b); i += 2 {
		if b[i+1] != 0 || b[i] == 0 {
			return string(b)
		}
		out = append(out, b[i])
	}
	return string(out)
}

// readable hands over decoded text if it is that, or most of it, and reports so.
func (c *scanner) readable(chain, text string, start, end int) bool {
	const least = 6
	n := readableTo(text)
	if n < len(text) && n*2 < len(text) || n < least {
		return false
	}
	c.found(chain, text[:n], start, end)
	return true
}

// binary reports whether the run is bits, and hands over the bytes of it.
func (c *scanner) binary(text string, start, end int) bool {
	if len(text) < 32 || strings.Trim(text, "01") != "" {
		return false
	}
	c.readable("binary", packBits(text, '1', 8), start, end)
	return true
}
