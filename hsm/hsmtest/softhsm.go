package hsmtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// Token is a throw-away token.
type Token struct {
	Library string
	Label   string
	PIN     plain.Bytes
	// Dir is where the token's objects are. Renaming it away is pulling the token
	// out; SOFTHSM2_CONF points to it through a file.
	Dir string
	// Env is what a process needs in its environment to see the token. This
	// process has it already.
	Env []string
}

// softHSMLibraries are where distributions put SoftHSM.
var softHSMLibraries = []string{
	"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
	"/usr/lib64/pkcs11/libsofthsm2.so", "/usr/lib64/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so",
	"/opt/homebrew/lib/softhsm/libsofthsm2.so",
}

// SoftHSM makes a new SoftHSM token that ends with the test. It sets
// SOFTHSM2_CONF, so that the test cannot be parallel. Without SoftHSM the test
// is skipped, or fails if ONECLAW_REQUIRE lists softhsm.
func SoftHSM(t testing.TB) Token {
	t.Helper()
	library, ok := first(softHSMLibraries)
	if !ok {
		require(t, "softhsm", "libsofthsm2.so is not installed")
	}
	util, err := exec.LookPath("softhsm2-util")
	if err != nil {
		require(t, "softhsm", "softhsm2-util is not installed")
	}
	base := t.TempDir()
	conf, dir := filepath.Join(base, "softhsm2.conf"), filepath.Join(base, "tokens")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n", dir)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	tok := Token{Library: library, Label: "oneclawd-test", PIN: plain.FromString("648219"), Dir: dir, Env: []string{"SOFTHSM2_CONF=" + conf}}
	out, err := exec.Command(util, "--init-token", "--free", "--label", tok.Label, "--pin", "648219", "--so-pin", "10029384").CombinedOutput()
	if err != nil {
		t.Fatalf("softhsm2-util: %v\n%s", err, out)
	}
	return tok
}

func first(files []string) (string, bool) {
	for _, file := range files {
		if _, err := os.Stat(file); err == nil {
			return file, true
		}
	}
	return "", false
}

// Unplug renames the token's directory away and returns how to put it back.
func (tok Token) Unplug(t testing.TB) (plug func()) {
	t.Helper()
	away := tok.Dir + ".away"
	if err := os.Rename(tok.Dir, away); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Rename(away, tok.Dir); err != nil {
			t.Error(err)
		}
	}
}

// OnSmallDisk moves the token to a file system of its own that is soon full.
// Where none can be mounted the test is skipped, or fails if ONECLAW_REQUIRE
// lists tmpfs.
func (tok Token) OnSmallDisk(t testing.TB, size string) {
	t.Helper()
	before := tok.Dir + ".before"
	if err := os.Rename(tok.Dir, before); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(tok.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "mode=0700,size="+size, "tmpfs", tok.Dir).CombinedOutput(); err != nil {
		require(t, "tmpfs", "mounting one fails: "+strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() { _ = exec.Command("umount", tok.Dir).Run() })
	if err := os.CopyFS(tok.Dir, os.DirFS(before)); err != nil {
		t.Fatal(err)
	}
}
