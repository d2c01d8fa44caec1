package appliance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/oneclaw/oneclawd/appliance/httpapi"
	"github.com/oneclaw/oneclawd/appliance/metrics"
	"github.com/oneclaw/oneclawd/appliance/operator"
	"github.com/oneclaw/oneclawd/appliance/tlsconf"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
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

	url      string // of the API
	tls      *tlsconf.Source
	api      net.Listener
	http     *http.Server
	front    *front
	socket   net.Listener
	metrics  *metrics.Metrics
	operator *operator.Server
}

// stage is a state and what serves in it.
type stage struct {
	state operator.State
	since time.Time
	core  *core // nil unless unsealed or draining
	hsm   *hsm.Monitor
}

// attempt is an operator's try to unseal.
type attempt struct {
	who    operator.Peer
	secret plain.Bytes
	done   chan error // buffered: nobody may be left to hear it
}

// listen opens what the appliance answers on; nothing is served yet.
func listen(cfg Config, o Options) (_ *daemon, err error) {
	d := &daemon{cfg: cfg, o: o, log: o.Log, attempts: make(chan attempt), hardened: harden()}
	d.enter(operator.Sealed)
	if err := makeDataDir(cfg.Data); err != nil {
		return nil, err
	}
	if d.api, err = net.Listen("tcp", cfg.API.Listen); err != nil {
		return nil, fmt.Errorf("listening on %s: %w; set api.listen to a free address", cfg.API.Listen, err)
	}
	d.url = cfg.at(d.api.Addr().String())
	if cfg.encrypted() {
		if d.tls, err = tlsconf.Open(cfg.tlsSource(o.Log)); err != nil {
			return nil, andThen(fmt.Errorf("the listener's certificate: %w", err), d.api.Close())
		}
	}
	if d.socket, err = operator.Listen(cfg.OperatorSocket(), o.Log); err != nil {
		return nil, andThen(err, d.api.Close())
	}
	d.operator = operator.NewServer(d)
	d.metrics = metrics.New(o.Version)
	d.metrics.Watch(d.readings)
	d.front = newFront(d.progress, o.Version)
	d.http = &http.Server{
		Handler: d.front, ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
	}
	return d, nil
}

func (d *daemon) serveAPI() error {
	if d.tls == nil {
		return ended(d.http.Serve(d.api))
	}
	d.http.TLSConfig = d.tls.ServerConfig()
	return ended(d.http.ServeTLS(d.api, "", ""))
}

// stopListening is the last thing: until then operators can see how the
// appliance ends.
func (d *daemon) stopListening() error {
	d.end(nil) // whatever is still waiting for the end
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := andThen(d.http.Shutdown(ctx), d.operator.Shutdown(ctx))
	if errors.Is(err, context.DeadlineExceeded) {
		return nil // connections without a request
	}
	return err
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
func (d *daemon) serves(c *core, api *httpapi.Server, monitor *hsm.Monitor) {
	d.front.open(api, monitor)
	d.state.Store(&stage{state: operator.Unsealed, since: time.Now().UTC(), core: c, hsm: monitor})
	d.announce(c)
}

// awaitCore opens the appliance with what the configuration names, or waits for
// operators to unseal it. It returns nothing when ctx ends first.
func (d *daemon) awaitCore(ctx context.Context) (*core, error) {
	if !d.o.Sealed && d.cfg.HSM.Unseal == unsealAuto {
		secret, found, err := d.cfg.credential()
		if err != nil {
			return nil, err
		}
		defer secret.Wipe()
		if found {
			return d.open(ctx, secret)
		}
	}
	d.log.Warn("sealed: run `oneclawd unseal` to open the keys", "api", d.url, "socket", d.cfg.OperatorSocket())
	for {
		select {
		case <-ctx.Done():
			return nil, nil
		case a := <-d.attempts:
			c, err := d.tryUnseal(ctx, a)
			if err == nil {
				return c, nil
			}
			d.log.Warn("an attempt to unseal failed", "uid", a.who.UID, "reason", err)
			a.done <- err
		}
	}
}

func (d *daemon) open(ctx context.Context, secret plain.Bytes) (*core, error) {
	return openCore(ctx, d.cfg, secret, d.log, d.metrics.Module, func(_ context.Context, c *core) error {
		c.acceptRollback = d.o.AcceptRollback
		return nil
	})
}

// tryUnseal opens the appliance and records who made it so.
func (d *daemon) tryUnseal(ctx context.Context, a attempt) (*core, error) {
	secret := a.secret
	if secret.Len() == 0 {
		own, found, err := d.cfg.credential()
		if err != nil {
			return nil, err
		}
		defer own.Wipe()
		if !found {
			return nil, errNoCredential
		}
		secret = own
	}
	c, err := d.open(ctx, secret)
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
	errNotSealed = fault.New(fault.Conflict, "not_sealed", "the appliance is not sealed")
	errIsSealed  = fault.New(fault.Conflict, "already_sealed", "the appliance is sealed already")
	errEnding    = fault.New(fault.Unavailable, "shutting_down", "the appliance is shutting down")
)

// Status implements operator.Daemon.
func (d *daemon) Status() operator.Status {
	now := d.state.Load()
	out := operator.Status{State: now.state, Since: now.since, Version: d.o.Version, PID: os.Getpid(), API: d.url}
	if now.core != nil {
		out.Notes = append(out.Notes, now.core.gate.Describe().Notes...)
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
	a := attempt{who: who, secret: c.PIN, done: make(chan error, 1)}
	attempts := d.attempts
	for d.progress() != operator.Unsealed {
		select {
		case attempts <- a:
			attempts = nil // once: tokens count wrong PINs
		case err := <-a.done:
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
	if err := now.core.recordBy(ctx, audit.ApplianceSeal, who); err != nil {
		d.log.Error("the audit log did not take that the appliance was sealed", "err", err)
	}
	d.end(errSealing)
	return nil
}
