package translate

import (
	"encoding/json"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud/provider"
	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// ErrUnsupported: the vendor has no counterpart to what the request asks for.
var ErrUnsupported = fault.New(fault.Invalid, "not_translatable", "this provider cannot do what the request asks for")

// Call is a request of the vendor.
type Call struct {
	Path  string // behind the vendor's base
	Query string
	Body  []byte
	// Usage says that the client wants a stream to end with its usage.
	Usage bool
}

// Request makes a request of the vendor from a chat completion.
func Request(s provider.Style, body []byte) (Call, error) {
	doc, err := jsonedit.Parse(body)
	if err != nil {
		return Call{}, err
	}
	c, err := read(doc.Root())
	if err != nil {
		return Call{}, err
	}
	switch s {
	case provider.Anthropic:
		return toAnthropic(c)
	case provider.Google:
		return toGoogle(c)
	}
	return Call{}, ErrUnsupported
}

// Answer is what the client's side of a call knows and the vendor's does not.
type Answer struct {
	Model   string // as the client names it; for vendors that do not repeat it
	Created int64  // seconds since 1970
	Usage   bool   // a stream ends with its usage
}

// Response makes a chat completion, or an error of OpenAI's form, from the
// vendor's answer.
func (a Answer) Response(s provider.Style, status int, body []byte) ([]byte, error) {
	doc, err := jsonedit.ParseLoose(body)
	if err != nil && status < 400 {
		return nil, err
	}
	if status >= 400 {
		return fromFailure(doc, body), nil
	}
	done := completion{Object: "chat.completion", Created: a.Created, Model: a.Model}
	switch s {
	case provider.Anthropic:
		err = done.fromAnthropic(body, doc.Root())
	case provider.Google:
		err = done.fromGoogle(body, doc.Root())
	default:
		return nil, ErrUnsupported
	}
	if err != nil {
		return nil, err
	}
	return marshal(done), nil
}

// fromFailure makes OpenAI's error of another's. Both vendors have a message in
// a member error.
func fromFailure(doc *jsonedit.Doc, body []byte) []byte {
	f := failure{Message: string(body), Type: "upstream_error"}
	if doc != nil {
		e := doc.Root().Get("error")
		if e.Kind() == jsonedit.Object {
			f = failure{Message: e.Get("message").Text(), Type: first(e.Get("type").Text(), e.Get("status").Text(), f.Type), Code: e.Get("code").Text()}
		}
	}
	return marshal(map[string]failure{"error": f})
}

// failure is OpenAI's error.
type failure struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    string  `json:"code"`
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// marshal writes what this package has made itself: it cannot fail.
func marshal(v any) []byte {
	out, err := json.Marshal(v)
	if err != nil {
		panic("translate: " + err.Error())
	}
	return out
}
