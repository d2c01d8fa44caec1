package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// client speaks to one API as one principal. It is safe for concurrent use.
type client struct {
	base, bearer string
	http         *http.Client
}

// transport keeps many connections, since every worker of a test wants one.
func transport(connections int) *http.Transport {
	return &http.Transport{
		MaxIdleConns: connections, MaxIdleConnsPerHost: connections, DisableCompression: true,
		IdleConnTimeout: time.Minute,
	}
}

// as is a client of the running daemon with the bearer token.
func (d *daemon) as(bearer string) *client {
	return &client{base: d.api, bearer: bearer, http: &http.Client{Transport: transport(64), Timeout: patience}}
}

// human is a client of the running daemon with the owner's key.
func (d *daemon) human() *client { return d.as(d.owner.APIKey) }

// answer is what came back; err is set if nothing did, and then nobody knows
// what the daemon did.
type answer struct {
	err    error
	status int
	header http.Header
	body   []byte
	asked  string
}

func (c *client) do(method, path string, body any) answer {
	return c.doWith(method, path, body, nil)
}

func (c *client) doWith(method, path string, body any, header http.Header) answer {
	a := answer{asked: method + " " + path}
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			panic(err) // the test is wrong
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, c.base+path, in)
	if err != nil {
		a.err = err
		return a
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("Content-Type", "application/json")
	if c.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	res, err := c.http.Do(req)
	if err != nil {
		a.err = err
		return a
	}
	defer res.Body.Close()
	a.status, a.header = res.StatusCode, res.Header
	a.body, a.err = io.ReadAll(res.Body)
	return a
}

func (a answer) String() string {
	if a.err != nil {
		return fmt.Sprintf("%s: %v", a.asked, a.err)
	}
	return fmt.Sprintf("%s: %d %s", a.asked, a.status, bytes.TrimSpace(a.body))
}

// is expects a status.
func (a answer) is(t testing.TB, status int) answer {
	t.Helper()
	if a.err != nil || a.status != status {
		t.Fatalf("want %d, got %v", status, a)
	}
	return a
}

// problem expects a status and the body that says why.
func (a answer) problem(t testing.TB, status int) api.Problem {
	t.Helper()
	a.is(t, status)
	if got := a.header.Get("Content-Type"); got != api.ProblemContentType {
		t.Errorf("%v: Content-Type %q", a, got)
	}
	p := into[api.Problem](t, a)
	if p.Status != status || p.Detail == "" || p.Title == "" {
		t.Errorf("not a whole problem: %v", a)
	}
	return p
}

// into decodes the body of an answer.
func into[T any](t testing.TB, a answer) T {
	t.Helper()
	var v T
	if a.err != nil {
		t.Fatal(a)
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%v: %v", a, err)
	}
	return v
}

func secretPath(vault, path string) string { return "/v1/vaults/" + vault + "/secrets/" + path }

func (c *client) put(vault, path, value string) answer {
	return c.do("PUT", secretPath(vault, path), api.PutSecretRequest{Value: value})
}

func (c *client) get(vault, path string) answer { return c.do("GET", secretPath(vault, path), nil) }

// value reads a secret that must be there.
func (c *client) value(t testing.TB, vault, path string) string {
	t.Helper()
	return into[api.SecretResponse](t, c.get(vault, path).is(t, 200)).Value
}

// vault makes a vault.
func (c *client) vault(t testing.TB, name string) string {
	t.Helper()
	return into[api.VaultResponse](t, c.do("POST", "/v1/vaults", api.CreateVaultRequest{Name: name}).is(t, 201)).ID
}

// agent registers an agent and returns its id and key.
func (c *client) agent(t testing.TB, name string) (id, key string) {
	t.Helper()
	made := into[api.AgentCreatedResponse](t, c.do("POST", "/v1/agents", api.CreateAgentRequest{Name: name}).is(t, 201))
	return made.Agent.ID, made.APIKey
}

func (c *client) policy(vault, agent, pattern string, permissions ...string) answer {
	return c.do("POST", "/v1/vaults/"+vault+"/policies", api.CreatePolicyRequest{
		SecretPathPattern: pattern, PrincipalType: "agent", PrincipalID: agent, Permissions: permissions,
	})
}

// exchange buys a token with an agent's key.
func (c *client) exchange(key string) answer {
	return (&client{base: c.base, http: c.http}).do("POST", "/v1/auth/agent-token", api.AgentTokenRequest{APIKey: new(key)})
}

func (c *client) token(t testing.TB, key string) string {
	t.Helper()
	return into[api.TokenResponse](t, c.exchange(key).is(t, 200)).AccessToken
}

// events returns the newest events that match the query, newest first.
func (c *client) events(t testing.TB, query string) []api.AuditEvent {
	t.Helper()
	return into[api.AuditEventsResponse](t, c.do("GET", "/v1/audit/events?"+query, nil).is(t, 200)).Events
}

// verifyAudit expects the daemon to find its log intact.
func (c *client) verifyAudit(t testing.TB) api.AuditVerifyResponse {
	t.Helper()
	v := into[api.AuditVerifyResponse](t, c.do("GET", "/v1/audit/verify", nil).is(t, 200))
	if !v.ChainValid || v.EventsVerified == 0 {
		t.Fatalf("the audit log is broken: %+v", v)
	}
	return v
}

// sinceQuery is the filter for events from t on.
func sinceQuery(t time.Time) string {
	return "from=" + url.QueryEscape(t.UTC().Format(time.RFC3339Nano))
}

// health is what /v1/health/hsm says, "" if it does not answer.
func (c *client) health() string {
	var h api.HSMHealthResponse
	if a := c.do("GET", "/v1/health/hsm", nil); a.err != nil || json.Unmarshal(a.body, &h) != nil {
		return ""
	}
	return h.Status
}

// lines splits a text into its lines.
func lines(text string) []string {
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}
