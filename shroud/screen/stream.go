package screen

import (
	"github.com/oneclaw/oneclawd/shroud/redact"
	"github.com/oneclaw/oneclawd/vault/use"
)

// reach is how far back a disguise is looked for, in bytes: further than any value is
// spread out.
const reach = 8 << 10

// stream is a filter of a text that comes in pieces. It implements use.Stream.
type stream struct {
	f     filter
	parts []*redact.Stream
	bufs  [][]byte // what each part lets through
	shown []byte   // the last of what was
	found int
}

// Stream implements use.Filter.
func (f filter) Stream() use.Stream {
	s := &stream{f: f, bufs: make([][]byte, len(f))}
	for _, m := range f {
		s.parts = append(s.parts, m.Stream())
	}
	return s
}

// Next implements use.Stream.
func (s *stream) Next(piece []byte) ([]byte, bool) { return s.pass(piece, false) }

// End implements use.Stream.
func (s *stream) End() ([]byte, bool) { return s.pass(nil, true) }

// Found implements use.Stream.
func (s *stream) Found() int { return s.found }

func (s *stream) pass(piece []byte, last bool) ([]byte, bool) {
	for i, part := range s.parts {
		out := part.Append(s.bufs[i][:0], piece)
		if last {
			out = part.Flush(out)
		}
		s.found += len(part.Hits())
		s.bufs[i], piece = out, out
	}
	if len(piece) == 0 {
		return nil, true
	}
	s.shown = append(s.shown, piece...)
	if s.f.Hides(string(s.shown)) {
		s.found++
		return nil, false
	}
	if len(s.shown) > reach {
		n := copy(s.shown, s.shown[len(s.shown)-reach:])
		clear(s.shown[n:])
		s.shown = s.shown[:n]
	}
	return piece, true
}
