package auditstream

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"time"
)

// SyslogConfig says which syslog server takes the events.
type SyslogConfig struct {
	URL        string // tls://host:6514 or tcp://127.0.0.1:514
	AllowPlain bool   // tcp to other machines too
	CAFile     string // PEM, instead of the system's; read for each connection
	CertFile   string // PEM, of this appliance, if the server asks for one
	KeyFile    string
	Hostname   string
	Process    string
	Timeout    time.Duration // of each step; 20 s if 0
	// Dial opens connections: the appliance's way out.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Syslog sends events to a syslog server, each as one message, framed by octet
// counting: over TLS as RFC 5425 has it, else as RFC 6587.
//
// Syslog has no acknowledgements: what was written to a connection may be lost
// with it. Therefore each batch has a connection of its own, and it has arrived
// when the server, told that no more will come, ends its side in order and has
// acknowledged every byte.
type Syslog struct {
	cfg    SyslogConfig
	server target
}

// target is a URL taken apart.
type target struct {
	secure     bool
	host, port string
}

// NewSyslog checks c and returns a Syslog. It does not connect.
func NewSyslog(c SyslogConfig) (*Syslog, error) {
	t, err := parse(c.URL, c.AllowPlain)
	if err != nil {
		return nil, err
	}
	if c.Timeout <= 0 {
		c.Timeout = 20 * time.Second
	}
	s := &Syslog{cfg: c, server: t}
	if t.secure {
		_, err = s.tlsConfig()
	}
	return s, err
}

// SyslogAddress is the host:port of a syslog server's URL.
func SyslogAddress(raw string, allowPlain bool) (string, error) {
	t, err := parse(raw, allowPlain)
	return net.JoinHostPort(t.host, t.port), err
}

func parse(raw string, allowPlain bool) (target, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "tls" && u.Scheme != "tcp" || *u != (url.URL{Scheme: u.Scheme, Host: u.Host}) {
		return target{}, errors.New("not a syslog server such as tls://logs.example.com:6514 or tcp://127.0.0.1:514")
	}
	t := target{secure: u.Scheme == "tls", host: u.Hostname(), port: u.Port()}
	if t.port == "" && t.secure {
		t.port = "6514" // RFC 5425
	}
	if n, err := strconv.ParseUint(t.port, 10, 16); err != nil || n == 0 || t.host == "" {
		return target{}, errors.New("not a host and a port between 1 and 65535")
	}
	if !t.secure && !allowPlain && !here(t.host) {
		return target{}, errors.New("without TLS everybody on the way reads along: use tls://, or a server on this machine")
	}
	return t, nil
}

// here reports whether a host is this machine.
func here(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// tlsConfig reads the files that the configuration names.
func (s *Syslog) tlsConfig() (*tls.Config, error) {
	c := &tls.Config{ServerName: s.server.host, MinVersion: tls.VersionTLS12}
	if s.cfg.CAFile != "" {
		text, err := os.ReadFile(s.cfg.CAFile)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s has no certificate in PEM", s.cfg.CAFile)
		}
	}
	if s.cfg.CertFile != "" {
		own, err := tls.LoadX509KeyPair(s.cfg.CertFile, s.cfg.KeyFile)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{own}
	}
	return c, nil
}

// Send implements Sink.
func (s *Syslog) Send(ctx context.Context, events []Event) error {
	switch err := s.send(ctx, events); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err() // which closed the connection
	default:
		return fmt.Errorf("auditstream: the syslog server: %w", err)
	}
}

func (s *Syslog) send(ctx context.Context, events []Event) error {
	raw, err := s.cfg.Dial(ctx, "tcp", net.JoinHostPort(s.server.host, s.server.port))
	if err != nil {
		return err
	}
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { _ = raw.Close() })()
	l := line{raw: raw, timeout: s.cfg.Timeout}
	if s.server.secure {
		c, err := s.tlsConfig()
		if err != nil {
			return err
		}
		l.over = tls.Client(raw, c)
	}
	w := bufio.NewWriterSize(l, 32<<10)
	for _, e := range events {
		m := message(e, s.cfg.Hostname, s.cfg.Process)
		if _, err := fmt.Fprintf(w, "%d %s", len(m), m); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return l.finish()
}

// line is a connection that fails when nothing moves for a while.
type line struct {
	raw     net.Conn
	over    *tls.Conn // nil without TLS
	timeout time.Duration
}

// Write implements io.Writer.
func (l line) Write(p []byte) (int, error) {
	if err := l.raw.SetDeadline(time.Now().Add(l.timeout)); err != nil {
		return 0, err
	}
	if l.over != nil {
		return l.over.Write(p)
	}
	return l.raw.Write(p)
}

var errNoEnd = errors.New("it has not ended the connection, and so has not confirmed that it has everything")

// finish ends our side and waits for the other: it returns nil if the server has
// read everything. A server that ends before it has read all resets the
// connection, or leaves bytes unacknowledged. Some end TLS without its
// close_notify; that is no sign of a loss, since the end of TCP below it counts.
func (l line) finish() error {
	until := time.Now().Add(l.timeout)
	if err := l.raw.SetDeadline(until); err != nil {
		return err
	}
	if l.over != nil {
		if err := l.over.CloseWrite(); err != nil {
			return err
		}
	}
	if c, ok := l.raw.(interface{ CloseWrite() error }); ok {
		if err := c.CloseWrite(); err != nil {
			return err
		}
	}
	if l.over != nil {
		if err := drain(l.over); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
	}
	if err := drain(l.raw); err != nil {
		return err
	}
	return acknowledged(l.raw, until)
}

// drain reads to the end.
func drain(r io.Reader) error {
	_, err := io.Copy(io.Discard, struct{ io.Reader }{r})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errNoEnd
	}
	return err
}
