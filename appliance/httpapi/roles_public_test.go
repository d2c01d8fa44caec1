package httpapi

import (
	"fmt"
)

// anAccount is somebody with a password.
func anAccount(c *cast, _ string) things {
	c.Helper()
	return things{"email": c.person("somebody", c.live.org, "member").email}
}

// aLetter is a token that is mailed when somebody asks for it.
func aLetter(url, body string, more func(*cast, string) things) func(*cast, string) things {
	return func(c *cast, as string) things {
		c.Helper()
		th := more(c, as)
		who := "founder" // only an invitation has to be somebody's
		c.does(who, post, url, th.put(body))
		th["token"] = c.mailed(th["email"])
		return th
	}
}

// anAddress is one that nobody has.
func anAddress(c *cast, _ string) things {
	c.n++
	return things{"email": fmt.Sprintf("new-%d-%s@example.net", c.n, c.org)}
}

// aFirstFactor is a sign-in that waits for its second.
func aFirstFactor(c *cast, as string) things {
	c.Helper()
	th := anAccount(c, as)
	code := c.otp(c.does("somebody", post, "/v1/auth/mfa/setup", "").text("secret"), 0)
	th["code"] = c.does("somebody", post, "/v1/auth/mfa/verify-setup", `{"code":"`+code+`"}`).value("recovery_codes").([]any)[0].(string)
	th["mfa_token"] = c.does("", post, "/v1/auth/token", credentials(th["email"], ownerPassword)).text("mfa_token")
	return th
}

// keysToExchange are an agent's and a person's.
func keysToExchange(c *cast, _ string) things {
	c.Helper()
	return things{
		"agent_key": c.does("creator", post, "/v1/agents", `{"name":"bot"}`).text("api_key"),
		"key":       c.does("creator", post, "/v1/auth/api-keys", `{"name":"k"}`).text("api_key"),
	}
}

func publicTrials() map[string]trial {
	const signup = `{"email":"{email}","password":"` + newPassword + `"}`
	return map[string]trial{
		"GET /v1/health":               {},
		"GET /v1/health/hsm":           {},
		"GET /v1/attestation":          {},
		"GET /v1/shroud/attestation":   {},
		"GET /openapi.json":            {},
		"GET /.well-known/jwks.json":   {},
		"GET /v1/auth/jwt-public-key":  {},
		"GET /cli/verify":              {},
		"GET /verify-email":            {},
		"GET /reset-password":          {},
		"GET /accept-invite":           {},
		"GET /approvals/{approval_id}": {make: func(*cast, string) things { return things{"approval_id": "0190d6f0-0000-7000-8000-000000000001"} }},
		"GET /secrets/new":             {},
		"GET /page/approval.js":        {},
		"GET /page/secret.js":          {},
		"GET /page/signin.js":          {},
		"GET /page/client.js":          {},
		"GET /page/mailed.js":          {},
		"GET /page/style.css":          {},
		"GET /cli/verify.js":           {},

		"POST /v1/auth/token":         {make: anAccount, costly: true, body: `{"email":"{email}","password":"` + ownerPassword + `"}`},
		"POST /v1/auth/mfa/verify":    {make: aFirstFactor, each: true, costly: true, body: `{"mfa_token":"{mfa_token}","code":"{code}"}`},
		"POST /v1/auth/google":        {make: anAccount, body: `{"id_token":"{email}"}`},
		"POST /v1/auth/api-key-token": {make: keysToExchange, body: `{"api_key":"{key}"}`},
		"POST /v1/auth/agent-token":   {make: keysToExchange, body: `{"api_key":"{agent_key}"}`},
		"POST /v1/auth/refresh":       {body: `{}`},

		"POST /v1/auth/signup":          {make: anAddress, each: true, costly: true, body: signup},
		"POST /v1/auth/verify-email":    {make: aLetter("/v1/auth/signup", signup, anAddress), each: true, costly: true, body: `{"token":"{token}"}`},
		"POST /v1/auth/forgot-password": {make: anAccount, each: true, body: `{"email":"{email}"}`},
		"POST /v1/auth/reset-password": {
			make: aLetter("/v1/auth/forgot-password", `{"email":"{email}"}`, anAccount), each: true, costly: true,
			body: `{"token":"{token}","new_password":"` + newPassword + `"}`,
		},
		"POST /v1/agents/enroll": {make: anAccount, each: true, body: `{"name":"scout","human_email":"{email}"}`},

		"POST /v1/auth/device/code":            {body: `{"client_id":"cli"}`},
		"GET /v1/auth/device/code/{user_code}": {make: aDevice},
		"POST /v1/auth/device/token":           {make: aDevice, each: true, body: `{"device_code":"{device_code}","grant_type":"` + deviceGrant + `"}`},
	}
}
