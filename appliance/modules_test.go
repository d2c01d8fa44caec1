package appliance_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance"
)

// withModules is a configuration that could work, with these modules.
func withModules(t *testing.T, entries ...string) error {
	t.Helper()
	c, err := appliance.Load("", none, map[string]string{
		"hsm.module": "local", "attest.mode": "none", "hsm.modules": strings.Join(entries, ","),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.Check()
}

func TestModuleFiles(t *testing.T) {
	const good = "library = \"/lib/p.so\"\ntoken = \"t\"\npin_file = \"/pin\"\n"
	for name, c := range map[string]struct {
		text string
		want string // "" is fine
	}{
		"library and token": {good, ""},
		"a URI":             {"uri = \"pkcs11:token=t?module-path=/p.so&pin-source=file:/pin\"", ""},
		"environment":       {good + "sessions = 12\n[env]\nSOFTHSM2_CONF = \"/etc/b.conf\"\n", ""},
		"empty":             {"", "uri or library"},
		"no token":          {"library = \"/lib/p.so\"\npin_file = \"/pin\"\n", "token is needed"},
		"no PIN":            {"library = \"/lib/p.so\"\ntoken = \"t\"\n", "pin_file is needed"},
		"relative":          {"library = \"p.so\"\ntoken = \"t\"\npin_file = \"/pin\"\n", "absolute"},
		"unknown key":       {good + "pin = \"1234\"\n", "line 4: no such key: pin"},
		"no TOML":           {"library = \n", "line 1"},
		"wrong type":        {good + "sessions = \"many\"\n", "line 4"},
		"too few sessions":  {good + "sessions = 1\n", "sessions"},
		"bad variable":      {good + "[env]\n\"A B\" = \"x\"\n", "env"},
	} {
		t.Run(name, func(t *testing.T) {
			err := withModules(t, "a="+write(t, c.text))
			if c.want == "" && err == nil {
				return
			}
			if !errors.Is(err, appliance.ErrConfig) || !strings.Contains(err.Error(), "hsm.modules") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v does not name %q", err, c.want)
			}
		})
	}
}

func TestModuleNames(t *testing.T) {
	file := write(t, "library = \"/lib/p.so\"\ntoken = \"t\"\npin_file = \"/pin\"\n")
	for entry, want := range map[string]string{
		"customer-a=" + file:                  "",
		"0=" + file:                           "",
		strings.Repeat("x", 32) + "=" + file:  "",
		strings.Repeat("x", 33) + "=" + file:  "name=file",
		"A=" + file:                           "name=file",
		"a_b=" + file:                         "name=file",
		"=" + file:                            "name=file",
		file:                                  "name=file",
		"a=modules/a.toml":                    "absolute",
		"a=" + filepath.Join(file, "missing"): "hsm.modules",
	} {
		err := withModules(t, entry)
		if want == "" && err == nil {
			continue
		}
		if !errors.Is(err, appliance.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", entry, err, want)
		}
	}
	if err := withModules(t, "a="+file, "a="+file); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a name twice: %v", err)
	}
}
