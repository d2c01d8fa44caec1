package httpapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud/activity"
)

// operation is the scenario of one operation of the API: a request that
// succeeds, in a world where the ones before it were made.
type operation struct {
	id     string
	method string
	url    func() string
	as     string
	body   func() string
	status int
	event  string // "none": nothing is recorded
	after  func(answered)
	kinds  string // of principals that are let in: "any", "user", "agent"; "" for public
}

// lifecycle is every operation, in an order that builds up and takes down one
// agent, one vault and one secret. The canary is the secret's value.
func lifecycle(l *live) []operation {
	var vault, agent, agentKey, policy, apiKey, binding, execution string
	cp := struct{ size float64 }{}
	at := func(format string, parts ...*string) func() string {
		return func() string {
			args := make([]any, len(parts))
			for i, p := range parts {
				args[i] = *p
			}
			return fmt.Sprintf(format, args...)
		}
	}
	return slices.Concat(shareLifecycle(l), siteLifecycle(l), peopleLifecycle(l), federationLifecycle(l), messageLifecycle(), intentLifecycle(l), []operation{
		{"healthCheck", get, at("/v1/health"), "", nil, 200, "none", nil, ""},
		{"healthHsm", get, at("/v1/health/hsm"), "", nil, 200, "none", nil, ""},
		{"getAttestation", get, at("/v1/attestation"), "", nil, 200, "none", nil, ""},
		{"getShroudAttestation", get, at("/v1/shroud/attestation"), "", nil, 200, "none", nil, ""},
		{"openapi", get, at("/openapi.json"), "", nil, 200, "none", nil, ""},
		{"getJwtPublicKey", get, at("/v1/auth/jwt-public-key"), "", nil, 200, "none", nil, ""},
		{"getJWKS", get, at("/.well-known/jwks.json"), "", nil, 200, "none", nil, ""},
		{"login", post, at("/v1/auth/token"), "", at(`{"email":"` + ownerEmail + `","password":"` + ownerPassword + `"}`), 200, "auth.success success", func(a answered) { l.tokens["login"] = a.text("access_token") }, ""},
		{"getMe", get, at("/v1/auth/me"), "login", nil, 200, "none", nil, "user"},
		{"createApiKey", post, at("/v1/auth/api-keys"), "login", at(`{"name":"k"}`), 201, "api_key.create success", func(a answered) {
			apiKey, l.tokens["k"] = a.text("key.id"), a.text("api_key")
		}, "user"},
		{"listApiKeys", get, at("/v1/auth/api-keys"), "k", nil, 200, "none", nil, "user"},
		{"apiKeyToken", post, at("/v1/auth/api-key-token"), "", func() string { return `{"api_key":"` + l.tokens["k"] + `"}` }, 200, "auth.success success", nil, ""},
		{"refreshToken", post, at("/v1/auth/refresh"), "", at(`{}`), 400, "none", nil, ""},

		{"createVault", post, at("/v1/vaults"), "login", at(`{"name":"v"}`), 201, "vault.create success", func(a answered) { vault = a.text("id") }, "any"},
		{"listVaults", get, at("/v1/vaults"), "login", nil, 200, "none", nil, "any"},
		{"getVault", get, at("/v1/vaults/%s", &vault), "login", nil, 200, "none", nil, "any"},
		{"putSecret", put, at("/v1/vaults/%s/secrets/a/b", &vault), "login", at(`{"value":"` + canary + `"}`), 201, "secret.write success", nil, "any"},
		{"listSecrets", get, at("/v1/vaults/%s/secrets", &vault), "login", nil, 200, "secret.list success", nil, "any"},

		{"createAgent", post, at("/v1/agents"), "login", at(`{"name":"bot"}`), 201, "agent.register success", func(a answered) { agent, agentKey = a.text("agent.id"), a.text("api_key") }, "user"},
		{"listAgents", get, at("/v1/agents"), "login", nil, 200, "none", nil, "user"},
		{"createPolicy", post, at("/v1/vaults/%s/policies", &vault), "login", at(`{"secret_path_pattern":"**","principal_type":"agent","principal_id":"%s","permissions":["read","write"]}`, &agent), 201, "policy.create success",
			func(a answered) { policy = a.text("id") }, "any"},
		{"listPolicies", get, at("/v1/vaults/%s/policies", &vault), "login", nil, 200, "none", nil, "any"},
		{"agentToken", post, at("/v1/auth/agent-token"), "", at(`{"api_key":"%s"}`, &agentKey), 200, "auth.success success", func(a answered) { l.tokens["bot"] = a.text("access_token") }, ""},
		{"getAgentSelf", get, at("/v1/agents/me"), "bot", nil, 200, "none", nil, "agent"},
		{"getAgent", get, at("/v1/agents/%s", &agent), "bot", nil, 200, "none", nil, "any"},
		{"updateAgent", patch, at("/v1/agents/%s", &agent), "login", at(`{"description":"d"}`), 200, "agent.update success", nil, "user"},
		{"replaceAgent", put, at("/v1/agents/%s", &agent), "login", at(`{"description":"e"}`), 200, "agent.update success", nil, "user"},
		{"getAgentDelivery", get, at("/v1/agents/%s/delivery", &agent), "bot", nil, 200, "none", nil, "any"},
		{"setAgentDelivery", put, at("/v1/agents/%s/delivery", &agent), "login", at(`{"mode":"value"}`), 200, "agent.deliver_values success", nil, "user"},
		{"createBinding", post, at("/v1/agents/%s/bindings", &agent), "login", at(`{"name":"api","config":{"base_url":"https://api.example.com","auth_type":"bearer"},"credential_source":{"vault_id":"%s","path":"a/b"}}`, &vault), 201, "binding.create success",
			func(a answered) { binding, l.sender = a.text("id"), yes{} }, "user"},
		{"listBindings", get, at("/v1/agents/%s/bindings", &agent), "bot", nil, 200, "none", nil, "any"},
		{"getBinding", get, at("/v1/agents/%s/bindings/%s", &agent, &binding), "bot", nil, 200, "none", nil, "any"},
		{"testBinding", post, at("/v1/agents/%s/bindings/%s/test", &agent, &binding), "login", nil, 200, "binding.test success", nil, "user"},
		{"executeRequest", post, at("/v1/agents/%s/execute", &agent), "bot", at(`{"binding":"api","url":"/v1"}`), 200, "secret.used success", nil, "agent"},
		{"listExecutions", get, at("/v1/agents/%s/executions", &agent), "bot", nil, 200, "none", func(a answered) { execution = a.text("events.0.id") }, "any"},
		{"getExecution", get, at("/v1/agents/%s/executions/%s", &agent, &execution), "bot", nil, 200, "none", nil, "any"},
		{"rotateBindingCredential", post, at("/v1/agents/%s/bindings/%s/rotate-credential", &agent, &binding), "login", at(`{"credential":{"type":"bearer","token":"` + canary + `"}}`), 200, "secret.rotate success", nil, "user"},
		{"updateBinding", patch, at("/v1/agents/%s/bindings/%s", &agent, &binding), "login", at(`{"is_active":false}`), 200, "binding.update success", nil, "user"},
		{"deleteBinding", remove, at("/v1/agents/%s/bindings/%s", &agent, &binding), "login", nil, 204, "binding.delete success", nil, "user"},
		{"getSecret", get, at("/v1/vaults/%s/secrets/a/b", &vault), "bot", nil, 200, "secret.read success", nil, "any"},
		{"listSecretVersions", get, at("/v1/vaults/%s/secret-versions/a/b", &vault), "bot", nil, 200, "secret.list success", nil, "any"},
		{"getSecretVersion", get, at("/v1/vaults/%s/secret-version/a/b/1", &vault), "bot", nil, 200, "secret.read success", nil, "any"},
		{"rotateSecret", post, at("/v1/vaults/%s/secret-rotate/a/b", &vault), "bot", nil, 200, "secret.rotate success", nil, "any"},
		{"disableSecretVersion", post, at("/v1/vaults/%s/secret-version-disable/a/b/1", &vault), "bot", nil, 200, "secret.disable_version success", nil, "any"},

		{"queryAuditEvents", get, at("/v1/audit/events?limit=1000"), "bot", nil, 200, "none", nil, "any"},
		{"queryAudit", get, at("/v1/audit"), "bot", nil, 200, "none", nil, "any"},
		{"verifyAudit", get, at("/v1/audit/verify"), "bot", nil, 200, "none", nil, "any"},
		{"auditCheckpoint", get, at("/v1/audit/checkpoint"), "bot", nil, 200, "none", func(a answered) { cp.size = a.value("size").(float64) }, "any"},
		{"auditInclusion", get, func() string { return fmt.Sprintf("/v1/audit/proof/inclusion?index=1&size=%d", int(cp.size)) }, "login", nil, 200, "none", nil, "any"},
		{"auditConsistency", get, func() string { return fmt.Sprintf("/v1/audit/proof/consistency?from=1&to=%d", int(cp.size)) }, "bot", nil, 200, "none", nil, "any"},
		{"exportAudit", get, at("/v1/audit/export"), "login", nil, 200, "audit.export success", nil, "user"},

		{"listShroudActivity", get, at("/v1/shroud/activity"), "bot", nil, 200, "none", nil, "any"},
		{"getShroudActivity", get, func() string {
			call := activity.Call{Org: l.org, Agent: id.New(), Began: l.clock.Now(), Keep: time.Hour, Request: []byte("what was said")}
			return "/v1/shroud/activity/" + l.calls.Add(call).String()
		}, "login", nil, 200, "shroud.open success", nil, "user"},
		{"shroudThreatSummary", get, at("/v1/shroud/threat-summary"), "bot", nil, 200, "none", nil, "any"},
		{"inspectContent", post, at("/v1/inspect"), "bot", at(`{"content":"hello"}`), 200, "none", nil, "any"},

		{"updatePolicy", put, at("/v1/vaults/%s/policies/%s", &vault, &policy), "login", at(`{"permissions":["read"]}`), 200, "policy.update success", nil, "any"},
		{"deletePolicy", remove, at("/v1/vaults/%s/policies/%s", &vault, &policy), "login", nil, 204, "policy.delete success", nil, "any"},
		{"rotateAgentKey", post, at("/v1/agents/%s/rotate-key", &agent), "login", nil, 200, "agent.rotate_key success", nil, "user"},
		{"rotateAgentIdentityKeys", post, at("/v1/agents/%s/rotate-identity-keys", &agent), "login", nil, 200, "agent.rotate_identity_keys success", nil, "user"},
		{"deleteAgent", remove, at("/v1/agents/%s", &agent), "login", nil, 204, "agent.deactivate success", nil, "user"},
		{"deleteSecret", remove, at("/v1/vaults/%s/secrets/a/b", &vault), "login", nil, 204, "secret.delete success", nil, "any"},
		{"deleteVault", remove, at("/v1/vaults/%s", &vault), "login", nil, 204, "vault.delete success", nil, "any"},
		{"revokeApiKey", remove, at("/v1/auth/api-keys/%s", &apiKey), "login", nil, 204, "api_key.revoke success", nil, "user"},
		{"revokeToken", remove, at("/v1/auth/token"), "login", nil, 200, "auth.revoke success", nil, "any"},
	})
}

