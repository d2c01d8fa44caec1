package mcp

import (
	"encoding/json"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// FuzzClaims: a token is believed to be an agent's only if it says so, and reading it
// never fails in another way.
func FuzzClaims(f *testing.F) {
	f.Add("a.eyJzdWIiOiJhZ2VudDoxIn0.c")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if said, err := readClaims(token); err == nil && (said.agent() == "" || !strings.HasPrefix(said.Subject, "agent:")) {
			t.Errorf("%q is of %+v", token, said)
		}
	})
}

// FuzzEnvironment: what is read of an environment is in it.
func FuzzEnvironment(f *testing.F) {
	f.Add("A=1\n# B=2\n\nC\nD==\n=x")
	f.Fuzz(func(t *testing.T, text string) {
		for name, value := range parseEnv(text) {
			if !strings.Contains(text, name) || !strings.Contains(text, value) {
				t.Errorf("%q has no %q=%q", text, name, value)
			}
		}
	})
}

// FuzzGuard: whatever the arguments are, a value that was fetched does not get past the
// guard in them as it is, and what passes is what came, or JSON still.
func FuzzGuard(f *testing.F) {
	const secret = "correct-horse-battery"
	f.Add(`{"a":"correct-horse-battery"}`)
	f.Add(`{"a":["x",{"correct-horse-battery":1}],"b":1e400}`)
	f.Add(`[1`)
	guards := map[Mode]*guard{}
	for _, m := range []Mode{Block, Surgical, LogOnly} {
		guards[m] = newGuard(Guard{Mode: m})
		guards[m].fetched(nil, "p", secret)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for mode, g := range guards {
			p := &sdk.CallToolParamsRaw{Name: "create_vault", Arguments: json.RawMessage(text)}
			blocked := g.before(p, g.watches.of(nil))
			var in map[string]any
			if json.Unmarshal([]byte(text), &in) != nil {
				continue
			}
			if blocked == nil && mode != LogOnly && strings.Contains(string(p.Arguments), secret) {
				t.Errorf("%s: it got out in %s", mode, p.Arguments)
			}
			if !json.Valid(p.Arguments) {
				t.Errorf("%s: %s became %s", mode, text, p.Arguments)
			}
		}
	})
}
