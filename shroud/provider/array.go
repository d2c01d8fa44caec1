package provider

import (
	"bytes"
	"errors"
	"io"

	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
	"github.com/oneclaw/oneclawd/shroud/provider/sse"
)

// elements reads a stream that is one JSON array, as Google sends it unless it
// is asked for events. Each element is an event.
type elements struct {
	r     io.Reader
	max   int
	buf   []byte
	from  int
	scan  int
	start int // of the element, or -1
	depth int
	quote bool
	slash bool
	err   error
	over  bool // the array has ended
	wrote bool // an element was written
}

// newElements reads elements of at most size bytes; 0 is sse.MaxEvent.
func newElements(r io.Reader, size int) *elements {
	if size <= 0 {
		size = sse.MaxEvent
	}
	return &elements{r: r, max: size, start: -1}
}

// Next is the next element, with what stands before it, or what closes the array.
func (e *elements) Next() (sse.Event, error) {
	n := copy(e.buf, e.buf[e.from:])
	e.buf, e.scan, e.from, e.start = e.buf[:n], e.scan-e.from, 0, -1
	for {
		if ev, ok := e.find(); ok {
			if err := between(ev); err != nil {
				return sse.Event{}, err
			}
			return ev, nil
		}
		if e.err != nil {
			return e.rest()
		}
		if len(e.buf) > e.max {
			return sse.Event{}, sse.ErrTooLarge
		}
		if cap(e.buf)-len(e.buf) < 4096 {
			e.buf = append(make([]byte, 0, 2*cap(e.buf)+8192), e.buf...)
		}
		var n int
		n, e.err = e.r.Read(e.buf[len(e.buf):cap(e.buf)])
		e.buf = e.buf[:len(e.buf)+n]
	}
}

// rest is the end: a cut one, unless the array was closed.
func (e *elements) rest() (sse.Event, error) {
	ev := sse.Event{Raw: e.buf, Plain: true}
	e.from = len(e.buf)
	switch {
	case !errors.Is(e.err, io.EOF):
		return sse.Event{}, e.err
	case !e.over && len(e.buf) > 0:
		return sse.Event{Plain: true}, sse.ErrCut // half an element is of use to nobody
	}
	if err := between(ev); err != nil {
		return sse.Event{}, err
	}
	return ev, e.err
}

// between fails if there is anything beside elements: nobody has looked at it.
func between(ev sse.Event) error {
	if len(bytes.Trim(ev.Raw[:len(ev.Raw)-len(ev.Data)], blank+"[,]")) > 0 {
		return jsonedit.ErrSyntax
	}
	return nil
}

// find scans up to the end of an element, or of the array.
func (e *elements) find() (sse.Event, bool) {
	for ; e.scan < len(e.buf); e.scan++ {
		c := e.buf[e.scan]
		switch {
		case e.slash:
			e.slash = false
		case e.quote:
			e.slash, e.quote = c == '\\', c != '"'
		case c == '"':
			e.quote = true
		case c == '{' || c == '[':
			if e.depth++; e.depth == 2 {
				e.start = e.scan
			}
		case c == '}' || c == ']':
			if e.depth--; e.depth == 1 && e.start >= 0 || e.depth == 0 {
				e.scan++
				return e.take(), true
			}
		}
	}
	return sse.Event{}, false
}

func (e *elements) take() sse.Event {
	ev := sse.Event{Raw: e.buf[:e.scan], Plain: true}
	if e.start >= 0 {
		ev.Data = e.buf[e.start:e.scan]
	}
	e.over = e.depth == 0
	e.from = e.scan
	return ev
}

// pass writes an element as it came. One that was inserted before the first has
// taken its bracket.
func (e *elements) pass(dst []byte, ev sse.Event) []byte { return e.rewrite(dst, ev, ev.Data) }

func (e *elements) rewrite(dst []byte, ev sse.Event, data []byte) []byte {
	lead := ev.Raw[:len(ev.Raw)-len(ev.Data)]
	if at := bytes.IndexByte(lead, '['); at >= 0 && e.wrote {
		dst = append(append(append(dst, lead[:at]...), ','), lead[at+1:]...)
	} else {
		dst = append(dst, lead...)
	}
	e.wrote = e.wrote || len(data) > 0
	return append(dst, data...)
}

func (e *elements) insert(dst []byte, f frame) []byte {
	sep := ",\n"
	if !e.wrote {
		sep = "["
	}
	e.wrote = true
	return append(append(dst, sep...), f.data...)
}

func (e *elements) last(ev sse.Event) bool { return e.over && len(ev.Data) == 0 }

func (e *elements) end(dst []byte) []byte { return append(dst, ']') }
