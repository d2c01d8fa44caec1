//go:build cgo

package broker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/broker"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/internal/plain"
)

func TestConformanceOnSoftHSM(t *testing.T) {
	cfg := config(t, onToken(hsmtest.SoftHSM(t)))
	hsmtest.Conformance(t, func(t testing.TB) hsm.Module { return start(t, cfg) })
}

func TestConformanceOnLocalKeys(t *testing.T) {
	cfg := config(t, broker.Token{Library: localPrefix + t.TempDir()})
	hsmtest.Conformance(t, func(t testing.TB) hsm.Module { return start(t, cfg) })
}

func TestConformanceOnP11Kit(t *testing.T) {
	cfg := config(t, onToken(hsmtest.P11Kit(t).Token))
	hsmtest.Conformance(t, func(t testing.TB) hsm.Module { return start(t, cfg) })
}

// sample is a wrapped key and what it must open to.
type sample struct {
	kek     hsm.KEK
	wrapped []byte
	key     []byte
}

// prepare makes the root key and a sample.
func prepare(t testing.TB, m hsm.Module) sample {
	t.Helper()
	s := sample{key: bytes.Repeat([]byte{7}, 32)}
	var err error
	if err = m.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.kek, err = m.NewKEK(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.wrapped, err = m.Wrap(t.Context(), s.kek, s.key, []byte("aad")); err != nil {
		t.Fatal(err)
	}
	return s
}

// opens fails the test if the module gives anything but the key or an error.
func (s sample) opens(t testing.TB, m hsm.Module) error {
	got, err := m.Unwrap(context.Background(), s.kek, s.wrapped, []byte("aad"))
	if err == nil && !bytes.Equal(got, s.key) {
		t.Errorf("unwrapped to a wrong key")
	}
	return err
}

// children lists the broker children of this process.
func children(t testing.TB) (pids []int) {
	t.Helper()
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(os.Getpid()), "-f", childArg).Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1: none
		t.Fatalf("pgrep: %v", err)
	}
	for _, field := range strings.Fields(string(out)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

func onlyChild(t testing.TB) int {
	t.Helper()
	pids := children(t)
	if len(pids) != 1 {
		t.Fatalf("children: %v", pids)
	}
	return pids[0]
}

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
		eventually(t, time.Second, "noticing", func() bool { return errors.Is(c.Check(t.Context()), hsm.ErrUnavailable) })
		for range 20 {
			began := time.Now()
			if err := s.opens(t, c); !errors.Is(err, hsm.ErrUnavailable) {
				t.Errorf("while the token is gone: %v", err)
			}
			if took := time.Since(began); took > 100*time.Millisecond {
				t.Errorf("a call took %v to fail", took)
			}
			if anchor, err := c.Anchor(t.Context()); err == nil {
				t.Errorf("an anchor (%q) was read from no token", anchor)
			}
			time.Sleep(10 * time.Millisecond)
		}
		plug()
		took := eventually(t, time.Second, "recovery", func() bool { return s.opens(t, c) == nil })
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
		eventually(t, time.Second, "noticing", func() bool { return errors.Is(c.Check(t.Context()), hsm.ErrUnavailable) })
		eventually(t, time.Second, "failing", func() bool { return errors.Is(s.opens(t, c), hsm.ErrUnavailable) })
		remote.Start(t)
		took := eventually(t, time.Second, "recovery", func() bool { return s.opens(t, c) == nil })
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
		eventually(t, 5*time.Second, "work", func() bool { n := good.Load(); time.Sleep(20 * time.Millisecond); return good.Load() > n })
		before := failed.Load()
		if err := syscall.Kill(onlyChild(t), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, time.Second, "failing", func() bool { return failed.Load() > before })
		took := eventually(t, time.Second, "recovery", func() bool { return s.opens(t, c) == nil })
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
	eventually(t, time.Second, "standing still", func() bool {
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
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("gave up after %v", took)
	}
	eventually(t, 2*time.Second, "recovery", func() bool { return s.opens(t, c) == nil })
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

func TestWrongPINIsTriedOnce(t *testing.T) {
	dir := t.TempDir()
	cfg := config(t, broker.Token{Library: localPrefix + dir, PIN: plain.FromString("right")})
	c := start(t, cfg)
	prepare(t, c)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	before := opens(t, dir)
	cfg.Token.PIN = plain.FromString("wrong")
	if _, err := broker.Start(t.Context(), cfg); !errors.Is(err, hsm.ErrWrongPIN) {
		t.Errorf("Start: %v", err)
	}
	eventually(t, 2*time.Second, "the end of the child", func() bool { return len(children(t)) == 0 })
	if tries := opens(t, dir) - before; tries != 1 {
		t.Errorf("the PIN was tried %d times", tries)
	}
}

// The PIN is changed while the daemon runs and the child has to start again.
func TestPINRefusedLaterStopsRestarting(t *testing.T) {
	tok := hsmtest.SoftHSM(t)
	cfg := config(t, onToken(tok))
	c := start(t, cfg)
	s := prepare(t, c)
	changePIN(t, tok, "648219", "111222")
	if err := syscall.Kill(onlyChild(t), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, 2*time.Second, "wrong PIN", func() bool { return errors.Is(s.opens(t, c), hsm.ErrWrongPIN) })
	for range 20 {
		if err := s.opens(t, c); !errors.Is(err, hsm.ErrWrongPIN) {
			t.Errorf("later: %v", err)
		}
		if pids := children(t); len(pids) != 0 {
			t.Fatalf("a child was started again: %v", pids)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func changePIN(t *testing.T, tok hsmtest.Token, from, to string) {
	t.Helper()
	out, err := exec.Command("pkcs11-tool", "--module", tok.Library, "--token-label", tok.Label, "--login", "--pin", from,
		"--change-pin", "--new-pin", to).CombinedOutput()
	if err != nil {
		t.Skipf("pkcs11-tool: %v\n%s", err, out)
	}
}

func TestChildSecretsAreNotVisible(t *testing.T) {
	const pin = "canary-pin-31337"
	dir := t.TempDir()
	start(t, config(t, broker.Token{Library: localPrefix + dir, PIN: plain.FromString(pin)}))
	child := onlyChild(t)
	for _, file := range []string{"cmdline", "environ"} {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", child, file))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte(pin)) {
			t.Errorf("the PIN is in /proc/<pid>/%s", file)
		}
	}
}

func TestCloseEndsTheChild(t *testing.T) {
	c := start(t, config(t, broker.Token{Library: localPrefix + t.TempDir()}))
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if pids := children(t); len(pids) != 0 {
		t.Errorf("left behind: %v", pids)
	}
}

func TestMissingLibraryIsSaidAtStart(t *testing.T) {
	_, err := broker.Start(t.Context(), config(t, broker.Token{Library: "/nowhere/libvendor.so", Token: "x"}))
	if !errors.Is(err, hsm.ErrUnavailable) || !strings.Contains(err.Error(), "libvendor.so") {
		t.Errorf("got %v", err)
	}
}

func TestMissingExecutable(t *testing.T) {
	cfg := config(t, broker.Token{})
	cfg.Executable = "/nowhere/oneclawd"
	if _, err := broker.Start(t.Context(), cfg); !errors.Is(err, hsm.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// Run by hand, the hidden command explains itself.
func TestChildByHand(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(exe, childArg).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "not by hand") {
		t.Errorf("%v: %s", err, out)
	}
}
