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
