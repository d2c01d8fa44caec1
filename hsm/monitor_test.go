package hsm_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
)

// fakeModule answers Check as told; nothing else of it is used.
type fakeModule struct {
	hsm.Module
	answer atomic.Pointer[func(context.Context) error]
}

func (m *fakeModule) Check(ctx context.Context) error { return (*m.answer.Load())(ctx) }

func (m *fakeModule) says(f func(context.Context) error) { m.answer.Store(&f) }

func fails(err error) func(context.Context) error { return func(context.Context) error { return err } }

func sleeps(d time.Duration) func(context.Context) error {
	return func(context.Context) error { time.Sleep(d); return nil }
}

// hangs is a driver that ignores everything for a few seconds.
var hangs = sleeps(3 * time.Second)

func TestMonitorSeesChangesWithinASecond(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(context.Context) error
		want   hsm.Status
		text   string
	}{
		"outage":         {fails(hsm.ErrUnavailable), hsm.StatusUnavailable, hsm.ErrUnavailable.Msg},
		"sealed":         {fails(hsm.ErrSealed), hsm.StatusUnavailable, hsm.ErrSealed.Msg},
		"no root key":    {fails(hsm.ErrNoRootKey), hsm.StatusUnavailable, hsm.ErrNoRootKey.Msg},
		"wrong PIN":      {fails(hsm.ErrWrongPIN), hsm.StatusUnavailable, hsm.ErrWrongPIN.Msg},
		"hidden cause":   {fails(hsm.ErrUnavailable.Because(errors.New("C_Sign: CKR_X"))), hsm.StatusUnavailable, hsm.ErrUnavailable.Msg},
		"internal fault": {fails(errors.New("dial /secret/path")), hsm.StatusDegraded, "internal error; see the log"},
		"slow":           {sleeps(400 * time.Millisecond), hsm.StatusDegraded, "slowly"},
		"hangs":          {hangs, hsm.StatusUnavailable, "in time"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &fakeModule{}
				m.says(fails(nil))
				mon := &hsm.Monitor{Module: m, Log: slog.New(slog.DiscardHandler)}
				if s := mon.State(); s.Status != hsm.StatusUnavailable {
					t.Errorf("before the first check: %+v", s)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go mon.Run(ctx)
				time.Sleep(990 * time.Millisecond) // not at the moment of a check
				if s := mon.State(); s.Status != hsm.StatusOK || s.LastError != "" {
					t.Fatalf("healthy: %+v", s)
				}
				m.says(tc.answer)
				changed := time.Now()
				time.Sleep(time.Second)
				s := mon.State()
				if s.Status != tc.want || !strings.Contains(s.LastError, tc.text) {
					t.Errorf("got %+v", s)
				}
				if s.Since.Before(changed) {
					t.Errorf("since %v, but it changed at %v", s.Since, changed)
				}
				m.says(fails(nil))
				time.Sleep(4 * time.Second) // the hung call has to come back first
				if s := mon.State(); s.Status != hsm.StatusOK || s.LastError != "" {
					t.Errorf("healthy again: %+v", s)
				}
				cancel()
			})
		})
	}
}

func TestMonitorLeavesOneHungCallBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		m := &fakeModule{}
		m.says(func(context.Context) error { calls.Add(1); time.Sleep(time.Minute); return nil })
		ctx, cancel := context.WithCancel(t.Context())
		go (&hsm.Monitor{Module: m, Log: slog.New(slog.DiscardHandler)}).Run(ctx)
		time.Sleep(30 * time.Second)
		if n := calls.Load(); n != 1 {
			t.Errorf("%d calls hang in the driver", n)
		}
		cancel()
		time.Sleep(time.Minute)
	})
}

func TestMonitorLogsEachChangeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		m := &fakeModule{}
		m.says(fails(nil))
		mon := &hsm.Monitor{Module: m, Log: slog.New(slog.NewTextHandler(&log, nil))}
		ctx, cancel := context.WithCancel(t.Context())
		go mon.Run(ctx)
		time.Sleep(2 * time.Second)
		m.says(fails(hsm.ErrUnavailable))
		time.Sleep(2 * time.Second)
		m.says(fails(nil))
		time.Sleep(2 * time.Second)
		cancel()
		synctest.Wait()
		if n := strings.Count(log.String(), "hsm state changed"); n != 3 {
			t.Errorf("%d lines:\n%s", n, log.String())
		}
	})
}

func TestGateIsSealedUntilOpened(t *testing.T) {
	var g hsm.Gate
	ctx := t.Context()
	_, kekErr := g.NewKEK(ctx)
	_, signErr := g.Sign(ctx, hsm.SigningKey{}, nil)
	for what, err := range map[string]error{"Check": g.Check(ctx), "NewKEK": kekErr, "Sign": signErr, "Init": g.Init(ctx)} {
		if !errors.Is(err, hsm.ErrSealed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	m := &fakeModule{}
	m.says(fails(nil))
	g.Open(m)
	if err := g.Check(ctx); err != nil || !g.IsOpen() {
		t.Errorf("open gate: %v", err)
	}
}
