package httpapi

import "testing"

// An agent in handle mode gets no value by any door, and its events say so.
func TestHandleMode(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	l.put(v, "api/key", canary)
	bot := l.agent("bot", "")
	l.grant("owner", v, bot, "api/**", `["read"]`, "")
	l.renew("bot", bot)
	at := "/v1/agents/" + bot.id + "/delivery"
	secret := l.want(step{url: v + "/secrets/api/key", as: "owner", status: 200, reveals: true}).text("id")
	shared := l.want(step{method: post, url: "/v1/secrets/" + secret + "/share", as: "owner", status: 201,
		body: `{"recipient_type":"agent","recipient_id":"` + bot.id + `","expires_in_hours":1}`}).text("id")
	refused := []string{`"code":"handle_only"`, "/execute"}
	l.run(t, []step{
		{name: "a value before", url: v + "/secrets/api/key", as: "bot", status: 200, reveals: true, has: []string{canary}},
		{name: "the mode", url: at, as: "bot", status: 200, has: []string{`"mode":"value"`}},
		{name: "by itself", method: put, url: at, as: "bot", body: `{"mode":"handle"}`, status: 403},
		{name: "no mode", method: put, url: at, as: "owner", body: `{"mode":"none"}`, status: 400},
		{name: "by a person", method: put, url: at, as: "owner", body: `{"mode":"handle"}`, status: 200, has: []string{`"mode":"handle"`}, event: "agent.deliver_handles success"},
		{name: "read", url: v + "/secrets/api/key", as: "bot", status: 403, has: refused, event: "secret.read refused handle_only"},
		{name: "a version", url: v + "/secret-version/api/key/1", as: "bot", status: 403, has: refused, event: "secret.read refused handle_only"},
		{name: "what is not there", url: v + "/secrets/api/none", as: "bot", status: 403, has: refused},
		{name: "what it may not have", url: v + "/secrets/other", as: "bot", status: 403, lacks: []string{"handle_only"}},
		{name: "to accept a share", method: post, url: "/v1/shares/" + shared + "/accept", as: "bot", status: 204},
		{name: "a share", url: "/v1/share/" + shared, as: "bot", status: 403, has: refused, event: "share.access refused handle_only"},
		{name: "to share it", method: post, url: "/v1/secrets/" + secret + "/share", as: "bot", status: 403, has: refused,
			body: `{"recipient_type":"anyone_with_link","expires_in_hours":1}`},
		{name: "its list", url: v + "/secrets", as: "bot", status: 200, has: []string{`"path":"api/key"`}},
		{name: "its versions", url: v + "/secret-versions/api/key", as: "bot", status: 200, has: []string{`"version":1`}},
		{name: "the owner", url: v + "/secrets/api/key", as: "owner", status: 200, reveals: true, has: []string{canary}},
		{name: "back", method: put, url: at, as: "owner", body: `{"mode":"value"}`, status: 200, event: "agent.deliver_values success"},
		{name: "a value after", url: v + "/secrets/api/key", as: "bot", status: 200, reveals: true, has: []string{canary}},
	})
}
