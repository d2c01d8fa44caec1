package provider

import "github.com/oneclaw/oneclawd/shroud/provider/jsonedit"

// Request is what a client asks of a model.
type Request struct {
	Message
	Model     string
	Stream    bool
	MaxOutput int // tokens; 0 if the client does not say
	Turns     int // messages of the conversation

	model jsonedit.Node
}

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
		w.free(doc.Root(), Other)
	}
	return r, nil
}

// SetModel has Rewrite put another model into the body, if the body names one.
func (r *Request) SetModel(name string) {
	r.Model = name
	if r.model.Is() {
		r.edits = []jsonedit.Edit{{Node: r.model, With: jsonedit.Quote(name)}}
	}
}

// named notes the model.
func (r *Request) named(w *walker, n jsonedit.Node) {
	if n.Kind() == jsonedit.String {
		r.model, r.Model = n, n.Text()
	}
	w.label(n)
}
