package httpapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/vault/identity"
)

// intent is a request in the form of the published clients.
func intent(params string, more ...string) string {
	return `{"intent_type":"http","params":` + params + strings.Join(more, "") + `}`
}

// The published clients say what they want in params, and find the answer in result.
func TestExecuteIntents(t *testing.T) {
	u := newUser(t)
	id := strings.TrimPrefix(u.vault, "/v1/vaults/")
	all := "/v1/agents/" + u.id + "/bindings"
	u.want(step{method: put, url: u.vault + "/secrets/bound", as: "owner", status: 201, body: `{"value":"` + canary + `"}`})
	u.want(step{method: post, url: all, as: "owner", status: 201, body: fmt.Sprintf(
		`{"name":"svc","binding_type":"http","config":{"base_url":%q,"auth_type":"bearer"},"credential_source":{"type":"vault_ref","vault_id":%q,"path":"bound"}}`, u.target.url, id)})
	const svc, mode = `,"binding":"svc"`, `,"execution_mode":"vault","dry_run":false`
	keys := "execution_id status execution_surface result duration_ms redactions_applied"
	u.run(t, []step{
		{name: "a path with a query", method: post, url: u.at, as: "bot", body: intent(`{"method":"GET","path":"/json","query":{"q":"a b&c","n":5,"yes":true}}`, svc, mode), status: 200,
			keys: keys, has: []string{`"status":"completed"`, `"body_encoding":"json"`, `"body":{"key":"[REDACTED:bound]"}`, `"redactions_applied":1`}, event: "secret.used success"},
		{name: "a text", method: post, url: u.at, as: "bot", body: intent(`{"path":"/x"}`, svc), status: 200, has: []string{`"body":"Bearer [REDACTED:bound]"`, `"body_encoding":"text"`}},
		{name: "what is no text", method: post, url: u.at, as: "bot", body: intent(`{"path":"/binary"}`, svc), status: 200, has: []string{`"body_encoding":"base64"`}},
		{name: "placeholders", method: post, url: u.at, as: "bot", status: 200, has: []string{"REDACTED:api/key"},
			body: intent(`{"method":"POST","url":"` + u.target.url + `/echo","headers":{"X-Key":"{{secret:api/key}}"},"body":{"k":"{{secret:api/key}}","n":1}}`)},
	})
	got := u.last()
	var sent map[string]any
	if err := json.Unmarshal([]byte(got[strings.Index(got, "{"):]), &sent); err != nil || sent["k"] != usedValue || sent["n"] != 1.0 {
		t.Errorf("%v %s", err, got)
	}
	u.want(step{method: post, url: u.at, as: "bot", body: intent(`{"path":"/a?b=c","query":{"d":"e&f=g"}}`, svc), status: 200})
	if !strings.Contains(u.last(), "GET /a?b=c&d=e%26f%3Dg ") {
		t.Error(u.last())
	}
	n := u.count()
	invalid := func(name, body, has string) step {
		return step{name: name, method: post, url: u.at, as: "bot", body: body, status: 400, has: []string{has}}
	}
	u.run(t, []step{
		invalid("another kind", `{"intent_type":"graphql","params":{}`+svc+`}`, "intent_type"),
		invalid("another place", intent(`{"path":"/x"}`, svc, `,"execution_mode":"tee"`), "execution_mode"),
		invalid("no params", `{"intent_type":"http"`+svc+`}`, "params"),
		invalid("no kind", `{"params":{"path":"/x"}`+svc+`}`, "intent_type"),
		invalid("both forms", intent(`{"path":"/x"}`, svc, `,"url":"/y"`), "params"),
		invalid("both places", intent(`{"path":"/x","url":"/y"}`, svc), "params.path"),
		invalid("a list in the query", intent(`{"path":"/x","query":{"a":[1]}}`, svc), "params.query"),
		invalid("a secret in the query", intent(`{"path":"/x","query":{"a":"{{secret:api/key}}"}}`, svc), "secret_in_url"),
		invalid("a secret in the name of one", intent(`{"path":"/x","query":{"{{ Secret:api/key}}":"a"}}`, svc), "secret_in_url"),
		{name: "elsewhere", method: post, url: u.at, as: "bot", body: intent(`{"url":"https://elsewhere.example.com/"}`, svc), status: 403, has: []string{"binding_forbids"}},
		{name: "dry", method: post, url: u.at, as: "bot", body: intent(`{"path":"/x"}`, svc, `,"dry_run":true`), status: 200, keys: "execution_id status execution_surface duration_ms redactions_applied", has: []string{`"status":"dry_run"`}, event: "secret.use success"},
		{name: "dry and refused", method: post, url: u.at, as: "bot", body: intent(`{"url":"https://elsewhere.example.com/"}`, svc, `,"dry_run":true`), status: 403, event: "secret.use refused binding_forbids"},
	})
	if u.count() != n {
		t.Errorf("something was sent: %s", u.last())
	}
}

