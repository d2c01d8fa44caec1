package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// binary is the program under test, scratch a folder until all tests have ended.
var binary, scratch string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (int, error) {
	// The benchmarks run this program again as the server they compare with.
	if os.Getenv(bareVariable) != "" {
		return 0, serveBare()
	}
	// What a developer has set for a daemon of their own is not for this one.
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "ONECLAW_") && !slices.Contains(ours, name) {
			if err := os.Unsetenv(name); err != nil {
				return 1, err
			}
		}
	}
	dir, err := os.MkdirTemp("", "oneclawd-e2e")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	scratch = dir
	if binary = os.Getenv("ONECLAW_BINARY"); binary == "" {
		binary = filepath.Join(dir, "oneclawd")
		out, err := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", binary, "../../cmd/oneclawd").CombinedOutput()
		if err != nil {
			return 1, fmt.Errorf("building oneclawd: %w\n%s", err, out)
		}
	}
	return m.Run(), nil
}

// ours are the variables that speak to these tests.
var ours = []string{"ONECLAW_BINARY", "ONECLAW_REQUIRE", "ONECLAW_KILLS", "ONECLAW_CUTS", "ONECLAW_BENCH_SECRETS", "ONECLAW_BENCH_TRANSACTIONS"}

// required skips the test because something is missing on this machine, unless
// ONECLAW_REQUIRE lists it: then that is a failure.
func required(t testing.TB, what, missing string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("ONECLAW_REQUIRE"), ","), what) {
		t.Fatalf("ONECLAW_REQUIRE has %q, but %s", what, missing)
	}
	t.Skipf("no %s: %s", what, missing)
}

// number is the value of an environment variable, or def.
func number(t testing.TB, name string, def int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return def
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is not a number", name, text)
	}
	return n
}
