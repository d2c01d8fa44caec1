package provider

import (
	"strconv"

	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// shroudError is an error of our own, as bodies and events have it: its type
// tells it from the provider's.
func shroudError(status int, message string) []byte {
	out := append([]byte(`{"error":{"code":`), strconv.Itoa(status)...)
	out = append(append(out, `,"message":`...), jsonedit.Quote(message)...)
	return append(out, `,"type":"shroud_error"}}`...)
}

// ErrorBody is an answer that is an error of our own.
func ErrorBody(status int, message string) []byte { return shroudError(status, message) }

// Failure is the event that ends a stream with an error of our own, in the form
// in which the provider's clients raise it.
func (s *Stream) Failure(status int, message string) []byte {
	f := frame{data: shroudError(status, message)}
	if s.d.failure != nil {
		f = s.d.failure(s, status, message)
	}
	return s.put.end(s.put.insert(nil, f))
}
