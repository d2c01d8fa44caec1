package redact

import (
	"strings"
	"unicode/utf8"
)

// mostEscaped is how many bytes an escape makes of one, at most.
const mostEscaped = 6

// The ways of escaping a JSON string that encoders have.
const (
	goJSON    byte = iota // what must be, short where there is a short form
	htmlJSON              // and < > & by number
	asciiJSON             // and all that is not ASCII
	slashJSON             // and slashes
)

const (
	lowerDigits = "0123456789abcdef"
	upperDigits = "0123456789ABCDEF"
)

// appendJSON appends v as it is between the quotes of a JSON string.
func appendJSON(dst, v []byte, how byte) []byte {
	for i := 0; i < len(v); {
		c := v[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(v[i:])
			if how == asciiJSON {
				dst = appendRune(dst, r)
			} else {
				dst = append(dst, v[i:i+n]...)
			}
			i += n
			continue
		}
		i++
		if at := strings.IndexByte("\"\\\b\f\n\r\t", c); at >= 0 {
			dst = append(dst, '\\', `"\bfnrt`[at])
		} else if c < ' ' || how == htmlJSON && strings.IndexByte("<>&", c) >= 0 {
			dst = appendUnit(dst, rune(c))
		} else if c == '/' && how == slashJSON {
			dst = append(dst, '\\', c)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// appendRune appends r as one \u escape or two.
func appendRune(dst []byte, r rune) []byte {
	if r >= 0x10000 {
		r -= 0x10000
		return appendUnit(appendUnit(dst, 0xd800+r>>10), 0xdc00+r&0x3ff)
	}
	return appendUnit(dst, r)
}

func appendUnit(dst []byte, u rune) []byte {
	return append(dst, '\\', 'u', lowerDigits[u>>12&15], lowerDigits[u>>8&15], lowerDigits[u>>4&15], lowerDigits[u&15])
}

// The ways of percent-encoding.
const (
	queryURL byte = iota // spaces are plus signs
	pathURL
	lowerURL // with lower-case digits
)

// appendURL appends v percent-encoded, all but unreserved characters.
func appendURL(dst, v []byte, how byte) []byte {
	digits := upperDigits
	if how == lowerURL {
		digits = lowerDigits
	}
	for _, c := range v {
		switch {
		case !reserved(c):
			dst = append(dst, c)
		case c == ' ' && how == queryURL:
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

// reserved says whether some encoder changes c.
func reserved(c byte) bool {
	return (class(c) == 3 || c == ' ') && strings.IndexByte("-_.~", c) < 0
}

// The ways of escaping HTML: quotes by name or by number.
const (
	namedHTML byte = iota
	numberedHTML
)

// appendHTML appends v as it is in an attribute of HTML.
func appendHTML(dst, v []byte, how byte) []byte {
	for _, c := range v {
		switch {
		case c == '&':
			dst = append(dst, "&amp;"...)
		case c == '<':
			dst = append(dst, "&lt;"...)
		case c == '>':
			dst = append(dst, "&gt;"...)
		case c == '"' && how == namedHTML:
			dst = append(dst, "&quot;"...)
		case c == '"':
			dst = append(dst, "&#34;"...)
		case c == '\'':
			dst = append(dst, "&#39;"...)
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
