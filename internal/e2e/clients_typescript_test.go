package e2e

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"testing"
)

// typeScript is the SDK for TypeScript, 0.14 to 0.53: Node's fetch, a
// Content-Type on everything, secret paths as they are.
func typeScript(t *testing.T) publishedClient {
	return publishedClient{
		send: nodeFetch(t), always: true,
		anonymous: []string{"auth.login", "auth.agentToken", "auth.apiKeyToken", "auth.forgotPassword", "Agents.enroll", "sharing.access, by anybody"},
	}
}

// customerKey is a key of the customer's own (CMEK) and its fingerprint.
func customerKey(t *testing.T) (key []byte, fingerprint string) {
	t.Helper()
	key = make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(key)
	return key, hex.EncodeToString(sum[:])
}

// customerBlob is a value as the SDK encrypts it: version 1, nonce, AES-256-GCM.
func customerBlob(t *testing.T, key []byte, value string) string {
	t.Helper()
	gcm := customerGCM(t, key)
	nonce := make([]byte, gcm.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(gcm.Seal(append([]byte{1}, nonce...), nonce, []byte(value), nil))
}

// customerOpen undoes customerBlob.
func customerOpen(t *testing.T, key []byte, blob string) string {
	t.Helper()
	gcm := customerGCM(t, key)
	b, err := base64.StdEncoding.DecodeString(blob)
	if err != nil || len(b) < 29 || b[0] != 1 {
		t.Fatalf("not a blob: %q (%v)", blob, err)
	}
	value, err := gcm.Open(nil, b[1:13], b[13:], nil)
	if err != nil {
		t.Fatalf("the blob does not open: %v", err)
	}
	return string(value)
}

func customerGCM(t *testing.T, key []byte) cipher.AEAD {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return gcm
}

// TestClientTypeScriptAsPerson is a person's session with the SDK.
func TestClientTypeScriptAsPerson(t *testing.T) {
	d := newLocal(t, "--set", "egress.allow_loopback=true").start()
	oldKey, oldPrint := customerKey(t)
	newKey, newPrint := customerKey(t)
	known := aClientsAgent(t, d, "granted")
	known["hook"] = newReceiver(t).url
	b64 := base64.StdEncoding
	known["oldPrint"], known["newPrint"] = oldPrint, newPrint
	known["oldKey"], known["newKey"] = b64.EncodeToString(oldKey), b64.EncodeToString(newKey)
	known["blob"] = customerBlob(t, oldKey, "seen by nobody here")
	c := typeScript(t).with(t, d, known)
	for _, calls := range [][]clientCall{
		sdkAccount, sdkSecrets, sdkVersions, sdkAgents, sdkAccess, sdkSharing, sdkWebhooks, sdkCMEK,
	} {
		c.runs(calls)
	}
	eventually(t, patience, "rotated", func() bool {
		c.run(clientCall{"vault.getCmekRotationJobStatus", "GET /v1/vaults/$own/cmek-rotate/$job", "", 200, "status processed total_secrets", "status=status", ""})
		return c.kept["status"] == "completed"
	})
	c.run(clientCall{"secrets.get", "GET /v1/vaults/$own/secrets/sealed", "", 200, "value", "blob=value", ""})
	if got := customerOpen(t, newKey, c.kept["blob"]); got != "seen by nobody here" {
		t.Errorf("%q", got)
	}
	c.runs(sdkEnd)
}

var sdkAccount = []clientCall{
	{"auth.apiKeyToken", "POST /v1/auth/api-key-token", `{"api_key":"$userKey"}`, 200, "access_token expires_in", "", ""},
	{"auth.login", "POST /v1/auth/token", `{"email":"$email","password":"wrong"}`, 401, "", "", ""},
	{"auth.login", "POST /v1/auth/token", `{"email":"$email","password":"$password"}`, 200, "access_token expires_in", "bearer=access_token", ""},
	{"auth.getMe", "GET /v1/auth/me", "", 200, "id email org_id display_name auth_method role created_at totp_enabled marketing_emails", "", ""},
	{"auth.updateMe", "PATCH /v1/auth/me", `{"display_name":"The owner","marketing_emails":false}`, 200, "display_name", "", ""},
	{"auth.forgotPassword", "POST /v1/auth/forgot-password", `{"email":"nobody@example.com"}`, 200, "message status", "", ""},
	{"org.listMembers", "GET /v1/org/members", "", 200, "members[].id members[].email members[].role", "", ""},
	{"org.getAgentKeysVault", "GET /v1/org/agent-keys-vault", "", 200, "vault_id", "", ""},
	{"apiKeys.create", "POST /v1/auth/api-keys", `{"name":"for the SDK","scopes":[],"expires_at":"$later"}`, 201, "key.id key.name key.key_prefix api_key", "key=key.id", ""},
	{"apiKeys.list", "GET /v1/auth/api-keys", "", 200, "keys[].id keys[].name keys[].is_active", "", ""},
	{"apiKeys.revoke", "DELETE /v1/auth/api-keys/$key", "", 204, "", "", ""},
}

var sdkSecrets = []clientCall{
	{"vault.create", "POST /v1/vaults", `{"name":"the SDK's","description":""}`, 201, "id name created_at", "own=id", ""},
	{"vault.create, 0.53", "POST /v1/vaults", `{"name":"custody","description":"","mpc_custody":true}`, 400, "", "", ""},
	{"vault.get", "GET /v1/vaults/$own", "", 200, "id name description created_by created_by_type", "", ""},
	{"vault.list", "GET /v1/vaults", "", 200, "vaults[].id vaults[].name", "", ""},
	{"secrets.set", "PUT /v1/vaults/$own/secrets/team/api-key", `{"type":"api_key","value":"first"}`, 201, "id path type version created_at", "secret=id", ""},
	{"secrets.rotate", "PUT /v1/vaults/$own/secrets/team/api-key", `{"type":"generic","value":"second"}`, 201, "version", "", ""},
	{"secrets.set", "PUT /v1/vaults/$own/secrets/limited", `{"type":"note","value":"v","metadata":{"a":{"b":1}},"expires_at":"$later","rotation_policy":{"days":30},"max_access_count":1}`, 201, "id expires_at metadata.a.b", "", ""},
	{"secrets.set, no such type", "PUT /v1/vaults/$own/secrets/x", `{"type":"nonsense","value":"v"}`, 400, "", "", ""},
	{"secrets.get", "GET /v1/vaults/$own/secrets/team/api-key", "", 200, "id path type value version created_by", "", ""},
	{"secrets.get", "GET /v1/vaults/$own/secrets/limited", "", 200, "value", "", ""},
	{"secrets.get, once more", "GET /v1/vaults/$own/secrets/limited", "", 410, "", "", ""},
	{"secrets.get, never there", "GET /v1/vaults/$own/secrets/team/nothing", "", 404, "", "", ""},
	{"secrets.list", "GET /v1/vaults/$own/secrets?prefix=team%2F", "", 200, "secrets[].id secrets[].path secrets[].version", "", ""},
}

var sdkVersions = []clientCall{
	{"secrets.rotateGenerate, 0.53", "POST /v1/vaults/$own/secret-rotate/team/api-key", `{}`, 200, "version", "", ""},
	{"secrets.listVersions, 0.53", "GET /v1/vaults/$own/secret-versions/team/api-key", "", 200, "versions[].version versions[].created_at", "", ""},
	{"secrets.getVersion, 0.53", "GET /v1/vaults/$own/secret-version/team/api-key/1", "", 200, "value version", "", ""},
	{"secrets.disableVersion, 0.53", "POST /v1/vaults/$own/secret-version-disable/team/api-key/1", "", 200, "", "", ""},
	{"audit.query", "GET /v1/audit/events?resource_id=$secret&action=secret.read&limit=5&offset=0", "", 200, "count events[].id events[].action events[].actor_id events[].created_at events[].details.path", "", ""},
	{"audit.verify, 0.53", "GET /v1/audit/verify?limit=1000", "", 200, "chain_valid events_verified events_checked scheme", "", ""},
}

var sdkAgents = []clientCall{
	{"agents.create", "POST /v1/agents", `{"name":"made by the SDK","description":"d","scopes":["vaults:read"],"expires_at":"$later","intents_api_enabled":false,` +
		`"tx_allowed_chains":["base"],"tx_to_allowlist":[],"token_ttl_seconds":900,"vault_ids":["$own"],"shroud_enabled":true,` +
		`"shroud_config":{"pii_policy":"redact","strictness":"high","tool_call_inspection":{"enabled":true},"sanitization_mode":"warn"}}`, 201, "agent.id agent.scopes[] api_key", "made=agent.id", ""},
	{"agents.create, crypto_proxy_enabled", "POST /v1/agents", `{"name":"of old","crypto_proxy_enabled":true}`, 201, "agent.intents_api_enabled api_key", "", ""},
	{"agents.get", "GET /v1/agents/$made", "", 200, "id name auth_method is_active scopes[] vault_ids[] shroud_config", "", ""},
	{"agents.list", "GET /v1/agents", "", 200, "agents[].id agents[].scopes[] agents[].is_active", "", ""},
	{"agents.update", "PATCH /v1/agents/$made", `{"name":"renamed","tx_max_value_eth":null,"tx_daily_limit_eth":null,"expires_at":null,"token_ttl_seconds":null,"tx_allowed_chains":[]}`, 200, "id name tx_allowed_chains[]", "", ""},
	{"agents.rotateKey", "POST /v1/agents/$made/rotate-key", "", 200, "api_key", "", ""},
	{"agents.rotateIdentityKeys", "POST /v1/agents/$made/rotate-identity-keys", "", 200, "ssh_public_key ecdh_public_key", "", ""},
	{"Agents.enroll", "POST /v1/agents/enroll", `{"name":"by itself","human_email":"nobody@example.com"}`, 201, "agent_id message", "", ""},
	{"agents.delete", "DELETE /v1/agents/$made", "", 204, "", "", ""},
}

var sdkAccess = []clientCall{
	{"access.grantAgent", "POST /v1/vaults/$own/policies", `{"secret_path_pattern":"team/*","principal_type":"agent","principal_id":"$agent","permissions":["read"]}`, 201, "id permissions[] conditions", "", ""},
	{"access.grantAgent, 0.53", "POST /v1/vaults/$own/policies", `{"secret_path_pattern":"**","principal_type":"agent","principal_id":"$agent","permissions":["read","write"],` +
		`"conditions":{"ip_allowlist":["127.0.0.0/8"]},"expires_at":"$later","policy_schema_version":1,"effect":"allow","priority":0}`, 201, "id", "policy=id", ""},
	{"access.grantAgent, what is not done", "POST /v1/vaults/$own/policies", `{"secret_path_pattern":"**","principal_type":"agent","principal_id":"$agent","permissions":["read"],"policy_schema_version":1,"effect":"deny","priority":0}`, 400, "", "", ""},
	{"access.grantHuman", "POST /v1/vaults/$own/policies", `{"secret_path_pattern":"**","principal_type":"user","principal_id":"$me","permissions":["read"]}`, 201, "id", "", ""},
	{"access.listGrants", "GET /v1/vaults/$own/policies", "", 200, "policies[].id policies[].secret_path_pattern policies[].permissions[]", "", ""},
	{"access.update", "PUT /v1/vaults/$own/policies/$policy", `{"permissions":["read"],"conditions":{}}`, 200, "id permissions[]", "", ""},
	{"access.revoke", "DELETE /v1/vaults/$own/policies/$policy", "", 204, "", "", ""},
}

var sdkSharing = []clientCall{
	{"sharing.create, by a link", "POST /v1/secrets/$secret/share", `{"recipient_type":"anyone_with_link","permissions":["read"],"max_access_count":2,"expires_at":"$later"}`, 201, "id share_url recipient_type expires_at max_access_count", "link=id", ""},
	{"sharing.access, by anybody", "GET /v1/share/$link", "", 200, "id path type value access_count", "", ""},
	{"sharing.access", "GET /v1/share/$link", "", 200, "value", "", ""},
	{"sharing.access, once too often", "GET /v1/share/$link", "", 410, "", "", ""},
	{"sharing.create, for an agent", "POST /v1/secrets/$secret/share", `{"recipient_type":"agent","recipient_id":"$agent","expires_at":"$later"}`, 201, "id", "share=id", ""},
	{"sharing.create, by mail", "POST /v1/secrets/$secret/share", `{"recipient_type":"external_email","email":"ann@example.com","expires_at":"$later","passphrase":"between us","ip_allowlist":["10.0.0.0/8"]}`, 201, "id recipient_email", "", ""},
	{"sharing.access, of another", "GET /v1/share/$share", "", 403, "", "", ""},
	{"sharing.listOutbound", "GET /v1/shares/outbound", "", 200, "shares[].id shares[].secret_path shares[].recipient_type shares[].access_count shares[].expires_at", "", ""},
	{"sharing.listInbound", "GET /v1/shares/inbound", "", 200, "shares[]", "", ""},
	{"sharing.revoke", "DELETE /v1/share/$share", "", 204, "", "", ""},
}

var sdkWebhooks = []clientCall{
	{"webhooks.create, 0.53", "POST /v1/webhooks", `{"url":"$hook","events":["share.*"],"description":"d"}`, 201, "id url events[] is_active created_at secret", "hookID=id", ""},
	{"webhooks.list, 0.53", "GET /v1/webhooks", "", 200, "webhooks[].id webhooks[].url webhooks[].events[]", "", ""},
	{"webhooks.get, 0.53", "GET /v1/webhooks/$hookID", "", 200, "id url", "", ""},
	{"webhooks.update, 0.53", "PATCH /v1/webhooks/$hookID", `{"is_active":false}`, 200, "id is_active", "", ""},
	{"webhooks.delete, 0.53", "DELETE /v1/webhooks/$hookID", "", 204, "", "", ""},
}

var sdkCMEK = []clientCall{
	{"vault.enableCmek", "POST /v1/vaults/$own/cmek", `{"fingerprint":"$oldPrint"}`, 200, "id cmek_enabled cmek_fingerprint", "", ""},
	{"secrets.set, encrypted", "PUT /v1/vaults/$own/secrets/sealed", `{"type":"generic","value":"$blob"}`, 201, "version", "", ""},
	{"secrets.get, encrypted", "GET /v1/vaults/$own/secrets/sealed", "", 200, "value cmek_encrypted", "", ""},
	{"vault.rotateCmek, with a wrong key", "POST /v1/vaults/$own/cmek-rotate", `{"new_fingerprint":"$newPrint"}`, 400, "", "", "x-cmek-old-key: $newKey\nx-cmek-new-key: $newKey"},
	{"vault.rotateCmek", "POST /v1/vaults/$own/cmek-rotate", `{"new_fingerprint":"$newPrint"}`, 202, "id status total_secrets processed", "job=id", "x-cmek-old-key: $oldKey\nx-cmek-new-key: $newKey"},
}

var sdkEnd = []clientCall{
	{"vault.disableCmek", "DELETE /v1/vaults/$own/cmek", "", 200, "id", "", ""},
	{"secrets.delete", "DELETE /v1/vaults/$own/secrets/team/api-key", "", 204, "", "", ""},
	{"secrets.get, deleted", "GET /v1/vaults/$own/secrets/team/api-key", "", 410, "", "", ""},
	{"vault.delete", "DELETE /v1/vaults/$own", "", 204, "", "", ""},
	{"auth.changePassword", "POST /v1/auth/change-password", `{"current_password":"wrong","new_password":"Another-Pass-9!x"}`, 400, "", "", ""},
	{"auth.logout", "DELETE /v1/auth/token", "", 200, "revoked", "", ""},
	{"auth.getMe, afterwards", "GET /v1/auth/me", "", 401, "", "", ""},
}

// TestClientTypeScriptAsAgent is an agent's session with the SDK.
func TestClientTypeScriptAsAgent(t *testing.T) {
	d := newLocal(t).start()
	typeScript(t).with(t, d, aClientsAgent(t, d, "agent")).runs(sdkAgent)
}

var sdkAgent = []clientCall{
	{"auth.agentToken", "POST /v1/auth/agent-token", `{"api_key":"$agentKey"}`, 200, "access_token token_type expires_in agent_id vault_ids[]", "agent=agent_id", ""},
	{"auth.agentToken", "POST /v1/auth/agent-token", `{"api_key":"$agentKey","agent_id":"$agent"}`, 200, "access_token", "bearer=access_token", "x-1claw-runtime-id: r1"},
	{"agents.getSelf", "GET /v1/agents/me", "", 200, "id name created_by org_id scopes[]", "creator=created_by", ""},
	{"vault.list", "GET /v1/vaults", "", 200, "vaults[].id", "", ""},
	{"secrets.set", "PUT /v1/vaults/$vault/secrets/found/key", `{"type":"generic","value":"found"}`, 201, "id", "secret=id", ""},
	{"secrets.get", "GET /v1/vaults/$vault/secrets/found/key", "", 200, "value", "", ""},
	{"secrets.list", "GET /v1/vaults/$vault/secrets", "", 200, "secrets[].path", "", ""},
	{"sharing.create, for its creator", "POST /v1/secrets/$secret/share", `{"recipient_type":"creator","expires_at":"$later"}`, 201, "id share_url", "share=id", ""},
	{"sharing.create, by mail", "POST /v1/secrets/$secret/share", `{"recipient_type":"external_email","email":"ann@example.com","expires_at":"$later"}`, 403, "", "", ""},
	{"sharing.listOutbound", "GET /v1/shares/outbound", "", 200, "shares[].id", "", ""},
	{"agents.create", "POST /v1/agents", `{"name":"another"}`, 403, "", "", ""},
	{"auth.getMe", "GET /v1/auth/me", "", 403, "", "", ""},
	// The person for whom the share is takes it, and gives one back.
	{"auth.apiKeyToken", "POST /v1/auth/api-key-token", `{"api_key":"$userKey"}`, 200, "access_token", "bearer=access_token", ""},
	{"sharing.listInbound", "GET /v1/shares/inbound", "", 200, "shares[].id shares[].is_accepted shares[].status", "", ""},
	{"sharing.access, before", "GET /v1/share/$share", "", 403, "", "", ""},
	{"sharing.accept", "POST /v1/shares/$share/accept", "", 204, "", "", ""},
	{"sharing.access", "GET /v1/share/$share", "", 200, "value path", "", ""},
	{"secrets.set", "PUT /v1/vaults/$vault/secrets/given", `{"type":"generic","value":"given"}`, 201, "id", "secret=id", ""},
	{"sharing.create, for the agent", "POST /v1/secrets/$secret/share", `{"recipient_type":"agent","recipient_id":"$agent","expires_at":"$later"}`, 201, "id", "share=id", ""},
	{"auth.agentToken", "POST /v1/auth/agent-token", `{"api_key":"$agentKey"}`, 200, "access_token", "bearer=access_token", ""},
	{"sharing.decline", "POST /v1/shares/$share/decline", "", 204, "", "", ""},
	{"sharing.access, declined", "GET /v1/share/$share", "", 404, "", "", ""},
	{"secrets.delete", "DELETE /v1/vaults/$vault/secrets/found/key", "", 204, "", "", ""},
}
