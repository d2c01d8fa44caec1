package httpapi

import (
	"fmt"
	"strconv"
)

// aChain is one of the registry that platform made.
func aChain(c *cast, as string) things {
	c.Helper()
	th := aChainToBe(c, as)
	th["chain_id"] = c.does("platform", post, "/v1/admin/chains", th.put(`{"name":"{name}","display_name":"Home","chain_id":{number}}`)).text("id")
	th["identifier"] = th["name"]
	return th
}

// aChainToBe is a name and a number that no chain has.
func aChainToBe(c *cast, _ string) things {
	c.live.chains++
	n := 900_000 + c.live.chains
	return things{"name": fmt.Sprintf("home-%d", n), "number": strconv.Itoa(n)}
}

func chainTrials() map[string]trial {
	const (
		all = "/v1/admin/chains"
		one = all + "/{chain_id}"
	)
	return map[string]trial{
		"GET /v1/chains":              {},
		"GET /v1/chains/{identifier}": {make: aChain},
		"GET " + all:                  {make: aChain, shows: "chain_id", to: []string{"platform"}},
		"POST " + all:                 {make: aChainToBe, each: true, body: `{"name":"{name}","display_name":"Home","chain_id":{number}}`},
		"PUT " + one:                  {make: aChain, body: `{"is_enabled":false}`},
		"GET " + one + "/health":      {make: aChain},
		"DELETE " + one:               {make: aChain},
	}
}

// anIntentsAgent is the caller intents, which may use a signing key on a chain
// that has a node.
func anIntentsAgent(c *cast, _ string) things {
	c.Helper()
	c.node(11155111)
	vault := "/v1/vaults/" + c.does("creator", post, "/v1/vaults", `{"name":"keys"}`).text("id")
	c.does("creator", put, vault+"/secrets/keys/sepolia-signer", `{"value":"`+signingKey+`","type":"private_key"}`)
	th := things{"agent_id": c.is["intents"].id}
	c.does("creator", post, vault+"/policies", th.put(`{"secret_path_pattern":"keys/**","principal_type":"agent","principal_id":"{agent_id}","permissions":["use"]}`))
	return th
}

// onTest is a transaction on that chain.
const onTest = `{"to":"` + somebody1 + `","value":"0.1","chain":"sepolia"}`

// aTransaction is one that intents submitted.
func aTransaction(c *cast, as string) things {
	c.Helper()
	th := anIntentsAgent(c, as)
	th["tx_id"] = c.does("intents", post, th.put("/v1/agents/{agent_id}/transactions"), onTest).text("id")
	return th
}

func transactionTrials() map[string]trial {
	const (
		agent = "/v1/agents/{agent_id}"
		all   = agent + "/transactions"
		one   = all + "/{tx_id}"
	)
	theirOwn := func(c *cast, as string) things { // of whoever asks, who has no Intents API
		anIntentsAgent(c, as)
		return oneself("agent_id")(c, as)
	}
	return map[string]trial{
		"POST " + all:                                                      {make: anIntentsAgent, body: onTest},
		"POST " + all + ", oneself":                                        {make: theirOwn, each: true, body: onTest, told: callers},
		"POST " + all + "/sign":                                            {make: anIntentsAgent, body: onTest},
		"POST " + agent + "/sign":                                          {make: anIntentsAgent, body: `{"intent_type":"personal_sign","chain":"sepolia","message":"hello"}`},
		"POST " + all + "/explain":                                         {make: anIntentsAgent, body: onTest},
		"POST " + all + "/simulate":                                        {make: anIntentsAgent, body: onTest},
		"POST " + all + "/simulate-bundle":                                 {make: anIntentsAgent, body: `{"transactions":[` + onTest + `]}`},
		"POST " + one + "/speed-up":                                        {make: aTransaction, body: `{}`},
		"POST " + one + "/cancel":                                          {make: aTransaction},
		"GET " + all:                                                       {make: aTransaction, shows: "tx_id", to: []string{"creator", "owner", "admin", "member", "intents"}},
		"GET " + one:                                                       {make: aTransaction},
		"GET " + one + "/confirmation":                                     {make: aTransaction},
		"GET " + agent + "/guardrails":                                     {make: anIntentsAgent},
		"PUT " + agent + "/guardrails":                                     {make: anAgent, body: `{"tx_per_day":5}`},
		"PUT " + agent + "/guardrails, oneself":                            {make: oneself("agent_id"), each: true, told: callers, body: `{}`},
		"GET /v1/org/signing-freeze":                                       {},
		"PUT /v1/org/signing-freeze":                                       {body: `{"reason":"odd"}`},
		"DELETE /v1/org/signing-freeze":                                    {},
		"GET /v1/approvals":                                                {make: anApproval, shows: "approval_id", to: []string{"creator", "owner", "admin", "member", "intents"}},
		"GET /v1/approvals/{approval_id}":                                  {make: anApproval},
		"POST /v1/approvals/{approval_id}/approve":                         {make: anApproval},
		"POST /v1/approvals/{approval_id}/deny":                            {make: anApproval, body: `{"reason":"no"}`},
		"POST /v1/approvals/{approval_id}/decide":                          {make: anApproval, body: `{"decision":"approved"}`},
		"POST /v1/approvals/{approval_id}/approve, that oneself asked for": {make: anApprovalOfOnesOwn, each: true, told: []string{"owner", "admin"}},
	}
}

