package provider

import (
	"bytes"
	"strings"

	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// unescape reads the inside of a JSON string up to its closing quote, or up to
// an escape that is not complete: raw is what was read, said what it says.
func unescape(text string) (raw, said string, closed bool) {
	var out strings.Builder
	n := 0
	for n < len(text) && text[n] != '"' {
		size := unit(text[n:])
		if size == 0 {
			break
		}
		out.WriteString(plain(text[n : n+size])) // each for itself, as spelled counts them
		n += size
	}
	return text[:n], out.String(), n < len(text) && text[n] == '"'
}

// unit is the length of the escape that the text begins with, or of what needs
// none; 0, if the escape is not complete. Two halves of a surrogate pair are one.
func unit(text string) int {
	if text[0] != '\\' {
		if n := strings.IndexAny(text, `\"`); n >= 0 {
			return n
		}
		return len(text)
	}
	switch {
	case len(text) < 2:
		return 0
	case text[1] != 'u':
		return 2
	case len(text) < 6:
		return 0
	case !isHigh(text):
		return 6
	case len(text) < 12 && strings.HasPrefix(`\u`, text[6:min(len(text), 8)]):
		return 0
	case len(text) >= 12 && text[6] == '\\' && text[7] == 'u':
		return 12
	}
	return 6
}

// isHigh reports whether \uXXXX is the first half of a pair.
func isHigh(text string) bool {
	return (text[2] == 'd' || text[2] == 'D') && strings.IndexByte("89abAB", text[3]) >= 0
}

// plain is what one unit says.
func plain(raw string) string {
	if strings.IndexByte(raw, '\\') < 0 {
		return raw
	}
	if out, ok := jsonedit.Unquote(`"` + raw + `"`); ok {
		return out
	}
	return raw // no escapes of JSON: whatever reads it reads it as it is
}

// spelled is how much of raw says the first n bytes of what it says, if n is not
// inside an escape.
func spelled(raw []byte, n int) (int, bool) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return n, true
	}
	at := 0
	text := string(raw)
	for n > 0 && at < len(raw) {
		size := unit(text[at:])
		if size == 0 {
			size = len(raw) - at // half a pair that nothing followed
		}
		if raw[at] != '\\' {
			size = min(size, n)
			n -= size
		} else {
			n -= len(plain(text[at : at+size]))
		}
		at += size
	}
	return at, n == 0
}
