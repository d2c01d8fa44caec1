package appliance

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oneclaw/oneclawd/appliance/backup"
	"github.com/oneclaw/oneclawd/appliance/httpapi"
	"github.com/oneclaw/oneclawd/appliance/metrics"
	"github.com/oneclaw/oneclawd/appliance/operator"
	"github.com/oneclaw/oneclawd/appliance/seal"
	"github.com/oneclaw/oneclawd/appliance/tlsconf"
	"github.com/oneclaw/oneclawd/appliance/traces"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// daemon is what lives as long as the process: the listeners and how far the
// appliance behind them has come.
type daemon struct {
	cfg Config
	o   Options
	log *slog.Logger

	state    atomic.Pointer[stage]
	attempts chan attempt            // of operators to unseal
	end      context.CancelCauseFunc // ends what runs, and says why
	hardened []string                // what the system did not grant
	quorum   *seal.Quorum            // shares that wait for the others; awaitCore's
	missing  atomic.Int32            // how many more are needed
	doing    atomic.Pointer[string]  // what takes a while before it is unsealed, or nil

	tls       *tlsconf.Source // of [tls], nil if that gives no certificate
	api       *listener
	listeners []*listener // api is the first
	front     *front
	shroud    *shroudFront  // nil without a listener
	forward   *forwardFront // likewise
	mcp       *mcpFront     // likewise
	socket    net.Listener
	metrics   *metrics.Metrics
	traces    *traces.Tracer // nil without a collector
	operator  *operator.Server
}

// stage is a state and what serves in it.
type stage struct {
	state operator.State
	since time.Time
	core  *core // nil unless unsealed or draining
	hsm   *hsm.Watch
}

// attempt is an operator's try to unseal.
type attempt struct {
	who   operator.Peer
	typed operator.Credential
	done  chan error // buffered: nobody may be left to hear it
}

// listen opens what the appliance answers on; nothing is served yet.
func listen(cfg Config, o Options) (_ *daemon, err error) {
	d := &daemon{cfg: cfg, o: o, log: o.Log, attempts: make(chan attempt), hardened: harden()}
	d.enter(operator.Sealed)
	if err := makeDataDir(cfg.Data); err != nil {
		return nil, err
	}
	if err := writable(cfg.Data); err != nil {
		return nil, fmt.Errorf("the data folder %s cannot be written: %w; oneclawd needs to, as the user that it runs as", cfg.Data, err)
	}
	if d.tls, err = cfg.sharedTLS(o.Log); err != nil {
		return nil, err
	}
	d.operator = operator.NewServer(d, d)
	d.metrics = metrics.New(o.Version)
	d.metrics.Watch(d.readings)
	d.front = newFront(d.progress, o.Version)
	defer func() {
		if err != nil {
			closeAll(d.listeners)
		}
	}()
	if err := d.bindAll(); err != nil {
		return nil, err
	}
	if d.traces, err = cfg.openTraces(context.Background(), o); err != nil {
		return nil, err
	}
	d.socket, err = operator.Listen(cfg.OperatorSocket(), o.Log)
	return d, err
}

// bindAll opens the listeners.
func (d *daemon) bindAll() (err error) {
	if d.api, err = d.bind(d.cfg.onAPI(), d.front); err != nil {
		return err
	}
	d.listeners = append(d.listeners, d.api)
	if m := d.cfg.Metrics; m.Listen != "" {
		l, err := d.bind(on("metrics", m.Listen, m.ListenerConfig), d.metrics.Handler())
		if err != nil {
			return err
		}
		d.listeners = append(d.listeners, l)
		d.log.Info("metrics", "url", l.url+"/metrics")
	}
	if s := d.cfg.Shroud; s.Listen != "" {
		d.shroud = &shroudFront{}
		l, err := d.bind(on("shroud", s.Listen, s.ListenerConfig), d.shroud)
		if err != nil {
			return err
		}
		d.listeners, d.shroud.listener = append(d.listeners, l), l
	}
	if f := d.cfg.Forward; f.Listen != "" {
		d.forward = &forwardFront{}
		l, err := d.bind(f.listening(), d.forward)
		if err != nil {
			return err
		}
		d.listeners, d.forward.listener = append(d.listeners, l), l
		d.log.Info("forward proxy", "url", l.url)
	}
	if m := d.cfg.MCP; m.Listen != "" {
		d.mcp = &mcpFront{make: sync.OnceValues(d.newMCP)}
		l, err := d.bind(on("mcp", m.Listen, m.ListenerConfig), d.mcp)
		if err != nil {
			return err
		}
		d.listeners, d.mcp.listener = append(d.listeners, l), l
	}
	return nil
}

