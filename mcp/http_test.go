package mcp_test

import (
	"net/http"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/oneclaw/oneclawd/appliance/api"
)

const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

// Who may not in is told why, and in no words that send a client elsewhere.
func TestDoor(t *testing.T) {
	a := newAgent(t)
	base := strings.TrimSuffix(live.url, "/mcp")
	token, err := live.api.AgentToken(t.Context(), api.AgentTokenRequest{APIKey: &a.key})
	if err != nil {
		t.Fatal(err)
	}
	person, err := live.own.CreateAPIKey(t.Context(), api.CreateApiKeyRequest{Name: "door"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		url    string
		header []string
		status int
		says   string
	}{
		"nobody":               {live.url, nil, 401, "Missing Authorization header (Bearer <agent-token>)"},
		"another scheme":       {live.url, []string{"Authorization", "Basic YTpi"}, 401, "Missing Authorization header"},
		"a wrong key":          {live.url, []string{"Authorization", "Bearer ocv_" + strings.Repeat("x", 43)}, 401, ""},
		"a token of nobody's":  {live.url, []string{"Authorization", "Bearer a.b.c"}, 401, "not an agent's credential"},
		"a forged token":       {live.url, []string{"Authorization", "Bearer " + token.AccessToken[:len(token.AccessToken)-8] + "AAAAAAAA"}, 401, ""},
		"a person's key":       {live.url, []string{"Authorization", "Bearer " + person.APIKey}, 401, "not an agent's credential"},
		"an agent's key":       {live.url, []string{"Authorization", "Bearer " + a.key}, 200, ""},
		"an agent's token":     {live.url, []string{"Authorization", "bearer " + token.AccessToken}, 200, ""},
		"a page of elsewhere":  {live.url, []string{"Authorization", "Bearer " + a.key, "Origin", "https://evil.example"}, 403, "other origins"},
		"another name of host": {live.url, []string{"Authorization", "Bearer " + a.key, "Host", "evil.example"}, 403, "Host"},
		"no such route":        {base + "/", nil, 404, "/mcp"},
		"discovery":            {base + "/.well-known/oauth-protected-resource", nil, 404, ""},
		"discovery by path":    {base + "/.well-known/oauth-protected-resource/mcp", nil, 404, ""},
		"discovery of the AS":  {base + "/.well-known/oauth-authorization-server", nil, 404, ""},
		"health":               {base + "/health", nil, 200, "✓ Ok"},
	} {
		status, body := post(t, c.url, initialize, c.header...)
		if status != c.status || !strings.Contains(body, c.says) || strings.Contains(body, "resource_metadata") {
			t.Errorf("%s: %d %s, want %d %s", name, status, body, c.status, c.says)
		}
	}
}

const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`

// A session is of who began it, and of nobody who knows its name.
func TestSessionsAreBound(t *testing.T) {
	a, b := newAgent(t), newAgent(t)
	s := a.connect(ancient, nil)
	if status, body := post(t, live.url, ping, "Authorization", "Bearer "+b.key, "Mcp-Session-Id", s.ID()); status != http.StatusForbidden {
		t.Errorf("another agent: %d %s", status, body)
	}
	token, err := live.api.AgentToken(t.Context(), api.AgentTokenRequest{APIKey: &a.key})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := post(t, live.url, ping, "Authorization", "Bearer "+token.AccessToken, "Mcp-Session-Id", s.ID()); status != 200 {
		t.Errorf("the same agent by its token: %d %s", status, body)
	}
	if _, err := live.own.RotateAgentKey(t.Context(), a.id); err != nil {
		t.Fatal(err)
	}
	if status, body := post(t, live.url, ping, "Authorization", "Bearer "+a.key, "Mcp-Session-Id", s.ID()); status != 401 {
		t.Errorf("a key that was replaced: %d %s", status, body)
	}
}

// Both eras are served at one URL, and nobody may keep what they are told.
func TestEras(t *testing.T) {
	a := newAgent(t)
	a.keep("a/b", "password", canary)
	for _, era := range []string{ancient, recent} {
		s := a.connect(era, nil)
		if got := s.InitializeResult().ProtocolVersion; got != era {
			t.Errorf("%s: the server speaks %s", era, got)
		}
		if text := s.says("list_secrets", nil); !strings.HasPrefix(text, "Found 1 secret(s):\n- a/b  (type: password, version: 1, expires: never, id: ") {
			t.Errorf("%s: %s", era, text)
		}
		all, err := s.ListTools(t.Context(), nil)
		if err != nil || len(all.Tools) != 18 {
			t.Fatalf("%s: %d tools, %v", era, len(all.Tools), err)
		}
		if era == recent && (all.CacheScope != "private" || all.TTLMs != 0) {
			t.Errorf("tools may be cached: %+v", all.Cacheable)
		}
		read, err := s.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: "vault://secrets"})
		if err != nil || strings.Contains(read.Contents[0].Text, canary) || !strings.Contains(read.Contents[0].Text, `"path": "a/b"`) {
			t.Errorf("%s: the resource is %+v, %v", era, read, err)
		}
		if era == recent && read.CacheScope != "private" {
			t.Errorf("secrets may be cached: %+v", read.Cacheable)
		}
	}
}

// Rules about addresses hold for who calls through MCP, as if they called the API.
func TestAddressesHold(t *testing.T) {
	far := newAgent(t, "write")
	far.keep("k", "password", canary)
	for _, c := range []struct {
		network string
		want    bool
	}{{"10.0.0.0/8", false}, {"127.0.0.0/8", true}} {
		p, err := live.own.CreatePolicy(t.Context(), far.vault, api.CreatePolicyRequest{
			SecretPathPattern: "k", PrincipalType: "agent", PrincipalID: far.id, Permissions: []string{"read"},
			Conditions: api.Object(`{"ip_allowlist":["` + c.network + `"]}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		if text, failed := far.connect(recent, nil).call("get_secret", args{"path": "k"}); failed == c.want {
			t.Errorf("%s: %s", c.network, text)
		}
		if err := live.own.DeletePolicy(t.Context(), far.vault, p.ID); err != nil {
			t.Fatal(err)
		}
	}
}
