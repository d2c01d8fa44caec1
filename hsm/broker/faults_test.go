//go:build cgo

package broker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/broker"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
)

func TestTokenGoneAndBack(t *testing.T) {
	tok := hsmtest.SoftHSM(t)
	c := start(t, config(t, onToken(tok)))
	s := prepare(t, c)
	if err := c.SetAnchor(t.Context(), []byte("head")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		plug := tok.Unplug(t)
		// The health monitor is what notices when nobody needs the token itself.
		eventually(t, "noticing", func() bool { return errors.Is(c.Check(t.Context()), hsm.ErrUnavailable) })
		for range 20 {
			began := time.Now()
			if err := s.opens(t, c); !errors.Is(err, hsm.ErrUnavailable) {
				t.Errorf("while the token is gone: %v", err)
			}
			if took := time.Since(began); took > 5*time.Second { // half of what a token has for an answer
				t.Errorf("a call took %v to fail", took)
			}
			if anchor, err := c.Anchor(t.Context()); err == nil {
				t.Errorf("an anchor (%q) was read from no token", anchor)
			}
			time.Sleep(10 * time.Millisecond)
		}
		plug()
		took := eventually(t, "recovery", func() bool { return s.opens(t, c) == nil })
		t.Logf("back after %v", took.Round(time.Millisecond))
	}
	if anchor, err := c.Anchor(t.Context()); err != nil || string(anchor) != "head" {
		t.Errorf("anchor: %q, %v", anchor, err)
	}
}

func TestHSMPulledOutAndPluggedIn(t *testing.T) {
	remote := hsmtest.P11Kit(t)
	c := start(t, config(t, onToken(remote.Token)))
	s := prepare(t, c)
	for range 2 {
		remote.Kill()
		eventually(t, "noticing", func() bool { return errors.Is(c.Check(t.Context()), hsm.ErrUnavailable) })
		eventually(t, "failing", func() bool { return errors.Is(s.opens(t, c), hsm.ErrUnavailable) })
		remote.Start(t)
		took := eventually(t, "recovery", func() bool { return s.opens(t, c) == nil })
		t.Logf("back after %v", took.Round(time.Millisecond))
	}
}

func TestKilledChildUnderLoad(t *testing.T) {
	c := start(t, config(t, onToken(hsmtest.SoftHSM(t))))
	s := prepare(t, c)
	var good, failed atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				switch err := s.opens(t, c); {
				case err == nil:
					good.Add(1)
				case errors.Is(err, hsm.ErrUnavailable):
					failed.Add(1)
					time.Sleep(time.Millisecond)
				default:
					t.Errorf("neither the key nor unavailable: %v", err)
					return
				}
			}
		})
	}
	for range 4 {
		eventually(t, "work", func() bool { n := good.Load(); time.Sleep(20 * time.Millisecond); return good.Load() > n })
		before := failed.Load()
		if err := syscall.Kill(onlyChild(t), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "failing", func() bool { return failed.Load() > before })
		took := eventually(t, "recovery", func() bool { return s.opens(t, c) == nil })
		t.Logf("back after %v", took.Round(time.Millisecond))
	}
	close(stop)
	wg.Wait()
	t.Logf("%d answers, %d refusals", good.Load(), failed.Load())
}

// halt stops a child and waits until all its threads stand still.
func halt(t testing.TB, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "standing still", func() bool {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		for _, file := range threads {
			raw, rerr := os.ReadFile(file)
			err = errors.Join(err, rerr)
			if !bytes.Contains(raw, []byte(") T ")) {
				return false
			}
		}
		return err == nil && len(threads) > 0
	})
}

func TestHungChildIsReplaced(t *testing.T) {
	cfg := config(t, broker.Token{Library: localPrefix + t.TempDir()})
	cfg.CallTimeout = 300 * time.Millisecond
	c := start(t, cfg)
	s := prepare(t, c)
	halt(t, onlyChild(t))
	began := time.Now()
	if err := s.opens(t, c); !errors.Is(err, hsm.ErrUnavailable) {
		t.Errorf("a hung child: %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("gave up after %v", took)
	}
	eventually(t, "recovery", func() bool { return s.opens(t, c) == nil })
}

// A distant HSM is slow, not lost: nobody is refused, calls overlap, and what
// does not take long is not held up.
func TestSlowTokenIsNotLost(t *testing.T) {
	cfg := config(t, broker.Token{Library: slowPrefix + t.TempDir(), Sessions: 6})
	cfg.CallTimeout = 5 * latency
	c := start(t, cfg)
	s := prepare(t, c)
	child, began := onlyChild(t), time.Now()
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			if err := s.opens(t, c); err != nil {
				t.Errorf("a slow call failed: %v", err)
			}
		})
	}
	wg.Wait()
	if took := time.Since(began); took > 10*latency {
		t.Errorf("12 calls took %v: they did not overlap", took)
	}
	if onlyChild(t) != child {
		t.Error("the child was replaced")
	}
}

func TestCallerMayGiveUp(t *testing.T) {
	c := start(t, config(t, broker.Token{Library: localPrefix + t.TempDir()}))
	s := prepare(t, c)
	child := onlyChild(t)
	halt(t, child)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := c.Check(ctx)
	if !errors.Is(err, hsm.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := syscall.Kill(child, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := s.opens(t, c); err != nil {
		t.Errorf("after one caller gave up: %v", err)
	}
	if onlyChild(t) != child {
		t.Error("the child was replaced because one caller gave up")
	}
}
