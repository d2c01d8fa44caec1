package e2e

import "testing"

// mcpServer is the MCP server for Node: what its tools ask the API for, each
// segment of a path escaped by itself.
func mcpServer(t *testing.T) publishedClient {
	return publishedClient{send: nodeFetch(t), always: true, anonymous: []string{"exchange"}}
}

// TestClientMCP uses each tool that asks this API, with an agent's key alone:
// the vault is the one that the exchange or the list of vaults names.
func TestClientMCP(t *testing.T) {
	d := newLocal(t).start()
	known := aClientsAgent(t, d, "assistant")
	other, _ := d.human().agent(t, "colleague")
	known["other"], known["far"] = other, d.human().vault(t, "out of reach")
	c := mcpServer(t).with(t, d, known)
	c.runs(mcpStart)
	if c.kept["first"] != c.kept["vault"] {
		t.Errorf("the first vault of the list is %s, not the only one that it may use", c.kept["first"])
	}
	c.runs(mcpTools)
	// What the tools do with a bound agent.
	d.human().do("PATCH", "/v1/agents/"+known["agent"], map[string]any{"vault_ids": []string{known["vault"]}}).is(t, 200)
	c.run(clientCall{"exchange", "POST /v1/auth/agent-token", `{"api_key":"$agentKey"}`, 200, "vault_ids[]", "bearer=access_token ids=vault_ids", ""})
	if c.kept["ids"] != "["+c.kept["vault"]+"]" {
		t.Errorf("the exchange names the vaults %s", c.kept["ids"])
	}
	c.run(clientCall{"session", "GET /v1/vaults/$far", "", 403, "", "", ""})
}

var mcpStart = []clientCall{
	{"exchange", "POST /v1/auth/agent-token", `{"api_key":"$agentKey"}`, 200, "access_token expires_in agent_id vault_ids[]", "bearer=access_token", ""},
	{"exchange, with the id", "POST /v1/auth/agent-token", `{"api_key":"$agentKey","agent_id":"$agent"}`, 200, "access_token", "", ""},
	{"list_vaults", "GET /v1/vaults", "", 200, "vaults[].id vaults[].name vaults[].created_by_type vaults[].created_by vaults[].created_at", "first=vaults[].id", ""},
}

var mcpTools = []clientCall{
	{"session", "GET /v1/vaults/$vault", "", 200, "id name", "", ""},
	{"list_secrets", "GET /v1/vaults/$vault/secrets", "", 200, "secrets[]", "", ""},
	{"put_secret", "PUT /v1/vaults/$vault/secrets/services/api_key", `{"value":"first value","type":"api_key","metadata":{"by":"assistant"},"max_access_count":3}`, 201, "version type", "", "x-client-share: 0"},
	{"put_secret", "PUT /v1/vaults/$vault/secrets/env", `{"value":"A=1\nB=2","type":"env_bundle"}`, 201, "version", "", ""},
	{"rotate_and_store", "PUT /v1/vaults/$vault/secrets/services/api_key", `{"value":"second value","type":"api_key"}`, 201, "version", "", ""},
	{"list_secrets", "GET /v1/vaults/$vault/secrets", "", 200, "secrets[].id secrets[].path secrets[].type secrets[].version secrets[].metadata secrets[].created_at", "", ""},
	{"get_secret", "GET /v1/vaults/$vault/secrets/services/api_key", "", 200, "id path type version value", "secret=id", ""},
	{"get_env_bundle", "GET /v1/vaults/$vault/secrets/env", "", 200, "value type", "bundle=type", ""},
	{"describe_secret, of none", "GET /v1/vaults/$vault/secrets/nothing", "", 404, "", "", ""},
	{"put_secret, at a path that is none", "PUT /v1/vaults/$vault/secrets/a%20b", `{"value":"v","type":"api_key"}`, 400, "", "", ""},
	{"share_secret", "POST /v1/secrets/$secret/share", `{"recipient_type":"anyone_with_link","expires_at":"$later","max_access_count":5}`, 201, "id share_url max_access_count expires_at recipient_type", "", ""},
	{"share_secret", "POST /v1/secrets/$secret/share", `{"recipient_type":"creator","expires_at":"$later","max_access_count":5}`, 201, "share_url", "", ""},
	{"share_secret", "POST /v1/secrets/$secret/share", `{"recipient_type":"agent","recipient_id":"$other","expires_at":"$later","max_access_count":5}`, 201, "share_url", "", ""},
	{"delete_secret", "DELETE /v1/vaults/$vault/secrets/services/api_key", "", 204, "", "", ""},
	{"delete_secret, of none", "DELETE /v1/vaults/$vault/secrets/nothing", "", 404, "", "", ""},
	{"get_secret, deleted", "GET /v1/vaults/$vault/secrets/services/api_key", "", 410, "", "", ""},
	{"create_vault", "POST /v1/vaults", `{"name":"the assistant's","description":""}`, 201, "id name created_by_type created_by", "new=id", ""},
	{"put_secret, in a new vault", "PUT /v1/vaults/$new/secrets/a", `{"value":"v","type":"api_key"}`, 201, "version", "", ""},
	{"grant_access", "POST /v1/vaults/$new/policies", `{"secret_path_pattern":"**","principal_type":"agent","principal_id":"$other","permissions":["read"]}`, 201, "id vault_id principal_type principal_id permissions[] secret_path_pattern", "", ""},
	{"grant_access, to a vault of others", "POST /v1/vaults/$vault/policies", `{"secret_path_pattern":"**","principal_type":"agent","principal_id":"$other","permissions":["read"]}`, 403, "", "", ""},
}
