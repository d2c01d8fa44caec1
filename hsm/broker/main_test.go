//go:build cgo

package broker_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/broker"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/hsm/local"
	"github.com/oneclaw/oneclawd/hsm/pkcs11"
)

// The test binary is also the broker: with this argument it does what the
// hidden subcommand of the daemon does.
const childArg = "hsm-broker-child"

// A library of this name is a directory with local keys, for tests that are
// about processes and not about tokens.
const localPrefix = "local:"

// And of this name, the same with the latency of a distant HSM.
const (
	slowPrefix = "slow:"
	latency    = 300 * time.Millisecond
)

type slow struct{ hsm.Module }

func (s slow) Unwrap(ctx context.Context, kek hsm.KEK, wrapped, aad []byte) ([]byte, error) {
	time.Sleep(latency)
	return s.Module.Unwrap(ctx, kek, wrapped, aad)
}

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == childArg {
		if err := broker.RunChild(context.Background(), openAny); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) == 3 && os.Args[1] == daemonArg {
		daemon(os.Args[2])
	}
	os.Exit(m.Run())
}

// With this argument the test binary is a daemon that has a child, says which,
// and waits to be killed.
const daemonArg = "hsm-broker-daemon"

func daemon(dir string) {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	token := broker.Token{Library: localPrefix + dir}
	if _, err := broker.Start(context.Background(), broker.Config{Executable: exe, Args: []string{childArg}, Token: token}); err != nil {
		panic(err)
	}
	pids, err := childrenOf(os.Getpid())
	if err != nil || len(pids) != 1 {
		panic(fmt.Sprint(pids, err))
	}
	fmt.Println(pids[0])
	select {}
}

func openAny(tok broker.Token) (hsm.Module, error) {
	if dir, ok := strings.CutPrefix(tok.Library, localPrefix); ok {
		noteOpen(dir)
		return local.Open(local.Config{Dir: dir, Passphrase: tok.PIN})
	}
	if dir, ok := strings.CutPrefix(tok.Library, slowPrefix); ok {
		m, err := local.Open(local.Config{Dir: dir})
		return slow{m}, err
	}
	if dir, ok := strings.CutPrefix(tok.Library, stuckPrefix); ok {
		m, err := local.Open(local.Config{Dir: dir})
		return stuck{m, dir}, err
	}
	return pkcs11.Open(pkcs11.Config(tok))
}

// noteOpen lets opens count how often a child tried to open dir.
func noteOpen(dir string) {
	f, err := os.OpenFile(dir+".opens", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	if _, err := f.Write([]byte{'.'}); err != nil {
		panic(err)
	}
}

func opens(t testing.TB, dir string) int {
	t.Helper()
	raw, err := os.ReadFile(dir + ".opens")
	if err != nil {
		t.Fatal(err)
	}
	return len(raw)
}

func config(t testing.TB, tok broker.Token) broker.Config {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return broker.Config{Executable: exe, Args: []string{childArg}, Token: tok}
}

func onToken(tok hsmtest.Token) broker.Token {
	return broker.Token{Library: tok.Library, Token: tok.Label, PIN: tok.PIN}
}

func start(t testing.TB, cfg broker.Config) *broker.Client {
	t.Helper()
	c, err := broker.Start(t.Context(), cfg)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// patience is for machines that do much else; it bounds how long a failing test takes,
// and says nothing of how fast anything is.
const patience = 30 * time.Second

// eventually polls until ok says so, and returns how long that took.
func eventually(t testing.TB, what string, ok func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for time.Since(began) < patience {
		if ok() {
			return time.Since(began)
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Fatalf("%s did not happen within %v", what, patience)
	return 0
}
