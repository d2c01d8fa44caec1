//go:build cgo

package broker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
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
	pids, err := childrenOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	return pids
}

func childrenOf(parent int) (pids []int, err error) {
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(parent), "-f", childArg).Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1: none
		return nil, fmt.Errorf("pgrep: %w", err)
	}
	for _, field := range strings.Fields(string(out)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

func onlyChild(t testing.TB) int {
	t.Helper()
	pids := children(t)
	if len(pids) != 1 {
		t.Fatalf("children: %v", pids)
	}
	return pids[0]
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
	eventually(t, "the end of the child", func() bool { return len(children(t)) == 0 })
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
	eventually(t, "wrong PIN", func() bool { return errors.Is(s.opens(t, c), hsm.ErrWrongPIN) })
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
		if err != nil && !errors.Is(err, fs.ErrPermission) { // which is as good
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte(pin)) {
			t.Errorf("the PIN is in /proc/<pid>/%s", file)
		}
	}
}

// Stopping the service signals all its processes; the daemon drains with keys.
func TestChildOutlivesTheStopSignal(t *testing.T) {
	c := start(t, config(t, broker.Token{Library: localPrefix + t.TempDir()}))
	s := prepare(t, c)
	child := onlyChild(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		if err := syscall.Kill(child, sig); err != nil {
			t.Fatal(err)
		}
		if err := s.opens(t, c); err != nil {
			t.Errorf("after %v: %v", sig, err)
		}
	}
	if onlyChild(t) != child {
		t.Error("the child was replaced")
	}
}

func TestChildEndsWithItsParent(t *testing.T) {
	dir := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command(exe, daemonArg, dir)
	out, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	var child int
	if _, err := fmt.Fscan(out, &child); err != nil {
		t.Fatal(err)
	}
	_ = daemon.Process.Kill()
	_ = daemon.Wait()
	eventually(t, "the end of the child", func() bool {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
		return err != nil || bytes.Contains(raw, []byte(") Z ")) // nobody may be there to reap it
	})
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
