package jsonedit

import (
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Node is one value of a document. The zero Node is a value that is not there,
// and has no members, no text and no kind: lookups can be chained unchecked.
type Node struct {
	d *Doc
	i int32
}

// Root is the value that the text is.
func (d *Doc) Root() Node { return Node{d, 0} }

func (n Node) place() *place { return &n.d.places[n.i] }

// Kind is what the value is.
func (n Node) Kind() Kind {
	if n.d == nil {
		return None
	}
	return n.place().kind
}

// Is reports whether the value is there, and not null.
func (n Node) Is() bool { return n.Kind() != None && n.Kind() != Null }

// Raw is the value as it stands in the text.
func (n Node) Raw() []byte {
	if n.d == nil {
		return nil
	}
	p := n.place()
	return n.d.src[p.start:p.end]
}

// Text is a string without its quotes and escapes, any other scalar as it
// stands, and nothing for what holds other values or is not there.
func (n Node) Text() string {
	switch n.Kind() {
	case None, Null, Object, Array:
		return ""
	case String:
		return n.d.unquote(n.place())
	}
	p := n.place()
	return n.d.text[p.start:p.end]
}

// unquote takes quotes and escapes from a string.
func (d *Doc) unquote(p *place) string {
	body := d.text[p.start+1 : p.end-1]
	if !utf8.ValidString(body) {
		// The decoder took it, if loosely: out has U+FFFD for what is no UTF-8.
		out, _ := jsontext.AppendUnquote(make([]byte, 0, len(body)), d.src[p.start:p.end])
		return string(out)
	}
	return unquoted(body)
}

// unquoted is the inside of a string, valid UTF-8, without its escapes.
func unquoted(body string) string {
	if !escaped(body) {
		return body
	}
	return unescape(body)
}

// simple are the escapes of one letter.
var simple = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape takes escapes from the inside of a string that the decoder has read.
// Texts are mostly long runs without any, which the library takes byte by byte.
func unescape(s string) string {
	var out strings.Builder
	out.Grow(len(s))
	for {
		n := strings.IndexByte(s, '\\')
		if n < 0 || n+1 >= len(s) {
			out.WriteString(s)
			return out.String()
		}
		out.WriteString(s[:n])
		if c := simple[s[n+1]]; c != 0 {
			out.WriteByte(c)
			s = s[n+2:]
			continue
		}
		units := n // as many \uXXXX as follow each other: two may be one rune
		for strings.HasPrefix(s[units:], `\u`) {
			units = min(units+6, len(s))
		}
		plain, _ := jsontext.AppendUnquote(nil, `"`+s[n:units]+`"`)
		out.Write(plain)
		s = s[units:]
	}
}

// Int is a number without a fraction, or 0.
func (n Node) Int() int {
	if n.Kind() != Number {
		return 0
	}
	sum := 0
	for _, c := range n.Raw() {
		if c < '0' || c > '9' || sum > 1<<50 {
			return 0
		}
		sum = sum*10 + int(c-'0')
	}
	return sum
}

// True reports whether the value is true.
func (n Node) True() bool { return n.Kind() == True }

// Fields are the members of an object. The name is a node as well.
func (n Node) Fields() iter.Seq2[Node, Node] {
	return func(yield func(name, value Node) bool) {
		if n.Kind() != Object {
			return
		}
		for i, end := n.i+1, n.place().next; i < end; {
			value := Node{n.d, i + 1}
			if !yield(Node{n.d, i}, value) {
				return
			}
			i = value.place().next
		}
	}
}

// Items are the elements of an array.
func (n Node) Items() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if n.Kind() != Array {
			return
		}
		for i, end := n.i+1, n.place().next; i < end; {
			item := Node{n.d, i}
			if !yield(item) {
				return
			}
			i = item.place().next
		}
	}
}

// Get follows the names of members.
func (n Node) Get(names ...string) Node {
	for _, name := range names {
		n = n.member(name)
	}
	return n
}

func (n Node) member(name string) Node {
	for k, v := range n.Fields() {
		if k.Text() == name {
			return v
		}
	}
	return Node{}
}
