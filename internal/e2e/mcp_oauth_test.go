package e2e

import (
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/porttest"
)

// TestMCPOAuth has the TypeScript client find its way by itself: told an address, and who
// it is at an identity provider that nobody here wrote, it reads a secret. At another name of
// the same server it is led nowhere, and a key in a header works as if there were no OAuth.
func TestMCPOAuth(t *testing.T) {
	const secret = "CANARY-7c11e0aa"
	js := npm(t)
	port := porttest.Port(t)
	origin := "http://localhost:" + port
	from := issuer(t, "ES256", origin+"/mcp")
	d := newLocal(t, "--set", "mcp.listen=127.0.0.1:"+port, "--set", "oidc.issuers="+from,
		"--set", "mcp.resource_origin="+origin, "--set", "mcp.authorization_server="+from).start()
	h := d.human()
	made := into[api.AgentCreatedResponse](t, h.do("POST", "/v1/agents", map[string]string{
		"name": "led", "auth_method": "oidc_client_credentials", "oidc_issuer": from, "oidc_client_id": issuerClient,
	}).is(t, 201))
	v := h.vault(t, "led")
	h.put(v, "app/key", secret).is(t, 201)
	h.policy(v, made.Agent.ID, "app/*", "read").is(t, 201)

	login := map[string]string{"clientId": issuerClient, "clientSecret": issuerSecret, "scope": "vault"}
	asks := asker(t, js.lines(t, "mcp.mjs"))
	if a := asks(map[string]any{"connect": map[string]any{"url": origin + "/mcp", "oauth": login}}); a.Error != "" {
		t.Fatalf("by its name: %s", a.Error)
	}
	if a := asks(map[string]any{"tool": "get_secret", "args": map[string]string{"path": "app/key"}}); a.Failed || !strings.Contains(a.Text, secret) {
		t.Errorf("%+v", a)
	}
	plain := "http://127.0.0.1:" + port + "/mcp"
	if a := asker(t, js.lines(t, "mcp.mjs"))(map[string]any{"connect": map[string]any{"url": plain, "oauth": login}}); a.Error == "" {
		t.Error("by another name it got in")
	}
	k := d.tooler(t)
	headers := map[string]string{"Authorization": "Bearer " + k.key}
	if a := asker(t, js.lines(t, "mcp.mjs"))(map[string]any{"connect": map[string]any{"url": plain, "headers": headers}}); a.Error != "" {
		t.Errorf("a key by another name: %s", a.Error)
	}
	if log := d.log(); strings.Contains(log, secret) || strings.Contains(log, issuerSecret) {
		t.Error("a secret is in the log")
	}
}
