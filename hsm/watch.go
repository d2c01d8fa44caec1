package hsm

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Watch is the monitors of a Ring, one for each module.
type Watch struct {
	def   *Monitor
	names []string
	named []*Monitor // as names
}

// NewWatch returns a Watch over r; nothing is checked until Run.
func NewWatch(r *Ring, log *slog.Logger) *Watch {
	w := &Watch{def: &Monitor{Module: r.def, Log: log}, names: r.Names()}
	for _, name := range w.names {
		w.named = append(w.named, &Monitor{Module: r.named[name], Log: log.With("module", name)})
	}
	return w
}

// First checks each once, so that the state is known before anybody asks. It
// comes before Run.
func (w *Watch) First(ctx context.Context) {
	var all sync.WaitGroup
	for _, m := range append(w.named[:len(w.named):len(w.named)], w.def) {
		all.Go(func() { m.once(ctx) })
	}
	all.Wait()
}

// Run checks until ctx is done.
func (w *Watch) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, m := range w.named {
		all.Go(func() { m.Run(ctx) })
	}
	w.def.Run(ctx)
	all.Wait()
}

// State is that of the default module, but degraded if it is fine and another
// one is not: some vaults are without their keys.
func (w *Watch) State() State {
	s := w.def.State()
	if s.Status != StatusOK {
		return s
	}
	for i, m := range w.named {
		if other := m.State(); other.Status != StatusOK {
			return State{
				Status: StatusDegraded, Since: other.Since, Checked: other.Checked,
				LastError: fmt.Sprintf("the HSM module %s: %s", w.names[i], other.LastError),
			}
		}
	}
	return s
}

// Describe is what the default module says of itself, after a note about others
// that are away. It names none: their names may be those of customers, and
// everybody can ask.
func (w *Watch) Describe() Description {
	d, away := w.def.Describe(), 0
	for _, m := range w.named {
		if m.State().Status != StatusOK {
			away++
		}
	}
	if away > 0 {
		note := fmt.Sprintf("%d of %d other HSM modules cannot be used as they should: vaults with keys there may not open", away, len(w.named))
		d.Notes = append([]string{note}, d.Notes...)
	}
	return d
}

// Named is what is known of a module that is not the default one.
type Named struct {
	Name   string    `json:"name"`
	Kind   string    `json:"kind"`
	Token  string    `json:"token,omitempty"`
	Status Status    `json:"status"`
	Since  time.Time `json:"since"`
	Error  string    `json:"error,omitempty"`
}

// Modules lists them by name.
func (w *Watch) Modules() []Named {
	out := make([]Named, 0, len(w.named))
	for i, m := range w.named {
		d, s := m.Describe(), m.State()
		out = append(out, Named{Name: w.names[i], Kind: d.Kind, Token: d.Token, Status: s.Status, Since: s.Since, Error: s.LastError})
	}
	return out
}
