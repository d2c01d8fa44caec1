package e2e

import "testing"

// commandLine is the CLI: paths in one segment, a User-Agent, and the person's
// key as it is for a bearer.
func commandLine(t *testing.T) publishedClient {
	return publishedClient{
		send: nodeFetch(t), always: true, agent: "@1claw/cli",
		anonymous: []string{"login", "login, polling", "login --email", "agent enroll"},
	}
}

// TestClientCLI uses each command, first the sign-in by the browser.
func TestClientCLI(t *testing.T) {
	// The test is faster than a person who types.
	d := newLocal(t, "--set", "limits.auth_rate=0").start()
	c := commandLine(t).with(t, d, aClientsAgent(t, d, "granted"))
	for _, calls := range [][]clientCall{cliLogin, cliSecrets, cliAgents, cliShares, cliAccount} {
		c.runs(calls)
	}
	for what, want := range map[string]string{"bundle": "env_bundle", "kept": "private_key", "error": "access_denied"} {
		if got := c.kept[what]; got != want {
			t.Errorf("%s is %s, want %s", what, got, want)
		}
	}
}

const (
	devicePoll  = "POST /v1/auth/device/token"
	devicePolls = `{"device_code":"$device","grant_type":"urn:ietf:params:oauth:grant-type:device_code"}`
)

var cliLogin = []clientCall{
	{"login --email", "POST /v1/auth/token", `{"email":"$email","password":"$password"}`, 200, "access_token expires_in", "browser=access_token", ""},
	{"login", "POST /v1/auth/device/code", `{"client_id":"cli"}`, 200, "device_code user_code verification_uri expires_in interval", "device=device_code user=user_code", ""},
	{"login, polling", devicePoll, devicePolls, 200, "error", "error=error", ""},
	{"login, the browser", "GET /v1/auth/device/code/$user", "", 200, "status", "", "Authorization: Bearer $browser"},
	{"login, the browser", "POST /v1/auth/device/approve", `{"user_code":"$user"}`, 200, "status", "", "Authorization: Bearer $browser"},
	// The interval has not passed, which is said with 200 too; the code goes on.
	{"login, another", "POST /v1/auth/device/code", `{"client_id":"cli"}`, 200, "device_code", "device=device_code user=user_code", ""},
	{"login, the browser", "POST /v1/auth/device/approve", `{"user_code":"$user"}`, 200, "status", "", "Authorization: Bearer $browser"},
	{"login, polling", devicePoll, devicePolls, 200, "access_token expires_in email user_id org_id", "bearer=access_token", ""},
	{"whoami", "GET /v1/auth/me", "", 200, "id email org_id", "", ""},
	{"login, denied", "POST /v1/auth/device/code", `{"client_id":"cli"}`, 200, "device_code", "device=device_code user=user_code", ""},
	{"login, the browser", "POST /v1/auth/device/deny", `{"user_code":"$user"}`, 200, "status", "", "Authorization: Bearer $browser"},
	{"login, polling", devicePoll, devicePolls, 200, "error", "error=error", ""},
	{"logout", "DELETE /v1/auth/token", "", 200, "", "bearer=revoked", ""},
	{"whoami, afterwards", "GET /v1/auth/me", "", 401, "", "", ""},
	{"api key", "GET /v1/auth/me", "", 200, "id", "", "Authorization: Bearer $userKey"},
}

