package e2e

import "testing"

const (
	goVault  = "id* name* created_at* description created_by created_by_type cmek_enabled cmek_fingerprint"
	goMeta   = "id* path* type* version* created_at* metadata expires_at"
	goPolicy = "id* vault_id* secret_path_pattern* principal_type* principal_id* permissions* created_at* conditions expires_at created_by created_by_type"
	goAgent  = "id* name* auth_method* is_active* intents_api_enabled* shroud_enabled* created_at* description scopes tx_to_allowlist " +
		"tx_max_value_eth tx_daily_limit_eth tx_allowed_chains token_ttl_seconds vault_ids client_cert_fingerprint oidc_issuer oidc_client_id " +
		"ssh_public_key ecdh_public_key shroud_config expires_at last_active_at smart_accounts"
)

// goSDK is the SDK for Go: a generated client that refuses members which it does
// not know, with secret paths in one segment.
var goSDK = publishedClient{
	send: goHTTP, agent: "OpenAPI-Generator/1.0.0/go", anonymous: []string{"Auth.AgentToken", "WithAPIKey"},
	only: map[string]string{
		"Auth.AgentToken": ":access_token* token_type* expires_in refresh_token",
		"WithAPIKey":      ":access_token* token_type* expires_in refresh_token",
		"Vaults.Create":   ":" + goVault, "Vaults.Get": ":" + goVault, "Vaults.List": "vaults[]: " + goVault,
		"Secrets.Put": ":" + goMeta, "Secrets.Get": ":" + goMeta + " value* created_by cmek_encrypted", "Secrets.List": "secrets[]:" + goMeta,
		"Agents.Create": ":agent* api_key", "Agents.Get": ":" + goAgent, "Agents.Update": ":" + goAgent, "Agents.List": "agents[]:" + goAgent,
		"Access.Grant": ":" + goPolicy, "Access.List": "policies[]:" + goPolicy,
	},
}

// TestClientGo uses the SDK for Go as a person, as a person's key, and as an
// agent by its key alone and with its id.
func TestClientGo(t *testing.T) {
	d := newLocal(t).start()
	c := goSDK.with(t, d, aClientsAgent(t, d, "granted"))
	c.runs(goPerson)
	c.runs(goAgentCalls)
}

var goPerson = []clientCall{
	{"Auth.Login", "POST /v1/auth/token", `{"email":"$email","password":"$password"}`, 200, "access_token expires_in", "", ""},
	{"WithAPIKey", "POST /v1/auth/api-key-token", `{"api_key":"$userKey"}`, 200, "access_token", "bearer=access_token", ""},
	{"Auth.Me", "GET /v1/auth/me", "", 200, "id email", "", ""},
	{"Vaults.Create", "POST /v1/vaults", `{"name":"of Go"}`, 201, "id", "own=id", ""},
	{"Vaults.Get", "GET /v1/vaults/$own", "", 200, "", "", ""},
	{"Vaults.List", "GET /v1/vaults", "", 200, "vaults[].id", "", ""},
	{"Secrets.Put", "PUT /v1/vaults/$own/secrets/a%2Fb", `{"value":"v","type":"api_key"}`, 201, "", "secret=id", ""},
	{"Secrets.Put", "PUT /v1/vaults/$own/secrets/c", `{"value":"v"}`, 201, "", "", ""},
	{"Secrets.Get", "GET /v1/vaults/$own/secrets/a%2Fb", "", 200, "value", "", ""},
	{"Secrets.List", "GET /v1/vaults/$own/secrets", "", 200, "secrets[].path", "", ""},
	{"Agents.Create", "POST /v1/agents", `{"name":"made by Go","intents_api_enabled":false,"shroud_enabled":false}`, 201, "agent.id api_key", "made=agent.id", ""},
	{"Agents.Get", "GET /v1/agents/$made", "", 200, "", "", ""},
	{"Agents.List", "GET /v1/agents", "", 200, "agents[].id", "", ""},
	{"Agents.Update", "PATCH /v1/agents/$made", `{"is_active":false}`, 200, "", "", ""},
	{"Agents.Delete", "DELETE /v1/agents/$made", "", 204, "", "", ""},
	{"APIKeys.Create", "POST /v1/auth/api-keys", `{"name":"for Go"}`, 201, "key.id api_key", "key=key.id", ""},
	{"APIKeys.List", "GET /v1/auth/api-keys", "", 200, "keys[].id", "", ""},
	{"APIKeys.Revoke", "DELETE /v1/auth/api-keys/$key", "", 204, "", "", ""},
	{"Access.Grant", "POST /v1/vaults/$own/policies", `{"secret_path_pattern":"**","principal_type":"agent","principal_id":"$agent","permissions":["read"]}`, 201, "", "policy=id", ""},
	{"Access.List", "GET /v1/vaults/$own/policies", "", 200, "policies[].id", "", ""},
	{"Access.Revoke", "DELETE /v1/vaults/$own/policies/$policy", "", 204, "", "", ""},
	{"Sharing.Create", "POST /v1/secrets/$secret/share", `{"recipient_type":"anyone_with_link","expires_at":"$later"}`, 201, "id share_url", "share=id", ""},
	{"Sharing.ListOutbound", "GET /v1/shares/outbound", "", 200, "shares[].id", "", ""},
	{"Sharing.ListInbound", "GET /v1/shares/inbound", "", 200, "shares[]", "", ""},
	{"Sharing.Revoke", "DELETE /v1/share/$share", "", 204, "", "", ""},
	{"Org.Members", "GET /v1/org/members", "", 200, "members[].id", "", ""},
	{"Org.Invite", "POST /v1/org/invite", `{"email":"ann@example.com"}`, 200, "message email", "", ""},
	{"Audit.Query", "GET /v1/audit/events?limit=10", "", 200, "events[].id count", "", ""},
	{"Secrets.Delete", "DELETE /v1/vaults/$own/secrets/a%2Fb", "", 204, "", "", ""},
	{"Vaults.Delete", "DELETE /v1/vaults/$own", "", 204, "", "", ""},
}

