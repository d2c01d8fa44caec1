package redact

import (
	"strings"
	"unicode/utf8"
)

// mostEscaped is how many bytes an escape makes of one, at most.
const mostEscaped = 6

// jsonWay is how an encoder escapes a JSON string, beyond what it must.
type jsonWay struct {
	numbered string // what it writes by number; quotes are among it or have a backslash
	ascii    bool   // whether it writes all that is not ASCII by number
	slash    bool   // whether slashes have a backslash
	capitals bool   // whether numbers are in capitals
}

// jsonWays are those of the encoders that there are.
var jsonWays = [...]jsonWay{
	{},                         // JavaScript, Rust, Ruby
	{numbered: "<>&"},          // Go
	{ascii: true},              // Python
	{slash: true},              // PHP, by either of its flags
	{slash: true, ascii: true}, // PHP
	{numbered: "<>&='"},        // Gson
	{numbered: "<>&'+\"`", ascii: true, capitals: true}, // .NET
}

const (
	lowerDigits = "0123456789abcdef"
	upperDigits = "0123456789ABCDEF"
)

// append appends v as it is between the quotes of a JSON string.
func (w jsonWay) append(dst, v []byte) []byte {
	for i := 0; i < len(v); {
		c := v[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(v[i:])
			if w.ascii {
				dst = w.appendRune(dst, r)
			} else {
				dst = append(dst, v[i:i+n]...)
			}
			i += n
			continue
		}
		i++
		if strings.IndexByte(w.numbered, c) >= 0 {
			dst = w.appendUnit(dst, rune(c))
		} else if at := strings.IndexByte("\"\\\b\f\n\r\t", c); at >= 0 {
			dst = append(dst, '\\', `"\bfnrt`[at])
		} else if c < ' ' {
			dst = w.appendUnit(dst, rune(c))
		} else if c == '/' && w.slash {
			dst = append(dst, '\\', c)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// appendRune appends r as one \u escape or two.
func (w jsonWay) appendRune(dst []byte, r rune) []byte {
	if r >= 0x10000 {
		r -= 0x10000
		return w.appendUnit(w.appendUnit(dst, 0xd800+r>>10), 0xdc00+r&0x3ff)
	}
	return w.appendUnit(dst, r)
}

func (w jsonWay) appendUnit(dst []byte, u rune) []byte {
	digits := lowerDigits
	if w.capitals {
		digits = upperDigits
	}
	return append(dst, '\\', 'u', digits[u>>12&15], digits[u>>8&15], digits[u>>4&15], digits[u&15])
}

// urlWay is how an encoder percent-encodes.
type urlWay struct {
	kept   string // what it leaves as it is, beside letters, digits, and - _ .
	plus   bool   // whether it writes spaces as plus signs
	digits string
}

// urlWays are those of the encoders that there are.
var urlWays = [...]urlWay{
	{"~", true, upperDigits},                  // Go and Python, in queries
	{"~", false, upperDigits},                 // RFC 3986
	{"~", false, lowerDigits},                 // .NET, at times
	{"~!'()*", false, upperDigits},            // JavaScript's encodeURIComponent
	{"~/", false, upperDigits},                // Python's quote
	{"*", true, upperDigits},                  // forms: Java, and browsers
	{"~$&+=:@", false, upperDigits},           // Go, in paths
	{"~$&+,;=", false, upperDigits},           // Go, in passwords
	{"~;,/?:@&=+$!*'()#", false, upperDigits}, // JavaScript's encodeURI
}

// append appends v percent-encoded.
func (w urlWay) append(dst, v []byte) []byte {
	for _, c := range v {
		switch {
		case class(c) < 3 && c != ' ' || strings.IndexByte("-_.", c) >= 0 || strings.IndexByte(w.kept, c) >= 0:
			dst = append(dst, c)
		case c == ' ' && w.plus:
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', w.digits[c>>4], w.digits[c&15])
		}
	}
	return dst
}

// reserved says whether some encoder changes c.
func reserved(c byte) bool {
	return (class(c) == 3 || c == ' ') && strings.IndexByte("-_.", c) < 0
}

// htmlWay is how an encoder writes quotes in HTML.
type htmlWay struct{ quote, apostrophe string }

// htmlWays are those of the encoders that there are.
var htmlWays = [...]htmlWay{{"&quot;", "&#39;"}, {"&#34;", "&#39;"}, {"&quot;", "&#x27;"}, {"&quot;", "&#039;"}}

// append appends v as it is in an attribute of HTML.
func (w htmlWay) append(dst, v []byte) []byte {
	for _, c := range v {
		switch {
		case c == '&':
			dst = append(dst, "&amp;"...)
		case c == '<':
			dst = append(dst, "&lt;"...)
		case c == '>':
			dst = append(dst, "&gt;"...)
		case c == '"':
			dst = append(dst, w.quote...)
		case c == '\'':
			dst = append(dst, w.apostrophe...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// isHex says whether v is hex digits, with dashes between them perhaps.
func isHex(v []byte) bool {
	for _, c := range v {
		if lower(c) < 'a' || lower(c) > 'f' {
			if (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return len(v) > 0
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c
}

func same(c byte) byte { return c }

// undivided takes the dashes out of v, in place.
func undivided(v []byte) []byte {
	kept := v[:0]
	for _, c := range v {
		if c != '-' {
			kept = append(kept, c)
		}
	}
	return kept
}
