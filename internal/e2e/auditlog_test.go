package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// cli runs a command against the running daemon, as its owner.
func (d *daemon) cli(args ...string) (stdout, stderr string, code int) {
	d.t.Helper()
	return run(d.t, append([]string{"ONECLAW_API_URL=" + d.api, "ONECLAW_API_KEY=" + d.owner.APIKey}, d.env...), args...)
}

func (d *daemon) mustCLI(args ...string) string {
	d.t.Helper()
	out, errs, code := d.cli(args...)
	if code != 0 || errs != "" {
		d.t.Fatalf("%v: exit code %d\n%s%s", args, code, out, errs)
	}
	return out
}

// TestAuditOffline exports the log, and shows that whatever is done to the
// export is found without a server, and where.
func TestAuditOffline(t *testing.T) {
	needSoftHSM(t)
	d := newDev(t).start()
	h := d.human()
	v := h.vault(t, "v")
	for i := range 40 {
		h.put(v, fmt.Sprintf("a/%d", i%7), "x").is(t, 201)
	}
	old := file(t, "old", d.mustCLI("audit", "checkpoint"))
	oldLog := d.mustCLI("audit", "export")
	for i := range 40 {
		h.get(v, fmt.Sprintf("a/%d", i%9))
	}
	key := d.mustCLI("audit", "key")
	keyFile := file(t, "key", key)
	export := d.mustCLI("audit", "export")
	d.stop() // from here on there is no server

	verify := func(log string, more ...string) (string, int) {
		args := append([]string{"audit", "verify", "--key", keyFile}, more...)
		out, errs, code := run(t, nil, append(args, file(t, "log", log))...)
		if strings.Contains(errs, "goroutine ") {
			t.Error(errs)
		}
		return out + errs, code
	}
	all := lines(export)
	events := all[:len(all)-1]
	said, code := verify(export, "--checkpoint", old)
	if want := fmt.Sprintf("%d events, all intact", len(events)); code != 0 || !strings.Contains(said, want) || !strings.Contains(said, "continues the older checkpoint") {
		t.Errorf("an intact log: %d %s", code, said)
	}
	if said, code := verify(export, "--key", strings.TrimSpace(key)); code != 0 {
		t.Errorf("with the key itself: %d %s", code, said)
	}

	without := func(i int) []string { return append(append([]string{}, all[:i]...), all[i+1:]...) }
	with := func(change func(l []string)) []string {
		l := append([]string{}, all...)
		change(l)
		return l
	}
	for name, tt := range map[string]struct {
		log  []string
		want string
	}{
		"a byte flipped":   {with(func(l []string) { l[30] = strings.Replace(l[30], "secret.write", "secret.vrite", 1) }), "event 30"},
		"an actor changed": {with(func(l []string) { l[31] = strings.Replace(l[31], `"user"`, `"agent"`, 1) }), "event 31"},
		"a line dropped":   {without(25), "event 25"},
		"first dropped":    {without(0), "event 0"},
		"lines swapped":    {with(func(l []string) { l[40], l[41] = l[41], l[40] }), "event 40"},
		"a line repeated":  {append(append(append([]string{}, all[:51]...), all[50]), all[51:]...), "event 51"},
		"the end cut off":  {append(append([]string{}, all[:60]...), all[len(all)-1]), "event 60"},
		"no checkpoint":    {events, "does not end with a checkpoint"},
		"cut in a line":    {[]string{export[:len(export)/2]}, "event"},
		"nothing":          {nil, ""},
	} {
		said, code := verify(strings.Join(append(tt.log, ""), "\n"))
		if code != 1 || !strings.Contains(said, tt.want) {
			t.Errorf("%s: exit code %d, it says %s; want %q", name, code, said, tt.want)
		}
	}
	// The log of then with the checkpoint of then is whole in itself: only a
	// checkpoint kept elsewhere shows that its end is gone.
	shorter := file(t, "newer", checkpointOf(t, export))
	if said, code := verify(oldLog); code != 0 {
		t.Errorf("the older export by itself: %d %s", code, said)
	}
	if said, code := verify(oldLog, "--checkpoint", shorter); code != 1 || said == "" {
		t.Errorf("an export that ends before the checkpoint kept elsewhere: %d %s", code, said)
	}
	other := newDev(t).start()
	if said, code := verify(other.mustCLI("audit", "export")); code != 1 {
		t.Errorf("another appliance's log: %d %s", code, said)
	}
}

