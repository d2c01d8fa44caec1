package httpapi

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/netip"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// call is everything the stages know about one request. It belongs to the
// goroutine that serves the request.
type call struct {
	writer

	id    string            // request id
	ip    netip.Addr        // the client, as far as proxies may be believed
	tls   bool              // the client speaks TLS, to us or to a trusted proxy
	cert  *x509.Certificate // whose key the client holds, nil if it showed none
	route string            // template of the matched route, "" if none
	op    string            // its operation id, "" if it has none
	start time.Time
	ended func(method, route, operation string, status int) // nil if nobody traces

	principal identity.Principal
	rightKey  bool  // what was presented on a keyed route was right
	throttled error // what it is answered if it is wrong; nil: that it is
}

type callKey struct{}

// begin gathers what is known before routing, and returns r with a context
// that leads back to it.
func (s *Server) begin(w http.ResponseWriter, r *http.Request) (*call, *http.Request) {
	c := &call{id: requestID(r.Header), start: time.Now()}
	c.ip, c.tls = s.proxies.client(r)
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		c.cert = r.TLS.PeerCertificates[0]
	}
	ctx := r.Context()
	if s.trace != nil {
		ctx, c.ended = s.trace(r)
	}
	ctx, receipts := audit.Recording(ctx)
	c.writer = writer{ResponseWriter: w, receipts: receipts}
	return c, r.WithContext(context.WithValue(ctx, callKey{}, c))
}

// callFrom returns the call of a request's context. It is nil only in a
// context that did not pass Server.ServeHTTP.
func callFrom(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// caller is who sent the request: the zero Principal on public routes.
func caller(ctx context.Context) identity.Principal {
	if c := callFrom(ctx); c != nil {
		return c.principal
	}
	return identity.Principal{}
}

// peer is where the request came from, for services that are asked before
// anyone is authenticated.
func peer(ctx context.Context) identity.Peer {
	if c := callFrom(ctx); c != nil {
		return identity.Peer{IP: c.ip, Request: c.id, Throttled: c.throttled}
	}
	return identity.Peer{}
}

// keyWasRight tells the limiter of keyed routes that this was no guess: clients
// with short-lived tokens exchange their key often, many at once, and must not
// run into a limit that is there to slow guessing down.
func keyWasRight(ctx context.Context) {
	if c := callFrom(ctx); c != nil {
		c.rightKey = true
	}
}

const (
	requestIDHeader = "X-Request-Id"
	maxRequestID    = 128
)

// requestID takes the client's id where it is harmless in logs and headers,
// and makes one otherwise.
func requestID(h http.Header) string {
	if v := h[requestIDHeader]; len(v) == 1 && sane(v[0]) {
		return v[0]
	}
	return id.New().String()
}

func sane(s string) bool {
	if s == "" || len(s) > maxRequestID {
		return false
	}
	for _, b := range []byte(s) {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9':
		case b == '-', b == '_', b == '.':
		default:
			return false
		}
	}
	return true
}