// stopListening is the last thing: until then operators can see how the
// appliance ends.
func (d *daemon) stopListening() error {
	d.end(nil) // whatever is still waiting for the end
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var errs []error
	for _, l := range d.listeners {
		errs = append(errs, l.stop(ctx))
	}
	err := d.operator.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // connections without a request
	}
	return errors.Join(append(errs, err)...)
}

func (d *daemon) enter(s operator.State) {
	next := &stage{state: s, since: time.Now().UTC()}
	if now := d.state.Load(); now != nil && s == operator.Draining {
		next.core, next.hsm = now.core, now.hsm
	}
	d.state.Store(next)
}

// progress is the present state.
func (d *daemon) progress() operator.State { return d.state.Load().state }

// serves lets requests through to the API of an unsealed appliance.
func (d *daemon) serves(c *core, api *httpapi.Server, monitor *hsm.Watch) {
	d.front.open(api, monitor, c.db)
	d.state.Store(&stage{state: operator.Unsealed, since: time.Now().UTC(), core: c, hsm: monitor})
	d.announce(c)
}

// awaitCore opens the appliance with what the configuration names, or waits for
// operators to unseal it. It returns nothing when ctx ends first.
func (d *daemon) awaitCore(ctx context.Context) (*core, error) {
	if d.cfg.Attest.Mode == attestNone {
		d.log.Warn("not attested", "note", noteUnattested)
	}
	if !d.o.Sealed && d.cfg.HSM.Unseal == unsealAuto {
		c, err := d.open(ctx, operator.Credential{Kind: operator.PIN})
		if err == nil {
			return c, nil
		}
		if ctx.Err() != nil {
			d.log.Warn("told to stop before the appliance was open; nothing was begun that is not undone", "found", err)
			return nil, nil
		}
		if !waits(err) {
			return nil, bare(err)
		}
		if !errors.Is(err, errNoCredential) {
			d.log.Warn("this machine cannot open the sealed PIN", "reason", err)
		}
	}
	d.log.Warn("sealed: run `oneclawd unseal` to open the keys", "api", d.api.url, "socket", d.cfg.OperatorSocket())
	for {
		select {
		case <-ctx.Done():
			return nil, nil
		case a := <-d.attempts:
			c, err := d.tryUnseal(ctx, a)
			a.typed.Secret.Wipe()
			if err == nil {
				return c, nil
			}
			if !errors.Is(err, errMoreShares) {
				d.log.Warn("an attempt to unseal failed", "uid", a.who.UID, "reason", err)
			}
			a.done <- err
		}
	}
}

// open attests this machine, if that is required, and opens the appliance.
func (d *daemon) open(ctx context.Context, typed operator.Credential) (*core, error) {
	unlock := func(ctx context.Context, c *core) (_ plain.Bytes, err error) {
		if d.cfg.Attest.Mode == attestRequired {
			if c.attested, err = d.attestSelf(ctx, c.db); err != nil {
				d.enter(operator.Sealed)
				return plain.Bytes{}, err
			}
			d.enter(operator.Attested)
		}
		pin, found, err := d.unlock(ctx, c, typed)
		if err == nil && !found {
			err = errNoCredential
		}
		if err != nil {
			return plain.Bytes{}, pinError{err}
		}
		return pin, nil
	}
	how := opening{unlock: unlock, observe: d.observed, prepare: func(_ context.Context, c *core) error {
		c.acceptRollback, c.version = d.o.AcceptRollback, d.o.Version
		return nil
	}, upgrading: func(what string) { d.doing.Store(&what) }}
	if d.traces != nil {
		how.commits = d.traces.Commit
	}
	c, err := openCore(ctx, d.cfg, d.log, how)
	d.doing.Store(nil)
	if err != nil {
		return nil, err
	}
	if err := c.recordAttestation(ctx); err != nil {
		return nil, andThen(err, c.close())
	}
	return c, nil
}

