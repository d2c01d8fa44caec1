package mcp_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/internal/porttest"
	"github.com/oneclaw/oneclawd/mcp"
)

// What people set for the published server is understood here.
func TestEnvironment(t *testing.T) {
	key := "ocv_" + strings.Repeat("k", 43)
	for _, c := range []struct {
		env  string // NAME=value, separated by spaces
		port string
		says string // what is wrong, "" for nothing
	}{
		{env: "ONECLAW_AGENT_API_KEY=" + key},
		{env: "ONECLAW_AGENT_API_KEY=" + key + " MCP_TRANSPORT=stdio PORT=9000"},
		{env: "ONECLAW_LOCAL_ONLY=1"},
		{env: "MCP_TRANSPORT=httpStream", port: "8080"},
		{env: "MCP_TRANSPORT=httpStream PORT=9000", port: "9000"},
		{env: "MCP_TRANSPORT=httpStream ONECLAW_LOCAL_ONLY=true PORT=1", port: "1"},
		{env: "", says: "ONECLAW_AGENT_API_KEY"},
		{env: "PORT=9000", says: "ONECLAW_AGENT_API_KEY"},
		{env: "ONECLAW_AGENT_TOKEN=a.b.c", says: "ONECLAW_VAULT_ID"},
		{env: "ONECLAW_AGENT_TOKEN=a.b.c ONECLAW_VAULT_ID=v", says: "not the token of an agent"},
		{env: "MCP_TRANSPORT=sse", says: "MCP_TRANSPORT is stdio or httpStream"},
		{env: "MCP_TRANSPORT=httpStream PORT=0", says: "PORT is not the number of a port"},
		{env: "MCP_TRANSPORT=httpStream PORT=65536", says: "PORT is not the number of a port"},
		{env: "MCP_TRANSPORT=httpStream PORT=127.0.0.1:80", says: "PORT is not the number of a port"},
		{env: "ONECLAW_LOCAL_ONLY=true ONECLAW_MCP_SANITIZATION_MODE=sometimes", says: "ONECLAW_MCP_SANITIZATION_MODE"},
	} {
		got, err := mcp.FromEnvironment(environment(c.env), client.Options{BaseURL: "http://127.0.0.1:1"}, "test")
		if c.says == "" && (err != nil || got.Port != c.port) {
			t.Errorf("%s: %q, %v", c.env, got.Port, err)
		}
		if c.says != "" && (!errors.Is(err, mcp.ErrUsage) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %s", c.env, err, c.says)
		}
	}
}

func environment(text string) func(string) string {
	return func(name string) string {
		for _, pair := range strings.Fields(text) {
			if is, value, _ := strings.Cut(pair, "="); is == name {
				return value
			}
		}
		return ""
	}
}

// over starts a server over HTTP, as the environment says, and returns where it is. It
// ends with the test.
func over(t *testing.T, env string) string {
	t.Helper()
	port := porttest.Port(t)
	s, err := mcp.FromEnvironment(environment(env+" MCP_TRANSPORT=httpStream PORT="+port), client.Options{BaseURL: live.apiURL}, "test")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	notes, says := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- errors.Join(s.Serve(ctx, nil, nil, says), says.Close()) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	line := make([]byte, 128)
	n, err := notes.Read(line)
	if at := "http://127.0.0.1:" + port + "/mcp"; err != nil || string(line[:n]) != "serving MCP at "+at+"\n" {
		t.Fatalf("%q: %v", line[:n], err)
	}
	return "http://127.0.0.1:" + port + "/mcp"
}

// Over HTTP each client brings its own credential. That of the environment is nobody's.
func TestStandaloneOverHTTP(t *testing.T) {
	a, b := newAgent(t), newAgent(t)
	a.keep("k", "note", canary+"-a")
	b.keep("k", "note", canary+"-b")
	at := over(t, "ONECLAW_AGENT_API_KEY="+a.key+" ONECLAW_VAULT_ID="+a.vault)
	if status, body := post(t, at, initialize); status != 401 || !strings.Contains(body, "Missing Authorization header") {
		t.Errorf("without a credential: %d %s", status, body)
	}
	for _, era := range []string{ancient, recent} {
		for _, who := range []*agent{a, b} {
			s := dial(t, &sdk.StreamableClientTransport{Endpoint: at, HTTPClient: as(who.key), MaxRetries: -1}, era, nil)
			want := canary + "-a"
			if who == b {
				want = canary + "-b"
			}
			if text := s.says("get_secret", args{"path": "k"}); !strings.Contains(text, want) {
				t.Errorf("%s: %s", era, text)
			}
		}
	}
}

// Without an appliance there is nobody to be.
func TestLocalOnlyOverHTTP(t *testing.T) {
	at := over(t, "ONECLAW_LOCAL_ONLY=true")
	for _, era := range []string{ancient, recent} {
		s := dial(t, &sdk.StreamableClientTransport{Endpoint: at, MaxRetries: -1}, era, nil)
		all, err := s.ListTools(t.Context(), nil)
		if err != nil || len(all.Tools) != 1 || all.Tools[0].Name != "inspect_content" {
			t.Fatalf("%+v, %v", all, err)
		}
		if text := s.says("inspect_content", args{"content": "hello"}); !strings.Contains(text, `"verdict": "clean"`) {
			t.Errorf("%s: %s", era, text)
		}
	}
}