var checkpointField = regexp.MustCompile(`^\{"checkpoint":"((?:[^"\\]|\\.)*)"`)

func checkpointOf(t *testing.T, export string) string {
	t.Helper()
	all := lines(export)
	m := checkpointField.FindStringSubmatch(all[len(all)-1])
	if m == nil {
		t.Fatal("the export has no checkpoint")
	}
	return strings.ReplaceAll(m[1], `\n`, "\n")
}

// TestRollback puts back an older copy of the data. The HSM remembers that the
// log was longer, and the daemon does not start.
func TestRollback(t *testing.T) {
	needSoftHSM(t)
	for _, with := range [][]string{{"state.db"}, {"state.db", "events"}} {
		t.Run(strings.Join(with, " and "), func(t *testing.T) {
			d := newDev(t).start()
			v := d.human().vault(t, "v")
			d.human().put(v, "a", "1").is(t, 201)
			d.stop()
			older := filepath.Join(t.TempDir(), "older")
			copyDir(t, d.data, older)
			d.start()
			d.human().put(v, "a", "2").is(t, 201)
			d.mustCLI("audit", "checkpoint")
			d.kill()
			newer := filepath.Join(t.TempDir(), "newer")
			copyDir(t, d.data, newer)
			putBack := func(from string) {
				for _, name := range with {
					if err := os.RemoveAll(filepath.Join(d.data, name)); err != nil {
						t.Fatal(err)
					}
					copyDir(t, filepath.Join(from, name), filepath.Join(d.data, name))
				}
			}
			putBack(older)
			d.refuses(1, "audit events, but the HSM remembers", "an older copy was put back")
			d.refuses(1, "an older copy was put back") // trying again does not help
			putBack(newer)
			d.start()
			if got := d.human().value(t, v, "a"); got != "2" {
				t.Errorf("%q", got)
			}
			d.human().verifyAudit(t)
		})
	}
}

// TestTokens: what was given up stays given up.
func TestTokens(t *testing.T) {
	needSoftHSM(t)
	d := newDev(t, "--set", "limits.auth_rate=0").start()
	h := d.human()
	login := func() string {
		a := d.as("").do("POST", "/v1/auth/token", api.LoginRequest{Email: d.owner.Email, Password: d.owner.Password})
		return into[api.LoginResponse](t, a.is(t, 200)).AccessToken
	}
	_, key := h.agent(t, "a")
	made := into[api.ApiKeyCreatedResponse](t, h.do("POST", "/v1/auth/api-keys", api.CreateApiKeyRequest{Name: "k"}).is(t, 201))
	bought := into[api.TokenResponse](t, d.as("").do("POST", "/v1/auth/api-key-token", api.UserApiKeyTokenRequest{APIKey: made.APIKey}).is(t, 200))
	revoked := map[string]string{"user": login(), "agent": h.token(t, key), "bought": bought.AccessToken}
	kept := map[string]string{"user": login(), "agent": h.token(t, key)}
	works := func(token string, want int) {
		t.Helper()
		if a := d.as(token).do("GET", "/v1/vaults", nil); a.status != want {
			t.Errorf("want %d, got %v", want, a)
		}
	}
	for what, token := range revoked {
		works(token, 200)
		if a := d.as(token).do("DELETE", "/v1/auth/token", nil).is(t, 200); !strings.Contains(string(a.body), `"revoked":true`) {
			t.Errorf("%s: %v", what, a)
		}
		works(token, 401)
	}
	h.do("DELETE", "/v1/auth/api-keys/"+made.Key.ID, nil).is(t, 204)
	d.kill()
	for range 2 {
		d.start()
		for _, token := range revoked {
			works(token, 401)
			works(token[:len(token)-4]+"AAAA", 401)
		}
		for _, token := range kept {
			works(token, 200)
		}
		works(made.APIKey, 401)
		d.as("").do("POST", "/v1/auth/api-key-token", api.UserApiKeyTokenRequest{APIKey: made.APIKey}).problem(t, 401)
		d.stop()
	}
	// A token of one appliance is nothing to another.
	other := newDev(t).start()
	other.as(kept["user"]).do("GET", "/v1/vaults", nil).problem(t, 401)
	other.as(d.owner.APIKey).do("GET", "/v1/vaults", nil).problem(t, 401)
}