var cliSecrets = []clientCall{
	{"login --email", "POST /v1/auth/token", `{"email":"$email","password":"$password"}`, 200, "access_token", "bearer=access_token", ""},
	{"vault create", "POST /v1/vaults", `{"name":"of the CLI","description":"d"}`, 201, "id name", "own=id", ""},
	{"vault list", "GET /v1/vaults", "", 200, "vaults[].id vaults[].name", "", ""},
	{"vault get", "GET /v1/vaults/$own", "", 200, "id name", "", ""},
	{"secret set", "PUT /v1/vaults/$own/secrets/db%2Fkey", `{"type":"private_key","value":"first","expires_at":"$later"}`, 201, "path version", "secret=id", ""},
	{"secret rotate", "PUT /v1/vaults/$own/secrets/db%2Fkey", `{"value":"second"}`, 201, "version", "", ""},
	{"secret get", "GET /v1/vaults/$own/secrets/db%2Fkey", "", 200, "value type", "kept=type", ""},
	{"secret set, 0.1.0", "PUT /v1/vaults/$own/secrets/old", `{"secret_type":"password","value":"v"}`, 201, "version", "", ""},
	{"secret list", "GET /v1/vaults/$own/secrets?prefix=db", "", 200, "secrets[].path secrets[].type secrets[].version", "", ""},
	{"secret versions", "GET /v1/vaults/$own/secret-versions/db%2Fkey", "", 200, "versions[].version", "", ""},
	{"secret get --version", "GET /v1/vaults/$own/secret-version/db%2Fkey/1", "", 200, "value", "", ""},
	{"secret rotate -g", "POST /v1/vaults/$own/secret-rotate/db%2Fkey", `{"length":40,"charset":"alphanumeric"}`, 200, "version", "", ""},
	{"env push", "PUT /v1/vaults/$own/secrets/config%2Fenv", `{"value":"A=1\nB=2","secret_type":"env_bundle"}`, 201, "version", "", ""},
	{"env pull", "GET /v1/vaults/$own/secrets/config%2Fenv", "", 200, "value type", "bundle=type", ""},
	{"secret delete", "DELETE /v1/vaults/$own/secrets/old", "", 204, "", "", ""},
	{"policy create", "POST /v1/vaults/$own/policies", `{"principal_type":"agent","principal_id":"$agent","secret_path_pattern":"db/*","permissions":["read"],"expires_at":"$later"}`, 201, "id permissions[]", "policy=id", ""},
	{"policy list", "GET /v1/vaults/$own/policies", "", 200, "policies[].id policies[].permissions[]", "", ""},
	{"policy delete", "DELETE /v1/vaults/$own/policies/$policy", "", 204, "", "", ""},
}

var cliAgents = []clientCall{
	{"agent create", "POST /v1/agents", `{"name":"cli agent","scopes":["vault.read","vault.write"]}`, 201, "agent.id agent.scopes[] api_key", "made=agent.id", ""},
	{"agent list", "GET /v1/agents", "", 200, "agents[].id agents[].scopes[]", "", ""},
	{"agent get", "GET /v1/agents/$made", "", 200, "id scopes[]", "", ""},
	{"agent update", "PATCH /v1/agents/$made", `{"tx_max_value_eth":null,"tx_daily_limit_eth":null,"tx_to_allowlist":[],"tx_allowed_chains":[],"intents_api_enabled":true}`, 200, "id scopes[]", "", ""},
	{"agent enroll", "POST /v1/agents/enroll", `{"name":"by the CLI","human_email":"nobody@example.com","description":"d"}`, 201, "agent_id message", "", ""},
	{"agent delete", "DELETE /v1/agents/$made", "", 204, "", "", ""},
}

var cliShares = []clientCall{
	{"share create", "POST /v1/shares", `{"secret_id":"$secret","recipient_type":"external_email","recipient_email":"ann@example.com","max_access_count":2}`, 201, "id share_url", "", ""},
	{"share create", "POST /v1/shares", `{"secret_id":"$secret","recipient_type":"agent","recipient_id":"$agent","expires_at":"$later","passphrase":"between us"}`, 201, "id", "share=id", ""},
	{"share list", "GET /v1/shares?direction=outbound", "", 200, "shares[].id shares[].status shares[].recipient_type", "", ""},
	{"share list", "GET /v1/shares?direction=inbound", "", 200, "shares[]", "", ""},
	{"share revoke", "DELETE /v1/shares/$share", "", 204, "", "", ""},
}

var cliAccount = []clientCall{
	{"mfa status", "GET /v1/auth/mfa/status", "", 200, "enabled", "", ""},
	{"mfa enable", "POST /v1/auth/mfa/setup", "", 200, "otpauth_uri secret", "", ""},
	{"mfa enable, a wrong code", "POST /v1/auth/mfa/verify-setup", `{"code":"000000x"}`, 400, "", "", ""},
	{"audit list", "GET /v1/audit?limit=5", "", 200, "events[].id events[].action count", "", ""},
	{"audit list", "GET /v1/audit/events?limit=5&action=secret.write", "", 200, "events[].id", "", ""},
	{"vault delete", "DELETE /v1/vaults/$own", "", 204, "", "", ""},
	{"whoami, without a server side", "GET /v1/nothing/of/the/kind", "", 404, "", "", ""},
}
