package hsmtest

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/local"
)

// Memory returns a module with a root key whose storage ends with the test, for
// tests of packages that use one.
func Memory(t testing.TB) hsm.Module {
	t.Helper()
	m, err := local.Open(local.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatalf("opening keys for the test: %v", err)
	}
	t.Cleanup(func() { _ = m.Close() })
	if err := m.Init(t.Context()); err != nil {
		t.Fatalf("making keys for the test: %v", err)
	}
	return m
}

// require skips the test because something is missing on this machine, unless
// ONECLAW_REQUIRE lists it: then that is a failure, so that CI cannot pass by
// skipping.
func require(t testing.TB, what, missing string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("ONECLAW_REQUIRE"), ","), what) {
		t.Fatalf("ONECLAW_REQUIRE has %q, but %s", what, missing)
	}
	t.Skipf("no %s: %s", what, missing)
}
