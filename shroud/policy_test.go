package shroud_test

import (
	"encoding/json"
	"testing"

	"github.com/oneclaw/oneclawd/shroud"
	"github.com/oneclaw/oneclawd/shroud/meter"
)

func TestPolicyDefaults(t *testing.T) {
	for _, config := range []string{"", "{}", `{"strictness":"high","unheard_of":{"a":[1]}}`} {
		p, err := shroud.ParsePolicy(json.RawMessage(config))
		if err != nil {
			t.Fatal(err)
		}
		if p.MaxInput != 8192 || p.Limits != (meter.Limits{PerMinute: 60, PerDay: 10_000}) || !p.Redact || !p.FilterAnswers || !p.LogThreats {
			t.Errorf("%s: %+v", config, p)
		}
	}
	p, err := shroud.ParsePolicy(json.RawMessage(`{"max_tokens_per_request":0,"max_requests_per_minute":0,"daily_budget_usd":1.5,"enable_secret_redaction":false}`))
	if err != nil || p.MaxInput != 0 || p.Limits.PerMinute != 0 || p.Limits.Budget != 1_500_000 || p.Redact {
		t.Errorf("%+v %v", p, err)
	}
	if _, err := shroud.ParsePolicy(json.RawMessage(`{"max_tokens_per_request":"many"}`)); err == nil {
		t.Error("a policy that cannot be read allows something")
	}
}

func TestPolicyModels(t *testing.T) {
	for _, c := range []struct {
		allowed, denied, model string
		ok                     bool
	}{
		{"", "", "anything", true},
		{"gpt-4o*", "", "gpt-4o-mini", true},
		{"gpt-4o*", "", "GPT-4o", true},
		{"gpt-4o*", "", "gpt-5", false},
		{"", "*-preview", "gpt-9-preview", false},
		{"gpt-*", "gpt-5*", "gpt-5-mini", false},
		{"", "*llama*", "meta/llama-3/70b", false},
		{"[", "", "[", true},
		{"[", "", "x", false},
	} {
		config := map[string]any{}
		if c.allowed != "" {
			config["allowed_models"] = []string{c.allowed}
		}
		if c.denied != "" {
			config["denied_models"] = []string{c.denied}
		}
		raw, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		p, err := shroud.ParsePolicy(raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Model(c.model); (err == nil) != c.ok {
			t.Errorf("%s with %s: %v", c.model, raw, err)
		}
	}
	p, err := shroud.ParsePolicy(json.RawMessage(`{"allowed_providers":["Gemini"]}`))
	if err != nil || p.Provider("google") != nil || p.Provider("openai") == nil {
		t.Errorf("%+v %v", p, err)
	}
}

// A configuration that changes counts with the next call, and one that cannot be read
// allows nothing, however often.
func TestConfigurationsThatChange(t *testing.T) {
	w := newWorld(t, replies("fine"))
	for i, c := range []struct {
		config string
		status int
	}{
		{`{"denied_models":["gpt-4o"]}`, 403}, {`{}`, 200}, {`{"denied_models":["gpt-4o"]}`, 403}, {`{"pii_policy":7}`, 403}, {`{"pii_policy":7}`, 403}, {``, 200},
	} {
		if w.config = c.config; w.call("openai", chat, message("user", "hello")).Code != c.status {
			t.Errorf("%d: %s", i, c.config)
		}
	}
}