// anHSMKey is a key of an agent of creator's in the HSM.
func anHSMKey(c *cast, as string) things {
	c.Helper()
	c.node(11155111)
	th := anAgent(c, as)
	c.does("owner", post, th.put("/v1/agents/{agent_id}/signing-keys"), `{"chain":"sepolia"}`)
	return th
}

// aKeyOfIntents is one of intents.
func aKeyOfIntents(c *cast, as string) things {
	c.Helper()
	th := anIntentsAgent(c, as)
	list := c.does("owner", get, th.put("/v1/agents/{agent_id}/signing-keys"), "")
	if len(list.list("keys", "id")) == 0 {
		list = c.does("owner", post, th.put("/v1/agents/{agent_id}/signing-keys"), `{"chain":"sepolia"}`)
		th["key_id"] = list.text("id")
		return th
	}
	th["key_id"] = list.text("keys.0.id")
	return th
}

func signingKeyTrials() map[string]trial {
	const (
		all = "/v1/agents/{agent_id}/signing-keys"
		one = all + "/{chain}"
	)
	on := func(make func(*cast, string) things) func(*cast, string) things {
		return func(c *cast, as string) things {
			th := make(c, as)
			th["chain"] = "sepolia"
			return th
		}
	}
	imported := `{"private_key":"` + signingKey + `","password":"` + ownerPassword + `"}`
	return map[string]trial{
		"POST " + all:             {make: anAgent, body: `{"chain":"sepolia"}`},
		"GET " + all:              {make: aKeyOfIntents, shows: "key_id", to: []string{"creator", "owner", "admin", "member", "intents"}},
		"GET " + one + "/balance": {make: on(aKeyOfIntents)},
		"POST " + one + "/rotate": {make: on(anHSMKey)},
		"POST " + one + "/import": {make: on(anAgent), body: imported},
		"DELETE " + one:           {make: on(anHSMKey)},
	}
}

// anApproval is what people are asked for intents.
func anApproval(c *cast, as string) things {
	c.Helper()
	return askedFor(c, as, "intents")
}

// anApprovalOfOnesOwn is one that whoever asks has asked for on behalf of intents,
// if they may.
func anApprovalOfOnesOwn(c *cast, as string) things {
	c.Helper()
	if as != "owner" && as != "admin" {
		return anApproval(c, as)
	}
	return askedFor(c, as, as)
}

func askedFor(c *cast, as, by string) things {
	c.Helper()
	th := anIntentsAgent(c, as)
	c.does("owner", put, th.put("/v1/agents/{agent_id}/guardrails"), `{"approval":{"above_eth":"1","approvers":1}}`)
	c.live.chains++ // another action each time
	body := fmt.Sprintf(`{"to":"%s","value":"2.%d","chain":"sepolia"}`, somebody1, c.live.chains)
	th["approval_id"] = c.does(by, post, th.put("/v1/agents/{agent_id}/transactions"), body).text("approval_id")
	return th
}
