package appliance

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oneclaw/oneclawd/appliance/httpapi"
	"github.com/oneclaw/oneclawd/appliance/operator"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud/activity"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// How often the background work is done.
const (
	activityEvery = 30 * time.Second
	forgetEvery   = time.Hour
)

// sealPatience is how long sealing waits for requests under way: it is to be
// done at once.
const sealPatience = 500 * time.Millisecond

// errCutOff: a shutdown did not wait for a request any longer.
var errCutOff = fault.New(fault.Unavailable, "cut_off", "requests were cut off")

// errLastWords: the daemon stops all the same.
var errLastWords = fault.New(fault.Unavailable, "last_words", "stopped, but that and what was only in memory could not be written down")

// Options of Run that are not configuration.
type Options struct {
	Version string
	Log     *slog.Logger
	// Sealed waits for an operator's word before the keys are opened, even if the
	// configuration says how.
	Sealed bool
	// AcceptRollback starts although the store is older than the HSM remembers:
	// a backup was put back on purpose. The audit log keeps that it was.
	AcceptRollback bool
	// Ready is called once, when the appliance is unsealed and answers.
	Ready func(Running)
}

// Running says how a started appliance can be reached.
type Running struct {
	API    string // base URL
	Shroud string // base URL, "" without its listener
	MCP    string // base URL, "" without its listener
	CAFile string // of the CA that clients have to trust, "" if it is not our own
	HSM    hsm.Description
}

// SealedError ends Run when an operator sealed the appliance. Everything is
// closed, but what keys left behind in memory goes only with the process: the
// caller replaces it by one that starts with Options.Sealed.
type SealedError struct {
	Listen string // where the API listened, to be taken again
}

// Error implements error.
func (*SealedError) Error() string { return "the appliance was sealed by its operator" }

// errSealing is why everything ends when an operator seals.
var errSealing = errors.New("sealing")

// Run starts the appliance and serves until ctx ends, then drains: the
// listener closes, requests under way are answered, what is only in memory is
// written, the last checkpoint is signed, and the keys are let go last.
//
// Its listener answers from the first moment: while the appliance is sealed,
// that it is. Without a PIN at hand it stays so until an operator unseals it.
func Run(ctx context.Context, cfg Config, o Options) (err error) {
	d, err := listen(cfg, o)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	ctx, d.end = context.WithCancelCause(ctx)
	for _, l := range d.listeners {
		g.Go(l.serve)
		g.Go(func() error { return l.renew(ctx) })
	}
	g.Go(func() error { return ended(d.operator.Serve(d.socket)) })
	if d.tls != nil {
		g.Go(func() error { return ended(d.tls.Run(ctx)) })
	}
	g.Go(d.prepareMCP)
	g.Go(func() error { return andThen(d.live(ctx), d.stopListening()) })
	err = g.Wait()
	sealing := errors.Is(context.Cause(ctx), errSealing)
	d.flushTraces(sealing)
	if err == nil && sealing {
		return &SealedError{Listen: d.api.Addr().String()}
	}
	return err
}

// live takes the appliance from sealed to draining.
func (d *daemon) live(ctx context.Context) (err error) {
	c, err := d.awaitCore(ctx)
	if c == nil || err != nil {
		return err
	}
	defer func() { err = andThen(err, c.close()) }()
	out, err := c.newDelivery()
	if err != nil {
		return err
	}
	if err := c.startIntents(ctx); err != nil {
		return err
	}
	monitor := hsm.NewWatch(c.ring, d.log)
	api, err := d.newAPI(c, monitor)
	if err != nil {
		return err
	}
	proxy, err := d.openShroud(ctx, c, api)
	if err != nil {
		return err
	}
	defer proxy.close()
	if err := d.openMCP(); err != nil {
		return err
	}
	if err := c.record(ctx, audit.ApplianceStart); err != nil {
		return err
	}
	monitor.First(ctx)
	d.serves(c, api, monitor)
	err = d.serve(ctx, c, api, monitor, out)
	return andThen(err, c.lastWords())
}

// announce says what an operator must know at every start.
func (d *daemon) announce(c *core) {
	about := c.gate.Describe()
	d.log.Info("keys are open", "module", about.Kind, "hsm", about.HSM, "token", about.Token, "wrapping", about.Wrapping, "signing", about.Signing, "accounts", about.Accounts)
	for _, note := range about.Notes {
		d.log.Warn("about the keys", "note", note)
	}
	d.log.Info("listening", "api", d.api.url, "shroud", d.shroud.base(), "mcp", d.mcp.base(), "version", d.o.Version)
	if d.o.Ready != nil {
		d.o.Ready(Running{API: d.api.url, Shroud: d.shroud.base(), MCP: d.mcp.base(), CAFile: d.cfg.localCAFile(), HSM: about})
	}
}

