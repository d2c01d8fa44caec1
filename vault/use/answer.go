package use

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// MaxAnswer bounds the body of an answer as it is shown, in bytes.
const MaxAnswer = 1 << 20

// overlap is read beyond MaxAnswer and cut off again after redaction: a value at
// the end is found whole, or not shown at all. It is longer than any form
// that a Filter looks for at once.
const overlap = 8 << 10

// Incoming is an answer as a Sender has it.
type Incoming struct {
	Status int
	Header map[string][]string
	Body   []byte
	Cut    bool // there was more than what was asked for
}

// Answer is what an agent is shown.
type Answer struct {
	ID         id.ID // of the execution, also in its audit events
	Status     int
	Header     map[string]string // by lower-case names
	Body       []byte
	Truncated  bool
	Redactions int
	Took       time.Duration // from the admission to the end of the answer
}

// unshown are headers that say nothing about the answer, or are credentials of
// their own: a session is nothing that the agent was given.
var unshown = []string{
	"alt-svc", "connection", "content-encoding", "content-length", "keep-alive", "nel", "proxy-authenticate", "report-to",
	"set-cookie", "set-cookie2", "strict-transport-security", "te", "trailer", "transfer-encoding", "upgrade",
}

// hidden takes the place of a body that has a value in a disguise.
const hidden = "[REDACTED: the answer held a value in disguise]"

// Value is one that was used.
type Value struct {
	Path  string
	Value plain.Bytes
}

// Screens knows what must not get to an agent. An error means that it cannot tell,
// and that nothing may.
type Screens interface {
	For(ctx context.Context, p identity.Principal) (Screen, error)
}

// Screen is what must not get to one agent.
type Screen interface {
	// With is a filter of that and of values. It reports false where one of them
	// cannot be told from other text.
	With(values []Value) (f Filter, covered bool)
}

// Filter takes values out of texts, in all forms that it knows.
type Filter interface {
	Clean(text string) (out string, found int)
	// Hides reports whether a text that is clean has a value in a disguise.
	Hides(text string) bool
	// Stream is the same for a text that comes in pieces.
	Stream() Stream
}

// Stream takes values out of a text that comes in pieces. What it returns is good until
// it is called again. It reports false where a value is there in a disguise: then the
// piece is not to be shown.
type Stream interface {
	// Next takes a piece, and returns what may be shown now: all but an end that may be
	// the beginning of a value.
	Next(piece []byte) (shown []byte, ok bool)
	// End returns the rest.
	End() (shown []byte, ok bool)
	// Found is how much was taken out so far.
	Found() int
}

// shown is what may be shown of an answer.
func shown(f Filter, execution id.ID, in Incoming) Answer {
	out := Answer{ID: execution, Status: in.Status, Truncated: in.Cut, Header: map[string]string{}}
	clean := func(text string) string {
		text, n := f.Clean(text)
		if f.Hides(text) {
			text, n = hidden, n+1
		}
		out.Redactions += n
		return text
	}
	for name, values := range in.Header {
		name = strings.ToLower(name)
		if !slices.Contains(unshown, name) && len(out.Header) < maxHeaders {
			out.Header[clean(name)] = clean(strings.Join(values, ", "))
		}
	}
	body := clean(string(in.Body))
	if in.Cut && body != hidden {
		body = body[:max(0, len(body)-overlap)]
	}
	if len(body) > MaxAnswer { // marks may be longer than what they replace
		body, out.Truncated = body[:MaxAnswer], true
	}
	out.Body = []byte(body)
	return out
}
