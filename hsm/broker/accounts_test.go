//go:build cgo

package broker_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/broker"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/hsm/soft"
)

// A library of this name is a directory with local keys, and account keys with
// which no signature ever gets done.
const stuckPrefix = "stuck:"

type stuck struct {
	hsm.Module
	dir string
}

func (s stuck) Describe() hsm.Description {
	d := s.Module.Describe()
	d.Accounts = "resident"
	return d
}

func (s stuck) NewAccountKey(context.Context) (hsm.AccountKey, error) {
	return hsm.AccountKey{Handle: []byte{1}}, nil
}

func (s stuck) ImportAccountKey(ctx context.Context, _ []byte) (hsm.AccountKey, error) {
	return s.NewAccountKey(ctx)
}

func (s stuck) SignDigest(ctx context.Context, _ hsm.AccountKey, _ [32]byte) (sig [64]byte, err error) {
	noteOpen(s.dir + ".signs")
	<-ctx.Done()
	return sig, hsm.ErrUnavailable.Because(ctx.Err())
}

func (s stuck) DestroyAccountKey(context.Context, hsm.AccountKey) error { return nil }

func signs(t testing.TB, m hsm.AccountKeys, key hsm.AccountKey) error {
	t.Helper()
	digest := [32]byte{3, 2, 1}
	sig, err := m.SignDigest(context.Background(), key, digest)
	if err == nil && !soft.VerifyDigest(key.Public, digest, sig) {
		t.Error("a signature does not verify")
	}
	return err
}

// However many transactions wait to be signed, secrets are read.
func TestSigningLeavesSessionsToReads(t *testing.T) {
	dir := t.TempDir()
	c := start(t, config(t, broker.Token{Library: stuckPrefix + dir, Sessions: 4}))
	s := prepare(t, c)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if err := signs(t, c, hsm.AccountKey{}); !errors.Is(err, hsm.ErrUnavailable) {
				t.Errorf("a signature that never gets done: %v", err)
			}
		})
	}
	busy := func() int {
		raw, _ := os.ReadFile(dir + ".signs.opens") // none yet is none
		return len(raw)
	}
	eventually(t, "signing", func() bool { return busy() == 2 })
	for range 200 {
		if err := s.opens(t, c); err != nil {
			t.Fatalf("a read while others sign: %v", err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.NewAccountKey(ctx); !errors.Is(err, hsm.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("giving up the wait: %v", err)
	}
	if n := busy(); n != 2 {
		t.Errorf("%d signatures are under way, of 4 sessions", n)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

func accountsOf(t testing.TB, c *broker.Client) []hsm.AccountKey {
	t.Helper()
	made, err := c.NewAccountKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	brought, err := c.ImportAccountKey(t.Context(), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return []hsm.AccountKey{made, brought}
}

func TestAccountKeysOutliveOutages(t *testing.T) {
	tok := hsmtest.SoftHSM(t)
	c := start(t, config(t, onToken(tok)))
	prepare(t, c)
	keys := accountsOf(t, c)
	for what, outage := range map[string]func() (end func()){
		"the token goes away": func() func() {
			plug := tok.Unplug(t)
			eventually(t, "noticing", func() bool { return errors.Is(signs(t, c, keys[0]), hsm.ErrUnavailable) })
			return plug
		},
		"the child is killed": func() func() {
			if err := syscall.Kill(onlyChild(t), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			return func() {}
		},
	} {
		end := outage()
		for _, key := range keys {
			err := signs(t, c, key)
			if err != nil && !errors.Is(err, hsm.ErrUnavailable) {
				t.Errorf("%s: %v", what, err)
			}
		}
		end()
		for _, key := range keys {
			took := eventually(t, "signing again", func() bool { return signs(t, c, key) == nil })
			t.Logf("%s: back after %v", what, took.Round(time.Millisecond))
		}
	}
	if err := c.DestroyAccountKey(t.Context(), keys[0]); err != nil {
		t.Error(err)
	}
	if err := signs(t, c, keys[0]); !errors.Is(err, hsm.ErrNoAccountKey) {
		t.Errorf("a destroyed key: %v", err)
	}
}

// Go copies stacks when it likes, and what a copy leaves behind is overwritten by
// what runs next: so the keys that are looked for are not the last to be imported.
func TestImportedKeyIsNotLeftInTheChild(t *testing.T) {
	c := start(t, config(t, onToken(hsmtest.SoftHSM(t))))
	prepare(t, c)
	const n, later = 4, 4
	var scalars [n + later][32]byte
	for i := range scalars {
		_, _ = rand.Read(scalars[i][1:]) // below the order of the curve
		key, err := c.ImportAccountKey(t.Context(), scalars[i][:])
		if err != nil {
			t.Fatal(err)
		}
		if err := signs(t, c, key); err != nil {
			t.Fatal(err)
		}
	}
	memory := memoryOf(t, onlyChild(t))
	for i, scalar := range scalars[:n] {
		turned := scalar // as arithmetic has it
		slices.Reverse(turned[:])
		for _, part := range [][]byte{scalar[:16], scalar[16:], turned[:16], turned[16:]} {
			if bytes.Contains(memory, part) {
				t.Errorf("half of private key %d is in the child's memory", i)
			}
		}
	}
}

// memoryOf reads all that a process has written to.
func memoryOf(t testing.TB, pid int) []byte {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Skipf("the memory of the child cannot be read: %v", err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Skipf("the memory of the child cannot be read: %v", err)
	}
	defer mem.Close()
	var all []byte
	for lines := bufio.NewScanner(bytes.NewReader(maps)); lines.Scan(); {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(strings.Replace(lines.Text(), "-", " ", 1), "%x %x %s", &from, &to, &mode); err != nil || mode[:2] != "rw" || to-from > 128<<20 {
			continue // the race detector's shadow is huge
		}
		part := make([]byte, to-from)
		got, _ := mem.ReadAt(part, from) // some mappings cannot be read
		all = append(all, part[:got]...)
	}
	if len(all) < 1<<20 {
		t.Fatalf("only %d bytes of memory were read", len(all))
	}
	return all
}
