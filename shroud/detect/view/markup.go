package view

import (
	"html"
	"strings"
)

// tag is an opening tag.
type tag struct {
	name       string
	attrs      []attr
	closed     bool // <x/>
	start, end int
}

type attr struct {
	name, value string
	start, end  int // of the value
}

// Tags longer than this end there: a quote that is not closed must not eat a page.
const (
	maxTag   = 16 << 10
	maxAttrs = 64
)

// tagEnd finds where the tag at i ends, with regard to quotes.
func tagEnd(s string, i int) int {
	limit := min(len(s), i+maxTag)
	quote := byte(0)
	for k := i + 1; k < limit; k++ {
		switch b := s[k]; {
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case b == '>':
			return k + 1
		case b == '<':
			return k
		case (b == '"' || b == '\'') && s[k-1] == '=' || b == '"' && s[k-1] == '\\' && s[k-2] == '=':
			quote = b
		}
	}
	return limit
}

// parseTag reads the tag at i. A backslash before a quote, as in JSON, is
// overlooked.
func parseTag(s string, i int) tag {
	t := tag{start: i, end: tagEnd(s, i)}
	last := t.end
	if last > i && s[last-1] == '>' {
		last--
	}
	k := i + 1
	for k < last && (asciiLetter(s[k]) || asciiDigit(s[k]) || s[k] == '-' || s[k] == ':') {
		k++
	}
	t.name = strings.ToLower(s[i+1 : k])
	t.closed = last > k && s[last-1] == '/'
	for k < last && len(t.attrs) < maxAttrs {
		var a attr
		if a, k = parseAttr(s, k, last); a.name != "" {
			t.attrs = append(t.attrs, a)
		}
	}
	return t
}

// parseAttr reads the attribute at k, before last, and returns what is next.
func parseAttr(s string, k, last int) (attr, int) {
	for k < last && (asciiSpace(s[k]) || s[k] == '/') {
		k++
	}
	from := k
	for k < last && !asciiSpace(s[k]) && s[k] != '=' && s[k] != '/' {
		k++
	}
	a := attr{name: strings.ToLower(s[from:k])}
	for k < last && asciiSpace(s[k]) {
		k++
	}
	if k >= last || s[k] != '=' {
		return a, max(k, min(from+1, last))
	}
	for k++; k < last && (asciiSpace(s[k]) || s[k] == '\\'); {
		k++
	}
	if k < last && (s[k] == '"' || s[k] == '\'') {
		quote := s[k]
		a.start = k + 1
		n := strings.IndexByte(s[a.start:last], quote)
		if n < 0 {
			n = last - a.start
		}
		a.end, k = a.start+n, min(a.start+n+1, last)
	} else {
		a.start = k
		for k < last && !asciiSpace(s[k]) {
			k++
		}
		a.end = k
	}
	a.value = strings.TrimSuffix(s[a.start:a.end], `\`)
	return a, k
}

// inside finds the end of what is inside an element, and what follows its closing
// tag. Elements of the same name may be nested; one that is not closed is all the
// rest.
func inside(s string, t tag) (end, next int) {
	depth := 1
	for i := t.end; i < len(s); {
		k := strings.IndexByte(s[i:], '<')
		if k < 0 {
			break
		}
		i += k
		rest := s[i+1:]
		closing := strings.HasPrefix(rest, "/")
		rest = strings.TrimPrefix(rest, "/")
		if len(rest) < len(t.name) || !strings.EqualFold(rest[:len(t.name)], t.name) || len(rest) > len(t.name) && (asciiLetter(rest[len(t.name)]) || rest[len(t.name)] == '-') {
			i++
			continue
		}
		after := tagEnd(s, i)
		if !closing {
			depth++
		} else if depth--; depth == 0 {
			return i, after
		}
		i = after
	}
	return len(s), len(s)
}

// visible returns the text of markup: without tags, comments, scripts and styles,
// with entities written out.
func visible(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); {
		k := strings.IndexByte(s[i:], '<')
		if k < 0 || i+k+1 >= len(s) {
			out.WriteString(s[i:])
			break
		}
		out.WriteString(s[i : i+k])
		i += k
		switch b := s[i+1]; {
		case strings.HasPrefix(s[i:], "<!--"):
			n := strings.Index(s[i:], "-->")
			if n < 0 {
				n = len(s) - i - 3
			}
			i += n + 3
		case asciiLetter(b):
			t := parseTag(s, i)
			if i = t.end; t.name == "script" || t.name == "style" {
				_, i = inside(s, t)
			} else if blocks[t.name] {
				out.WriteByte(' ')
			}
		case b == '/':
			t := parseTag(s, i+1)
			if i = t.end; blocks[t.name] {
				out.WriteByte(' ')
			}
		default:
			out.WriteByte('<')
			i++
		}
	}
	return unescapeAll(strings.TrimSpace(out.String()))
}

// blocks are elements that begin a line.
var blocks = map[string]bool{
	"p": true, "div": true, "br": true, "li": true, "tr": true, "td": true, "th": true, "h1": true, "h2": true, "h3": true, "section": true, "article": true,
}

func unescapeAll(s string) string { return html.UnescapeString(s) }

// tags finds words that markup tears apart, and reads the page without it.
func (c *scanner) tags() {
	s, torn := c.text, 0
	for i := 0; i < len(s); {
		k := strings.IndexByte(s[i:], '<')
		if k < 0 {
			break
		}
		at := i + k
		i = at + 1
		if at == 0 || at+1 >= len(s) || !asciiLetter(s[at-1]) || !asciiLetter(s[at+1]) && s[at+1] != '/' && s[at+1] != '!' {
			continue
		}
		end := tagEnd(s, at)
		if end < len(s) && asciiLetter(s[end]) && s[end-1] == '>' {
			torn++
		}
		i = end
	}
	if torn >= 2 {
		c.found("html", visible(s), 0, len(s))
	}
}
