package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
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

// kek runs a command about keys.
func (d *daemon) kek(code int, args ...string) (stdout, stderr string) {
	d.t.Helper()
	args = append([]string{"kek"}, args...)
	flags := []string{"--data", d.data}
	if d.args[0] == "serve" {
		flags = d.args[1:]
	}
	out, errs, got := run(d.t, d.env, append(args, flags...)...)
	if got != code {
		d.t.Fatalf("%v: exit code %d, want %d\n%s%s", args, got, code, out, errs)
	}
	return out, errs
}

// keks is a line of `kek list`.
type keks struct {
	Vault, Org, Module string
	Generation, DEKs   int
	Older              []struct {
		Module           string
		Generation, DEKs int
	}
}

func (d *daemon) keks(vault string) keks {
	d.t.Helper()
	out, _ := d.kek(0, "list", "--json")
	var list []keks
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		d.t.Fatal(err)
	}
	for _, k := range list {
		if k.Vault == vault {
			return k
		}
	}
	d.t.Fatalf("%s is not in %s", vault, out)
	return keks{}
}

// onTwoTokens is a daemon whose module b is another token.
func onTwoTokens(t *testing.T) (d *daemon, second hsmtest.Token) {
	t.Helper()
	second = hsmtest.SoftHSM(t)
	first := hsmtest.SoftHSM(t)
	d = newServe(t, first, "--set", "hsm.modules=b="+moduleFile(t, second, second.Label))
	d.initModule("b")
	return d.start(), second
}

// TestKEKMovesUnderTraffic takes a vault from one token to another and back
// while clients read and write it.
func TestKEKMovesUnderTraffic(t *testing.T) {
	d, _ := onTwoTokens(t)
	f := newTraffic(t, d)
	eventually(t, patience, "busy", func() bool { return f.ok.Load() > 50 })
	for i, module := range []string{"b", "", "b"} {
		out, _ := d.kek(0, "rotate", "--vault", f.vault, "--module", module)
		if !strings.Contains(out, "done") {
			t.Errorf("rotate says %q", out)
		}
		if k := d.keks(f.vault); k.Module != module || k.Generation != i+2 || len(k.Older) != 0 || k.DEKs == 0 {
			t.Errorf("%+v", k)
		}
	}
	refused := f.refused.Load()
	f.end(d)
	if refused > 0 {
		t.Errorf("%d calls were refused", refused)
	}
	if out, _ := d.kek(0, "verify"); !strings.Contains(out, " 0 are damaged, 0 could") {
		t.Errorf("verify says %q", out)
	}
	d.restart()
	if got := d.human().value(t, f.vault, "fixed"); got != "the value" {
		t.Errorf("after a restart: %q", got)
	}
	if n := len(d.human().events(t, "action=kek.rotate&limit=100")); n != 3 {
		t.Errorf("%d rotations are in the audit log", n)
	}
	if n := len(d.human().events(t, "action=kek.rewrap&limit=100")); n != 3 {
		t.Errorf("%d ends of rotations are in the audit log", n)
	}
}

// TestModuleAway: while a module is away its vaults answer 503 and all others
// serve; it comes back without a restart, also if it was away at the start.
func TestModuleAway(t *testing.T) {
	d, second := onTwoTokens(t)
	h := d.human()
	a := h.vault(t, "on the default module")
	d.kek(2, "assign", "--org", d.keks(a).Org, "nowhere")
	d.kek(0, "assign", "--org", d.keks(a).Org, "b")
	b := h.vault(t, "on b")
	if k := d.keks(b); k.Module != "b" {
		t.Fatalf("%+v", k)
	}
	h.put(a, "x", "of a").is(t, 201)
	h.put(b, "x", "of b").is(t, 201)
	away := func() {
		t.Helper()
		h := d.human()
		eventually(t, patience, "unavailable", d.moduleIs("b", "unavailable"))
		h.get(b, "x").problem(t, 503)
		h.put(b, "x", "of b").problem(t, 503)
		h.do("POST", "/v1/vaults", map[string]string{"name": "new"}).problem(t, 503)
		if got := h.value(t, a, "x"); got != "of a" {
			t.Errorf("%q", got)
		}
		h.put(a, "x", "of a").is(t, 201)
		if s := string(h.do("GET", "/v1/health", nil).is(t, 200).body); !strings.Contains(s, `"degraded"`) {
			t.Errorf("/v1/health says %s", s)
		}
		if out, _ := d.kek(1, "verify"); !strings.Contains(out, "1 could not be tried") {
			t.Errorf("verify says %q", out)
		}
	}
	back := func() {
		t.Helper()
		eventually(t, patience, "readable", func() bool { return d.human().get(b, "x").status == 200 })
		if got := d.human().value(t, b, "x"); got != "of b" {
			t.Errorf("%q", got)
		}
	}
	plug := second.Unplug(t)
	away()
	plug()
	back()
	plug = second.Unplug(t)
	d.restart()
	away()
	plug()
	back()
	path := filepath.Join(t.TempDir(), "a.backup")
	d.operates("", "oneclawd drill", "backup", "create", path)
	d.operates("", "proven", "drill", path)
	if _, errs := d.kek(2, "rotate", "--vault", a, "--module", "c"); !strings.Contains(errs, "configured") {
		t.Errorf("rotate says %q", errs)
	}
}

