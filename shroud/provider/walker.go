package provider

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// walker collects the texts of a body while one of the formats leads it through.
// Its fields are what is known of the place where it is.
type walker struct {
	m    *Message
	role Role
	turn int
	tool string
	in   *inner
	// signed: what follows belongs to a signature.
	signed bool
	// odd is a name of the protocol that a member has but for its case.
	odd string
	// calls is where the calls of an answer go.
	calls *[]Call
}

// add notes a text. What is empty or a word of the protocol is none.
func (w *walker) add(s site, kind Kind, value string) {
	if value == "" {
		return
	}
	s.in = w.in
	w.m.sites = append(w.m.sites, s)
	w.m.Texts = append(w.m.Texts, Text{Role: w.role, Kind: kind, Turn: w.turn, Tool: w.tool, Value: value, Signed: w.signed})
}

// text is a string that says something. Anything else there is free-form.
func (w *walker) text(n jsonedit.Node, kind Kind) {
	if n.Kind() != jsonedit.String {
		w.free(n, kind)
		return
	}
	w.add(site{node: n}, kind, n.Text())
}

// label is a string for machines.
func (w *walker) label(n jsonedit.Node) {
	if n.Kind() != jsonedit.String {
		w.free(n, Other)
		return
	}
	if v := n.Text(); !known(v) {
		w.add(site{node: n}, Label, v)
	}
}

// other is a member that a format has no word for.
func (w *walker) other(name, value jsonedit.Node) {
	if low := strings.ToLower(name.Text()); low != name.Text() && decides(low) {
		w.odd = low
	}
	w.name(name, Other)
	w.free(value, Other)
}

// rest is all members but those that were walked already.
func (w *walker) rest(n jsonedit.Node, walked ...string) {
	for k, v := range n.Fields() {
		if !slices.Contains(walked, k.Text()) {
			w.other(k, v)
		}
	}
}

// free takes all that a value says, whatever its form: its strings, the names of
// its members, and numbers that are long enough to mean something.
func (w *walker) free(n jsonedit.Node, kind Kind) {
	switch n.Kind() {
	case jsonedit.String:
		v := n.Text()
		if kind != Other && kind != ToolSchema || !known(v) {
			w.add(site{node: n}, kind, v)
		}
	case jsonedit.Number:
		if raw := string(n.Raw()); long(raw, kind) {
			w.add(site{node: n}, kind, raw)
		}
	case jsonedit.Object:
		for k, v := range n.Fields() {
			w.name(k, kind)
			w.free(v, kind)
		}
	case jsonedit.Array:
		for v := range n.Items() {
			w.free(v, kind)
		}
	}
}

// long reports whether a number may mean something. Where it could be any
// measure of the protocol, it has to be longer than a time in milliseconds.
func long(number string, kind Kind) bool {
	if kind == Other || kind == ToolSchema {
		return len(number) > 13 && strings.Trim(number, "0123456789") == ""
	}
	return len(number) >= 8
}

// name is the name of a member where it could be anything.
func (w *walker) name(n jsonedit.Node, kind Kind) {
	if v := n.Text(); len(v) >= 8 && !known(v) {
		w.add(site{node: n}, kind, v)
	}
}

// call is a tool call: its name, and its arguments, which may be JSON inside a
// string.
func (w *walker) call(name, args jsonedit.Node) {
	w.tool = name.Text()
	if w.calls != nil {
		text := args.Text()
		if args.Kind() != jsonedit.String {
			text = string(args.Raw())
		}
		*w.calls = append(*w.calls, Call{Name: w.tool, Arguments: text})
	}
	w.text(name, ToolName)
	w.args(args, ToolCall)
	w.tool = ""
}

// as walks with another role.
func (w *walker) as(r Role, walk func()) {
	before := w.role
	w.role = r
	walk()
	w.role = before
}

// part is a piece of what a channel says.
func (w *walker) part(n jsonedit.Node, ch Channel) {
	if n.Kind() != jsonedit.String {
		w.free(n, ch.Kind)
		return
	}
	w.add(site{node: n, channel: &ch}, ch.Kind, n.Text())
}

// args is a value that may be JSON inside a string.
func (w *walker) args(n jsonedit.Node, kind Kind) {
	if n.Kind() != jsonedit.String || w.in != nil {
		w.free(n, kind)
		return
	}
	text := n.Text()
	if head := strings.TrimLeft(text, " \t\r\n"); head == "" || head[0] != '{' && head[0] != '[' {
		w.text(n, kind)
		return
	}
	doc, err := jsonedit.ParseLoose([]byte(text))
	if err != nil {
		w.text(n, kind) // models write what is no JSON
		return
	}
	w.in = &inner{outer: n, doc: doc}
	w.free(doc.Root(), kind)
	w.in = nil
}

// link is an address, or a file in the form of one.
func (w *walker) link(n jsonedit.Node) {
	v := n.Text()
	data, ok := strings.CutPrefix(v, "data:")
	if !ok {
		w.text(n, Link)
		return
	}
	if i := strings.Index(data, ";base64,"); i >= 0 {
		prefix := v[:len("data:")+i+len(";base64,")]
		w.encoded(n, prefix, v[len(prefix):])
		return
	}
	w.text(n, Document)
}

// blob is a file as base64.
func (w *walker) blob(n jsonedit.Node) {
	if v := n.Text(); strings.HasPrefix(v, "data:") {
		w.link(n)
	} else {
		w.encoded(n, "", v)
	}
}

// shortBlob is what no image or document is shorter than: such a string is also
// looked at as it stands.
const shortBlob = 512

// encoded is base64. Whatever it claims to be: if it reads as text, it is one.
func (w *walker) encoded(n jsonedit.Node, prefix, data string) {
	text, ok := plainText(data)
	if !ok {
		w.m.Opaque += len(data)
		if len(data) < shortBlob {
			w.add(site{node: n}, Label, prefix+data)
		}
		return
	}
	w.add(site{node: n, prefix: prefix, base64: true}, Document, text)
}

// plainText decodes base64 that is of a text. What is not base64 at all is taken
// as it is, for somebody will.
func plainText(data string) (string, bool) {
	head := data[:min(len(data), 64)]
	raw, err := decode64(head[:len(head)&^3])
	if err == nil && !printable(raw, len(data) > len(head)) {
		return "", false
	}
	if raw, err = decode64(data); err != nil {
		return data, printable([]byte(data), false)
	}
	return string(raw), printable(raw, false)
}

func decode64(s string) ([]byte, error) {
	s = strings.TrimRight(s, "=")
	if strings.ContainsAny(s, "-_") {
		return base64.RawURLEncoding.DecodeString(s)
	}
	return base64.RawStdEncoding.DecodeString(s)
}

// printable reports whether bytes are text; cut allows for half a rune at the end.
func printable(b []byte, cut bool) bool {
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			return cut && !utf8.FullRune(b)
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' || r == 0x7f {
			return false
		}
		b = b[size:]
	}
	return true
}
