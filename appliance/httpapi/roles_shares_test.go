package httpapi

import (
	"time"
)

// paced makes a thing so that shares stay under their limit of ten a minute.
func paced(make func(*cast, string) things) func(*cast, string) things {
	return func(c *cast, as string) things {
		c.clock.advance(7 * time.Second)
		return make(c, as)
	}
}

// shareOf makes a share of a secret that creator made.
func shareOf(body string, then func(c *cast, url string)) func(*cast, string) things {
	return paced(func(c *cast, as string) things {
		c.Helper()
		th := aVault(c, as)
		th["member_id"] = c.is["member"].id
		th["share_id"] = c.does("creator", post, th.put("/v1/secrets/{secret_id}/share"), th.put(body)).text("id")
		if then != nil {
			then(c, th.put("/v1/shares/{share_id}"))
		}
		return th
	})
}

func shareTrials() map[string]trial {
	const (
		link   = `{"recipient_type":"anyone_with_link"}`
		member = `{"recipient_type":"user","recipient_id":"{member_id}"}`
		make   = "POST /v1/secrets/{secret_id}/share"
		open   = "GET /v1/share/{share_id}"
		pass   = "POST /v1/shares/{share_id}/access"
	)
	toLink, toMember := shareOf(link, nil), shareOf(member, nil)
	locked := shareOf(`{"recipient_type":"anyone_with_link","passphrase":"p"}`, nil)
	accepted := shareOf(member, func(c *cast, url string) { c.does("member", post, url+"/accept", "") })
	return map[string]trial{
		make:                        {make: paced(aVault), told: colleagues, body: link},
		make + ", a signing key":    {make: paced(aSigningKey), told: colleagues, body: link},
		make + ", to an address":    {make: paced(aVault), told: colleagues, body: `{"recipient_type":"external_email","email":"x@example.org"}`},
		make + ", to one's creator": {make: paced(aVault), told: colleagues, body: `{"recipient_type":"creator"}`},
		"POST /v1/shares":           {make: paced(aVault), told: colleagues, body: `{"recipient_type":"anyone_with_link","secret_id":"{secret_id}"}`},
		"POST /v1/shares, by path":  {make: paced(aVault), body: `{"vault_id":"{vault_id}","secret_path":"{path}","recipient_type":"anyone_with_link"}`},

		"GET /v1/shares":          {make: toMember, query: "?direction=inbound", shows: "share_id", to: []string{"member"}},
		"GET /v1/shares/inbound":  {make: toMember, shows: "share_id", to: []string{"member"}},
		"GET /v1/shares/outbound": {make: toMember, shows: "share_id", to: []string{"creator"}},

		"GET /v1/shares/{share_id}":                {make: toMember},
		"POST /v1/shares/{share_id}/accept":        {make: toMember, told: colleagues},
		"POST /v1/shares/{share_id}/decline":       {make: toMember, told: colleagues},
		"DELETE /v1/share/{share_id}":              {make: toMember, told: colleagues},
		"DELETE /v1/shares/{share_id}":             {make: toMember, told: colleagues},
		"DELETE /v1/shares/{share_id}, for anyone": {make: toLink, told: colleagues},

		open + ", for anyone":         {make: toLink, told: callers, reveals: true},
		open + ", offered to member":  {make: toMember, told: callers},
		open + ", accepted by member": {make: accepted, told: callers, reveals: true},
		pass + ", for anyone":         {make: locked, told: callers, body: `{"passphrase":"p"}`, reveals: true},
		pass + ", accepted by member": {make: accepted, told: callers, reveals: true},
	}
}
