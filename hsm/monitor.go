package hsm

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// Status is how well a module does, as /v1/health/hsm words it.
type Status string

// The statuses.
const (
	// StatusOK: the root key was used a moment ago.
	StatusOK Status = "ok"
	// StatusDegraded: the module answers, but slowly or not as it should; calls
	// may work.
	StatusDegraded Status = "degraded"
	// StatusUnavailable: keys cannot be used now.
	StatusUnavailable Status = "unavailable"
)

// State is what a Monitor last saw.
type State struct {
	Status    Status    `json:"status"`
	Since     time.Time `json:"since"`                // when Status became so
	Checked   time.Time `json:"checked"`              // when it was last confirmed
	LastError string    `json:"last_error,omitempty"` // of the present trouble, safe to show
}

// Monitor calls Check again and again and keeps the result, so that health can
// be asked for without touching the token and an outage is seen when nobody
// needs a key.
type Monitor struct {
	// Module is what is checked, in practice the Gate.
	Module Module
	// Every is the pause between checks, 250 ms if 0: a token that went away or
	// came back is to be seen within a second.
	Every time.Duration
	// Slow is how long a check may take before the module counts as degraded, 250
	// ms if 0; Deadline when it counts as unavailable, 700 ms if 0, so that with the
	// pause before it a hanging driver is seen within a second.
	Slow     time.Duration
	Deadline time.Duration
	// Log gets one line per change, slog.Default() if nil.
	Log *slog.Logger

	last atomic.Pointer[State]
	hung <-chan error // the answer to a check that was given up, used by Run alone
}

// State returns what was last seen. Before the first check that is
// StatusUnavailable without an error.
func (m *Monitor) State() State {
	if s := m.last.Load(); s != nil {
		return *s
	}
	return State{Status: StatusUnavailable}
}

// Describe says what is watched.
func (m *Monitor) Describe() Description { return m.Module.Describe() }

// Run checks until ctx is done.
func (m *Monitor) Run(ctx context.Context) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		m.once(ctx)
		pause.Reset(or(m.Every, 250*time.Millisecond))
	}
}

func or(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}

// once makes one check and records what it means.
func (m *Monitor) once(ctx context.Context) {
	deadline := or(m.Deadline, 700*time.Millisecond)
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	began := time.Now()
	err := m.check(limited)
	if ctx.Err() != nil {
		return // we are being stopped, which says nothing about the module
	}
	m.record(judge(err, time.Since(began), or(m.Slow, 250*time.Millisecond)))
}

var errSlowCheck = ErrUnavailable.Detail("the HSM did not answer in time")

// check is Module.Check, but returns when ctx is done whether or not the module
// does: a driver that hangs must not make the state stand still. Until such a
// call is back, no other is made, or they would pile up.
func (m *Monitor) check(ctx context.Context) error {
	if m.hung != nil {
		select {
		case <-m.hung: //nolint:errcheck // that it came back is what counts, not with what
			m.hung = nil
		default:
			return errSlowCheck
		}
	}
	result := make(chan error, 1)
	go func() { result <- m.Module.Check(ctx) }()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		m.hung = result
		return errSlowCheck.Because(ctx.Err())
	}
}

// judge turns a check's outcome into a state without times.
func judge(err error, took, slow time.Duration) State {
	switch {
	case err == nil && took > slow:
		return State{Status: StatusDegraded, LastError: "the HSM answers slowly"}
	case err == nil:
		return State{Status: StatusOK}
	case fault.As(err) == nil, errors.Is(err, ErrAuthentic), errors.Is(err, ErrFull), errors.Is(err, ErrLimit):
		// It answered, and what it said is not an outage. The text of an internal
		// fault is for the log only.
		return State{Status: StatusDegraded, LastError: safe(err)}
	}
	return State{Status: StatusUnavailable, LastError: safe(err)}
}

func safe(err error) string {
	if f := fault.As(err); f != nil {
		return f.Msg
	}
	return "internal error; see the log"
}

// record keeps the state and logs it if it is another than before.
func (m *Monitor) record(s State) {
	now, before := time.Now(), m.last.Load()
	s.Since, s.Checked = now, now
	if before != nil && before.Status == s.Status {
		s.Since = before.Since
	}
	m.last.Store(&s)
	if before != nil && before.Status == s.Status {
		return
	}
	log := m.Log
	if log == nil {
		log = slog.Default()
	}
	switch {
	case s.Status != StatusOK:
		log.Warn("hsm state changed", "status", string(s.Status), "error", s.LastError)
	default:
		log.Info("hsm state changed", "status", string(s.Status))
	}
}
