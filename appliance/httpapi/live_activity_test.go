package httpapi

import (
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud/activity"
)

// People see the calls of their organisation, agents their own, in pages.
func TestShroudActivity(t *testing.T) {
	l := newLive(t)
	bot, other := id.New(), id.New()
	log := l.calls
	now := l.clock.Now().UTC()
	for i, c := range []activity.Call{
		{Org: l.org, Agent: bot, Provider: "openai", Model: "first", Status: 200, Input: 7, Output: 3, MicroUSD: 250_000, Took: time.Second},
		{Org: l.org, Agent: other, Model: "second", Status: 403, Refusal: "blocked", Threats: []activity.Threat{{Type: "pii", Pattern: "email", Severity: "low"}}},
		{Org: l.org, Agent: bot, Model: strings.Repeat("m", 300), Status: 200, Redacted: 2},
		{Org: l.other, Agent: id.New(), Model: "foreign"},
	} {
		c.Began = now.Add(time.Duration(i-10) * time.Minute)
		log.Add(c)
	}
	const at, sum = "/v1/shroud/activity", "/v1/shroud/threat-summary"
	a := l.want(step{url: at + "?limit=2", as: "member", status: 200, has: []string{`"model":"` + strings.Repeat("m", 256) + `"`, `"refusal":"blocked"`, `"threat_type":"pii"`}, lacks: []string{"foreign", "first"}})
	l.want(step{url: at + "?limit=2&cursor=" + a.text("next_cursor"), as: "member", status: 200,
		has: []string{`"model":"first"`, `"cost_usd":0.25`, `"duration_ms":1000`, `"input_tokens":7`}, lacks: []string{"next_cursor", "second"}})
	l.run(t, []step{
		{name: "of one agent", url: at + "?agent_id=" + other.String(), as: "owner", status: 200, has: []string{"second"}, lacks: []string{"first"}},
		{name: "another organisation", url: at, as: "stranger", status: 200, has: []string{"foreign"}, lacks: []string{"first", "second"}},
		{name: "its agents do not exist", url: at + "?agent_id=" + bot.String(), as: "stranger", status: 200, has: []string{`{"events":[]}`}},
		{name: "no such period", url: sum + "?period=1y", as: "owner", status: 400},
		{name: "the sum", url: sum + "?period=7d", as: "owner", status: 200,
			has: []string{`"requests":3,"refused":1,"redacted":2,"threats":{"pii":1},"agents":{"` + other.String() + `":1},"complete":true`}},
		{name: "of others", url: sum, as: "stranger", status: 200, has: []string{`"requests":1,"refused":0`}},
	})
	l.agent("bot", "")
	l.run(t, []step{
		{name: "an agent without calls", url: at, as: "bot", status: 200, has: []string{`{"events":[]}`}},
		{name: "not those of another", url: at + "?agent_id=" + other.String(), as: "bot", status: 403},
		{name: "nor summed", url: sum, as: "bot", status: 200, has: []string{`"requests":0`}},
	})
}

// A request that is kept is shown to those who manage the organisation, as long as it
// is kept, and not without a word in the audit log.
func TestShroudKeptRequests(t *testing.T) {
	l := newLive(t)
	long := strings.Repeat("a word of many. ", 40_000) + "THE END"
	add := func(request string, keep time.Duration) string {
		return "/v1/shroud/activity/" + l.calls.Add(activity.Call{
			Org: l.org, Agent: id.New(), Model: "m", Began: l.clock.Now(), Keep: keep, Request: []byte(request),
		}).String()
	}
	short, many, none := add("what was said", 48*time.Hour), add(long, time.Hour), add("what was said", 0)
	l.run(t, []step{
		{name: "its owner", url: short, as: "key", status: 200, has: []string{`"request":"what was said"`, `"kept_until":"`}},
		{name: "a member", url: short, as: "member", status: 403, lacks: []string{"said"}},
		{name: "another organisation", url: short, as: "stranger", status: 404, lacks: []string{"said"}},
		{name: "not asked to be kept", url: none, as: "key", status: 200, lacks: []string{"said", "kept_until"}},
		{name: "not in a list", url: "/v1/shroud/activity", as: "key", status: 200, has: []string{`"kept_until":"`}, lacks: []string{"said"}},
		{name: "no such call", url: "/v1/shroud/activity/" + id.New().String(), as: "key", status: 404},
	})
	a := l.want(step{url: many, as: "key", status: 200, has: []string{"THE END", "[... the middle is left out ...]"}})
	if n := len(a.text("request")); n > 256<<10 || n < 255<<10 {
		t.Errorf("%d bytes are kept", n)
	}
	l.want(step{url: "/v1/audit/events?action=shroud.open", as: "key", status: 200, has: []string{`"request":true`, `"request":false`, "access_denied"}})
	l.clock.advance(49 * time.Hour)
	l.want(step{url: short, as: "key", status: 200, has: []string{`"model":"m"`}, lacks: []string{"said"}})
}
