package hsm

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Ring is the modules of an appliance by name. The default module, "", is the
// one that the appliance cannot do without: the Gate in front of it is opened
// and closed by its owner. The others are opened here, each behind a gate of its
// own, when they are there: until then, and whenever one is away, its calls fail
// with ErrUnavailable and those of the others do not.
type Ring struct {
	def   *Gate
	named map[string]*Gate // fixed

	stop    context.CancelFunc
	life    context.Context
	openers sync.WaitGroup
}

// NewRing returns a Ring of def and modules of these names, which are not open.
func NewRing(def *Gate, names ...string) *Ring {
	r := &Ring{def: def, named: make(map[string]*Gate, len(names))}
	r.life, r.stop = context.WithCancel(context.Background())
	for _, name := range names {
		r.named[name] = new(Gate)
	}
	return r
}

// Names lists the modules but for the default one, in alphabetical order.
func (r *Ring) Names() []string {
	out := make([]string, 0, len(r.named))
	for name := range r.named {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Module returns a module by its name, the default one by "". One that is not
// configured is ErrUnavailable; one that is not open is returned, and its calls
// fail.
func (r *Ring) Module(name string) (Module, error) {
	if name == "" {
		return r.def, nil
	}
	if g := r.named[name]; g != nil {
		return g, nil
	}
	return nil, notConfigured(name)
}

// Pauses between attempts to open a module.
const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 2 * time.Second
)

// Attach opens a named module: now, and if that fails in the background until it
// succeeds or the Ring is closed. A refused PIN is not tried again, since tokens
// count them. tried is closed after the first attempt.
func (r *Ring) Attach(name string, open func(context.Context) (Module, error), log *slog.Logger) (tried <-chan struct{}) {
	first := make(chan struct{})
	r.openers.Go(func() { r.attach(name, open, log.With("module", name), first) })
	return first
}

func (r *Ring) attach(name string, open func(context.Context) (Module, error), log *slog.Logger, first chan<- struct{}) {
	g := r.named[name]
	said, pause := "", firstRetry
	g.explain(ErrUnavailable.Detail("the HSM module is being opened"))
	for {
		m, err := open(r.life)
		if err == nil {
			g.Open(newWatched(name, m))
			g.explain(nil)
			log.Info("hsm module is open", "token", m.Describe().Token)
		} else {
			g.explain(err)
			if text := err.Error(); text != said && r.life.Err() == nil {
				said = text
				log.Warn("hsm module cannot be opened; the vaults with keys in it are not available", "reason", err)
			}
		}
		if first != nil {
			close(first)
			first = nil
		}
		if err == nil || errors.Is(err, ErrWrongPIN) {
			return
		}
		select {
		case <-r.life.Done():
			return
		case <-time.After(pause):
			pause = min(2*pause, lastRetry)
		}
	}
}

// Close seals every gate, that of the default module too, and closes the modules
// behind them.
func (r *Ring) Close() error {
	r.stop()
	r.openers.Wait()
	errs := []error{}
	for _, name := range r.Names() {
		g := r.named[name]
		g.explain(nil)
		errs = append(errs, g.Close())
	}
	return errors.Join(append(errs, r.def.Close())...)
}
