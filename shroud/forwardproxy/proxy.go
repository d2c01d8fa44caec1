package forwardproxy

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/use"
)

// Models is Shroud. shroud.Server is one.
type Models interface {
	// Enter finds out who sent r, and whether it may use the proxy.
	Enter(r *http.Request, c shroud.Credentials) (shroud.Agent, error)
	// Pass takes a call to a provider of models through inspection.
	Pass(w http.ResponseWriter, r *http.Request, k shroud.Known)
}

// Permits admits requests that have placeholders. use.Service is one.
type Permits interface {
	Permit(ctx context.Context, p identity.Principal, c use.Call) (*use.Permit, error)
}

// Certifier makes certificates for hosts. authority.Authority is one.
type Certifier interface {
	Leaf(host string) (*tls.Certificate, error)
	// Bundle is what clients have to trust, PEM.
	Bundle() []byte
}

// Recorder is told of each request that is over, but for those that go to models: those
// are Shroud's.
type Recorder interface {
	Forwarded(ctx context.Context, r Report)
}

// Report is what is remembered of a request. Nothing of what was said is in it.
type Report struct {
	Agent      identity.Principal
	Host       string // with its scheme, and the port that is not the usual one
	Method     string
	Status     int    // of the answer, or of the error that it ended with
	Refusal    string // the code of our error, "" if there was none
	Redactions int    // values that were taken out of the answer
	Began      time.Time
	Took       time.Duration // to the end of the answer
	// Recorded says that the audit log has it: by whoever decided about the secrets
	// that it uses.
	Recorded bool
}

// Provider is a provider of models, as clients reach it.
type Provider struct {
	Name   string
	Origin use.Origin
	Path   string // that all of its paths begin with, "" or "/v1"
}

// Config is what a Proxy is made of.
type Config struct {
	Hosts     use.Hosts // besides those of the providers
	Providers []Provider
	Models    Models
	Permits   Permits
	Screens   use.Screens
	Client    *http.Client // follows no redirects, and has no limit of the time an answer may take
	Certifier Certifier
	Recorder  Recorder
	Silence   time.Duration // how long a host may say nothing
	Log       *slog.Logger
	Now       func() time.Time
}

// Bounds of what one agent has open.
const (
	maxTunnels  = 256
	maxUnderway = 64
)

// Proxy is the forward proxy. It is the handler of its listener.
type Proxy struct {
	Config
	providers map[use.Origin]Provider
	tunnels   *tunnels
	open      limit // tunnels
	underway  limit // requests
}

// New returns a Proxy, which Close ends.
func New(c Config) *Proxy {
	p := &Proxy{Config: c, providers: map[use.Origin]Provider{}, open: limit{most: maxTunnels}, underway: limit{most: maxUnderway}}
	for _, one := range c.Providers {
		p.providers[one.Origin] = one
	}
	p.tunnels = newTunnels(p)
	return p
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodConnect:
		p.connect(w, r)
	case r.URL.IsAbs():
		p.plain(w, r)
	case r.URL.Path == "/ca.pem" && r.Method == http.MethodGet:
		w.Header().Set("Content-Type", "application/x-pem-file")
		_, _ = w.Write(append([]byte(instructions), p.Certifier.Bundle()...))
	default:
		Refuse(w, errNotProxy)
	}
}

// instructions are in front of the certificates: whoever reads PEM passes them over.
const instructions = `# What clients of the forward proxy have to trust. Save this as ca.pem, and say
#   NODE_EXTRA_CA_CERTS=ca.pem    for Node.js
#   SSL_CERT_FILE=ca.pem          for Go, OpenSSL and curl; Python's httpx
#   REQUESTS_CA_BUNDLE=ca.pem     for Python's requests
#   curl --cacert ca.pem          for one call
# SSL_CERT_FILE and REQUESTS_CA_BUNDLE take the place of the system's certificates.
`

// enter finds out who asks.
func (p *Proxy) enter(r *http.Request) (shroud.Agent, shroud.Credentials, error) {
	c, err := ParseCredentials(r.Header)
	if err != nil {
		return shroud.Agent{}, c, err
	}
	a, err := p.Models.Enter(r, c)
	return a, c, err
}

// listed reports whether requests may go to an origin.
func (p *Proxy) listed(o use.Origin) bool {
	_, models := p.providers[o]
	return models || p.Hosts.Allow(o)
}

// plain takes a request without encryption to a host that is listed for it.
func (p *Proxy) plain(w http.ResponseWriter, r *http.Request) {
	a, _, err := p.enter(r)
	if err != nil {
		refuseProxy(w, err)
		return
	}
	o, err := use.ParseOrigin(r.URL.Scheme + "://" + r.URL.Host)
	if err != nil || o.Scheme != "http" {
		err = errTarget
	} else if !p.listed(o) {
		err = errHost
	}
	if err != nil {
		p.record(r, Report{Agent: a.Principal, Host: host(o), Method: r.Method, Began: p.Now()}, err)
		refuseProxy(w, err)
		return
	}
	p.pass(w, r, a, o)
}

// host is how an origin is recorded: one that cannot be read, not at all.
func host(o use.Origin) string {
	if o.Host == "" {
		return ""
	}
	return o.String()
}

// record completes a report and hands it over.
func (p *Proxy) record(r *http.Request, rep Report, why error) {
	if why != nil {
		status, f := explain(why)
		rep.Refusal = f.Code
		if rep.Status == 0 {
			rep.Status = status
		}
		if f.Kind == fault.Internal {
			p.Log.Error("a request through the forward proxy failed", "agent", rep.Agent.ID, "host", rep.Host, "err", why)
		}
	}
	rep.Took = p.Now().Sub(rep.Began)
	p.Recorder.Forwarded(context.WithoutCancel(r.Context()), rep)
}

// Shutdown lets no more requests in, and waits for those under way for as long as ctx
// lasts.
func (p *Proxy) Shutdown(ctx context.Context) error { return p.tunnels.server.Shutdown(ctx) }

// Close ends all tunnels.
func (p *Proxy) Close() error { return p.tunnels.server.Close() }

// limit counts what agents have open.
type limit struct {
	most int
	mu   sync.Mutex
	of   map[id.ID]int
}

// enter counts one in; leave counts it out.
func (l *limit) enter(agent id.ID) (leave func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of[agent] >= l.most {
		return nil, errBusy.After(time.Second)
	}
	if l.of == nil {
		l.of = map[id.ID]int{}
	}
	l.of[agent]++
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.of[agent]--; l.of[agent] == 0 {
			delete(l.of, agent)
		}
	}), nil
}
