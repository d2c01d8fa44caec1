package e2e

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// TestUseWithoutSeeing has an agent call a service with a key that it never
// sees, though the service gives it back in all its answers; and not call
// another, nor any once it is away from its place in the network.
func TestUseWithoutSeeing(t *testing.T) {
	const key = "sk_live_canaryOfTheService42"
	var calls atomic.Int32
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		body, _ := io.ReadAll(r.Body)
		got := r.Header.Get("Authorization")
		if got != "Bearer "+key || string(body) != `{"key":"`+key+`"}` {
			t.Errorf("the service was sent %q and %q", got, body)
		}
		w.Header().Set("X-Echo", got)
		_, _ = io.WriteString(w, "you sent "+got+", that is "+base64.StdEncoding.EncodeToString([]byte(key)))
	}))
	defer service.Close()

	d := newLocal(t, "--set", "egress.allow_loopback=true").start()
	h := d.human()
	vault := h.vault(t, "services")
	h.do("PUT", secretPath(vault, "api/service"), map[string]any{
		"value": key, "metadata": map[string]any{"allowed_hosts": []string{service.URL}},
	}).is(t, 201)
	agent, agentKey := h.agent(t, "caller")
	h.policy(vault, agent, "api/**", "use").is(t, 201)
	bot := d.as(h.token(t, agentKey))

	if p := bot.get(vault, "api/service").problem(t, 403); p.Code != "handle_only" {
		t.Errorf("reading is refused with %s", p.Code)
	}
	call := func(url string) answer {
		return bot.do("POST", "/v1/agents/"+agent+"/execute", api.ExecuteRequest{
			Method: "POST", URL: url, Body: `{"key":"{{secret:api/service}}"}`,
			Headers: map[string]string{"authorization": "Bearer {{secret:api/service}}", "content-type": "application/json"},
		})
	}
	answered := call(service.URL + "/v1/charges?private=yes")
	out := into[api.ExecuteResponse](t, answered.is(t, 200))
	if out.Status != 200 || out.Redactions < 3 || !strings.HasPrefix(out.Body, "you sent Bearer [REDACTED:") {
		t.Errorf("the answer is %+v", out)
	}
	call("http://127.0.0.1:1/").is(t, 403)

	d.stop()
	d.args = append(d.args, "--set", "egress.allow_loopback=false")
	d.start()
	bot = d.as(d.human().token(t, agentKey))
	if closed := call(service.URL); closed.status < 400 {
		t.Errorf("the loopback is closed, and the answer %v", closed)
	}
	if calls.Load() != 1 {
		t.Errorf("the service was called %d times", calls.Load())
	}

	encoded := base64.StdEncoding.EncodeToString([]byte(key))
	events := d.human().do("GET", "/v1/audit/events?limit=100", nil).is(t, 200)
	for where, text := range map[string]string{"the agent's answer": string(answered.body), "the log": d.log(), "the audit log": string(events.body)} {
		if strings.Contains(text, key) || strings.Contains(text, encoded) {
			t.Errorf("%s has the key", where)
		}
	}
	if text := string(events.body); !strings.Contains(text, `"secret.use"`) || !strings.Contains(text, `"secret.used"`) || strings.Contains(text, "private=yes") {
		t.Error("the audit log does not say what was used, or says too much")
	}
}
