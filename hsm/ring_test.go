package hsm_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
)

// guest is a module that answers Check and can be closed.
type guest struct {
	fakeModule
	closed atomic.Bool
}

func newGuest() *guest {
	g := &guest{}
	g.says(fails(nil))
	return g
}

func (g *guest) Describe() hsm.Description { return hsm.Description{Kind: "pkcs11", Token: "t"} }

func (g *guest) Close() error { g.closed.Store(true); return nil }

var quiet = slog.New(slog.DiscardHandler)

func check(t *testing.T, r *hsm.Ring, name string) error {
	t.Helper()
	m, err := r.Module(name)
	if err != nil {
		return err
	}
	return m.Check(t.Context())
}

// A module that is not there is tried until it is; the others do not wait.
func TestRingOpensWhatComesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gate hsm.Gate
		r := hsm.NewRing(&gate, "late", "there")
		first, late, there := newGuest(), newGuest(), newGuest()
		gate.Open(first)
		begin := time.Now()
		<-r.Attach("late", func(context.Context) (hsm.Module, error) {
			if time.Since(begin) < 10*time.Second {
				return nil, hsm.ErrUnavailable.Detail("the token is not plugged in")
			}
			return late, nil
		}, quiet)
		<-r.Attach("there", func(context.Context) (hsm.Module, error) { return there, nil }, quiet)
		if err := errors.Join(check(t, r, ""), check(t, r, "there")); err != nil {
			t.Error(err)
		}
		if err := check(t, r, "late"); !errors.Is(err, hsm.ErrUnavailable) || !strings.Contains(err.Error(), "plugged in") {
			t.Errorf("late: %v", err)
		}
		if err := check(t, r, "unknown"); !errors.Is(err, hsm.ErrUnavailable) {
			t.Errorf("unknown: %v", err)
		}
		time.Sleep(13 * time.Second)
		if err := check(t, r, "late"); err != nil {
			t.Errorf("late, when it is there: %v", err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		for name, g := range map[string]*guest{"": first, "late": late, "there": there} {
			if err := check(t, r, name); !errors.Is(err, hsm.ErrSealed) || !g.closed.Load() {
				t.Errorf("%q after sealing: %v, closed: %v", name, err, g.closed.Load())
			}
		}
	})
}

// Tokens lock after a few wrong PINs.
func TestRingTriesAPINOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := hsm.NewRing(new(hsm.Gate), "a")
		tries := 0
		<-r.Attach("a", func(context.Context) (hsm.Module, error) { tries++; return nil, hsm.ErrWrongPIN }, quiet)
		time.Sleep(time.Minute)
		if err := check(t, r, "a"); !errors.Is(err, hsm.ErrUnavailable) || !strings.Contains(err.Error(), "PIN") {
			t.Errorf("%v", err)
		}
		if err := r.Close(); err != nil || tries != 1 {
			t.Errorf("%d tries, %v", tries, err)
		}
	})
}

// Closing does not wait for a module that never comes.
func TestRingCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := hsm.NewRing(new(hsm.Gate), "a")
		<-r.Attach("a", func(context.Context) (hsm.Module, error) { return nil, hsm.ErrUnavailable }, quiet)
		begin := time.Now()
		if err := r.Close(); err != nil || time.Since(begin) > 0 {
			t.Errorf("%v, after %v", err, time.Since(begin))
		}
		if err := check(t, r, "a"); !errors.Is(err, hsm.ErrSealed) {
			t.Errorf("%v", err)
		}
	})
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gate hsm.Gate
		r := hsm.NewRing(&gate, "a", "b")
		first, a := newGuest(), newGuest()
		gate.Open(first)
		<-r.Attach("a", func(context.Context) (hsm.Module, error) { return a, nil }, quiet)
		<-r.Attach("b", func(context.Context) (hsm.Module, error) { return nil, hsm.ErrUnavailable }, quiet)
		w := hsm.NewWatch(r, quiet)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { w.Run(ctx); close(done) }()
		want := func(what string, status hsm.Status, states ...hsm.Status) {
			t.Helper()
			time.Sleep(time.Second)
			if s := w.State(); s.Status != status {
				t.Errorf("%s: %+v, want %s", what, s, status)
			}
			bad := 0
			for i, m := range w.Modules() {
				if m.Status != states[i] {
					t.Errorf("%s: %+v, want %s", what, m, states[i])
				}
				if m.Status != hsm.StatusOK {
					bad++
				}
			}
			if notes := w.Describe().Notes; len(notes) != min(bad, 1) || bad > 0 && !strings.HasPrefix(notes[0], fmt.Sprint(bad, " of 2")) {
				t.Errorf("%s: %q", what, notes)
			}
		}
		want("one is away", hsm.StatusDegraded, hsm.StatusOK, hsm.StatusUnavailable)
		a.says(fails(hsm.ErrUnavailable))
		want("both are", hsm.StatusDegraded, hsm.StatusUnavailable, hsm.StatusUnavailable)
		first.says(fails(hsm.ErrUnavailable))
		want("and the default one", hsm.StatusUnavailable, hsm.StatusUnavailable, hsm.StatusUnavailable)
		cancel()
		<-done
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}
