package redact

import (
	"fmt"
	"io"
	"slices"
)

// Stream redacts a text that arrives in pieces. Give it the text as its reader will see
// it, one stream for each text: JSON escapes and the frames of events between the pieces
// would hide what goes over their borders.
//
// A Stream is for one goroutine. Streams of one Matcher do not wait for each other.
type Stream struct {
	w    writer
	buf  []byte // what came and is not settled
	base int    // where that is in the whole text
	tmp  []match
}

// Stream begins a text.
func (m *Matcher) Stream() *Stream { return &Stream{w: writer{m: m}} }

// Append takes the next piece and appends to dst what can be shown, which is all but the
// end that may be the beginning of a value.
func (s *Stream) Append(dst, piece []byte) []byte {
	s.buf = append(s.buf, piece...)
	return s.settle(dst, unfinished(s.w.m, s.buf))
}

// Flush appends to dst what was held back: the text is over, or somebody must see all of it
// now. The stream can be used for another text afterwards; positions of hits go on.
func (s *Stream) Flush(dst []byte) []byte { return s.settle(dst, len(s.buf)+1) }

func (s *Stream) settle(dst []byte, limit int) []byte {
	s.tmp = find(s.w.m, s.buf, s.tmp[:0])
	s.w.out = dst
	settle(&s.w, s.buf, s.base, s.tmp, limit)
	dst, s.w.out = s.w.out, nil
	done := min(limit, len(s.buf))
	n := copy(s.buf, s.buf[done:])
	clear(s.buf[n:])
	s.buf, s.base = s.buf[:n], s.base+done
	return dst
}

// Held is the number of bytes that are held back.
func (s *Stream) Held() int { return len(s.buf) }

// Hits returns what was found and replaced since it was asked last.
func (s *Stream) Hits() []Hit {
	w := &s.w
	n := len(w.hits)
	if w.open {
		n = w.first
	}
	if n == 0 {
		return nil
	}
	hits := slices.Clone(w.hits[:n])
	w.hits = append(w.hits[:0], w.hits[n:]...)
	w.first = max(0, w.first-n)
	return hits
}

// Format shows nothing of the text.
func (Stream) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[stream]") }