// TestEveryOperation asks each one with its own principal, without a token,
// with one that is none and with one of the wrong kind.
func TestEveryOperation(t *testing.T) {
	l := newLive(t)
	l.agent("other", "")
	for _, o := range lifecycle(l) {
		s := step{name: o.id, method: o.method, url: o.url(), as: o.as, header: headersOf[o.id], status: o.status, event: o.event}
		if o.body != nil {
			s.body = o.body()
		}
		if o.kinds != "" {
			no := s
			no.as, no.status, no.event, no.has = "", 401, "none", []string{`"code":"missing_token"`}
			l.want(no)
			no.as, no.event, no.has = "eyJ."+canary+".x", "auth.failure refused invalid_token", []string{"Invalid or expired token"}
			l.want(no)
		}
		if o.kinds == "user" || o.kinds == "agent" {
			wrong := s
			wrong.as, wrong.status, wrong.event, wrong.has = map[string]string{"user": "other", "agent": "owner"}[o.kinds], 403, "", []string{"Access denied"}
			l.want(wrong)
		}
		s.reveals = o.id == "getSecret" || o.id == "getSecretVersion" || o.id == "accessShare" || o.id == "accessShareWithPassphrase"
		if s.reveals {
			s.has = []string{canary}
		}
		a := l.want(s)
		if o.after != nil {
			o.after(a)
		}
	}
}

