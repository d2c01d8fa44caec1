package sse

import (
	"bytes"
	"errors"
	"io"
)

// MaxEvent is what a Reader takes unless told otherwise: some events carry a
// whole answer once more, or an image.
const MaxEvent = 16 << 20

var (
	// ErrCut: the stream ended inside an event.
	ErrCut = errors.New("sse: the stream ended inside an event")
	// ErrTooLarge: an event is larger than the reader takes.
	ErrTooLarge = errors.New("sse: an event is too large")
)

// Event is one event, or a run of comments. Its bytes are valid until the next
// one is read.
type Event struct {
	Raw  []byte // as it came, with the empty line that ends it
	Name []byte // the last "event" field
	Data []byte // the "data" fields, joined by line feeds
	// Plain says that there is nothing but event and data fields in Raw.
	Plain bool
}

// Reader takes a stream apart.
type Reader struct {
	r    io.Reader
	max  int
	buf  []byte // what was read; from is where the next event starts
	from int
	scan int // up to where buf has been looked at
	line int // where the line that scan is in begins
	data []byte
	err  error
	cr   bool // the last event ended in CR: a line feed that follows belongs to it
}

// NewReader reads events of at most size bytes; 0 is MaxEvent.
func NewReader(r io.Reader, size int) *Reader {
	if size <= 0 {
		size = MaxEvent
	}
	return &Reader{r: r, max: size}
}

// Next is the next event. At the end of the stream the error is io.EOF; if the
// last event lacks its end, it comes with ErrCut, since some clients take it.
func (r *Reader) Next() (Event, error) {
	r.shift()
	for {
		if end := r.find(); end > 0 {
			raw := r.buf[r.from:end]
			r.cr = raw[len(raw)-1] == '\r'
			r.from, r.line, r.scan = end, end, end
			return r.event(raw), nil
		}
		if r.err != nil {
			return r.last()
		}
		if len(r.buf)-r.from > r.max {
			return Event{}, ErrTooLarge
		}
		r.fill()
	}
}

// Ready reports whether an event is there that Next returns without waiting. It may
// miss one whose lines end oddly.
func (r *Reader) Ready() bool {
	rest := r.buf[r.from:]
	return bytes.Contains(rest, []byte("\n\n")) || bytes.Contains(rest, []byte("\r\n\r\n"))
}

// last is what there is when nothing more comes.
func (r *Reader) last() (Event, error) {
	raw := r.buf[r.from:]
	r.from = len(r.buf)
	if len(raw) == 0 || len(bytes.Trim(raw, "\r\n")) == 0 {
		return Event{Raw: raw}, r.err
	}
	if !errors.Is(r.err, io.EOF) {
		return Event{}, r.err
	}
	return r.event(raw), ErrCut
}

// shift makes room: what was handed out is not needed any more.
func (r *Reader) shift() {
	if r.from == 0 {
		return
	}
	n := copy(r.buf, r.buf[r.from:])
	r.buf, r.line, r.scan, r.from = r.buf[:n], r.line-r.from, r.scan-r.from, 0
	if cap(r.buf) > 1<<16 && n < 1<<12 {
		r.buf = append(make([]byte, 0, 1<<14), r.buf...) // one large event does not stay
	}
}

func (r *Reader) fill() {
	if cap(r.buf)-len(r.buf) < 4096 {
		r.buf = append(make([]byte, 0, 2*cap(r.buf)+8192), r.buf...)
	}
	n, err := r.r.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf, r.err = r.buf[:len(r.buf)+n], err
}

// find is where the first event in the buffer ends: behind an empty line.
func (r *Reader) find() int {
	if r.cr && r.scan == r.from && r.scan < len(r.buf) {
		r.cr = false
		if r.buf[r.scan] == '\n' { // of the CR before it: part of this event's bytes
			r.scan++
			r.line = r.scan
		}
	}
	for r.scan < len(r.buf) {
		i := lineEnd(r.buf[r.scan:])
		if i < 0 {
			r.scan = len(r.buf)
			return 0
		}
		at := r.scan + i
		end := at + 1
		if r.buf[at] == '\r' {
			if end == len(r.buf) && at != r.line && r.err == nil {
				r.scan = at
				return 0 // whether a line feed follows decides whether the line after it is empty
			}
			if end < len(r.buf) && r.buf[end] == '\n' {
				end++
			}
		}
		empty := at == r.line
		r.line, r.scan = end, end
		if empty && at > r.from {
			return end
		}
	}
	return 0
}

// event reads the fields.
func (r *Reader) event(raw []byte) Event {
	ev := Event{Raw: raw, Plain: true}
	count := 0
	for line := range lines(raw) {
		name, value := field(line)
		if value == nil {
			value = []byte{}
		}
		switch string(name) {
		case "data":
			if count++; count == 1 {
				ev.Data = value
				continue
			}
			if count == 2 {
				r.data = append(r.data[:0], ev.Data...)
			}
			r.data = append(append(r.data, '\n'), value...)
			ev.Data = r.data
		case "event":
			ev.Name = value
		default:
			ev.Plain = ev.Plain && len(line) == 0
		}
	}
	return ev
}
