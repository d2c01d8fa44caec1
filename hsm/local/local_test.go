package local_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/hsm/local"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
)

func TestConformance(t *testing.T) {
	dir := t.TempDir()
	hsmtest.Conformance(t, func(t testing.TB) hsm.Module { return open(t, dir, "") })
}

func TestConformanceWithPassphrase(t *testing.T) {
	dir := t.TempDir()
	hsmtest.Conformance(t, func(t testing.TB) hsm.Module { return open(t, dir, "correct horse") })
}

func open(t testing.TB, dir, passphrase string) *local.Module {
	t.Helper()
	m, err := local.Open(local.Config{Dir: dir, Passphrase: plain.FromString(passphrase)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// initialised makes a key file in a new directory.
func initialised(t *testing.T, passphrase string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	m := open(t, dir, passphrase)
	if err := m.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestPassphraseMustFit(t *testing.T) {
	for name, tc := range map[string]struct{ made, tried string }{
		"wrong":      {"right", "wrong"},
		"missing":    {"right", ""},
		"needless":   {"", "any"},
		"one letter": {"right", "righu"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := initialised(t, tc.made)
			_, err := local.Open(local.Config{Dir: dir, Passphrase: plain.FromString(tc.tried)})
			if !errors.Is(err, hsm.ErrWrongPIN) {
				t.Fatalf("got %v", err)
			}
			if f := fault.As(err); !strings.Contains(f.Msg, "passphrase") {
				t.Errorf("the message does not say what is wrong: %q", f.Msg)
			}
		})
	}
}

func TestKeyFileOpenToOthersIsRefused(t *testing.T) {
	dir := initialised(t, "")
	file := filepath.Join(dir, "root.key")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("made with mode %v, %v", info.Mode(), err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		_, err := local.Open(local.Config{Dir: dir})
		if err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %v: %v", mode, err)
		}
		if err != nil && strings.Contains(err.Error(), dir) {
			t.Errorf("the error shows a path on disk: %v", err)
		}
	}
}

func TestDamagedKeyFileIsNotReplaced(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "not json": "x", "other format": `{"format":2}`,
		"short key":  `{"format":1,"kdf":"none","key":"AAAA"}`,
		"huge kdf":   `{"format":1,"kdf":"argon2id","time":1,"memory_kib":4294967295,"threads":1,"salt":"AAAAAAAAAAA=","key":"AAAA"}`,
		"other kdf":  `{"format":1,"kdf":"rot13","key":"AAAA"}`,
		"no threads": `{"format":1,"kdf":"argon2id","time":1,"memory_kib":64,"salt":"AAAAAAAAAAA=","key":"AAAA"}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "root.key")
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			passphrase := ""
			if strings.Contains(content, "argon") {
				passphrase = "p"
			}
			if _, err := local.Open(local.Config{Dir: dir, Passphrase: plain.FromString(passphrase)}); err == nil {
				t.Fatal("opened")
			}
			if got, _ := os.ReadFile(file); string(got) != content {
				t.Error("the damaged file was changed")
			}
		})
	}
}

func TestPassphraseFileDoesNotHoldTheKey(t *testing.T) {
	dir := initialised(t, "right")
	raw, err := os.ReadFile(filepath.Join(dir, "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	plainFile := strings.Replace(string(raw), `"argon2id"`, `"none"`, 1)
	if err := os.WriteFile(filepath.Join(dir, "root.key"), []byte(plainFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := local.Open(local.Config{Dir: dir}); err == nil {
		t.Error("a sealed key was taken for a plain one")
	}
}

func TestCheckSeesThatTheKeyFileIsGone(t *testing.T) {
	dir := t.TempDir()
	m := open(t, dir, "")
	defer m.Close()
	if err := m.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	away := filepath.Join(dir, "away")
	if err := os.Rename(filepath.Join(dir, "root.key"), away); err != nil {
		t.Fatal(err)
	}
	if err := m.Check(t.Context()); !errors.Is(err, hsm.ErrUnavailable) {
		t.Errorf("key file gone: %v", err)
	}
	if err := os.Rename(away, filepath.Join(dir, "root.key")); err != nil {
		t.Fatal(err)
	}
	if err := m.Check(t.Context()); err != nil {
		t.Errorf("key file back: %v", err)
	}
}

// Two processes that set up at once must end with the same key.
func TestInitRaceHasOneWinner(t *testing.T) {
	dir := t.TempDir()
	modules := make([]*local.Module, 4)
	for i := range modules {
		modules[i] = open(t, dir, "")
		defer modules[i].Close()
	}
	var wg sync.WaitGroup
	for _, m := range modules {
		wg.Go(func() {
			if err := m.Init(t.Context()); err != nil {
				t.Errorf("Init: %v", err)
			}
		})
	}
	wg.Wait()
	kek, err := modules[0].NewKEK(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range modules {
		if _, err := m.Wrap(t.Context(), kek, []byte("dek"), nil); err != nil {
			t.Errorf("module %d has another root key: %v", i, err)
		}
	}
}

func TestForgedAnchorIsRefused(t *testing.T) {
	dir := t.TempDir()
	m := open(t, dir, "")
	defer m.Close()
	if err := m.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.SetAnchor(t.Context(), []byte("head 7")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "anchor"), []byte("head 3"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Anchor(t.Context()); !errors.Is(err, hsm.ErrAuthentic) {
		t.Errorf("got %v", err)
	}
}
