package appliance

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/oneclaw/oneclawd/appliance/egress"
)

// EgressConfig says where the appliance may connect to: the Internet, if it says
// nothing. What a setting names, such as the mail server, need not be allowed
// again.
type EgressConfig struct {
	AllowPrivate  bool     `toml:"allow_private" doc:"Whether webhooks and the like may go to private networks, such as 10.0.0.0/8. While it runs: the setting egress.allow_private of the API, which wins."`
	AllowLoopback bool     `toml:"allow_loopback" doc:"Whether they may go to this machine."`
	Allow         []string `toml:"allow" doc:"Networks (10.1.0.0/16), addresses and host names that may be connected to whatever they are, each with :port if only that one is meant."`
	CAFile        string   `toml:"ca_file" doc:"Certificates, PEM, of CAs that are trusted besides those of the system where webhooks go, and requests that use secrets or go through the forward proxy. Read at the start."`
	OnlyAllowed   bool     `toml:"only_allowed" doc:"Connect to nothing else than egress.allow and what other settings name."`
}

func (c Config) checkEgress() error {
	for _, entry := range c.Egress.Allow {
		if _, err := egress.New(egress.Policy{Allow: []string{entry}}, nil); err != nil {
			return bad("egress.allow", "%s", strings.TrimPrefix(err.Error(), "egress: "))
		}
	}
	return nil
}

// waysOut is how the appliance connects to elsewhere, under the one policy of
// its configuration. Whether private networks are part of the world is looked up
// for each connection: people change it while the appliance runs. There is a
// dialer for each answer, and so a pool of connections: one that was opened under
// the old answer is not used under the new one.
type waysOut struct {
	far, near *egress.Dialer
	private   func(context.Context) bool
}

// waysOut are those for one purpose, which may also reach what its own settings
// name, and only it: what somebody has configured for mail is nothing that
// a webhook may be sent to.
func (e EgressConfig) waysOut(private func(context.Context) bool, named ...string) (waysOut, error) {
	p := egress.Policy{AllowLoopback: e.AllowLoopback, OnlyAllowed: e.OnlyAllowed, Allow: slices.Concat(named, e.Allow)}
	far, err := egress.New(p, nil)
	if err != nil {
		return waysOut{}, err
	}
	p.AllowPrivate = true
	near, err := egress.New(p, nil)
	return waysOut{far: far, near: near, private: private}, err
}

// trusted is who vouches for hosts that people name: nil for those that the system
// trusts, if no others are.
func (e EgressConfig) trusted() (*x509.CertPool, error) {
	if e.CAFile == "" {
		return nil, nil
	}
	all, err := x509.SystemCertPool()
	if err != nil { // a system without any
		all = x509.NewCertPool()
	}
	return all, addCAs(all, "egress.ca_file", e.CAFile)
}

// allowsPrivate reports whether private networks may be connected to now. Without
// an answer they may not.
func (c *core) allowsPrivate(ctx context.Context) bool {
	now, err := c.site.Current(ctx)
	if err != nil {
		c.log.Warn("the setting egress.allow_private cannot be read; private networks are not connected to", "err", err)
	}
	return err == nil && now.AllowPrivateEgress
}

func (w waysOut) dialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return choose(ctx, w, w.far, w.near).DialContext(ctx, network, addr)
}

// client returns an HTTP client that connects through w.
func (w waysOut) client(o egress.ClientOptions) *http.Client {
	return w.both(w.far.Client(o), w.near.Client(o))
}

// streamer returns one for answers of any length.
func (w waysOut) streamer(o egress.ClientOptions) *http.Client {
	return w.both(w.far.Streamer(o), w.near.Streamer(o))
}

func (w waysOut) both(far, near *http.Client) *http.Client {
	both := *far
	both.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		return choose(r.Context(), w, far, near).Transport.RoundTrip(r)
	})
	return &both
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (fn roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return fn(r) }

// poster sends webhooks through w. It implements webhook.Poster.
type poster struct {
	ways      waysOut
	far, near *egress.Poster
}

func (w waysOut) poster(o egress.ClientOptions) *poster {
	return &poster{ways: w, far: w.far.Poster(o), near: w.near.Poster(o)}
}

// Post implements webhook.Poster.
func (p *poster) Post(ctx context.Context, url string, header map[string]string, body []byte) (int, error) {
	return choose(ctx, p.ways, p.far, p.near).Post(ctx, url, header, body)
}

// CheckURL says early what Post would be refused for.
func (p *poster) CheckURL(ctx context.Context, url string) error {
	return choose(ctx, p.ways, p.far, p.near).CheckURL(url)
}

func choose[T any](ctx context.Context, w waysOut, far, near T) T {
	if w.private(ctx) {
		return near
	}
	return far
}
