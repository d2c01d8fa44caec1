package provider

import (
	"bytes"

	"github.com/oneclaw/oneclawd/shroud/provider/sse"
)

// framing is how events stand in a stream.
type framing interface {
	// pass writes an event as it came.
	pass(dst []byte, ev sse.Event) []byte
	// rewrite writes it with other data.
	rewrite(dst []byte, ev sse.Event, data []byte) []byte
	// insert writes an event that did not come.
	insert(dst []byte, f frame) []byte
	// last reports whether nothing of the answer comes from this event on.
	last(ev sse.Event) bool
	// end writes what a stream ends with that nothing follows.
	end(dst []byte) []byte
}

// eventFraming is server-sent events.
type eventFraming struct{}

func (eventFraming) pass(dst []byte, ev sse.Event) []byte { return append(dst, ev.Raw...) }

func (eventFraming) rewrite(dst []byte, ev sse.Event, data []byte) []byte {
	return ev.WithData(dst, data)
}

func (eventFraming) last(ev sse.Event) bool { return string(bytes.TrimSpace(ev.Data)) == "[DONE]" }

func (eventFraming) end(dst []byte) []byte { return dst }

func (eventFraming) insert(dst []byte, f frame) []byte { return sse.Append(dst, f.name, f.data) }
