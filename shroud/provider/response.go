package provider

import (
	"bytes"

	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// Response is a whole answer.
type Response struct {
	Message
	Model  string
	Usage  Usage
	Finish string // why the model stopped, in the provider's words
	Calls  []Call
}

// ParseResponse takes an answer apart. An error of the provider may be of any
// form; all of it is texts of Kind Failure.
func ParseResponse(f Format, status int, body []byte) (*Response, error) {
	r := &Response{Message: Message{body: body}}
	w := &walker{m: &r.Message, role: Assistant, turn: -1, calls: &r.Calls}
	doc, err := jsonedit.ParseLoose(body)
	if err != nil {
		return w.unreadable(r, status, err)
	}
	r.doc = doc
	read := f.dialect().response
	switch root := doc.Root(); {
	case status >= 400:
		w.free(root, Failure)
	case read == nil || root.Kind() != jsonedit.Object:
		w.free(root, Other)
	default:
		read(w, r, root)
	}
	return r, nil
}

// unreadable is for bodies that are no JSON: nothing, or the error page of
// something on the way. An answer must be JSON.
func (w *walker) unreadable(r *Response, status int, err error) (*Response, error) {
	if status < 400 && len(bytes.TrimSpace(r.body)) > 0 {
		return nil, err
	}
	w.add(site{}, Failure, string(bytes.ToValidUTF8(r.body, []byte("\uFFFD"))))
	return r, nil
}
