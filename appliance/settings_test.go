package appliance_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance"
)

func none(string) string { return "" }

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "oneclawd.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A flag wins over the environment, the environment over the file, the file
// over the default.
func TestPrecedence(t *testing.T) {
	file := write(t, "[api]\nlisten = \"127.0.0.1:1\"\n")
	env := func(name string) string {
		if name == "ONECLAW_API_LISTEN" {
			return "127.0.0.1:2"
		}
		return ""
	}
	flag := map[string]string{"api.listen": "127.0.0.1:3"}
	for _, c := range []struct {
		file string
		env  func(string) string
		flag map[string]string
		want string
	}{
		{"", none, nil, appliance.Defaults().API.Listen},
		{file, none, nil, "127.0.0.1:1"},
		{file, env, nil, "127.0.0.1:2"},
		{file, env, flag, "127.0.0.1:3"},
	} {
		got, err := appliance.Load(c.file, c.env, c.flag)
		if err != nil || got.API.Listen != c.want {
			t.Errorf("%q, %v, want %q", got.API.Listen, err, c.want)
		}
	}
}

// The file that defaults writes says the defaults.
func TestDefaultsRoundTrip(t *testing.T) {
	var text bytes.Buffer
	if err := appliance.WriteDefaults(&text); err != nil {
		t.Fatal(err)
	}
	got, err := appliance.Load(write(t, text.String()), none, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := appliance.Defaults()
	for i, s := range got.Settings() {
		if d := want.Settings()[i]; s.Value() != d.Value() {
			t.Errorf("%s is %q, want %q", s.Key, s.Value(), d.Value())
		}
		if !strings.Contains(text.String(), s.Env) || !strings.Contains(text.String(), s.Doc) {
			t.Errorf("%s is not explained", s.Key)
		}
	}
}

// What is wrong is named, with its line where it has one.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		set  map[string]string
		want string
	}{
		"unknown in the file": {"[api]\nlisten = \"x:1\"\nlisen = 1\n", nil, "line 3"},
		"no TOML":             {"[api\n", nil, "line 1"},
		"unknown flag":        {"", map[string]string{"api.lisen": "x"}, "api.lisen"},
		"no number":           {"", map[string]string{"store.cache_mb": "many"}, "store.cache_mb"},
		"no duration":         {"", map[string]string{"api.drain_timeout": "15"}, "api.drain_timeout"},
		"no switch":           {"", map[string]string{"limits.exempt_loopback": "maybe"}, "limits.exempt_loopback"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := appliance.Load(write(t, c.file), none, c.set)
			if !errors.Is(err, appliance.ErrConfig) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v does not name %s", err, c.want)
			}
		})
	}
}

// What parses and cannot work is named too.
func TestUnworkable(t *testing.T) {
	for key, texts := range map[string][]string{
		"passwords.argon2_memory_kib": {"0", "7167", "1048577", "-1"},
		"passwords.argon2_time":       {"0", "65", "-1"},
		"passwords.concurrency":       {"-1", "65"},
	} {
		for _, text := range texts {
			c, err := appliance.Load("", none, map[string]string{"hsm.module": "local", "attest.mode": "none", key: text})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Check(); !errors.Is(err, appliance.ErrConfig) || !strings.Contains(err.Error(), key) {
				t.Errorf("%s=%s: %v", key, text, err)
			}
		}
	}
}

// A slip is what is nearly a setting of the daemon's, and nothing that is known to
// it or to the programs that call it.
func TestSlips(t *testing.T) {
	defaults := appliance.Defaults()
	known := []string{
		"ONECLAW_CONFIG", "ONECLAW_HSM_PIN", "ONECLAW_HSM_PASSPHRASE", "ONECLAW_MAIL_PASSWORD",
		"ONECLAW_API_KEY", "ONECLAW_API_URL", "ONECLAW_BASE_URL", "ONECLAW_CA_FILE", "ONECLAW_TOKEN", "ONECLAW_VAULT_ID", "ONECLAW_CREDENTIAL_STORE",
		"ONECLAW_AGENT_ID", "ONECLAW_AGENT_API_KEY", "ONECLAW_AGENT_TOKEN", "ONECLAW_LOCAL_ONLY", "ONECLAW_ATTEST_POLICY", "ONECLAW_PUBLIC_URL",
		"ONECLAW_MCP_SANITIZATION_MODE", "ONECLAW_MCP_SECURITY_ENABLED", "ONECLAW_MCP_REDACT_SECRETS", "ONECLAW_MCP_PII_DETECTION", "ONECLAW_MCP_EXFIL_PROTECTION",
		"ONECLAW", "ONECLAW_", "PATH", "",
	}
	for _, s := range defaults.Settings() {
		known = append(known, s.Env)
	}
	for _, name := range known {
		if got := appliance.Slips([]string{name + "=x"}); len(got) != 0 {
			t.Errorf("%s was taken for a slip: %v", name, got)
		}
	}
	for name, meant := range map[string]string{
		"ONECLAWD_API_LISTEN": "ONECLAW_API_LISTEN", "ONECLAW_API_LISEN": "ONECLAW_API_LISTEN", "ONECLAW_LOG_LEVE": "ONECLAW_LOG_LEVEL",
		"ONECLAWD_HSM_PIN": "ONECLAW_HSM_PIN", "ONECLAW_DATA_": "ONECLAW_DATA", "ONECLAW_EMAIL_FROM": "ONECLAW_MAIL_FROM",
	} {
		got := appliance.Slips([]string{"HOME=/", name + "=canary", "PATH=/bin"})
		if want := (appliance.Slip{Name: name, Meant: meant}); len(got) != 1 || got[0] != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
}
