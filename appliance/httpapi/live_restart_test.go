package httpapi

import (
	"testing"
	"time"
)

// TestRestart asks after a restart what was decided before it: nothing that
// decides is kept in memory alone.
func TestRestart(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	bot, off := l.agent("bot", ""), l.agent("off", "")
	l.put(v, "a/b", canary)
	l.want(step{method: put, url: v + "/secrets/twice", as: "owner", body: `{"value":"` + canary + `","max_access_count":2}`, status: 201})
	l.grant("owner", v, bot, "**", `["read"]`, "")
	l.renew("bot", bot)
	revoked := l.exchange("/v1/auth/agent-token", bot.key)
	l.want(step{url: v + "/secrets/twice", as: "bot", status: 200, reveals: true})
	l.want(step{method: remove, url: "/v1/auth/token", as: revoked, status: 200})
	l.want(step{method: remove, url: "/v1/agents/" + off.id, as: "owner", status: 204})
	before := l.checkpoint("owner")
	_, err := l.drainer.Drain(t.Context())
	l.ok(err)

	l.restart()
	l.run(t, []step{
		{name: "H8: revoked stays revoked", url: "/v1/vaults", as: revoked, status: 401, event: "auth.failure refused token_revoked"},
		{name: "A8: deactivated stays so", url: "/v1/agents/me", as: "off", status: 401},
		{name: "a token works on", url: v + "/secrets/a/b", as: "bot", status: 200, reveals: true, has: []string{canary}},
		{name: "S7: one read is left", url: v + "/secrets/twice", as: "bot", status: 200, reveals: true},
		{name: "and no more", url: v + "/secrets/twice", as: "bot", status: 410},
		{name: "a key works on", url: "/v1/auth/me", as: "key", status: 200},
		{name: "the log goes on from the checkpoint", url: "/v1/audit/verify?checkpoint=" + base64url(before.note), as: "owner", status: 200, has: []string{`"chain_valid":true`, `"unchecked":[]`}},
	})
}

// TestSealed: without its keys the appliance says so, and tells nothing.
func TestSealed(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	bot := l.agent("bot", "")
	l.put(v, "a", canary)
	l.ok(l.gate.Close())
	sealed := []string{`"code":"sealed"`}
	l.run(t, []step{
		{name: "a read", url: v + "/secrets/a", as: "owner", status: 503, has: sealed, event: "secret.read failed sealed"},
		{name: "a write", method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"` + canary + `"}`, status: 503, has: sealed, event: "secret.write failed sealed"},
		{name: "a vault", method: post, url: "/v1/vaults", as: "owner", body: `{"name":"x"}`, status: 503, has: sealed},
		{name: "an agent", method: post, url: "/v1/agents", as: "owner", body: `{"name":"x"}`, status: 503, has: sealed},
		{name: "an exchange", method: post, url: "/v1/auth/agent-token", body: `{"api_key":"` + bot.key + `"}`, status: 503, has: sealed},
		{name: "a list", url: v + "/secrets", as: "owner", status: 200},
		{name: "T9: the failed write wrote nothing", url: v + "/secret-versions/a", as: "owner", status: 200, has: []string{`"version":1`}, lacks: []string{`"version":2`}},
	})
	for l.send(step{url: "/v1/health/hsm"}).text("status") != "unavailable" {
		time.Sleep(time.Millisecond) // the monitor looks again and again
	}
	l.db.Seal()
	for _, url := range []string{"/v1/vaults", v + "/secrets/a", "/v1/audit/events"} {
		l.want(step{name: "a sealed store: " + url, url: url, as: "owner", status: 503})
	}
	l.orgs = nil // nothing can be read any more, nor looked through
}
