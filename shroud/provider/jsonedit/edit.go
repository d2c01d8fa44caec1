package jsonedit

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Edit puts With where a value is.
type Edit struct {
	Node Node
	With []byte // JSON
}

// Apply writes the text with the edits in it. Of two edits of which one lies
// within the other, the outer one holds.
func (d *Doc) Apply(edits []Edit) []byte {
	if len(edits) == 0 {
		return d.src
	}
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int {
		if c := int(a.Node.place().start) - int(b.Node.place().start); c != 0 {
			return c
		}
		return int(b.Node.place().end) - int(a.Node.place().end)
	})
	size := len(d.src)
	for _, e := range edits {
		size += len(e.With)
	}
	out, at := make([]byte, 0, size), int32(0)
	for _, e := range edits {
		p := e.Node.place()
		if p.start < at {
			continue
		}
		out = append(append(out, d.src[at:p.start]...), e.With...)
		at = p.end
	}
	return append(out, d.src[at:]...)
}

// Quote makes a JSON string, with U+FFFD for what is no UTF-8.
func Quote(s string) []byte {
	out, err := jsontext.AppendQuote(make([]byte, 0, len(s)+2), s)
	if err != nil {
		out, _ = jsontext.AppendQuote(out[:0], strings.ToValidUTF8(s, "\uFFFD"))
	}
	return out
}

// Unquote is what a JSON string says, with U+FFFD for what is no UTF-8. It is
// false for what is no JSON string.
func Unquote(s string) (string, bool) {
	out, err := jsontext.AppendUnquote(make([]byte, 0, len(s)), s)
	if err != nil && !jsontext.Value(s).IsValid(jsontext.AllowInvalidUTF8(true)) {
		return "", false
	}
	return string(out), true
}

// Pointer says where a value is, as RFC 6901 has it.
func (d *Doc) Pointer(n Node) string {
	var path jsontext.Pointer
	for at := d.Root(); at.i != n.i; {
		next, token := at.towards(n)
		if next.d == nil {
			break // n is the name of a member: the object is the place
		}
		at, path = next, path.AppendToken(token)
	}
	return string(path)
}

// towards is the child that n is, or is in.
func (n Node) towards(to Node) (Node, string) {
	for k, v := range n.Fields() {
		if to.i >= v.i && to.i < v.place().next {
			return v, k.Text()
		}
	}
	count := 0
	for v := range n.Items() {
		if to.i < v.place().next {
			return v, decimal(count)
		}
		count++
	}
	return Node{}, ""
}

func decimal(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return decimal(n/10) + string(rune('0'+n%10))
}

func escaped(s string) bool { return strings.IndexByte(s, '\\') >= 0 }