// A dry run uses up no read.
func TestDryRunsAreNotReads(t *testing.T) {
	u := newUser(t)
	u.want(step{method: put, url: u.vault + "/secrets/api/once", as: "owner", status: 201,
		body: `{"value":"` + canary + `","max_access_count":1,"metadata":{"allowed_hosts":["example.com:` + u.port() + `"]}}`})
	dry := intent(`{"url":"`+u.target.url+`","headers":{"x-key":"{{secret:api/once}}"}}`, `,"dry_run":true`)
	for range 3 {
		u.want(step{method: post, url: u.at, as: "bot", body: dry, status: 200})
	}
	wet := strings.Replace(dry, "true", "false", 1)
	u.want(step{method: post, url: u.at, as: "bot", body: wet, status: 200})
	u.want(step{method: post, url: u.at, as: "bot", body: wet, status: 403})
}

// What was executed is read from the log: nothing of path, query, headers and body.
func TestExecutions(t *testing.T) {
	u := newUser(t)
	list, here := "/v1/agents/"+u.id+"/executions", u.target.url
	u.want(step{url: list, as: "bot", status: 200, has: []string{`{"events":[]}`}})
	first := u.want(step{method: post, url: u.at, as: "bot", body: sending(here+"/error?private=yes", keyed1, "hi"), status: 200}).text("execution_id")
	u.want(step{method: post, url: u.at, as: "bot", body: sending(here+"/gzip", keyed1, ""), status: 422})
	u.want(step{method: post, url: u.at, as: "bot", body: sending("https://elsewhere.example.org/", keyed1, ""), status: 403})
	u.want(step{method: post, url: u.at, as: "bot", body: intent(`{"url":"`+here+`","headers":{"authorization":"Bearer {{secret:api/key}}"}}`, `,"dry_run":true`), status: 200})

	a := u.want(step{url: list, as: "owner", status: 200, at: "events.3", has: []string{`"host":"` + here + `"`}, lacks: []string{"private", "hi", "/error"},
		keys: "id agent_id binding_id intent_type execution_mode execution_surface status request_summary result_summary duration_ms redactions_applied created_at"})
	for i, want := range []string{"dry_run ", "denied host_not_allowed", "failed answer_encoded", "completed "} {
		e := a.value(fmt.Sprint("events.", i)).(map[string]any)
		if reason, _ := e["error_message"].(string); fmt.Sprint(e["status"], " ", reason) != want {
			t.Errorf("%d is %v, want %s", i, e, want)
		}
	}
	if last := a.value("events.3").(map[string]any); last["id"] != first || a.value("events.3.result_summary.status") != 401.0 || a.value("events.3.redactions_applied") != 1.0 {
		t.Errorf("the first is %v", last)
	}
	u.run(t, []step{
		{name: "a page", url: list + "?limit=1&offset=3", as: "bot", status: 200, has: []string{first, `"status":"completed"`}, lacks: []string{"denied"}},
		{name: "behind the end", url: list + "?offset=4", as: "bot", status: 200, has: []string{`{"events":[]}`}},
		{name: "one", url: list + "/" + first, as: "bot", status: 200, has: []string{`"status":"completed"`, `"status":401`}},
		{name: "none", url: list + "/" + u.id, as: "bot", status: 404, has: []string{"execution_not_found"}},
		{name: "not of an agent", url: "/v1/agents/" + strings.TrimPrefix(u.vault, "/v1/vaults/") + "/executions", as: "owner", status: 404, event: "secret.use.list refused agent_not_found"},
	})
	other := u.agent("other", "")
	u.renew("other", other)
	u.want(step{url: list, as: "other", status: 403, event: "secret.use.list refused users_only"})
	u.want(step{url: "/v1/agents/" + other.id + "/executions/" + first, as: "other", status: 404})
}

