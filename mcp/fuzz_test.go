package mcp

import (
	"encoding/json"
	"reflect"
	"slices"
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

// FuzzShortcut: whatever takes the shortcut is answered as the SDK answers it. What the SDK
// cannot read is no call of a tool here either.
func FuzzShortcut(f *testing.F) {
	h := fakeAPI(f)
	for _, args := range []string{`{"path":"k"}`, `{"path":"none"}`, `{"path":7}`, `null`, `{"path":"k","Path":"x","y":[1e400]}`} {
		f.Add(plainBody(args))
	}
	f.Add(`{"jsonrpc":"2.0","id":"","method":"tools/call","params":{"name":"get_secret"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		took := h.by(t, true, callHead(), body)
		if took == nil {
			return
		}
		got, want := message(t, took), message(t, h.by(t, false, callHead(), body))
		result, _ := got["result"].(map[string]any)
		if result["resultType"] == "input_required" || want["error"] != nil && result["isError"] == true {
			return // a person is led, under another number each time
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the answer is\n%v, of the SDK\n%v", body, got, want)
		}
	})
}

// FuzzArguments: what is read of arguments is what the schema lets pass, and the same
// whether the type is read from what came or from what was made of it.
func FuzzArguments(f *testing.F) {
	schema := schemaOf[putArgs]([]refine{oneOf("type", secretTypes...), otherwise("type", `"api_key"`), atLeast("max_access_count", 1)})
	args := newArguments[putArgs](schema)
	f.Add(`{"path":"a","value":"b"}`)
	f.Add(`{"path":"a","value":"b","type":"note","max_access_count":3.0,"metadata":{"n":9007199254740993}}`)
	f.Add(`{"path":"a","value":"b","PATH":"c","TYPE":"x","more":null}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		in, err := args.read(json.RawMessage(text))
		var given map[string]any
		if json.Unmarshal([]byte(text), &given) != nil && text != "" {
			if err == nil {
				t.Errorf("%s is read as %+v", text, in)
			}
			return
		}
		if err != nil {
			return
		}
		if in.Path != given["path"] || in.Value != given["value"] || !slices.Contains(secretTypes, any(in.Type)) {
			t.Errorf("%s is read as %+v", text, in)
		}
		if in.MaxAccessCount != nil && *in.MaxAccessCount < 1 {
			t.Errorf("%s may be read %d times", text, *in.MaxAccessCount)
		}
	})
}
