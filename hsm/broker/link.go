package broker

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
)

// peer is a stream to a child.
type peer interface {
	io.ReadWriteCloser
	// finish lets the child end in order, wait waits until it is gone.
	finish()
	wait(patience time.Duration)
}

// link is the daemon's end of the socket to one child. It ends once and for all
// with the first error.
type link struct {
	conn peer
	out  frameWriter
	ids  atomic.Uint64

	mu      sync.Mutex
	waiting map[uint64]*call
	err     error         // why it ended
	ended   chan struct{} // closed then

	heard atomic.Int64 // when the child last answered, in Unix nanoseconds
}

// call waits for its reply.
type call struct {
	started time.Time
	patient time.Duration
	body    []byte
	err     error
	done    chan struct{} // gets one value when body or err is set
}

// calls are used again: a channel per call would be most of a call's garbage.
var calls = sync.Pool{New: func() any { return &call{done: make(chan struct{}, 1)} }}

func newLink(conn peer) *link {
	l := &link{conn: conn, out: frameWriter{w: conn}, waiting: make(map[uint64]*call), ended: make(chan struct{})}
	l.heard.Store(time.Now().UnixNano())
	go l.read()
	go l.watch()
	return l
}

// do sends a request and waits for its reply, whose fields it returns.
func (l *link) do(ctx context.Context, patience time.Duration, what op, parts ...[]byte) ([]byte, error) {
	c := calls.Get().(*call)
	c.started, c.patient, c.body, c.err = time.Now(), patience, nil, nil
	id := l.ids.Add(1)
	l.mu.Lock()
	if l.err != nil {
		l.mu.Unlock()
		calls.Put(c)
		return nil, l.err
	}
	l.waiting[id] = c
	l.mu.Unlock()

	if err := l.out.send(id, byte(what), parts...); err != nil {
		l.end(errEnded.Because(err)) // answers c as well
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		if l.take(id) != nil {
			calls.Put(c)
			return nil, hsm.ErrUnavailable.Because(ctx.Err())
		}
		<-c.done // the reply was quicker
	}
	body, err := c.body, c.err
	c.body, c.err = nil, nil
	calls.Put(c)
	return body, err
}

// take makes the caller the one who answers the call, nil if another is.
func (l *link) take(id uint64) *call {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.waiting[id]
	delete(l.waiting, id)
	return c
}

func (c *call) answer(body []byte, err error) {
	c.body, c.err = body, err
	c.done <- struct{}{}
}

var (
	errEnded   = hsm.ErrUnavailable.Detail("the HSM broker process ended; it is being started again")
	errHangs   = hsm.ErrUnavailable.Detail("the HSM did not answer in time")
	errStopped = hsm.ErrUnavailable.Detail("the HSM module is closed")
)

// read hands out replies until the socket closes.
func (l *link) read() {
	in := newFrameReader(l.conn)
	for {
		f, err := in.next()
		if err != nil {
			l.end(errEnded.Because(err))
			return
		}
		l.heard.Store(time.Now().UnixNano())
		c := l.take(f.id)
		if f.kind == statusOK {
			if c != nil {
				c.answer(append([]byte(nil), f.body...), nil)
			}
			continue
		}
		err = parseError(f.body)
		if errors.Is(err, errFrame) {
			err = errEnded.Because(err)
		}
		if c != nil {
			c.answer(nil, err)
		}
		if errors.Is(err, hsm.ErrUnavailable) {
			// The child has lost its token, which it cannot find again by itself.
			l.end(err)
			return
		}
	}
}

// watch fails calls that take too long. One timer for all: a timer per call
// would cost as much as the rest of it. If nothing at all was heard for as long
// as a call waited, the child hangs and the link ends.
func (l *link) watch() {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-l.ended:
			return
		case now := <-tick.C:
			if l.expire(now) {
				l.end(errHangs)
				return
			}
		}
	}
}

// expire answers overdue calls and reports whether the child hangs.
func (l *link) expire(now time.Time) (hangs bool) {
	silence := now.Sub(time.Unix(0, l.heard.Load()))
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, c := range l.waiting {
		if now.Sub(c.started) < c.patient {
			continue
		}
		hangs = hangs || silence >= c.patient
		delete(l.waiting, id)
		c.answer(nil, errHangs) // never blocks: the channel has room for the one answer
	}
	for _, c := range l.waiting {
		// A key pair that is being made may hold the driver's lock for minutes.
		hangs = hangs && c.patient <= silence
	}
	return hangs
}

// end fails all calls with err, now and later. Only the first end counts.
func (l *link) end(err error) {
	l.mu.Lock()
	if l.err != nil {
		l.mu.Unlock()
		return
	}
	l.err = err
	waiting := l.waiting
	l.waiting = nil
	close(l.ended)
	l.mu.Unlock()
	for _, c := range waiting {
		c.answer(nil, err)
	}
	_ = l.conn.Close()
}

// reason is why the link ended, nil while it has not.
func (l *link) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
