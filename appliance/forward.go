package appliance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/oneclaw/oneclawd/appliance/egress"
	"github.com/oneclaw/oneclawd/appliance/metrics"
	"github.com/oneclaw/oneclawd/appliance/operator"
	"github.com/oneclaw/oneclawd/appliance/tlsconf"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/shroud"
	"github.com/oneclaw/oneclawd/shroud/forwardproxy"
	"github.com/oneclaw/oneclawd/shroud/forwardproxy/authority"
	"github.com/oneclaw/oneclawd/shroud/provider"
	"github.com/oneclaw/oneclawd/shroud/screen"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/use"
)

// ForwardConfig sets the forward proxy.
type ForwardConfig struct {
	Listen string   `toml:"listen" doc:"Address of the forward proxy, for agents that are told HTTPS_PROXY: 127.0.0.1:8203, say. Empty: there is none."`
	Hosts  []string `toml:"hosts" doc:"Hosts that agents reach through it, besides the providers of models: api.github.com, *.example.com, host:port, or http://host for one without encryption."`
	ListenerConfig
}

// forwardCAFile is where the certificates of the forward proxy's CAs are, in the data folder.
const forwardCAFile = "forward-ca.pem"

// ErrNoForwardCA: nobody has made one.
var ErrNoForwardCA = fault.New(fault.NotFound, "no_forward_ca", "there is no CA of the forward proxy here; the daemon makes one when forward.listen is set")

// listening is the listener: a tunnel is asked for over HTTP/1.1.
func (f ForwardConfig) listening() listening {
	l := on("forward", f.Listen, f.ListenerConfig)
	l.http1 = true
	return l
}

func (c Config) checkForward() error {
	f := c.Forward
	for _, entry := range f.Hosts {
		if _, err := use.ParseHosts([]string{entry}); err != nil {
			return bad("forward.hosts", "%q is not host, *.suffix, host:port or http://host", entry)
		}
		if u, err := url.Parse("//" + strings.TrimPrefix(entry, "https://")); err == nil {
			if _, err := netip.ParseAddr(u.Hostname()); err == nil {
				return bad("forward.hosts", "%q is an address: a tunnel is to a name, which its certificate is for", entry)
			}
		}
	}
	if len(f.Hosts) > 0 {
		if _, err := use.ParseHosts(f.Hosts); err != nil {
			return bad("forward.hosts", "there are too many")
		}
	}
	if f.Listen == "" {
		return nil
	}
	return f.listening().check(c)
}

// ForwardCA is what clients of the forward proxy have to trust, PEM.
func ForwardCA(c Config) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(c.Data, forwardCAFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoForwardCA
	}
	return text, err
}

// openForward makes the forward proxy in front of Shroud, and lets requests through to it.
func (d *daemon) openForward(ctx context.Context, c *core, models *shroud.Server) (*forwardproxy.Proxy, error) {
	hosts, err := use.ParseHosts(c.cfg.Forward.Hosts)
	if err != nil {
		return nil, err
	}
	providers, err := c.cfg.reachable()
	if err != nil {
		return nil, err
	}
	names := hosts.Domains("https")
	for _, p := range providers {
		if _, err := netip.ParseAddr(p.Origin.Host); err != nil && p.Origin.Scheme == "https" && !slices.Contains(names, p.Origin.Host) {
			names = append(names, p.Origin.Host)
		}
	}
	cas, err := authority.Open(ctx, store.Runner[authority.Tx](c.db), names, time.Now)
	if err != nil {
		return nil, err
	}
	if err := tlsconf.Publish(filepath.Join(c.cfg.Data, forwardCAFile), cas.Bundle()); err != nil {
		return nil, err
	}
	roots, err := c.cfg.Egress.trusted()
	if err != nil {
		return nil, err
	}
	ways, err := c.cfg.Egress.waysOut(c.allowsPrivate)
	if err != nil {
		return nil, err
	}
	p := forwardproxy.New(forwardproxy.Config{
		Hosts: hosts, Providers: providers, Models: models, Permits: c.uses, Screens: screen.Screens{Manifests: c.manifests},
		Client: ways.streamer(egress.ClientOptions{RootCAs: roots}), Certifier: cas, Recorder: forwardRecorder{c, d.metrics},
		Silence: time.Duration(c.cfg.Shroud.Silence), Log: d.log, Now: time.Now,
	})
	d.forward.cas.Store(cas)
	d.forward.behind.Store(p)
	return p, nil
}

var _ operator.Daemon = (*daemon)(nil)

