package provider

import (
	"bytes"
	"math"
	"slices"
	"strconv"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// Request is what a client asks of a model.
type Request struct {
	Message
	Model     string
	Stream    bool
	MaxOutput int // tokens of one answer; 0 if the client does not say
	Answers   int // that the client wants, to all prompts together
	Turns     int // messages of the conversation
	// Continues says that the provider has turns of the conversation that are not in
	// the request.
	Continues bool

	prompts                int // of a completion that has several
	model, stream, options jsonedit.Node
}

// ErrAmbiguous: some servers read the names of members whatever their case, and
// would take one for another.
var ErrAmbiguous = fault.New(fault.Invalid, "json_ambiguous_name", "a member of the body has a name that servers read differently")

// ParseRequest takes a request apart. It refuses what is not one JSON object
// that every parser reads alike.
func ParseRequest(f Format, body []byte) (*Request, error) {
	doc, err := jsonedit.Parse(body)
	if err != nil {
		return nil, err
	}
	if doc.Root().Kind() != jsonedit.Object {
		return nil, jsonedit.ErrSyntax.Detail("the body is no object")
	}
	r := &Request{Message: Message{doc: doc, body: body}}
	w := &walker{m: &r.Message, role: User, turn: -1}
	if read := f.dialect().request; read != nil {
		read(w, r, doc.Root())
	} else {
		r.named(w, doc.Root().Get("model"))
		w.free(doc.Root(), Content)
	}
	if w.odd != "" {
		return nil, ErrAmbiguous.Detail("a member is spelled %s with other letters", w.odd)
	}
	r.Answers = max(r.Answers, 1) * max(r.prompts, 1)
	return r, nil
}

// SetModel has Rewrite put another model into the body, if the body names one.
func (r *Request) SetModel(name string) {
	r.Model = name
	if r.model.Is() {
		r.edit(r.model, jsonedit.Quote(name))
	}
}

// NameModel is the request with a model in its body, which names none.
func (r *Request) NameModel(f Format, name string) (*Request, error) {
	root := r.doc.Root()
	if n := root.Get("model"); n.Kind() != jsonedit.None { // null, or empty
		return ParseRequest(f, r.doc.Apply([]jsonedit.Edit{{Node: n, With: jsonedit.Quote(name)}}))
	}
	member := append([]byte(`"model":`), jsonedit.Quote(name)...)
	for range root.Fields() {
		member = append(member, ',')
		break
	}
	at := bytes.IndexByte(r.body, '{') + 1
	return ParseRequest(f, slices.Concat(r.body[:at], member, r.body[at:]))
}

// AskUsage has Rewrite ask for the usage of a chat completion that is streamed,
// which OpenAI tells only then. It is false where that is not needed or not
// possible; else the client has to be spared the answer: Stream.HideUsage.
func (r *Request) AskUsage() bool {
	switch {
	case !r.Stream || !r.stream.Is() || r.options.Get("include_usage").True():
		return false
	case !r.options.Is() && r.options.Kind() == jsonedit.None:
		r.edit(r.stream, []byte(`true,"stream_options":{"include_usage":true}`))
	case r.options.Get("include_usage").Kind() == jsonedit.False:
		r.edit(r.options.Get("include_usage"), []byte("true"))
	default:
		return false
	}
	return true
}

// edit asks for a replacement, in place of an earlier one.
func (r *Request) edit(n jsonedit.Node, with []byte) {
	r.edits = slices.DeleteFunc(r.edits, func(e jsonedit.Edit) bool { return e.Node == n })
	r.edits = append(r.edits, jsonedit.Edit{Node: n, With: with})
}

// amount is a number of tokens or answers, rounded up: some servers take 1e3 for a
// thousand. It is 0 for what is none.
func amount(n jsonedit.Node) int {
	const most = 1 << 40
	if n.Kind() != jsonedit.Number {
		return 0
	}
	f, err := strconv.ParseFloat(string(n.Raw()), 64)
	if err != nil && !math.IsInf(f, 1) {
		return 0
	}
	return int(min(max(math.Ceil(f), 0), most))
}

// named notes the model.
func (r *Request) named(w *walker, n jsonedit.Node) {
	if n.Kind() == jsonedit.String {
		r.model, r.Model = n, n.Text()
	}
	w.label(n)
}
