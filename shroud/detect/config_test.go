package detect

import (
	"strings"
	"testing"
)

func TestConfigOfClients(t *testing.T) {
	c, err := ParseConfig([]byte(`{"strictness":"x","sanitization_mode":"warn","pii_policy":"block","unicode_normalization":{"detect_unicode":true},
		"command_injection_detection":{"action":"shout","patterns":"strict"},"network_detection":{"blocked_domains":["a.example"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := Defaults()
	want.PIIPolicy, want.Command.Patterns, want.Network.BlockedDomains = "block", "strict", []string{"a.example"}
	if c.SanitizationMode != "block" || c.PIIPolicy != "block" || c.Command.Action != Block || c.Command.Patterns != "strict" || len(c.Network.BlockedDomains) != 1 || !c.Unicode.Enabled {
		t.Errorf("got %+v, want %+v", c, want)
	}
	if _, err := ParseConfig([]byte(`{"injection_threshold":"high"}`)); err == nil {
		t.Error("a word was taken for a number")
	}
	if c, err := ParseConfig(nil); err != nil || !c.EnableSecretRedaction {
		t.Errorf("nothing gives %+v, %v", c, err)
	}
}

func TestPoliciesAreBounded(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"many patterns": func(c *Config) { c.Command.CustomPatterns = make([]string, maxCustom+1) },
		"long patterns": func(c *Config) { c.Command.CustomPatterns = []string{strings.Repeat("a", maxCustomSize+1)} },
		"no pattern":    func(c *Config) { c.Command.CustomPatterns = []string{"(?=x)"} },
		"many domains":  func(c *Config) { c.Network.AllowedDomains = make([]string, maxListed) },
		"many paths":    func(c *Config) { c.Filesystem.BlockedPaths = make([]string, maxListed+1) },
	} {
		c := Defaults()
		c.Command.Patterns = "custom"
		change(&c)
		if _, err := NewPolicy(c); err == nil {
			t.Errorf("%s: a policy was made", name)
		}
	}
}

func TestActions(t *testing.T) {
	type row struct {
		config func(*Config)
		f      Finding
		want   Action
	}
	for name, c := range map[string]row{
		"commands block":              {func(*Config) {}, Finding{Type: CommandInjection, Severity: Critical}, Block},
		"a filter's warning holds":    {func(*Config) {}, Finding{Type: Network, Severity: Critical}, Warn},
		"surgical takes out":          {func(c *Config) { c.SanitizationMode = "surgical" }, Finding{Type: CommandInjection, Severity: Critical}, Sanitize},
		"log only logs":               {func(c *Config) { c.SanitizationMode = "log_only" }, Finding{Type: PromptInjection, Severity: Critical}, Log},
		"injections block":            {func(*Config) {}, Finding{Type: PromptInjection, Severity: High}, Block},
		"below the threshold":         {func(*Config) {}, Finding{Type: ContextInjection, Severity: Medium}, Warn},
		"personal data is redacted":   {func(*Config) {}, Finding{Type: PII}, Sanitize},
		"personal data blocks":        {func(c *Config) { c.PIIPolicy = "block" }, Finding{Type: PII}, Block},
		"credentials are redacted":    {func(*Config) {}, Finding{Type: SecretLeak}, Sanitize},
		"or only written down":        {func(c *Config) { c.EnableSecretRedaction = false }, Finding{Type: SecretLeak}, Log},
		"encodings may be decoded":    {func(c *Config) { c.Encoding.Action = Decode }, Finding{Type: Encoding}, Decode},
		"files are only written down": {func(*Config) {}, Finding{Type: Filesystem}, Log},
	} {
		cfg := Defaults()
		c.config(&cfg)
		p, err := NewPolicy(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Action(c.f); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestPresets(t *testing.T) {
	for _, name := range []string{"strict", "balanced", "permissive"} {
		c, ok := Preset(name)
		if _, err := NewPolicy(c); err != nil || !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok := Preset("lax"); ok {
		t.Error("there is no lax preset")
	}
}

func TestHostsInEveryNotation(t *testing.T) {
	for host, want := range map[string]string{
		"203.0.113.9": "203.0.113.9", "3405803785": "203.0.113.9", "0xcb007109": "203.0.113.9", "0313.0.0161.011": "203.0.113.9", "203.0.28937": "203.0.113.9",
		"203.28937": "203.0.113.9", "[::ffff:203.0.113.9]": "203.0.113.9", "[::1]": "::1", "127.1": "127.0.0.1",
		"example.org": "", "1.2.3.4.5": "", "256.1.1.1": "", "4294967296": "", "1.2.3": "1.2.0.3", "[zz]": "", "": "", "deadbeef.example": "", "0b1.1.1.1": "", "1_0": "",
	} {
		a := hostAddress(host)
		got := ""
		if a.ip.IsValid() {
			got = a.ip.String()
		}
		if got != want {
			t.Errorf("%q is %q, want %q", host, got, want)
		}
	}
}

func TestLiteralsAreFoundWhereTheyAre(t *testing.T) {
	l := newLiterals([]string{"whoami", "; id", "парол", "a.b", "admin"})
	var got []hit
	text := "WhoAmI; Id paarol пароль a.b iamadmin Admin"
	l.scan(lowered(text), func(h hit) bool {
		got = append(got, h)
		return true
	})
	var words []string
	for _, h := range got {
		words = append(words, text[h.start:h.end])
	}
	if s := strings.Join(words, "|"); s != "WhoAmI|; Id|парол|a.b|Admin" {
		t.Errorf("found %q", s)
	}
}

// What a preset says holds where the configuration says nothing else.
func TestParseConfigPreset(t *testing.T) {
	strict, _ := Preset("strict")
	for text, want := range map[string]string{
		`{"preset":"strict"}`:                     strict.PIIPolicy,
		`{"preset":"strict","pii_policy":"warn"}`: "warn",
		`{"pii_policy":"warn","preset":"strict"}`: "warn",
		`{"preset":"balanced"}`:                   "redact",
		`{"preset":"unheard of"}`:                 "redact",
		`{"preset":7}`:                            "redact",
	} {
		c, err := ParseConfig([]byte(text))
		if err != nil || c.PIIPolicy != want {
			t.Errorf("%s: %q, %v", text, c.PIIPolicy, err)
		}
	}
	c, err := ParseConfig([]byte(`{"preset":"strict","network_detection":{"blocked_domains":["evil.test"]}}`))
	if err != nil || c.Network.Action != Block || len(c.Network.BlockedDomains) != 1 || c.Filesystem.Action != Block {
		t.Errorf("%+v, %v", c, err)
	}
}
