package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Exit codes of the inspector.
const (
	inspectorRefused = 3 // the server wants another credential
	inspectorFailed  = 5 // the tool says that it failed
)

// inspection is one run of the inspector: what it is asked, and what has to come of it.
type inspection struct {
	name string
	args []string
	code int
	says []string // all of them are in what it prints
}

// TestMCPInspector has the inspector of the protocol's authors ask what people ask with
// it, over HTTP and over pipes. With --strict it says where a schema of a tool is one that
// not every client understands.
func TestMCPInspector(t *testing.T) {
	const secret = "CANARY-b81f6a2d"
	js := npm(t)
	d := newLocal(t, "--set", "mcp.listen=127.0.0.1:0").start()
	k := d.tooler(t)
	k.session(t).says(t, "put_secret", map[string]any{"path": "app/key", "value": secret}, "Secret stored at 'app/key' (version 1, type: api_key).")
	http := []string{d.mcp + "/mcp", "--transport", "http", "--header", "Authorization: Bearer " + k.key, "X-Vault-ID: " + k.vault}
	stranger := []string{d.mcp + "/mcp", "--transport", "http", "--header", "Authorization: Bearer ocv_" + strings.Repeat("x", 43)}
	pipes := []string{binary, "mcp", "-e", "ONECLAW_AGENT_API_KEY=" + k.key, "-e", "ONECLAW_BASE_URL=" + d.api, "-e", "ONECLAW_VAULT_ID=" + k.vault}
	get := []string{"--method", "tools/call", "--tool-name", "get_secret", "--tool-arg"}
	for over, server := range map[string][]string{"http": http, "stdio": pipes} {
		for _, i := range []inspection{
			{"tools", []string{"--method", "tools/list", "--strict"}, 0, []string{`"http_request_with_secret"`, `"outputSchema"`, `"readOnlyHint"`}},
			{"a value", append(get, "path=app/key"), 0, []string{secret, `"structuredContent"`}},
			{"a tool fails", append(get, "path=app/none"), inspectorFailed, []string{"No secret found at path 'app/none'."}},
			{"resources", []string{"--method", "resources/list"}, 0, []string{`"vault://secrets"`}},
			{"a resource", []string{"--method", "resources/read", "--uri", "vault://secrets"}, 0, []string{`app/key`}},
			{"prompts", []string{"--method", "prompts/list"}, 0, []string{`"rotate_secret"`, `"arguments"`}},
		} {
			t.Run(over+", "+i.name, func(t *testing.T) {
				t.Parallel()
				i.run(t, js, server)
			})
		}
	}
	t.Run("http, unauthorised", func(t *testing.T) {
		t.Parallel()
		inspection{args: []string{"--method", "tools/list"}, code: inspectorRefused}.run(t, js, stranger)
	})
}

func (i inspection) run(t *testing.T, js javascript, server []string) {
	t.Helper()
	program := filepath.Join("node_modules", "@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js")
	cmd := exec.Command(js.node, append(append([]string{program, "--cli"}, server...), i.args...)...)
	cmd.Dir, cmd.Env = js.dir, append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	if code != i.code {
		t.Errorf("it ends with %d, want %d:\n%s", code, i.code, out)
	}
	for _, want := range i.says {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not say %s:\n%s", want, out)
		}
	}
}
