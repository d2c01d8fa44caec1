package httpapi

import (
	"strconv"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud/activity"
)

// anAgent is one that creator registered.
func anAgent(c *cast, _ string) things {
	c.Helper()
	return things{"agent_id": c.does("creator", post, "/v1/agents", `{"name":"bot"}`).text("agent.id")}
}

// oneself is the caller, by the name that routes have for it.
func oneself(name string) func(*cast, string) things {
	return func(c *cast, as string) things {
		if as == "nobody" {
			return things{name: id.Random().String()}
		}
		return things{name: c.is[as].id}
	}
}

func agentTrials() map[string]trial {
	const one = "/v1/agents/{agent_id}"
	people := []string{"member"} // who see all agents, and change their own
	change := `{"description":"d"}`
	return map[string]trial{
		"POST /v1/agents":                       {body: `{"name":"bot"}`},
		"GET /v1/agents":                        {make: anAgent, shows: "agent_id", to: []string{"creator", "owner", "admin", "member"}},
		"GET /v1/agents/me":                     {},
		"GET " + one:                            {make: anAgent},
		"GET " + one + ", oneself":              {make: oneself("agent_id"), each: true, told: callers},
		"PATCH " + one:                          {make: anAgent, told: people, body: change},
		"PATCH " + one + ", oneself":            {make: oneself("agent_id"), each: true, told: callers, body: change},
		"PUT " + one:                            {make: anAgent, told: people, body: change},
		"DELETE " + one:                         {make: anAgent, told: people},
		"POST " + one + "/rotate-key":           {make: anAgent, told: people},
		"POST " + one + "/rotate-key, oneself":  {make: oneself("agent_id"), each: true, told: callers},
		"POST " + one + "/rotate-identity-keys": {make: anAgent, told: people},
		"GET " + one + "/delivery":              {make: anAgent},
		"GET " + one + "/delivery, oneself":     {make: oneself("agent_id"), each: true, told: callers},
		"PUT " + one + "/delivery":              {make: anAgent, told: people, body: `{"mode":"handle"}`},
		"PUT " + one + "/delivery, oneself":     {make: oneself("agent_id"), each: true, told: callers, body: `{"mode":"handle"}`},
	}
}

// aUsable is a vault with a secret that may go to a host; readers may use it.
func aUsable(c *cast, as string) things {
	c.Helper()
	c.sender = yes{}
	th := aVault(c, as)
	c.does("creator", put, th.put("/v1/vaults/{vault_id}/secrets/{path}"), `{"value":"`+canary+`","metadata":{"allowed_hosts":["api.example.com"]}}`)
	return th
}

// aBinding is one of an agent's, by creator of the vault and owner.
func aBinding(c *cast, as string) things {
	c.Helper()
	return boundTo(c, aBindable(c, as))
}

// aBindable is an agent, and a vault that those who manage the organisation may read.
func aBindable(c *cast, as string) things {
	c.Helper()
	c.sender = yes{}
	th := aVault(c, as)
	for _, who := range []string{"owner", "admin", "member"} {
		c.does("creator", post, th.put("/v1/vaults/{vault_id}/policies"), `{"secret_path_pattern":"**","principal_type":"user","principal_id":"`+c.is[who].id+`","permissions":["read"]}`)
	}
	th["agent_id"] = anAgent(c, as)["agent_id"]
	return th
}

const someBinding = `{"name":"b","config":{"base_url":"https://api.example.com","auth_type":"bearer"},"credential_source":{"vault_id":"{vault_id}","path":"{path}"}}`

func boundTo(c *cast, th things) things {
	c.Helper()
	th["binding_id"] = c.does("owner", post, th.put("/v1/agents/{agent_id}/bindings"), th.put(someBinding)).text("id")
	return th
}

// ownBinding is one of the caller's.
func ownBinding(c *cast, as string) things {
	c.Helper()
	th := aBindable(c, as)
	if th["agent_id"] = oneself("agent_id")(c, as)["agent_id"]; isAgent(as) {
		return boundTo(c, th)
	}
	th["binding_id"] = id.Random().String()
	return th
}

// aRotatable is a binding whose secret its people may write.
func aRotatable(c *cast, as string) things {
	c.Helper()
	th := aBinding(c, as)
	for _, who := range []string{"owner", "admin", "member"} {
		c.does("creator", post, th.put("/v1/vaults/{vault_id}/policies"), `{"secret_path_pattern":"**","principal_type":"user","principal_id":"`+c.is[who].id+`","permissions":["write"]}`)
	}
	return th
}

// anExecution is one of an agent's.
func anExecution(c *cast, as string) things {
	c.Helper()
	th := aUsable(c, as)
	a := c.does("creator", post, "/v1/agents", `{"name":"worker"}`)
	th["agent_id"] = a.text("agent.id")
	c.does("creator", post, th.put("/v1/vaults/{vault_id}/policies"), th.put(`{"secret_path_pattern":"**","principal_type":"agent","principal_id":"{agent_id}","permissions":["use"]}`))
	c.renew("worker", made{th["agent_id"], a.text("api_key")})
	body := th.put(`{"url":"https://api.example.com/","headers":{"x-key":"{{secret://{vault_id}/{path}}}"}}`)
	th["execution_id"] = c.does("worker", post, th.put("/v1/agents/{agent_id}/execute"), body).text("execution_id")
	return th
}

// ownExecution is one of the caller's. Whoever may use nothing has one that was refused.
func ownExecution(c *cast, as string) things {
	c.Helper()
	th := aUsable(c, as)
	th["agent_id"], th["execution_id"] = oneself("agent_id")(c, as)["agent_id"], id.Random().String()
	if isAgent(as) {
		c.send(step{method: post, as: as, url: th.put("/v1/agents/{agent_id}/execute"), body: th.put(`{"url":"https://api.example.com/","headers":{"x-key":"{{secret://{vault_id}/{path}}}"}}`)})
		th["execution_id"] = c.does(as, get, th.put("/v1/agents/{agent_id}/executions"), "").text("events.0.id")
	}
	return th
}

