package httpapi

import (
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/vault/identity"
)

const (
	approvalKeys = "id action summary action_hash why requester_id requester_type agent_id status approvals_needed approved_by created_at expires_at"
	pendingKeys  = "approval_id status why approvals_needed expires_at"
)

// guarded is a payer who needs people to agree.
func (l *live) guarded(rule string) payer {
	l.Helper()
	p := l.payer("payer", `,"token_ttl_seconds":604800`)
	l.want(step{method: put, url: "/v1/agents/" + p.id + "/guardrails", as: "owner", body: `{"approval":` + rule + `}`, status: 200})
	return p
}

func TestApprovals(t *testing.T) {
	l := newLive(t)
	l.tokens["admin"] = l.person(l.org, identity.RoleAdmin)
	l.tokens["second"] = l.person(l.org, identity.RoleAdmin)
	p := l.guarded(`{"above_eth":"1","approvers":2}`)
	submit := func(name, value string, status int, keys string, has ...string) step {
		return step{name: name, method: post, url: p.url, as: "payer", body: pay(somebody1, value, ""), status: status, keys: keys, has: has}
	}
	l.want(submit("below", "1", 201, ""))
	l.run(t, []step{
		{name: "explained", method: post, url: p.url + "/explain", as: "payer", body: pay(somebody1, "1.5", ""), status: 200, event: "none", has: []string{`"allowed":true`, `"needs_approval":["above 1 ETH"]`}},
		{name: "explained below", method: post, url: p.url + "/explain", as: "payer", body: pay(somebody1, "1", ""), status: 200, lacks: []string{"needs_approval"}},
	})
	a := l.want(submit("above", "1.5", 202, pendingKeys, `"status":"pending_approval"`, `"why":["above 1 ETH"]`, `"approvals_needed":2`))
	if e := l.logged(a); e.String() != "approval.request success" || e.Resource.ID != a.text("approval_id") {
		t.Errorf("the event is %+v", e)
	}
	one := "/v1/approvals/" + a.text("approval_id")
	if again := l.want(submit("asked again", "1.5", 202, pendingKeys)); again.text("approval_id") != a.text("approval_id") {
		t.Error("people are asked twice")
	}
	other := l.want(submit("another value is another action", "1.6", 202, ""))
	l.payer("stranger of theirs", "")
	shown := l.want(step{name: "as it waits", url: one, as: "payer", status: 200, keys: approvalKeys,
		has: []string{`"status":"pending"`, `"approved_by":[]`, `"requester_type":"agent"`, `"requester_id":"` + p.id, `"value_wei":"1500000000000000000"`, `"to":"` + somebody1, `"action":"transaction"`}})
	if len(shown.text("action_hash")) != 64 {
		t.Errorf("the hash is %s", shown.text("action_hash"))
	}
	decide := func(name, as, what, body string, status int, event string, has ...string) step {
		return step{name: name, method: post, url: one + what, as: as, body: body, status: status, event: event, has: has}
	}
	l.run(t, []step{
		{name: "all", url: "/v1/approvals", as: "member", status: 200, has: []string{a.text("approval_id"), other.text("approval_id")}},
		{name: "which wait", url: "/v1/approvals?status=pending", as: "payer", status: 200, has: []string{a.text("approval_id")}},
		{name: "which are approved", url: "/v1/approvals?status=approved", as: "payer", status: 200, has: []string{`{"approvals":[]}`}},
		{name: "of another agent", url: "/v1/approvals", as: "stranger of theirs", status: 200, has: []string{`{"approvals":[]}`}},
		{name: "one of another agent", url: one, as: "stranger of theirs", status: 404, has: []string{"approval_not_found"}},
		{name: "of another organisation", url: one, as: "stranger", status: 404},
		{name: "another status", url: "/v1/approvals?status=" + canary, as: "payer", status: 400},
		{name: "an id that is none", url: "/v1/approvals/" + canary, as: "payer", status: 400},
		decide("by the agent", "payer", "/approve", "", 403, ""),
		decide("by a member", "member", "/approve", "", 403, "approval.approve refused access_denied"),
		decide("of another organisation", "stranger", "/approve", "", 404, "approval.approve refused approval_not_found"),
		decide("one agrees", "owner", "/approve", "", 200, "approval.approve success", `"status":"pending"`, `"approved_by":["user:`+l.ownerID.String()+`"]`),
		decide("twice", "owner", "/approve", "", 409, "approval.approve refused already_approved"),
		submit("one is not enough", "1.5", 202, ""),
		decide("another decision", "admin", "/decide", `{"decision":"`+canary+`"}`, 400, "none"),
		decide("no decision", "admin", "/decide", `{}`, 400, "none"),
		decide("another agrees", "admin", "/decide", `{"decision":"approved"}`, 200, "approval.approve success", `"status":"approved"`, `"decided_by":"user:`, `"decided_at":"`),
		decide("too late", "second", "/deny", "", 409, "approval.deny refused approval_decided"),
	})
	sent := l.want(submit("then it is done", "1.5", 201, txKeys+" signed_tx"))
	l.want(step{name: "and named", url: one, as: "owner", status: 200, has: []string{`"status":"approved"`, `"transaction_id":"` + sent.text("id")}})
	l.want(step{name: "among those approved", url: "/v1/approvals?status=approved", as: "owner", status: 200, has: []string{a.text("approval_id")}})
	if next := l.want(submit("once", "1.5", 202, "")); next.text("approval_id") == a.text("approval_id") {
		t.Error("an approval is good for more than once")
	}
	one = "/v1/approvals/" + other.text("approval_id")
	l.run(t, []step{
		decide("one says no", "second", "/deny", `{"reason":"too much"}`, 200, "approval.deny success", `"status":"denied"`, `"reason":"too much"`, `"decided_by":"user:`),
		decide("it is over", "owner", "/approve", "", 409, "approval.approve refused approval_decided"),
	})
	if next := l.want(submit("asked anew", "1.6", 202, "")); next.text("approval_id") == other.text("approval_id") {
		t.Error("a denied approval is asked again")
	}
}