// tryUnseal opens the appliance and records who made it so.
func (d *daemon) tryUnseal(ctx context.Context, a attempt) (*core, error) {
	c, err := d.open(ctx, a.typed)
	if err != nil {
		return nil, err
	}
	if err := c.recordBy(ctx, audit.ApplianceUnseal, a.who); err != nil {
		return nil, andThen(err, c.close())
	}
	a.done <- nil
	return c, nil
}

// Errors of operators' requests.
var (
	errNoCredential = fault.New(fault.Invalid, "no_credential",
		"the configuration names neither a PIN nor a passphrase; type it at `oneclawd unseal`, or set hsm.pin_file")
	errNotSealed  = fault.New(fault.Conflict, "not_sealed", "the appliance is not sealed")
	errIsSealed   = fault.New(fault.Conflict, "already_sealed", "the appliance is sealed already")
	errNotServing = fault.New(fault.Sealed, "sealed", "the appliance is sealed; run `oneclawd unseal` first")
	errEnding     = fault.New(fault.Unavailable, "shutting_down", "the appliance is shutting down")
)

// Status implements operator.Daemon.
func (d *daemon) Status() operator.Status {
	now := d.state.Load()
	out := operator.Status{State: now.state, Since: now.since, Version: d.o.Version, PID: os.Getpid(), API: d.api.url}
	out.Keys, out.Module = string(hsm.StatusUnavailable), "sealed"
	if now.core != nil {
		about := now.hsm.Describe()
		out.Keys, out.Module, out.IsHSM = string(now.hsm.State().Status), about.Kind, about.HSM
		out.Notes = append(out.Notes, about.Notes...)
		for _, m := range now.hsm.Modules() {
			out.Modules = append(out.Modules, operator.Module{Name: m.Name, Kind: m.Kind, Token: m.Token, Status: string(m.Status), Since: m.Since, Error: m.Error})
		}
	}
	if now.state == operator.Unsealed {
		if s, err := backup.Look(context.Background(), store.Runner[backup.Tx](now.core.db)); err == nil {
			out.Recovery = now.core.recoveryStatus(s.Last)
			if s.Last != nil {
				out.LastBackup = &s.Last.CreatedAt
			}
			if s.Proven != nil {
				out.ProvenRestore = &s.Proven.Of
			}
		}
	}
	if now.core != nil {
		out.Notes = append(now.core.storageNotes(), out.Notes...)
	}
	if what := d.doing.Load(); what != nil {
		out.Notes = append(out.Notes, *what)
	}
	if d.cfg.Attest.Mode == attestNone {
		out.Notes = append(out.Notes, noteUnattested)
	} else if now.core != nil {
		out.Measurement = hex.EncodeToString(now.core.attested.found.Measurement)
	}
	if now.state != operator.Unsealed {
		out.SharesMissing = int(d.missing.Load())
	}
	out.Notes = append(out.Notes, d.hardened...)
	return out
}

// Unseal implements operator.Daemon.
func (d *daemon) Unseal(ctx context.Context, who operator.Peer, c operator.Credential) error {
	switch d.progress() {
	case operator.Draining:
		return errEnding
	case operator.Unsealed:
		return errNotSealed
	}
	// Whoever asked may leave in the middle; a copy is not wiped under the token.
	a := attempt{who: who, typed: operator.Credential{Kind: c.Kind, Secret: c.Secret.Clone()}, done: make(chan error, 1)}
	attempts := d.attempts
	for d.progress() != operator.Unsealed {
		select {
		case attempts <- a:
			attempts = nil // once: tokens count wrong PINs
		case err := <-a.done:
			if errors.Is(err, errMoreShares) {
				return nil
			}
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return errEnding
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

// Seal implements operator.Daemon. The log says who did it before it is done.
func (d *daemon) Seal(ctx context.Context, who operator.Peer) error {
	now := d.state.Load()
	switch now.state {
	case operator.Unsealed:
	case operator.Draining:
		return errEnding
	default:
		return errIsSealed
	}
	d.log.Warn("sealing, as an operator said", "uid", who.UID)
	// A log that cannot be written must not keep the keys open.
	ctx, cancel := context.WithTimeout(ctx, sealPatience)
	defer cancel()
	if err := now.core.recordBy(ctx, audit.ApplianceSeal, who); err != nil {
		d.log.Error("the audit log did not take that the appliance was sealed", "err", err)
	}
	d.end(errSealing)
	return nil
}
