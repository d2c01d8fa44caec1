package httpapi

import (
	"fmt"
)

// aVault is one that creator made, with a secret at a/b. All agents but the one
// without a policy have one there for every path.
func aVault(c *cast, _ string) things {
	c.Helper()
	th := things{"vault_id": c.does("creator", post, "/v1/vaults", `{"name":"v"}`).text("id"), "path": "a/b", "version": "1"}
	th["secret_id"] = c.does("creator", put, th.put("/v1/vaults/{vault_id}/secrets/{path}"), `{"value":"`+canary+`"}`).text("id")
	for _, as := range []string{"reader", "writer", "bound", "intents"} {
		permissions := `["read","write"]`
		if as == "reader" {
			permissions = `["read"]`
		}
		th["policy_id"] = c.does("creator", post, th.put("/v1/vaults/{vault_id}/policies"), fmt.Sprintf(
			`{"secret_path_pattern":"**","principal_type":"agent","principal_id":%q,"permissions":%s}`, c.is[as].id, permissions)).text("id")
	}
	return th
}

// aSigningKey is a vault whose secret is one.
func aSigningKey(c *cast, as string) things {
	c.Helper()
	th := aVault(c, as)
	c.does("creator", put, th.put("/v1/vaults/{vault_id}/secrets/{path}"), `{"value":"`+canary+`","type":"private_key"}`)
	th["version"] = "2"
	return th
}

// aDeletedSecret is a vault where nothing is left.
func aDeletedSecret(c *cast, as string) things {
	c.Helper()
	th := aVault(c, as)
	c.does("creator", remove, th.put("/v1/vaults/{vault_id}/secrets/{path}"), "")
	return th
}

// noSecret is a vault and a path where there never was any.
func noSecret(c *cast, as string) things {
	c.Helper()
	th := aVault(c, as)
	th["path"] = "a/c"
	return th
}

// anAgentsVault is one that agent made.
func anAgentsVault(c *cast, _ string) things {
	c.Helper()
	th := things{"vault_id": c.does("agent", post, "/v1/vaults", `{"name":"v"}`).text("id"), "path": "a/b", "member_id": c.is["member"].id}
	c.does("agent", put, th.put("/v1/vaults/{vault_id}/secrets/{path}"), `{"value":"`+canary+`"}`)
	return th
}

// theKeysVault is the one with agents' identity keys.
func theKeysVault(c *cast, _ string) things {
	c.Helper()
	th := things{"vault_id": c.does("founder", get, "/v1/org/agent-keys-vault", "").text("vault_id")}
	th["path"] = "agents/" + c.is["agent"].id + "/ssh/private_key"
	return th
}

// anothersKey is one there of an agent that somebody else registered.
func anothersKey(c *cast, as string) things {
	c.Helper()
	th := theKeysVault(c, as)
	th["path"] = "agents/" + c.does("founder", post, "/v1/agents", `{"name":"bot"}`).text("agent.id") + "/ssh/private_key"
	return th
}

// anEncryptedVault has customer-managed encryption on.
func anEncryptedVault(c *cast, _ string) things {
	c.Helper()
	th := things{"vault_id": c.does("creator", post, "/v1/vaults", `{"name":"v"}`).text("id")}
	c.does("creator", post, th.put("/v1/vaults/{vault_id}/cmek"), `{"fingerprint":"`+keyPrint(testKey(1))+`"}`)
	return th
}

// aRotation is one of a vault's customer-managed key.
func aRotation(c *cast, as string) things {
	c.Helper()
	th := anEncryptedVault(c, as)
	th["job_id"] = c.good(step{
		method: post, url: th.put("/v1/vaults/{vault_id}/cmek-rotate"), as: "creator", header: headersOf["rotateCmek"],
		body: `{"new_fingerprint":"` + keyPrint(testKey(2)) + `"}`,
	}).text("id")
	return th
}

func vaultTrials() map[string]trial {
	const vault = "/v1/vaults/{vault_id}"
	grant := `{"secret_path_pattern":"**","principal_type":"user","principal_id":"{member_id}","permissions":["read"]}`
	toMember := func(c *cast, as string) things {
		th := aVault(c, as)
		th["member_id"] = c.is["member"].id
		return th
	}
	return map[string]trial{
		"POST /v1/vaults": {body: `{"name":"v"}`},
		"GET /v1/vaults":  {make: aVault, shows: "vault_id", to: []string{"creator", "owner", "admin", "reader", "writer", "intents"}},
		"GET " + vault:    {make: aVault},
		"DELETE " + vault: {make: aVault},
		"DELETE " + vault + ", of agents' identity keys": {make: theKeysVault},

		"POST " + vault + "/policies":               {make: toMember, body: grant},
		"GET " + vault + "/policies":                {make: aVault},
		"PUT " + vault + "/policies/{policy_id}":    {make: aVault, body: `{"permissions":["read"]}`},
		"DELETE " + vault + "/policies/{policy_id}": {make: aVault},

		"POST " + vault + "/cmek":   {make: aVault, body: `{"fingerprint":"` + keyPrint(testKey(1)) + `"}`},
		"DELETE " + vault + "/cmek": {make: anEncryptedVault},
		"POST " + vault + "/cmek-rotate": {
			make: anEncryptedVault, header: headersOf["rotateCmek"], body: `{"new_fingerprint":"` + keyPrint(testKey(2)) + `"}`,
		},
		"GET " + vault + "/cmek-rotate/{job_id}": {make: aRotation},

		"GET " + vault + ", made by agent":                {make: anAgentsVault},
		"DELETE " + vault + ", made by agent":             {make: anAgentsVault},
		"POST " + vault + "/policies, made by agent":      {make: anAgentsVault, body: grant},
		"GET " + vault + "/secrets, made by agent":        {make: anAgentsVault},
		"GET " + vault + "/secrets/{path}, made by agent": {make: anAgentsVault, reveals: true},
		"PUT " + vault + "/secrets/{path}, made by agent": {make: anAgentsVault, body: `{"value":"other"}`},
	}
}

func secretTrials() map[string]trial {
	const (
		all = "/v1/vaults/{vault_id}/secrets"
		one = all + "/{path}"
	)
	version := func(is string) string { return "/v1/vaults/{vault_id}/secret-version" + is + "/{path}" }
	rotation := `{"value":"other"}`
	return map[string]trial{
		"GET " + all:                     {make: aVault, shows: "secret_id", to: []string{"creator", "reader", "writer", "intents"}},
		"GET " + one:                     {make: aVault, reveals: true},
		"GET " + one + ", a signing key": {make: aSigningKey, reveals: true, told: []string{"intents"}},
		"GET " + one + ", deleted":       {make: aDeletedSecret},
		"GET " + one + ", never written": {make: noSecret},
		"GET " + one + ", an identity key of another's agent": {make: anothersKey},
		"GET " + one + ", an agent's identity key":            {make: theKeysVault},
		"PUT " + one:                                       {make: aVault, body: `{"value":"other"}`},
		"PUT " + one + ", never written":                   {make: noSecret, body: `{"value":"other"}`},
		"DELETE " + one:                                    {make: aVault},
		"DELETE " + one + ", never written":                {make: noSecret},
		"GET " + version("s"):                              {make: aVault},
		"GET " + version("") + "/{version}":                {make: aVault, reveals: true},
		"GET " + version("") + "/{version}, a signing key": {make: aSigningKey, reveals: true, told: []string{"intents"}},
		"POST " + version("-disable") + "/{version}":       {make: aVault},
		"POST /v1/vaults/{vault_id}/secret-rotate/{path}":  {make: aVault, body: rotation},
	}
}
