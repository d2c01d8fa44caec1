package anviltest

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pinned says which anvil, and the hash of its archive.
//
//go:embed npm/package.json npm/package-lock.json
var pinned embed.FS

// find returns the path of an anvil: the one that was installed for tests before,
// or the one in PATH. Where it is required it is installed.
func find(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	ok(t, err)
	lock, err := pinned.ReadFile("npm/package-lock.json")
	ok(t, err)
	sum := sha256.Sum256(lock)
	dir := filepath.Join(cache, "oneclawd", "anvil-"+hex.EncodeToString(sum[:8]))
	binary := filepath.Join(dir, "node_modules", "@foundry-rs", "anvil-linux-amd64", "bin", "anvil")
	if _, err := os.Stat(binary); err == nil {
		return binary
	}
	if path, err := exec.LookPath("anvil"); err == nil {
		return path
	}
	if !slices.Contains(strings.Split(os.Getenv("ONECLAW_REQUIRE"), ","), "anvil") {
		t.Skipf("no anvil: neither %s nor one in PATH; ONECLAW_REQUIRE=anvil installs it", binary)
	}
	install(t, dir)
	return binary
}

// install has npm install it beside its place and moves it there, so that tests
// that run at once find a whole one.
func install(t testing.TB, dir string) {
	t.Helper()
	ok(t, os.MkdirAll(filepath.Dir(dir), 0o700))
	making, err := os.MkdirTemp(filepath.Dir(dir), "making-")
	ok(t, err)
	defer func() { _ = os.RemoveAll(making) }()
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := pinned.ReadFile("npm/" + name)
		ok(t, err)
		ok(t, os.WriteFile(filepath.Join(making, name), text, 0o600))
	}
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = making
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ONECLAW_REQUIRE has anvil, but it cannot be installed: %v\n%s", err, out)
	}
	if err := os.Rename(making, dir); err != nil {
		_, there := os.Stat(dir) // another was faster
		ok(t, there)
	}
}