func (d *daemon) newAPI(c *core, monitor *hsm.Watch) (*httpapi.Server, error) {
	proxies := make([]netip.Prefix, len(c.cfg.API.TrustedProxies))
	for i, p := range c.cfg.API.TrustedProxies {
		var err error
		if proxies[i], err = netip.ParsePrefix(p); err != nil {
			return nil, err
		}
	}
	lim := c.cfg.Limits
	var attestor httpapi.Attestor
	if c.attested != nil {
		attestor = c.attested
	}
	conf := httpapi.Config{
		Version: d.o.Version, PublicURL: d.publicURL(), TrustedProxies: proxies, Log: d.log,
		Limits: httpapi.Limits{
			Global: rate(lim.Rate, lim.Burst), Auth: rate(lim.AuthRate, lim.AuthBurst), LimitLoopback: !lim.ExemptLoopback,
		},
		Identity: c.identity, People: c.people, Vaults: c.vaults, Agents: c.agents, Enrol: c.enrol, Shares: c.shares, Site: c.site,
		Webhooks: c.webhooks, Outbox: c.messages, Intents: c.intents, Prices: c.prices, Uses: c.uses,
		Activity: &activity.Service{Log: c.calls, DB: store.Runner[activity.Tx](c.db)},
		Audit:    c.audit, HSM: monitor, ReadOnly: c.takesNoChanges, Attestor: attestor,
		Observe: d.metrics.Request,
	}
	if d.traces != nil {
		conf.Trace = d.traces.Request
	}
	return httpapi.New(conf), nil
}

// publicURL is where people reach the appliance.
func (d *daemon) publicURL() string {
	if d.cfg.API.PublicURL != "" {
		return d.cfg.API.PublicURL
	}
	return d.api.url
}

func rate(perSecond float64, burst int) httpapi.Rate {
	if perSecond == 0 {
		return httpapi.Rate{Burst: -1} // no limit
	}
	return httpapi.Rate{PerSecond: perSecond, Burst: burst}
}

// serve runs the background work until ctx ends or a part of it fails, and
// drains the API.
func (d *daemon) serve(ctx context.Context, c *core, api *httpapi.Server, monitor *hsm.Watch, out *delivery) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		<-ctx.Done()
		return d.drain(ctx, api)
	})
	g.Go(func() error { monitor.Run(ctx); return nil })
	g.Go(func() error { return ended(c.checkpoints.Run(ctx)) })
	g.Go(func() error { return ended(c.drainer.Run(ctx)) })
	g.Go(func() error { c.calls.Run(ctx); return nil })
	g.Go(func() error { return ended(out.dispatcher.Run(ctx)) })
	g.Go(func() error { return ended(out.follower.Run(ctx)) })
	g.Go(func() error { return ended(c.intents.Run(ctx)) })
	g.Go(func() error { return d.mcp.follow(ctx, c) })
	g.Go(func() error { return c.runStreams(ctx) })
	g.Go(func() error { return c.housekeeping(ctx) })
	g.Go(func() error { return c.watchStorage(ctx) })
	g.Go(func() error { return c.scheduleBackups(ctx) })
	return g.Wait()
}

// drain lets no more requests in and waits for those under way: for
// api.drain_timeout, or for a moment when the operator seals.
func (d *daemon) drain(ctx context.Context, api *httpapi.Server) error {
	d.enter(operator.Draining)
	d.log.Info("draining")
	patience := time.Duration(d.cfg.API.DrainTimeout)
	sealing := errors.Is(context.Cause(ctx), errSealing)
	if sealing {
		patience = min(patience, sealPatience)
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err := andThen(d.forward.drain(wait), andThen(d.mcp.drain(wait), andThen(d.shroud.drain(wait), andThen(api.Shutdown(wait), d.api.drain(wait)))))
	switch {
	case !errors.Is(err, context.DeadlineExceeded):
		return err
	case sealing:
		d.log.Warn("sealing does not wait: requests under way were cut off")
		return nil
	}
	return errCutOff.Detail("requests were still under way after api.drain_timeout (%s) and were cut off", patience)
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
	c.attempt(ctx, "rewrapping keys", c.resumeRewraps)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-activity.C:
			c.attempt(ctx, "writing activity", c.identity.FlushActivity)
		case <-forget.C:
			c.attempt(ctx, "forgetting revocations", c.identity.ForgetRevoked)
			c.attempt(ctx, "forgetting shares", c.shares.Forget)
			c.attempt(ctx, "rewrapping keys", c.resumeRewraps)
			c.attempt(ctx, "tidying accounts", c.people.Tidy)
			c.attempt(ctx, "forgetting idempotency keys", c.intents.ForgetRepeats)
		}
	}
}

// resumeRewraps takes up what a crash or an absent module left of rotations.
func (c *core) resumeRewraps(ctx context.Context) error {
	_, err := c.vaults.ResumeRewraps(ctx)
	return err
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
	err := errors.Join(c.identity.FlushActivity(ctx), c.llm.Close(ctx), c.record(ctx, audit.ApplianceStop))
	if err != nil {
		err = errLastWords.Because(err)
	}
	if _, unsigned := c.checkpoints.Checkpoint(ctx); unsigned != nil {
		c.log.Warn("the log could not be signed at shutdown; it will be at the next start", "err", unsigned)
	}
	c.log.Info("stopped")
	return err
}
