package e2e

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// relay is an address of this machine that stays the test's own, in front of a
// server that comes and goes. It holds connections until it is told what to do
// with new ones.
type relay struct {
	t        testing.TB
	listener net.Listener
	taken    chan struct{} // a value for each connection that is held

	mu   sync.Mutex
	to   string // where connections go; "" breaks them off
	hold bool
	held []net.Conn
}

func newRelay(t testing.TB) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, listener: l, taken: make(chan struct{}, 100), hold: true}
	t.Cleanup(func() { _ = l.Close(); r.refuse() })
	go r.serve()
	return r
}

func (r *relay) port() string {
	_, port, err := net.SplitHostPort(r.listener.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	return port
}

func (r *relay) set(hold bool, to string) {
	r.mu.Lock()
	held := r.held
	r.hold, r.to, r.held = hold, to, nil
	r.mu.Unlock()
	for _, c := range held {
		_ = c.Close()
	}
}

// forward connects to a server, refuse breaks connections off, and silence takes
// them and says nothing. Connections that were held end.
func (r *relay) forward(addr string) { r.set(false, addr) }
func (r *relay) refuse()             { r.set(false, "") }
func (r *relay) silence()            { r.set(true, "") }

// reached waits until a connection is held.
func (r *relay) reached() {
	r.t.Helper()
	select {
	case <-r.taken:
	case <-time.After(patience):
		r.t.Fatal("nobody has connected")
	}
}

func (r *relay) serve() {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		hold, to := r.hold, r.to
		if hold {
			r.held = append(r.held, c)
		}
		r.mu.Unlock()
		switch {
		case hold:
			select {
			case r.taken <- struct{}{}:
			default:
			}
		case to == "":
			_ = c.Close()
		default:
			go pipe(c, to)
		}
	}
}

func pipe(c net.Conn, to string) {
	defer c.Close()
	s, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer s.Close()
	go func() {
		_, _ = io.Copy(s, c)
		_ = s.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(c, s)
}
