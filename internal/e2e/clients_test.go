package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// The clients_… tests send what the published clients of the hosted product
// send, and read the answers as they do. They are written down from those
// clients' behaviour and are not the clients, which no package registry that
// the tests can count on has: where the two differ, the client is right.

// clientCall is one call of a client: what it sends, and what it reads of the
// answer without looking first whether it is there.
type clientCall struct {
	name   string // as the client calls it
	asks   string // method and path; $name is a value from before
	body   string // JSON, likewise; "" for none
	status int
	reads  string // fields: a, a.b, a[] for a list, a[].b for a field of each element
	keeps  string // name=field: what later calls use; the name bearer is who they are from
	header string // further headers, NAME: VALUE in lines
}

// publishedClient is how a client sends, whatever it calls.
type publishedClient struct {
	send      func(t testing.TB, method, url string, header map[string]string, body string) answer
	agent     string // its User-Agent, "" for that of the library it sends with
	always    bool   // whether requests without a body have a Content-Type too
	anonymous []string
	// only are the members that the client knows of an object, by the call's
	// name: it refuses others, and objects without one that has a star.
	only map[string]string
}

// conversation is a client in use: what it was told and has kept.
type conversation struct {
	publishedClient
	t    *testing.T
	base string
	kept map[string]string
}

// with starts a conversation with the daemon, knowing what is known.
func (c publishedClient) with(t *testing.T, d *daemon, known map[string]string) *conversation {
	kept := map[string]string{"email": d.owner.Email, "password": d.owner.Password, "userKey": d.owner.APIKey, "none": ""}
	for name, value := range known {
		kept[name] = value
	}
	return &conversation{c, t, d.api, kept}
}

// expand puts in what is known for $name.
func (c *conversation) expand(text string) string {
	return os.Expand(text, func(name string) string {
		value, known := c.kept[name]
		if !known {
			c.t.Fatalf("nothing is known as $%s in %q", name, text)
		}
		return value
	})
}

// runs makes the calls one after another.
func (c *conversation) runs(calls []clientCall) {
	c.t.Helper()
	for _, call := range calls {
		c.run(call)
	}
}

func (c *conversation) run(call clientCall) {
	c.t.Helper()
	method, path, _ := strings.Cut(c.expand(call.asks), " ")
	body := c.expand(call.body)
	header := map[string]string{}
	if c.agent != "" {
		header["User-Agent"] = c.agent
	}
	if c.always || body != "" {
		header["Content-Type"] = "application/json"
	}
	if bearer := c.kept["bearer"]; bearer != "" && !slices.Contains(c.anonymous, call.name) {
		header["Authorization"] = "Bearer " + bearer
	}
	if call.header != "" {
		for _, line := range lines(c.expand(call.header)) {
			name, value, _ := strings.Cut(line, ": ")
			header[name] = value
		}
	}
	a := c.send(c.t, method, c.base+path, header, body)
	if a.err != nil || a.status != call.status {
		c.t.Fatalf("%s: want %d, got %v", call.name, call.status, a)
	}
	c.read(call, a)
}

// read does with an answer what clients do: parse it whatever its status says,
// unless that is 204, and use it.
func (c *conversation) read(call clientCall, a answer) {
	c.t.Helper()
	if a.status == http.StatusNoContent {
		if len(a.body) > 0 {
			c.t.Errorf("%s: 204 with a body: %v", call.name, a)
		}
		return
	}
	var v any
	if err := json.Unmarshal(a.body, &v); err != nil {
		c.t.Fatalf("%s: no JSON: %v", call.name, a)
	}
	if a.status >= 400 {
		if detail, _ := at(v, "detail")[0].(string); detail == "" {
			c.t.Errorf("%s: nothing for a person to read: %v", call.name, a)
		}
	}
	for field := range strings.FieldsSeq(call.reads) {
		for _, got := range at(v, field) {
			if got == nil {
				c.t.Errorf("%s: no %s in %v", call.name, field, a)
			}
		}
	}
	if only, ok := c.only[call.name]; ok && a.status < 300 {
		where, members, _ := strings.Cut(only, ":")
		c.refuses(call.name, at(v, where)[0], members)
	}
	for pair := range strings.FieldsSeq(call.keeps) {
		name, field, _ := strings.Cut(pair, "=")
		if c.kept[name] = fmt.Sprint(at(v, field)[0]); c.kept[name] == "<nil>" {
			c.t.Fatalf("%s: no %s in %v", call.name, field, a)
		}
	}
}

// refuses reads an object as a client that was generated from a schema does.
func (c *conversation) refuses(call string, object any, members string) {
	c.t.Helper()
	if list, ok := object.([]any); ok {
		for _, element := range list {
			c.refuses(call, element, members)
		}
		return
	}
	o, ok := object.(map[string]any)
	if !ok {
		c.t.Errorf("%s: %v is no object", call, object)
		return
	}
	var known []string
	for member := range strings.FieldsSeq(members) {
		name, required := strings.CutSuffix(member, "*")
		known = append(known, name)
		if _, there := o[name]; required && !there {
			c.t.Errorf("%s: %s is missing", call, name)
		}
	}
	for name := range o {
		if !slices.Contains(known, name) {
			c.t.Errorf("%s: unknown field %q", call, name)
		}
	}
}

// at finds a field, or one of every element of a list; nil for what is not
// there.
func at(v any, field string) []any {
	if field == "" {
		return []any{v}
	}
	name, rest, _ := strings.Cut(field, ".")
	name, many := strings.CutSuffix(name, "[]")
	o, _ := v.(map[string]any)
	v = o[name]
	if !many {
		return at(v, rest)
	}
	list, ok := v.([]any)
	if !ok {
		return []any{nil}
	}
	if rest == "" {
		return []any{v}
	}
	var all []any
	for _, element := range list {
		all = append(all, at(element, rest)...)
	}
	return all
}

