package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// BenchmarkSecretGet is `oneclaw secret get` as a script runs it: a process, a request,
// the value; as a person, and as an agent, whose key is exchanged for a token first.
func BenchmarkSecretGet(b *testing.B) {
	d := startDaemon(b)
	base := append(os.Environ(), "ONECLAW_BASE_URL="+d.API, "XDG_CONFIG_HOME="+b.TempDir(), "ONECLAW_CREDENTIAL_STORE=file")
	owner := append(base, "ONECLAW_API_KEY="+d.Owner.APIKey)
	run := func(env []string, in string, args ...string) string {
		cmd := exec.Command("oneclaw", args...)
		cmd.Env, cmd.Stdin = env, strings.NewReader(in)
		out, err := cmd.CombinedOutput()
		if err != nil {
			b.Fatalf("oneclaw %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	vault := run(owner, "", "vault", "create", "measured", "-q")
	run(owner, "value", "secret", "set", "a/b", "-q", "-v", vault)
	key := run(owner, "", "agent", "create", "measured", "-q")
	run(owner, "", "policy", "create", "--agent", "measured", "-q", "-v", vault)
	for name, env := range map[string][]string{"person": owner, "agent": append(base, "ONECLAW_API_KEY="+key)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if got := run(env, "", "secret", "get", "a/b", "-v", vault); got != "value" {
					b.Fatal(got)
				}
			}
		})
	}
	b.Run("nothing", func(b *testing.B) { // what starting a process costs
		for b.Loop() {
			run(owner, "", "version")
		}
	})
}