// documented is what the document says of an operation.
type documented struct {
	OperationID string           `json:"operationId"`
	Security    []map[string]any `json:"security"` // alternatives; an empty one is no token
}

func (d documented) needsToken() bool {
	free := func(way map[string]any) bool { return len(way) == 0 }
	return len(d.Security) > 0 && !slices.ContainsFunc(d.Security, free)
}

// TestEveryOperationHasAScenario fails for a route that nobody wrote one for.
func TestEveryOperationHasAScenario(t *testing.T) {
	l := newLive(t)
	a := l.send(step{url: "/openapi.json"})
	var document struct {
		Paths map[string]map[string]documented
	}
	l.ok(json.Unmarshal(a.Body.Bytes(), &document))
	scenarios := map[string]operation{}
	for _, o := range lifecycle(l) {
		scenarios[o.id] = o
	}
	seen := []string{"openapi"} // which does not describe itself
	for path, methods := range document.Paths {
		for method, op := range methods {
			o, ok := scenarios[op.OperationID]
			switch {
			case !ok:
				t.Errorf("%s %s has no scenario", method, path)
			case strings.ToUpper(method) != o.method || op.needsToken() != (o.kinds != ""):
				t.Errorf("%s: the scenario is of another route, or the document says otherwise who may ask", op.OperationID)
			}
			seen = append(seen, op.OperationID)
		}
	}
	for id := range scenarios {
		if !slices.Contains(seen, id) {
			t.Errorf("%s has a scenario and is not in the document", id)
		}
	}
}
