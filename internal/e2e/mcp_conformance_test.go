package e2e

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	gosdk "github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/mcp"
	"github.com/oneclaw/oneclawd/mcp/mcptest"
)

// TestMCPConformance runs the suites that the protocol's authors publish, for both
// of its eras, against the handlers and the guard that clients meet. The suites send
// no header of their own: what stands before the server adds it.
func TestMCPConformance(t *testing.T) {
	js := npm(t)
	d := newLocal(t).start()
	k := d.tooler(t)
	api, err := gosdk.New(gosdk.Options{BaseURL: d.api})
	if err != nil {
		t.Fatal(err)
	}
	h := mcp.NewHandler(mcp.Config{Version: "test", API: api, Extend: mcptest.Everything})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+k.key)
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(s.CloseClientConnections) // what waits for news would for ever
	for _, suite := range []struct{ version, tool, spec string }{
		{"sessions", "conformance-stable", ""},
		{"2025-11-25", "conformance-next", "2025-11-25"},
		{"2026-07-28", "conformance-next", "2026-07-28"},
	} {
		t.Run(suite.version, func(t *testing.T) {
			args := []string{filepath.Join("node_modules", suite.tool, "dist", "index.js"), "server", "--url", s.URL + "/mcp", "--suite", "all", "-o", t.TempDir()}
			if suite.spec != "" {
				args = append(args, "--spec-version", suite.spec)
			}
			cmd := exec.Command(js.node, args...)
			cmd.Dir = js.dir
			out, err := cmd.CombinedOutput()
			passed, failed := totals(string(out))
			if t.Logf("%d checks passed, %d failed", passed, failed); err != nil || failed > 0 || passed < 40 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

var total = regexp.MustCompile(`(?m)^Total: (\d+) passed, (\d+) failed`)

func totals(out string) (passed, failed int) {
	m := total.FindStringSubmatch(strings.ReplaceAll(out, "\x1b", ""))
	if m == nil {
		return 0, -1
	}
	passed, _ = strconv.Atoi(m[1])
	failed, _ = strconv.Atoi(m[2])
	return passed, failed
}
