package httpapi

import (
	"fmt"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// somebodyWho makes somebody of the organisation with a role.
func somebodyWho(role identity.Role) func(*cast, string) things {
	return func(c *cast, _ string) things {
		c.Helper()
		return things{"user_id": c.person("another", c.org, role).id}
	}
}

// anInvitation is one to be a member, or an owner.
func anInvitation(role string) func(*cast, string) things {
	return func(c *cast, _ string) things {
		c.Helper()
		c.n++
		c.does("owner", post, "/v1/org/invite", fmt.Sprintf(`{"email":"guest-%d@example.org","role":%q}`, c.n, role))
		all := c.does("owner", get, "/v1/org/invitations", "").list("invitations", "id")
		return things{"invitation_id": all[len(all)-1]}
	}
}

func memberTrials() map[string]trial {
	const (
		member = "/v1/org/members/{user_id}"
		invite = "POST /v1/org/invite"
	)
	anAddress := func(c *cast, _ string) things {
		c.n++
		return things{"email": fmt.Sprintf("guest-%d-%s@example.org", c.n, c.org)}
	}
	aTakenOne := func(c *cast, _ string) things {
		return things{"email": c.person("taken", id.New(), identity.RoleMember).email}
	}
	return map[string]trial{
		"GET /v1/org/members":                                  {make: somebodyWho("member"), shows: "user_id", to: []string{"creator", "owner", "admin", "member"}},
		"PATCH " + member:                                      {make: somebodyWho("member"), body: `{"role":"admin"}`},
		"PATCH " + member + ", to owner":                       {make: somebodyWho("member"), told: []string{"admin"}, body: `{"role":"owner"}`},
		"PATCH " + member + ", of an owner":                    {make: somebodyWho("owner"), told: []string{"admin"}, body: `{"role":"member"}`},
		"DELETE " + member:                                     {make: somebodyWho("member")},
		"DELETE " + member + ", an owner":                      {make: somebodyWho("owner"), told: []string{"admin"}},
		invite:                                                 {make: anAddress, each: true, body: `{"email":"{email}"}`},
		invite + ", as owner":                                  {make: anAddress, each: true, body: `{"email":"{email}","role":"owner"}`},
		invite + ", who has an account elsewhere":              {make: aTakenOne, each: true, body: `{"email":"{email}"}`},
		"GET /v1/org/invitations":                              {make: anInvitation("member"), shows: "invitation_id", to: []string{"owner", "admin"}},
		"DELETE /v1/org/invitations/{invitation_id}":           {make: anInvitation("member")},
		"DELETE /v1/org/invitations/{invitation_id}, as owner": {make: anInvitation("owner"), told: []string{"admin"}},
		"POST /v1/org/invitations/accept": {
			make: aLetter("/v1/org/invite", `{"email":"{email}"}`, anAddress), each: true,
			body: `{"token":"{token}","password":"` + newPassword + `"}`,
		},
		"GET /v1/org/agent-keys-vault": {},
	}
}

// aDevice waits for somebody to approve it.
func aDevice(c *cast, _ string) things {
	c.Helper()
	a := c.does("", post, "/v1/auth/device/code", `{"client_id":"cli"}`)
	return things{"user_code": a.text("user_code"), "device_code": a.text("device_code")}
}

// aFactor is the code that confirms what somebody has just set up; agents and
// those without a token have none.
func aFactor(c *cast, as string) things {
	c.Helper()
	if !isPerson(as) {
		return things{"code": "000000"}
	}
	return things{"code": c.otp(c.does(as, post, "/v1/auth/mfa/setup", "").text("secret"), 0)}
}

// aSecondFactor is one that is in force.
func aSecondFactor(c *cast, as string) things {
	c.Helper()
	if isPerson(as) {
		c.does(as, post, "/v1/auth/mfa/verify-setup", aFactor(c, as).put(`{"code":"{code}"}`))
	}
	return nil
}

// aKey is a 1ck_ key of creator's.
func aKey(c *cast, _ string) things {
	c.Helper()
	return things{"key_id": c.does("creator", post, "/v1/auth/api-keys", `{"name":"k"}`).text("key.id")}
}

func personTrials() map[string]trial {
	return map[string]trial{
		"GET /v1/auth/me":                {},
		"PATCH /v1/auth/me":              {body: `{"display_name":"x"}`},
		"DELETE /v1/auth/me":             {body: `{"confirm":"DELETE"}`, spends: true},
		"POST /v1/auth/change-password":  {body: fmt.Sprintf(`{"current_password":%q,"new_password":%q}`, ownerPassword, newPassword), spends: true},
		"GET /v1/auth/mfa/status":        {},
		"POST /v1/auth/mfa/setup":        {},
		"POST /v1/auth/mfa/verify-setup": {make: aFactor, each: true, body: `{"code":"{code}"}`, spends: true},
		"DELETE /v1/auth/mfa":            {make: aSecondFactor, each: true, body: `{"password":"` + ownerPassword + `"}`},
		"POST /v1/auth/device/approve":   {make: aDevice, each: true, body: `{"user_code":"{user_code}"}`},
		"POST /v1/auth/device/deny":      {make: aDevice, each: true, body: `{"user_code":"{user_code}"}`},

		"POST /v1/auth/api-keys":            {body: `{"name":"k"}`},
		"GET /v1/auth/api-keys":             {make: aKey, shows: "key_id", to: []string{"creator"}},
		"DELETE /v1/auth/api-keys/{key_id}": {make: aKey},
		"DELETE /v1/auth/token":             {spends: true},
	}
}
