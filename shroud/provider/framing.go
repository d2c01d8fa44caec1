package provider

import "github.com/oneclaw/oneclawd/shroud/provider/sse"

// framing is how events stand in a stream.
type framing interface {
	// pass writes an event as it came.
	pass(dst []byte, ev sse.Event) []byte
	// rewrite writes it with other data.
	rewrite(dst []byte, ev sse.Event, data []byte) []byte
	// insert writes an event that did not come.
	insert(dst []byte, f frame) []byte
}

// eventFraming is server-sent events.
type eventFraming struct{}

func (eventFraming) pass(dst []byte, ev sse.Event) []byte { return append(dst, ev.Raw...) }

func (eventFraming) rewrite(dst []byte, ev sse.Event, data []byte) []byte {
	return ev.WithData(dst, data)
}

func (eventFraming) insert(dst []byte, f frame) []byte { return sse.Append(dst, f.name, f.data) }