func useTrials() map[string]trial {
	const (
		execute = "POST /v1/agents/{agent_id}/execute"
		all     = "/v1/agents/{agent_id}/bindings"
		one     = all + "/{binding_id}"
		done    = "/v1/agents/{agent_id}/executions"
	)
	people := []string{"creator", "member"} // who see all agents
	return map[string]trial{
		execute: {make: func(c *cast, as string) things {
			th := aUsable(c, as)
			th["agent_id"] = anAgent(c, as)["agent_id"]
			return th
		}, body: `{"url":"https://api.example.com/","headers":{"x-key":"{{secret://{vault_id}/{path}}}"}}`},
		execute + ", oneself": {each: true, told: callers, make: func(c *cast, as string) things {
			th := aUsable(c, as)
			th["agent_id"] = oneself("agent_id")(c, as)["agent_id"]
			return th
		}, body: `{"url":"https://api.example.com/","headers":{"x-key":"{{secret://{vault_id}/{path}}}"}}`},
		"POST " + all:                              {make: aBindable, told: people, body: someBinding},
		"GET " + all:                               {make: aBinding, told: people},
		"GET " + all + ", its own":                 {make: ownBinding, each: true, told: callers},
		"GET " + one:                               {make: aBinding, told: people},
		"PATCH " + one:                             {make: aBinding, told: people, body: `{"is_active":false}`},
		"DELETE " + one:                            {make: aBinding, told: people},
		"POST " + one + "/test":                    {make: aBinding, told: people},
		"POST " + one + "/rotate-credential":       {make: aRotatable, told: people, body: `{"credential":{"type":"bearer","token":"` + canary + `"}}`},
		"GET " + done:                              {make: anExecution, told: people},
		"GET " + done + ", its own":                {make: ownExecution, each: true, told: callers},
		"GET " + done + "/{execution_id}":          {make: anExecution, told: people},
		"GET " + done + "/{execution_id}, its own": {make: ownExecution, each: true, told: callers},
	}
}

// anEvent is the place of one of the organisation's in the log.
func anEvent(c *cast, _ string) things {
	c.Helper()
	index := c.does("creator", post, "/v1/vaults", `{"name":"v"}`).Header().Get("X-Audit-Index")
	place, err := strconv.Atoi(index)
	c.ok(err)
	return things{"index": index, "size": strconv.Itoa(place + 1)}
}

// aCall is one of a model, of the organisation, whose request is kept.
func aCall(c *cast, _ string) things {
	kept := activity.Call{Org: c.org, Agent: id.New(), Began: c.clock.Now(), Keep: time.Hour, Request: []byte(canary)}
	return things{"event_id": c.calls.Add(kept).String()}
}

func auditTrials() map[string]trial {
	return map[string]trial{
		"GET /v1/audit":                      {make: aVault, shows: "vault_id", to: colleagues},
		"GET /v1/audit/events":               {make: aVault, shows: "vault_id", to: colleagues},
		"GET /v1/audit/verify":               {query: "?limit=1", costly: true},
		"GET /v1/audit/checkpoint":           {},
		"GET /v1/audit/proof/inclusion":      {make: anEvent, query: "?index={index}&size={size}"},
		"GET /v1/audit/proof/consistency":    {make: anEvent, query: "?from=1&to={size}"},
		"GET /v1/audit/export":               {costly: true},
		"GET /v1/shroud/activity":            {make: aCall, shows: "event_id", to: []string{"creator", "owner", "admin", "member"}},
		"GET /v1/shroud/activity/{event_id}": {make: aCall, reveals: true},
		"GET /v1/shroud/threat-summary":      {},
		"POST /v1/inspect":                   {body: `{"content":"hello"}`},
	}
}

// aRule is one of the organisation's IP rules.
func aRule(c *cast, _ string) things {
	c.Helper()
	return things{"rule_id": c.does("owner", post, "/v1/security/ip-rules", `{"rule_type":"deny","cidr":"198.51.100.0/24"}`).text("id")}
}

// aSetting is one that was set.
func aSetting(c *cast, _ string) things {
	c.Helper()
	c.does("platform", put, "/v1/admin/settings/x402.asset", `{"value":"usdc"}`)
	return things{"key": "x402.asset"}
}

func siteTrials() map[string]trial {
	return map[string]trial{
		"GET /v1/security/ip-rules":                 {make: aRule, shows: "rule_id", to: []string{"owner", "admin"}},
		"POST /v1/security/ip-rules":                {body: `{"rule_type":"deny","cidr":"198.51.100.0/24"}`},
		"DELETE /v1/security/ip-rules/{rule_id}":    {make: aRule},
		"GET /v1/admin/settings":                    {},
		"GET /v1/admin/settings/{key}":              {make: aSetting},
		"PUT /v1/admin/settings/{key}":              {make: aSetting, body: `{"value":"usdc"}`},
		"DELETE /v1/admin/settings/{key}":           {make: aSetting},
		"GET /v1/admin/llm-prices":                  {},
		"PUT /v1/admin/llm-prices":                  {body: `{"prices":[]}`},
		"GET /v1/admin/users":                       {make: somebodyWho("member"), shows: "user_id", to: []string{"platform"}},
		"DELETE /v1/admin/users/{user_id}":          {make: somebodyWho("member")},
		"DELETE /v1/admin/users/{user_id}, oneself": {make: oneself("user_id"), each: true, told: callers},
	}
}
