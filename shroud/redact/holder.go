package redact

import "sync/atomic"

// Holder holds the matcher of the manifest that is in force. The zero Holder has
// an empty one.
type Holder struct{ now atomic.Pointer[Matcher] }

// Matcher is the one in force. Who holds it goes on with it; so does a stream
// begun with it.
func (h *Holder) Matcher() *Matcher {
	if m := h.now.Load(); m != nil {
		return m
	}
	return &Matcher{}
}

// Swap puts m in force. What was made of the manifest before is wiped when its last
// user is done.
func (h *Holder) Swap(m *Matcher) { h.now.Store(m) }
