package forwardproxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/shroud"
	"github.com/oneclaw/oneclawd/vault/use"
)

// Timeouts of what is in a tunnel, as those of every listener: there is none for answers.
const (
	readHeaderTimeout = 10 * time.Second // with the handshake
	readTimeout       = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// connect opens a tunnel.
func (p *Proxy) connect(w http.ResponseWriter, r *http.Request) {
	a, cred, err := p.enter(r)
	if err != nil {
		refuseProxy(w, err)
		return
	}
	target, leave, err := p.admit(r, a)
	if err != nil {
		p.record(r, Report{Agent: a.Principal, Host: host(target), Method: r.Method, Began: p.Now()}, err)
		refuseProxy(w, err)
		return
	}
	conn, ahead, err := takeOver(w)
	if err != nil {
		leave()
		p.Log.Debug("a tunnel was not opened", "err", err)
		return
	}
	p.tunnels.take(&tunnel{Conn: conn, ahead: ahead, target: target, cred: cred, asked: r, leave: leave})
}

// admit says whether an agent may have the tunnel that it asks for.
func (p *Proxy) admit(r *http.Request, a shroud.Agent) (target use.Origin, leave func(), err error) {
	if target, err = ParseTarget(r.RequestURI); err != nil {
		return target, nil, err
	}
	if !p.listed(target) {
		return target, nil, errHost
	}
	if _, err := p.Certifier.Leaf(target.Host); err != nil {
		return target, nil, err
	}
	leave, err = p.open.enter(a.ID)
	return target, leave, err
}

// takeOver has the connection of a request, answered, and what came behind the request.
func takeOver(w http.ResponseWriter) (net.Conn, io.Reader, error) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil { // a client that speaks HTTP/2 to the proxy itself
		refuseProxy(w, errTarget)
		return nil, nil, err
	}
	ahead, err := rw.Reader.Peek(rw.Reader.Buffered())
	if err == nil {
		_, err = io.WriteString(conn, "HTTP/1.1 200 Connection Established\r\n\r\n")
	}
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return conn, bytes.NewReader(bytes.Clone(ahead)), nil
}

// tunnel is a connection through which a client speaks TLS to what it takes for a host.
type tunnel struct {
	net.Conn
	ahead  io.Reader // what the client sent before it was answered
	target use.Origin
	cred   shroud.Credentials
	asked  *http.Request
	leave  func()
}

// Read implements net.Conn.
func (t *tunnel) Read(b []byte) (int, error) {
	if n, err := t.ahead.Read(b); n > 0 || err == nil {
		return n, nil
	}
	return t.Conn.Read(b)
}

// Close implements net.Conn.
func (t *tunnel) Close() error {
	t.leave()
	return t.Conn.Close()
}

// tunnels serves what comes through tunnels. It is the listener of its server.
type tunnels struct {
	proxy  *Proxy
	server *http.Server
	tls    *tls.Config
	queue  chan net.Conn
	ended  chan struct{}
	end    sync.Once
}

type tunnelKey struct{}

func newTunnels(p *Proxy) *tunnels {
	ts := &tunnels{proxy: p, queue: make(chan net.Conn), ended: make(chan struct{})}
	ts.tls = &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetConfigForClient: ts.hello, GetCertificate: ts.certificate}
	ts.server = &http.Server{
		Handler: http.HandlerFunc(ts.serveHTTP), ErrorLog: slog.NewLogLogger(p.Log.Handler(), slog.LevelDebug),
		DisableGeneralOptionsHandler: true, // OPTIONS * would be answered before anybody was asked
		ReadHeaderTimeout:            readHeaderTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, tunnelKey{}, c.(*tls.Conn).NetConn())
		},
	}
	go func() {
		if err := ts.server.Serve(ts); !errors.Is(err, http.ErrServerClosed) {
			p.Log.Error("the forward proxy takes no more tunnels", "err", err)
		}
	}()
	return ts
}

// take serves a tunnel from now on.
func (ts *tunnels) take(t *tunnel) {
	select {
	case ts.queue <- tls.Server(t, ts.tls):
	case <-ts.ended:
		_ = t.Close()
	}
}

// Accept implements net.Listener.
func (ts *tunnels) Accept() (net.Conn, error) {
	select {
	case c := <-ts.queue:
		return c, nil
	case <-ts.ended:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (ts *tunnels) Close() error {
	ts.end.Do(func() { close(ts.ended) })
	return nil
}

// Addr implements net.Listener.
func (ts *tunnels) Addr() net.Addr { return &net.UnixAddr{Name: "forward", Net: "tunnel"} }

var errSNI = errors.New("forwardproxy: the client wants another host's certificate than its tunnel is to")

// hello refuses a handshake for another host. It runs for sessions that are resumed, too,
// unlike certificate.
func (ts *tunnels) hello(h *tls.ClientHelloInfo) (*tls.Config, error) {
	t := h.Conn.(*tunnel)
	if h.ServerName == "" {
		return nil, nil
	}
	if o, err := use.ParseOrigin("https://" + h.ServerName); err != nil || o.Host != t.target.Host {
		return nil, errSNI
	}
	return nil, nil
}

func (ts *tunnels) certificate(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return ts.proxy.Certifier.Leaf(h.Conn.(*tunnel).target.Host)
}

// serveHTTP answers a request that came through a tunnel. Its agent is asked for anew:
// a tunnel may outlive a key.
func (ts *tunnels) serveHTTP(w http.ResponseWriter, r *http.Request) {
	p, t := ts.proxy, r.Context().Value(tunnelKey{}).(*tunnel)
	a, err := p.Models.Enter(t.asked.WithContext(r.Context()), t.cred)
	if err != nil {
		w.Header().Set("Connection", "close")
		Refuse(w, err)
		return
	}
	p.pass(w, r, a, t.target)
}