// TestModuleSwapped: another token with the same label is no damage. Its vaults
// answer 503 until the right one is back, and status says which module it is.
func TestModuleSwapped(t *testing.T) {
	third := hsmtest.SoftHSM(t)
	d, second := onTwoTokens(t)
	h := d.human()
	v := h.vault(t, "on b")
	d.kek(0, "rotate", "--vault", v, "--module", "b")
	h.put(v, "x", "of b").is(t, 201)
	d.stop()
	args := d.args
	d.args = append(args[:len(args):len(args)], "--set", "hsm.modules=b="+moduleFile(t, third, third.Label))
	d.initModule("b")
	d.start()
	h = d.human()
	h.get(v, "x").problem(t, 503)
	h.put(v, "x", "new").problem(t, 503)
	eventually(t, patience, "unavailable", d.moduleIs("b", "unavailable"))
	if out, _, _ := run(t, d.env, append([]string{"status"}, d.args[1:]...)...); !strings.Contains(out, "root key is another") {
		t.Errorf("status says %s", out)
	}
	d.stop()
	d.args = append(args[:len(args):len(args)], "--set", "hsm.modules=b="+moduleFile(t, second, second.Label))
	d.start()
	if got := d.human().value(t, v, "x"); got != "of b" {
		t.Errorf("with the right token: %q", got)
	}
}

// TestKEKKilled is kill -9 in the middle of rotations: the next process goes on,
// and every value is there.
func TestKEKKilled(t *testing.T) {
	d, _ := onTwoTokens(t)
	h := d.human()
	v := h.vault(t, "v")
	const paths = 400
	h.fill(t, v, paths)
	unfinished := 0
	for round := range 6 {
		d.kek(0, "rotate", "--vault", v, "--detach", "--module", []string{"b", ""}[round%2])
		d.kill()
		d.start()
		if len(d.keks(v).Older) > 0 {
			unfinished++
		}
	}
	t.Logf("%d of 6 kills left something to do", unfinished)
	d.kek(0, "rewrap")
	if k := d.keks(v); len(k.Older) != 0 || k.DEKs != paths || k.Generation != 7 {
		t.Errorf("%+v", k)
	}
	d.kek(0, "verify")
	for i := range paths {
		if got := d.human().value(t, v, fmt.Sprint("p/", i)); got != fmt.Sprint("value ", i) {
			t.Errorf("%d is %q", i, got)
		}
	}
	d.human().verifyAudit(t)
}

// fill writes many paths.
func (h *client) fill(t testing.TB, vault string, paths int) {
	t.Helper()
	var all sync.WaitGroup
	for c := range 16 {
		all.Go(func() {
			for i := c; i < paths; i += 16 {
				if a := h.put(vault, fmt.Sprint("p/", i), fmt.Sprint("value ", i)); a.status != 201 {
					t.Error(a)
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkE2ERotateKEK takes 5,000 DEKs to another KEK of a SoftHSM token.
func BenchmarkE2ERotateKEK(b *testing.B) {
	d := newServe(b, hsmtest.SoftHSM(b)).start()
	h := d.human()
	v := h.vault(b, "v")
	const paths = 5000
	h.fill(b, v, paths)
	b.ResetTimer()
	for range b.N {
		d.kek(0, "rotate", "--vault", v)
	}
	b.ReportMetric(float64(paths*b.N)/b.Elapsed().Seconds(), "DEKs/s")
}