// The secret of a binding gets a new value by whoever may write it. Where it may go
// stays, and so does how it is sent.
func TestRotateBindingCredential(t *testing.T) {
	u := newUser(t)
	id := strings.TrimPrefix(u.vault, "/v1/vaults/")
	all := "/v1/agents/" + u.id + "/bindings"
	bind := func(name, auth, path string) string {
		t.Helper()
		return all + "/" + u.want(step{method: post, url: all, as: "owner", status: 201, body: fmt.Sprintf(
			`{"name":%q,"config":{"base_url":%q%s},"credential_source":{"vault_id":%q,"path":%q}}`, name, u.target.url, auth, id, path)}).text("id")
	}
	u.store("bound", canary+"-old", `["example.com:`+u.port()+`"]`)
	u.store("pair", "user:"+canary, `[]`)
	bearer, header := bind("bearer", `,"auth_type":"bearer"`, "bound"), bind("header", `,"auth_type":"header","auth_header":"X-Key"`, "bound")
	pair, basic := bind("pair", `,"auth_type":"basic"`, "pair"), bind("basic", `,"auth_type":"basic","auth_user":"me"`, "pair")
	rotate := func(name, at, credential string, status int, has string) step {
		return step{name: name, method: post, url: at + "/rotate-credential", as: "owner", body: `{"credential":` + credential + `}`, status: status, has: []string{has}}
	}
	u.tokens["admin"] = u.person(u.org, identity.RoleAdmin)
	asAdmin := rotate("without the right to write", bearer, `{"type":"bearer","token":"`+canary+`"}`, 403, "insufficient_permissions")
	asAdmin.as = "admin"
	u.run(t, []step{
		rotate("another type", bearer, `{"type":"header","name":"X-Key","value":"`+canary+`"}`, 400, "credential_mismatch"),
		rotate("another header", header, `{"type":"header","name":"X-Other","value":"`+canary+`"}`, 400, "credential_mismatch"),
		rotate("another user", basic, `{"type":"basic","username":"you","password":"`+canary+`"}`, 400, "credential_mismatch"),
		rotate("no value", bearer, `{"type":"bearer"}`, 400, "credential_mismatch"),
		rotate("the value of another type", bearer, `{"type":"bearer","password":"`+canary+`"}`, 400, "credential"),
		rotate("none such", all+"/"+u.id, `{"type":"bearer","token":"`+canary+`"}`, 404, "binding_not_found"),
		asAdmin,
		rotate("a header in other case", header, `{"type":"header","name":"x-key","value":"`+canary+`-new"}`, 200, `"credential_set":true`),
	})
	u.want(step{method: post, url: u.at, as: "bot", body: `{"binding":"bearer","url":"/x"}`, status: 200, has: []string{"REDACTED:bound"}})
	if !strings.Contains(u.last(), canary+"-new") {
		t.Errorf("the host was sent %s", u.last())
	}
	u.want(step{url: u.vault + "/secrets/bound", as: "owner", status: 200, reveals: true, has: []string{canary + "-new", `"version":2`, "allowed_hosts"}})
	u.want(rotate("user and password", pair, `{"type":"basic","username":"who","password":"`+canary+`"}`, 200, `"pair"`))
	u.want(step{url: u.vault + "/secrets/pair", as: "owner", status: 200, reveals: true, has: []string{`"who:` + canary + `"`}})
	u.want(rotate("the password", basic, `{"type":"basic","username":"me","password":"`+canary+`"}`, 200, `"basic"`))
	u.want(step{url: u.vault + "/secrets/pair", as: "owner", status: 200, reveals: true, has: []string{`"value":"` + canary + `"`}})
	u.want(step{method: remove, url: u.vault + "/secrets/bound", as: "owner", status: 204})
	u.want(rotate("a secret that was deleted", bearer, `{"type":"bearer","token":"`+canary+`"}`, 404, "secret_not_found"))
	u.put(u.vault, "bound", canary)
	u.want(rotate("another at its path", bearer, `{"type":"bearer","token":"`+canary+`"}`, 404, "secret_not_found"))
}
