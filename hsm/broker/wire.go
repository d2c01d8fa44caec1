package broker

import (
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"sync"

	"github.com/oneclaw/oneclawd/hsm"
)

// A frame is: length of the rest (32 bits) ‖ call id (64 bits) ‖ kind ‖ fields,
// each field its length (uvarint) and its bytes. Requests carry an op as their
// kind, replies a status.
//
// It is made by hand because this is on the path of every secret read: gob over
// net/rpc costs a goroutine and some twenty allocations per call, and leaves
// copies of keys in buffers that cannot be wiped.
const (
	frameHead = 4 + 8 + 1
	// maxFrame has room for a message to sign with its key, the largest request.
	maxFrame   = hsm.MaxMessageSize + 16*1024
	readBuffer = 2 * maxFrame
)

// protocol is sent with opOpen. Both ends are one binary, but after an upgrade
// on disk an old daemon may start a new child. Ops that only came to be need no
// other number: who does not know them does not send them, or is not said to
// offer them in the description.
const protocol = 1

type op byte

const (
	opOpen op = iota + 1
	opCheck
	opInit
	opNewKEK
	opWrap
	opUnwrap
	opNewSigningKey
	opSign
	opAnchor
	opSetAnchor
	opNewAccountKey
	opImportAccountKey
	opSignDigest
	opDestroyAccountKey
)

// Statuses of a reply.
const (
	statusOK    = 0
	statusError = 1
)

var errFrame = errors.New("broker: malformed frame")

// frame is one message. body is valid until the reader's next call.
type frame struct {
	id   uint64
	kind byte
	body []byte
}

// fields reads a frame's fields one after the other; ok turns false for good at
// the first that is cut short.
type fields struct {
	rest []byte
	bad  bool
}

// next returns the next field as a slice of the frame.
func (f *fields) next() []byte {
	n, used := binary.Uvarint(f.rest)
	if used <= 0 || n > uint64(len(f.rest)-used) {
		f.rest, f.bad = nil, true
		return nil
	}
	field := f.rest[used : used+int(n) : used+int(n)]
	f.rest = f.rest[used+int(n):]
	return field
}

// done reports whether all that was asked for was there, and nothing more.
func (f *fields) done() bool { return !f.bad && len(f.rest) == 0 }

// appendFrame appends a frame to b.
func appendFrame(b []byte, id uint64, kind byte, parts ...[]byte) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint64(b, id)
	b = append(b, kind)
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}

// frameReader cuts a stream into frames. It wipes each when it is done with, as
// frames hold keys.
type frameReader struct {
	r          io.Reader
	buf        []byte
	start, end int // buf[start:end] is unread
	used       int // start of the last frame returned
}

func newFrameReader(r io.Reader) *frameReader {
	return &frameReader{r: r, buf: make([]byte, readBuffer)}
}

// next returns the next frame. io.EOF is only returned between frames.
func (f *frameReader) next() (frame, error) {
	clear(f.buf[f.used:f.start])
	if err := f.need(4); err != nil {
		return frame{}, err
	}
	n := int(binary.BigEndian.Uint32(f.buf[f.start:]))
	if n < frameHead-4 || n > maxFrame {
		return frame{}, errFrame
	}
	if err := f.need(4 + n); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return frame{}, err
	}
	raw := f.buf[f.start : f.start+4+n]
	f.used = f.start
	f.start += 4 + n
	return frame{id: binary.BigEndian.Uint64(raw[4:]), kind: raw[12], body: raw[frameHead:]}, nil
}

// need reads until n bytes are unread. All that the socket has is taken with
// one read, so that under load one system call brings many frames.
func (f *frameReader) need(n int) error {
	if f.end-f.start >= n {
		return nil
	}
	if f.start == f.end {
		f.start, f.end = 0, 0
	} else if len(f.buf)-f.start < n {
		unread := copy(f.buf, f.buf[f.start:f.end])
		clear(f.buf[unread:f.end])
		f.start, f.end = 0, unread
	}
	f.used = f.start
	for f.end-f.start < n {
		got, err := f.r.Read(f.buf[f.end:])
		f.end += got
		if err != nil && f.end-f.start < n {
			if err == io.EOF && f.end > f.start {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// frameWriter sends frames of many goroutines. Who comes while another writes
// leaves its frame behind for that one to send: no goroutine of its own is
// needed, and under load one system call sends many frames.
type frameWriter struct {
	w       io.Writer
	mu      sync.Mutex
	pending []byte
	spare   []byte
	writing bool
	err     error
}

// send queues a frame, and writes it unless another goroutine is about to. An
// error may come from another's frame; the stream is then at its end anyhow.
func (w *frameWriter) send(id uint64, kind byte, parts ...[]byte) error {
	w.mu.Lock()
	if w.err != nil {
		w.mu.Unlock()
		return w.err
	}
	w.makeRoom(parts)
	w.pending = appendFrame(w.pending, id, kind, parts...)
	if w.writing {
		w.mu.Unlock()
		return nil
	}
	w.writing = true
	w.mu.Unlock()
	// Let those that are ready to send add their frames first. It costs nothing
	// when nobody is, and halves the system calls when many are.
	runtime.Gosched()
	return w.flush()
}

// makeRoom grows pending to what a frame takes, and wipes where it was: append
// would leave the keys in it behind.
func (w *frameWriter) makeRoom(parts [][]byte) {
	n := frameHead
	for _, p := range parts {
		n += binary.MaxVarintLen32 + len(p)
	}
	if cap(w.pending)-len(w.pending) >= n {
		return
	}
	grown := append(make([]byte, 0, 2*cap(w.pending)+n), w.pending...)
	clear(w.pending)
	w.pending = grown
}

func (w *frameWriter) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.pending) > 0 && w.err == nil {
		out := w.pending
		w.pending = w.spare[:0]
		w.mu.Unlock()
		_, err := w.w.Write(out)
		clear(out)
		w.mu.Lock()
		w.spare, w.err = out[:0], err
	}
	w.writing = false
	return w.err
}