// nodeFetch is a Node.js that sends for the clients that are written for it.
func nodeFetch(t *testing.T) func(testing.TB, string, string, map[string]string, string) answer {
	t.Helper()
	ask := npm(t).lines(t, "fetch.mjs")
	return func(t testing.TB, method, url string, header map[string]string, body string) answer {
		t.Helper()
		request := map[string]any{"method": method, "url": url, "headers": header}
		if body != "" {
			request["body"] = body
		}
		a := answer{asked: method + " " + url}
		line, err := ask(request)
		if err != nil {
			a.err = err
			return a
		}
		var got struct {
			Status            int
			Type, Text, Error string
		}
		if err := json.Unmarshal(line, &got); err != nil || got.Error != "" {
			a.err = fmt.Errorf("fetch: %s %w", got.Error, err)
			return a
		}
		a.status, a.body = got.Status, []byte(got.Text)
		a.header = http.Header{"Content-Type": {got.Type}}
		return a
	}
}

// goHTTP sends as clients do that are written in Go.
func goHTTP(t testing.TB, method, url string, header map[string]string, body string) answer {
	t.Helper()
	a := answer{asked: method + " " + url}
	var in io.Reader
	if body != "" {
		in = bytes.NewReader([]byte(body))
	}
	req, err := http.NewRequest(method, url, in)
	if err != nil {
		a.err = err
		return a
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.err = err
		return a
	}
	defer res.Body.Close()
	a.status, a.header = res.StatusCode, res.Header
	a.body, a.err = io.ReadAll(res.Body)
	return a
}

// aClientsAgent is an agent that may do everything in a vault of its own, and
// its key.
func aClientsAgent(t *testing.T, d *daemon, name string) map[string]string {
	t.Helper()
	h := d.human()
	agent, key := h.agent(t, name) // with the first agent comes the vault of agents' own keys
	v := h.vault(t, name)
	h.policy(v, agent, "**", "read", "write", "delete").is(t, 201)
	me := into[api.UserProfileResponse](t, h.do("GET", "/v1/auth/me", nil).is(t, 200))
	return map[string]string{"agent": agent, "agentKey": key, "vault": v, "me": me.ID, "later": later(time.Hour)}
}

// later is a time to come as JavaScript writes it.
func later(d time.Duration) string {
	return time.Now().Add(d).UTC().Format("2006-01-02T15:04:05.000Z")
}

// notServed are the calls of the clients that this appliance does not answer
// yet, by what they ask for. What is served leaves the list.
var notServed = map[string][]string{
	"GET /v1/billing/usage":                             {"TypeScript billing.usage", "CLI billing usage"},
	"GET /v1/billing/history":                           {"TypeScript billing.history"},
	"GET /v1/billing/subscription":                      {"Go Billing.Subscription", "CLI billing status"},
	"GET /v1/billing/credits/balance":                   {"Go Billing.Credits", "CLI billing credits"},
	"GET /v1/billing/credits/transactions":              {"CLI billing ledger"},
	"GET /v1/billing/llm-token-billing":                 {"TypeScript billing.llm…"},
	"GET /v1/treasury":                                  {"TypeScript treasury…"},
	"POST /v1/approvals":                                {"TypeScript approvals.request, until 0.17"},
	"POST /v1/approvals/request":                        {"TypeScript approvals.request, from 0.53"},
	"POST /v1/agents/batch-delete":                      {"TypeScript agents.batchDelete"},
	"POST /v1/agents/{agent_id}/delegations":            {"TypeScript agents.createDelegation"},
	"POST /v1/auth/passkeys/register/begin":             {"TypeScript passkeys…"},
	"POST /v1/auth/set-password":                        {"TypeScript auth.setPassword"},
	"POST /v1/auth/change-email":                        {"TypeScript auth.changeEmail"},
	"POST /v1/auth/export-data":                         {"TypeScript auth.exportData"},
	"GET /v1/vaults/{vault_id}/env-vars":                {"TypeScript envVars…"},
	"POST /v1/agents/{agent_id}/token":                  {"CLI agent token, which no description of the API has"},
	"GET /v1/vaults/{vault_id}/secrets/{path}/metadata": {"CLI secret describe, only 0.1.0"},
}

// TestClientCallsNotServed fails where a call is said not to be served that is:
// then it belongs into the test of its client. The others are refused as
// clients expect it, as a problem in JSON.
func TestClientCallsNotServed(t *testing.T) {
	text, err := os.ReadFile("../../docs/surface.txt")
	if err != nil {
		t.Fatal(err)
	}
	d := newLocal(t).start()
	known := strings.NewReplacer("{agent_id}", "00000000-0000-4000-8000-000000000000", "{vault_id}", "00000000-0000-4000-8000-000000000000",
		"{tx_id}", "1", "{identifier}", "base", "{chain_id}", "1", "{path}", "a")
	for route, calls := range notServed {
		if strings.Contains(string(text), route+" ") {
			t.Errorf("%s is served: %s belong into a test", route, strings.Join(calls, ", "))
			continue
		}
		method, path, _ := strings.Cut(known.Replace(route), " ")
		a := d.human().do(method, path, nil)
		if p := a.problem(t, a.status); p.Status != 404 && p.Status != 405 {
			t.Errorf("%v: %s", a, strconv.Quote(p.Detail))
		}
	}
}
