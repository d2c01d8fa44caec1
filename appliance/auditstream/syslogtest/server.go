package syslogtest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Server keeps every message that it is sent.
type Server struct {
	t        testing.TB
	listener net.Listener
	secure   *tls.Config
	stop     chan struct{} // closed at the end

	mu          sync.Mutex
	messages    []Message
	connections int
	mode        Mode
	open        map[net.Conn]bool
}

// Mode is how a Server behaves.
type Mode int

// The modes.
const (
	Up    Mode = iota
	Down       // ends connections without reading
	Dying      // ends them after the second message, which it loses
	Mute       // takes messages, and never ends a connection
)

// New returns a server on a free port of this machine, over TLS if secure is not
// nil. It stops with the test.
func New(t testing.TB, secure *tls.Config) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, listener: l, secure: secure, stop: make(chan struct{}), open: map[net.Conn]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		close(s.stop)
		s.Set(Down)
		all.Wait()
	})
	return s
}

// Addr is where it listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Set changes how it behaves, and ends the connections there are.
func (s *Server) Set(m Mode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mode = m
	for c := range s.open {
		_ = c.Close()
	}
}

// Messages returns what has arrived so far.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.messages...)
}

// Connections is how many there have been.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

func (s *Server) serve(raw net.Conn) {
	s.mu.Lock()
	s.connections++
	mode := s.mode
	s.open[raw] = true
	s.mu.Unlock()
	defer func() {
		_ = raw.Close()
		s.mu.Lock()
		delete(s.open, raw)
		s.mu.Unlock()
	}()
	if mode == Down {
		return
	}
	c := raw
	if s.secure != nil {
		over := tls.Server(raw, s.secure)
		defer over.Close() // says close_notify
		c = over
	}
	r := bufio.NewReader(c)
	for n := 0; ; n++ {
		m, err := next(r)
		switch {
		case errors.Is(err, io.EOF) && mode == Mute:
			<-s.stop
			return
		case errors.Is(err, errGrammar):
			s.t.Error(err)
			return
		case err != nil || mode == Dying && n == 1:
			return
		}
		s.mu.Lock()
		s.messages = append(s.messages, m)
		s.mu.Unlock()
	}
}

// maxFrame is more than a sender may send.
const maxFrame = 64 << 10

// next reads SYSLOG-FRAME = MSG-LEN SP SYSLOG-MSG (RFC 5425 section 4.3).
func next(r *bufio.Reader) (Message, error) {
	size, err := r.ReadString(' ')
	if err != nil {
		return Message{}, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(size, " "))
	if err != nil || n < 1 || n > maxFrame || size[0] == '0' || size[0] == '+' {
		return Message{}, fmt.Errorf("%w: MSG-LEN %q", errGrammar, size)
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(r, raw); err != nil {
		return Message{}, err
	}
	return Parse(raw)
}