func TestApprovalsOfPeopleAndTime(t *testing.T) {
	l := newLive(t)
	l.tokens["owner"] = l.tokens["key"]
	l.tokens["admin"] = l.person(l.org, identity.RoleAdmin)
	p := l.guarded(`{"new_recipients":true,"approvers":1,"within_seconds":3600}`)
	submit := func(name, as, to string, status int) answered {
		t.Helper()
		return l.want(step{name: name, method: post, url: p.url, as: as, body: pay(to, "0.1", ""), status: status})
	}
	a := submit("a person asks", "owner", somebody1, 202)
	one := "/v1/approvals/" + a.text("approval_id")
	l.want(step{name: "who asked", url: one, as: "admin", status: 200, has: []string{`"requester_type":"user"`, `"requester_id":"` + l.ownerID.String(), `"why":["new recipient ` + somebody1 + `"]`}})
	l.want(step{name: "does not decide", method: post, url: one + "/approve", as: "owner", status: 403, has: []string{`"code":"own_approval"`, "denied"}, event: "approval.approve refused own_approval"})
	l.want(step{name: "somebody else does", method: post, url: one + "/approve", as: "admin", status: 200})
	submit("whoever sends it then", "payer", somebody1, 201)
	submit("is known", "payer", somebody1, 201)

	late := "/v1/approvals/" + submit("another", "payer", somebody2, 202).text("approval_id")
	l.clock.advance(time.Hour + time.Second)
	l.want(step{name: "nobody decided", url: late, as: "payer", status: 200, has: []string{`"status":"expired"`}})
	l.want(step{name: "too late", method: post, url: late + "/approve", as: "admin", status: 409, has: []string{"expired"}})
	next := "/v1/approvals/" + submit("asked anew", "payer", somebody2, 202).text("approval_id")
	if next == late {
		t.Error("an expired approval is asked again")
	}
	l.want(step{method: post, url: next + "/approve", as: "admin", status: 200})
	l.clock.advance(time.Hour + time.Second)
	submit("not used in time", "payer", somebody2, 202)
}

// TestApprovalsOfSignatures: what is only signed names the approval in a problem.
func TestApprovalsOfSignatures(t *testing.T) {
	l := newLive(t)
	p := l.guarded(`{"methods":["0xa9059cbb","0x095ea7b3"],"approvers":1}`)
	of := "/v1/agents/" + p.id
	body := called(tokenUSD, transferOf(somebody1, 5))
	refused := func(name, url, body string, has ...string) answered {
		t.Helper()
		return l.want(step{name: name, method: post, url: url, as: "payer", body: body, status: 403, has: append(has, `"type":"approval_required"`, `"code":"approval_required"`, "denied")})
	}
	a := refused("sign", p.url+"/sign", body)
	b := refused("by its other name", of+"/sign", strings.Replace(body, "{", `{"intent_type":"transaction",`, 1))
	if a.text("approval_request_id") != b.text("approval_request_id") {
		t.Error("two names are two actions")
	}
	c := l.want(step{name: "to be sent", method: post, url: p.url, as: "payer", body: body, status: 202})
	if c.text("approval_id") == a.text("approval_request_id") {
		t.Error("to sign and to send are one action")
	}
	l.want(step{name: "approved", method: post, url: "/v1/approvals/" + a.text("approval_request_id") + "/approve", as: "owner", status: 200})
	l.want(step{name: "signed", method: post, url: p.url + "/sign", as: "payer", body: body, status: 200, keys: signedKeys})
	l.want(step{name: "sending is not approved", method: post, url: p.url, as: "payer", body: body, status: 202})
	l.want(step{method: put, url: of + "/guardrails", as: "owner", body: `{"approval":{"above_eth":"0","new_recipients":true,"approvers":1}}`, status: 200})
	d := refused("a permit for a stranger", of+"/sign", typedData(permitOf(tokenUSD, somebody2, "5", 1)))
	if d.value("approval_request_id") != nil {
		t.Errorf("nobody can be asked for it: %s", d.Body)
	}
	l.want(step{name: "a text", method: post, url: of + "/sign", as: "payer", body: personal("hello"), status: 200})
}