var goAgentCalls = []clientCall{
	{"WithAPIKey", "POST /v1/auth/api-key-token", `{"api_key":"$agentKey"}`, 200, "access_token", "bearer=access_token", ""},
	{"Vaults.List", "GET /v1/vaults", "", 200, "vaults[].id", "", ""},
	{"Secrets.Put", "PUT /v1/vaults/$vault/secrets/x%2Fy%2Fz", `{"value":"v"}`, 201, "", "", ""},
	{"Auth.AgentToken", "POST /v1/auth/agent-token", `{"agent_id":"$agent","api_key":"$agentKey"}`, 200, "access_token", "bearer=access_token", ""},
	{"Secrets.Get", "GET /v1/vaults/$vault/secrets/x%2Fy%2Fz", "", 200, "value", "", ""},
	{"Agents.Create", "POST /v1/agents", `{"name":"another","intents_api_enabled":false,"shroud_enabled":false}`, 403, "", "", ""},
}

// TestClientPython uses what the SDK for Python calls differently from the one
// for TypeScript.
func TestClientPython(t *testing.T) {
	d := newLocal(t).start()
	python := publishedClient{send: goHTTP, agent: "python-httpx/0.27.0", always: true, anonymous: []string{"auth.agent_token", "shares.access"}}
	python.with(t, d, aClientsAgent(t, d, "agent")).runs([]clientCall{
		{"auth.agent_token", "POST /v1/auth/agent-token", `{"api_key":"$agentKey"}`, 200, "access_token expires_in agent_id vault_ids[]", "bearer=access_token", ""},
		{"secrets.set", "PUT /v1/vaults/$vault/secrets/deep/er/path", `{"type":"generic","value":"v"}`, 201, "id", "", ""},
		{"shares.create", "POST /v1/shares", `{"vault_id":"$vault","secret_path":"deep/er/path","expires_in_hours":24,"max_views":3,"passphrase":"between us"}`, 201, "id share_url", "share=id", ""},
		{"shares.list", "GET /v1/shares", "", 200, "shares[].id", "", ""},
		{"shares.get", "GET /v1/shares/$share", "", 200, "id", "", ""},
		{"shares.access", "POST /v1/shares/$share/access", `{"passphrase":"between us"}`, 200, "value", "", ""},
		{"shares.access", "POST /v1/shares/$share/access", `{"passphrase":"a guess"}`, 403, "", "", ""},
		{"shares.delete", "DELETE /v1/shares/$share", "", 204, "", "", ""},
		{"audit.list", "GET /v1/audit?limit=10&resource_type=secret", "", 200, "events[].id count", "", ""},
		{"audit.verify", "GET /v1/audit/verify?limit=100", "", 200, "chain_valid events_verified", "", ""},
		{"auth.refresh", "POST /v1/auth/refresh", "", 400, "", "", ""},
		{"agents.enroll", "POST /v1/agents/enroll", `{"name":"by Python","human_email":"nobody@example.com","description":""}`, 201, "agent_id message", "", ""},
	})
}

// TestClientSidecar sets up and tears down what the proxy for language models
// makes for itself with a person's key.
func TestClientSidecar(t *testing.T) {
	d := newLocal(t).start()
	sidecar := publishedClient{send: goHTTP, anonymous: []string{"bootstrap"}}
	sidecar.with(t, d, nil).runs([]clientCall{
		{"bootstrap", "POST /v1/auth/api-key-token", `{"api_key":"$userKey"}`, 200, "access_token", "bearer=access_token", ""},
		{"bootstrap, vault", "POST /v1/vaults", `{"name":"sidecar","description":"made by the sidecar"}`, 201, "id", "own=id", ""},
		{"bootstrap, agent", "POST /v1/agents", `{"name":"sidecar","vault_ids":["$own"],"shroud_enabled":true,"description":"d"}`, 201, "agent.id api_key", "agent=agent.id agentKey=api_key", ""},
		{"bootstrap, policy", "POST /v1/vaults/$own/policies", `{"secret_path_pattern":"**","principal_type":"agent","principal_id":"$agent","permissions":["read","write"]}`, 201, "id", "", ""},
		{"teardown", "DELETE /v1/agents/$agent", "", 204, "", "", ""},
		{"teardown", "DELETE /v1/vaults/$own", "", 204, "", "", ""},
	})
}