// RotateForwardCA implements operator.Daemon.
func (d *daemon) RotateForwardCA(ctx context.Context, who operator.Peer) ([]byte, error) {
	c, err := d.unsealedCore()
	if err != nil {
		return nil, err
	}
	if d.forward == nil {
		return nil, ErrNoForwardCA
	}
	cas := d.forward.cas.Load()
	if err := cas.Rotate(ctx, by(who)); err != nil {
		return nil, err
	}
	d.log.Info("the forward proxy has another CA, as an operator said", "uid", who.UID)
	bundle := cas.Bundle()
	return bundle, tlsconf.Publish(filepath.Join(c.cfg.Data, forwardCAFile), bundle)
}

// reachable are the providers of models as clients that know nothing of Shroud reach them:
// the public ones under their own names, whatever a setting says about where their calls
// go, and those of the settings.
func (c Config) reachable() ([]forwardproxy.Provider, error) {
	all := provider.Vendors()
	for _, setting := range c.Shroud.Providers {
		v, err := parseVendor(setting)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	out := make([]forwardproxy.Provider, len(all))
	for i, v := range all {
		u, err := url.Parse(v.Base)
		if err != nil {
			return nil, err
		}
		o, err := use.ParseOrigin(u.Scheme + "://" + u.Host)
		if err != nil {
			return nil, fmt.Errorf("shroud.providers: %s: %w", v.Name, err)
		}
		out[i] = forwardproxy.Provider{Name: v.Name, Origin: o, Path: strings.TrimSuffix(u.Path, "/")}
	}
	return out, nil
}

// forwardFront is the handler of the forward proxy's listener.
type forwardFront struct {
	listener *listener
	behind   atomic.Pointer[forwardproxy.Proxy]
	cas      atomic.Pointer[authority.Authority] // its, once there is one behind
}

// ServeHTTP implements http.Handler.
func (f *forwardFront) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	behind := f.behind.Load()
	own := r.Method == http.MethodGet && !r.URL.IsAbs() // asked of the proxy itself
	switch {
	case own && r.URL.Path == "/livez", own && r.URL.Path == "/readyz" && behind != nil:
		w.WriteHeader(http.StatusOK)
	case behind == nil:
		forwardproxy.Refuse(w, forwardproxy.ErrSealed)
	default:
		behind.ServeHTTP(w, r)
	}
}

// drain lets nobody in any more and waits for requests under way.
func (f *forwardFront) drain(ctx context.Context) error {
	if f == nil {
		return nil
	}
	err := f.listener.drain(ctx)
	if p := f.behind.Load(); p != nil {
		err = andThen(err, p.Shutdown(ctx))
	}
	return err
}

// forwardRecorder counts what went through the forward proxy, and writes it into the
// audit log. It implements forwardproxy.Recorder.
type forwardRecorder struct {
	core   *core
	counts *metrics.Metrics
}

// Forwarded implements forwardproxy.Recorder.
func (f forwardRecorder) Forwarded(ctx context.Context, r forwardproxy.Report) {
	f.counts.Forwarded(forwarded(r), r.Took)
	if r.Recorded {
		return
	}
	e := r.Agent.Event(audit.ForwardRequest, "host", r.Host)
	e.Time, e.Outcome = r.Began, audit.Success
	e.Details = audit.Details{"host": r.Host, "method": r.Method, "status": r.Status}
	if r.Redactions > 0 {
		e.Details["redactions"] = r.Redactions
	}
	if r.Refusal != "" {
		e.Outcome, e.Reason = audit.Refused, r.Refusal
	}
	err := txn.Decide(ctx, store.Runner[vault.Tx](f.core.db), func(tx vault.Tx) (error, error) { return nil, audit.Write(ctx, tx, e) })
	if err != nil {
		f.core.log.Error("a request through the forward proxy is not in the audit log", "agent", r.Agent.ID, "err", err)
	}
}

// forwarded sums up what became of a request.
func forwarded(r forwardproxy.Report) string {
	switch r.Refusal {
	case "":
		return metrics.Answered
	case "abandoned":
		return metrics.Abandoned
	case "secret_in_request", "answer_withheld":
		return metrics.Blocked
	case "answer_broken", "target_unreachable", "target_timeout": // perhaps after a status
		return metrics.Failed
	case "upgrade_refused": // 501, but the agent's
		return metrics.Refused
	}
	switch {
	case r.Status == http.StatusTooManyRequests:
		return metrics.Limited
	case r.Status >= http.StatusInternalServerError:
		return metrics.Failed
	}
	return metrics.Refused
}
