package mailpittest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// find returns the path of a Mailpit: the one in PATH, or the one that was built
// for tests before. Where it is required it is built.
func find(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("mailpit"); err == nil {
		return path
	}
	cache, err := os.UserCacheDir()
	ok(t, err)
	_, version, _ := strings.Cut(Module, "@")
	dir := filepath.Join(cache, "oneclawd", "mailpit-"+version)
	binary := filepath.Join(dir, "mailpit")
	if _, err := os.Stat(binary); err == nil {
		return binary
	}
	if !slices.Contains(strings.Split(os.Getenv("ONECLAW_REQUIRE"), ","), "mailpit") {
		t.Skipf("no mailpit: neither in PATH nor %s; ONECLAW_REQUIRE=mailpit builds it", binary)
	}
	build(t, dir, binary)
	return binary
}

// build installs it beside its place and moves it there, so that tests that run
// at once find a whole one.
func build(t testing.TB, dir, binary string) {
	t.Helper()
	ok(t, os.MkdirAll(dir, 0o700))
	temp, err := os.MkdirTemp(dir, "build")
	ok(t, err)
	defer func() { _ = os.RemoveAll(temp) }()
	cmd := exec.Command("go", "install", Module)
	cmd.Dir, cmd.Env = temp, append(os.Environ(), "GOBIN="+temp, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ONECLAW_REQUIRE has mailpit, but it cannot be built: %v\n%s", err, out)
	}
	ok(t, os.Rename(filepath.Join(temp, "mailpit"), binary))
}
