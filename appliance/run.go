package appliance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oneclaw/oneclawd/appliance/httpapi"
	"github.com/oneclaw/oneclawd/appliance/tlsconf"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// How often the background work is done.
const (
	activityEvery = 30 * time.Second
	forgetEvery   = time.Hour
)

// Timeouts of the listener: enough for a 5 MB body on a slow line, not enough
// to hold a connection for nothing.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// errCutOff: a shutdown did not wait for a request any longer.
var errCutOff = fault.New(fault.Unavailable, "cut_off", "requests were cut off")

// Options of Run that are not configuration.
type Options struct {
	Version string
	Log     *slog.Logger
	// AcceptRollback starts although the store is older than the HSM remembers:
	// a backup was put back on purpose. The audit log keeps that it was.
	AcceptRollback bool
	// Ready is called once, when the listener answers.
	Ready func(Running)
}

// Running says how a started appliance can be reached.
type Running struct {
	API    string // base URL
	CAFile string // of the CA that clients have to trust, "" if it is not our own
	HSM    hsm.Description
}

// Run starts the appliance and serves until ctx ends, then drains: the
// listener closes, requests under way are answered, what is only in memory is
// written, the last checkpoint is signed, and the keys are let go last.
func Run(ctx context.Context, cfg Config, o Options) (err error) {
	c, err := openCore(ctx, cfg, o.Log, func(_ context.Context, c *core) error {
		c.acceptRollback = o.AcceptRollback
		return nil
	})
	if err != nil {
		return err
	}
	defer func() { err = andThen(err, c.close()) }()
	listener, err := net.Listen("tcp", cfg.API.Listen)
	if err != nil {
		return fmt.Errorf("listening on %s: %w; set api.listen to a free address", cfg.API.Listen, err)
	}
	if cfg.encrypted() {
		if c.tls, err = tlsconf.Open(cfg.tlsSource(o.Log)); err != nil {
			return andThen(fmt.Errorf("the listener's certificate: %w", err), listener.Close())
		}
	}
	monitor := &hsm.Monitor{Module: &c.gate, Log: o.Log}
	api, err := c.newAPI(listener, monitor, o)
	if err != nil {
		return andThen(err, listener.Close())
	}
	if err := c.record(ctx, audit.ApplianceStart); err != nil {
		return andThen(err, listener.Close())
	}
	c.announce(o, listener)
	err = c.serve(ctx, api, listener, monitor)
	return andThen(err, c.lastWords())
}

// announce says what an operator must know at every start.
func (c *core) announce(o Options, l net.Listener) {
	d := c.gate.Describe()
	o.Log.Info("keys are open", "module", d.Kind, "hsm", d.HSM, "token", d.Token, "wrapping", d.Wrapping, "signing", d.Signing)
	for _, note := range d.Notes {
		o.Log.Warn("about the keys", "note", note)
	}
	url := c.cfg.at(l.Addr().String())
	o.Log.Info("listening", "api", url, "version", o.Version)
	if o.Ready != nil {
		o.Ready(Running{API: url, CAFile: c.cfg.localCAFile(), HSM: d})
	}
}

func (c *core) newAPI(l net.Listener, monitor *hsm.Monitor, o Options) (*httpapi.Server, error) {
	public := c.cfg.API.PublicURL
	if public == "" {
		public = c.cfg.at(l.Addr().String())
	}
	proxies := make([]netip.Prefix, len(c.cfg.API.TrustedProxies))
	for i, p := range c.cfg.API.TrustedProxies {
		var err error
		if proxies[i], err = netip.ParsePrefix(p); err != nil {
			return nil, err
		}
	}
	lim := c.cfg.Limits
	return httpapi.New(httpapi.Config{
		Version: o.Version, PublicURL: public, TrustedProxies: proxies, Log: o.Log,
		Limits: httpapi.Limits{
			Global: rate(lim.Rate, lim.Burst), Auth: rate(lim.AuthRate, lim.AuthBurst), LimitLoopback: !lim.ExemptLoopback,
		},
		Identity: c.identity, People: c.people, Vaults: c.vaults, Agents: c.agents, Enrol: c.enrol, Shares: c.shares, Site: c.site, Audit: c.audit, HSM: monitor,
	}), nil
}

func rate(perSecond float64, burst int) httpapi.Rate {
	if perSecond == 0 {
		return httpapi.Rate{Burst: -1} // no limit
	}
	return httpapi.Rate{PerSecond: perSecond, Burst: burst}
}

// serve runs the listener and the background work until ctx ends or one of
// them fails.
func (c *core) serve(ctx context.Context, api *httpapi.Server, l net.Listener, monitor *hsm.Monitor) error {
	g, ctx := errgroup.WithContext(ctx)
	server := &http.Server{
		Handler: api, ErrorLog: slog.NewLogLogger(c.log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
	}
	if c.tls != nil {
		server.TLSConfig = c.tls.ServerConfig()
		g.Go(func() error { return ended(server.ServeTLS(l, "", "")) })
		g.Go(func() error { return ended(c.tls.Run(ctx)) })
	} else {
		g.Go(func() error { return ended(server.Serve(l)) })
	}
	g.Go(func() error {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(c.cfg.API.DrainTimeout))
		defer cancel()
		c.log.Info("draining")
		err := andThen(api.Shutdown(drain), server.Shutdown(drain))
		if errors.Is(err, context.DeadlineExceeded) {
			err = errCutOff.Detail("requests were still under way after api.drain_timeout (%s) and were cut off", time.Duration(c.cfg.API.DrainTimeout))
		}
		return err
	})
	g.Go(func() error { monitor.Run(ctx); return nil })
	g.Go(func() error { return ended(c.checkpoints.Run(ctx)) })
	g.Go(func() error { return ended(c.drainer.Run(ctx)) })
	g.Go(func() error { return c.housekeeping(ctx) })
	return g.Wait()
}

// ended turns the ways in which a part stops when it is told to into nil.
func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// housekeeping does what need not be done at once. What fails is logged and
// tried again next time: nothing here decides anything.
func (c *core) housekeeping(ctx context.Context) error {
	activity, forget := time.NewTicker(activityEvery), time.NewTicker(forgetEvery)
	defer activity.Stop()
	defer forget.Stop()
	c.attempt(ctx, "finishing deletions", c.vaults.FinishDeletions)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-activity.C:
			c.attempt(ctx, "writing activity", c.identity.FlushActivity)
		case <-forget.C:
			c.attempt(ctx, "forgetting revocations", c.identity.ForgetRevoked)
			c.attempt(ctx, "forgetting shares", c.shares.Forget)
			c.attempt(ctx, "tidying accounts", c.people.Tidy)
		}
	}
}

func (c *core) attempt(ctx context.Context, what string, fn func(context.Context) error) {
	if err := fn(ctx); err != nil && ctx.Err() == nil {
		c.log.Warn("housekeeping failed; it will be tried again", "task", what, "err", err)
	}
}

// lastWords writes what is only in memory and signs the log as it ends.
func (c *core) lastWords() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := errors.Join(c.identity.FlushActivity(ctx), c.record(ctx, audit.ApplianceStop))
	if _, unsigned := c.checkpoints.Checkpoint(ctx); unsigned != nil {
		c.log.Warn("the log could not be signed at shutdown; it will be at the next start", "err", unsigned)
	}
	c.log.Info("stopped")
	return err
}
