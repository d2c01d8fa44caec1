package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/hsm/hsmtest"
)

// moduleFile describes a token for hsm.modules. Its environment is its own: the
// default module's token is in another SoftHSM.
func moduleFile(t *testing.T, token hsmtest.Token, label string) string {
	t.Helper()
	_, conf, _ := strings.Cut(token.Env[0], "=")
	return file(t, "module.toml", fmt.Sprintf("library = %q\ntoken = %q\npin_file = %q\n[env]\nSOFTHSM2_CONF = %q\n",
		token.Library, label, file(t, "pin", string(token.PIN.Reveal())+"\n"), conf))
}

// initModule makes the root key of a module.
func (d *daemon) initModule(name string) {
	d.t.Helper()
	out, errs, code := run(d.t, d.env, append([]string{"hsm", "init", name}, d.args[1:]...)...)
	if code != 0 || !strings.Contains(out, "root key") {
		d.t.Fatalf("hsm init: %d\n%s%s", code, out, errs)
	}
}

// moduleIs is a poll for what `oneclawd status` says of a module.
func (d *daemon) moduleIs(name, status string) func() bool {
	return func() bool {
		out, _, code := run(d.t, d.env, append([]string{"status", "--json"}, d.args[1:]...)...)
		var r struct {
			State struct {
				Modules []struct{ Name, Status string }
			}
		}
		if code != 0 || json.Unmarshal([]byte(out), &r) != nil {
			return false
		}
		for _, m := range r.State.Modules {
			if m.Name == name {
				return m.Status == status
			}
		}
		return false
	}
}

// settingModules: a module that is there, one that is not, and none.
func settingModules(t *testing.T, _ *lab) {
	second := hsmtest.SoftHSM(t)
	d := newServe(t, hsmtest.SoftHSM(t))
	args := d.args
	d.args = append(args[:len(args):len(args)], "--set", "hsm.modules=b="+moduleFile(t, second, "elsewhere"))
	d.start()
	eventually(t, patience, "unavailable", d.moduleIs("b", "unavailable"))
	eventually(t, patience, "degraded", d.healthIs("degraded"))
	if s := string(d.human().do("GET", "/v1/health/hsm", nil).is(t, 200).body); !strings.Contains(s, "1 of 1 other HSM modules") {
		t.Errorf("%s does not say so", s)
	}
	d.human().vault(t, "v")
	d.stop()
	d.args = append(args[:len(args):len(args)], "--set", "hsm.modules=b="+moduleFile(t, second, second.Label))
	d.initModule("b")
	d.start()
	eventually(t, patience, "ok", d.moduleIs("b", "ok"))
	eventually(t, patience, "ok", d.healthIs("ok"))
	d.stop()
	d.args = append(args[:len(args):len(args)], "--set", "hsm.modules=b=/nowhere/b.toml")
	d.refuses(2, "hsm.modules", "/nowhere/b.toml")
}
