package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// canary is a text that is planted in one place and looked for in others.
type canary struct{ what, text string }

// canaries are what a user has written into the daemon. The values may be seen
// by nobody; the names may not be readable on the disk.
func canaries() (values, names []canary) {
	mark := fmt.Sprintf("%08x", time.Now().UnixNano()&0xffffffff)
	return []canary{
			{"secret value", "sv-canary-" + mark},
			{"older value", "ov-canary-" + mark},
			{"deleted value", "dv-canary-" + mark},
			{"refused value", "rv-canary-" + mark},
		}, []canary{
			{"secret path", "path-canary-" + mark},
			{"metadata", "meta-canary-" + mark},
			{"vault name", "vault-canary-" + mark},
			{"vault description", "about-canary-" + mark},
			{"agent name", "agent-canary-" + mark},
			{"policy pattern", "pattern-canary-" + mark},
			{"key name", "keyname-canary-" + mark},
			{"missing path", "missing-canary-" + mark},
			{"IP address", "203.0.113.77"},
			{"policy network", "198.51.100.0/25"},
		}
}

// forms are the ways in which a text is written down.
func (c canary) forms() map[string][]byte {
	forms := map[string][]byte{
		"raw": []byte(c.text), "hex": []byte(hex.EncodeToString([]byte(c.text))), "HEX": []byte(strings.ToUpper(hex.EncodeToString([]byte(c.text)))),
	}
	// Inside other text base64 has three alignments. The ends depend on what is
	// beside, so they are left out.
	for shift := range 3 {
		padded := append(bytes.Repeat([]byte{0}, shift), c.text...)
		whole := len(padded) / 3 * 3
		text := base64.StdEncoding.EncodeToString(padded[:whole])[4*((shift+2)/3):]
		forms[fmt.Sprintf("base64/%d", shift)] = []byte(text)
		forms[fmt.Sprintf("base64url/%d", shift)] = []byte(strings.NewReplacer("+", "-", "/", "_").Replace(text))
	}
	return forms
}

// in names the forms of the canary that text holds.
func (c canary) in(text []byte) (found []string) {
	for form, b := range c.forms() {
		if bytes.Contains(text, b) {
			found = append(found, form)
		}
	}
	return found
}

// searchFiles looks for canaries in every file of the data folder but those
// that are there to show a development appliance's credentials.
func searchFiles(t *testing.T, when, data string, all []canary) {
	t.Helper()
	files, size := 0, 0
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, _ := filepath.Rel(data, path)
		if rel == "dev-owner.json" || rel == filepath.Join("softhsm", "pin") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files, size = files+1, size+len(text)
		for _, c := range all {
			if found := c.in(text); found != nil {
				t.Errorf("%s: %s shows the %s, %v", when, rel, c.what, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 5 || size < 1<<20 {
		t.Errorf("%s: only %d files with %d bytes were searched", when, files, size)
	}
}

// TestCanaryForms plants a canary to see that the search finds it.
func TestCanaryForms(t *testing.T) {
	c := canary{"planted", "sv-canary-00000000"}
	for _, text := range []string{
		"x" + c.text + "y", hex.EncodeToString([]byte("x" + c.text)),
		base64.StdEncoding.EncodeToString([]byte("x" + c.text + "yz")), base64.RawURLEncoding.EncodeToString([]byte("xy" + c.text)),
		base64.StdEncoding.EncodeToString([]byte(c.text + "more")),
	} {
		if c.in([]byte(text)) == nil {
			t.Errorf("not found in %s", text)
		}
	}
}

// TestNothingReadable: what users wrote cannot be read in the data folder, and
// values cannot be read anywhere but in the answers to who may have them.
func TestNothingReadable(t *testing.T) {
	needSoftHSM(t)
	values, names := canaries()
	d := newDev(t, "--set", "log.level=debug", "--set", "api.trusted_proxies=127.0.0.0/8", "--set", "limits.auth_rate=0").start()
	credentials := plant(t, d, values, names)
	for _, pid := range []int{d.pid, d.broker()} {
		for _, name := range []string{"environ", "cmdline"} {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
			if err != nil {
				t.Fatal(err)
			}
			pin, _ := os.ReadFile(filepath.Join(d.data, "softhsm", "pin"))
			for _, c := range append(append(values, credentials...), canary{"PIN", strings.TrimSpace(string(pin))}) {
				if found := c.in(text); found != nil {
					t.Errorf("/proc/%d/%s shows the %s, %v", pid, name, c.what, found)
				}
			}
		}
	}
	hidden := append(append(append([]canary{}, values...), names...), credentials...)
	d.archived()
	searchFiles(t, "while running", d.data, hidden)
	d.kill()
	searchFiles(t, "after kill -9", d.data, hidden)
	d.start()
	d.stop()
	searchFiles(t, "after a stop", d.data, hidden)
	log := []byte(d.log())
	if !bytes.Contains(log, []byte("level=INFO msg=request")) {
		t.Error("the log has no requests")
	}
	for _, c := range append(append(values, credentials...), names[0], names[7]) {
		if found := c.in(log); found != nil {
			t.Errorf("the log shows the %s, %v", c.what, found)
		}
	}
}

// plant writes the canaries everywhere a user can write, and provokes every
// kind of refusal with them. It returns the credentials that came up.
func plant(t *testing.T, d *daemon, values, names []canary) (credentials []canary) {
	t.Helper()
	h := d.human()
	n := func(i int) string { return names[i].text }
	v := into[api.VaultResponse](t, h.do("POST", "/v1/vaults", api.CreateVaultRequest{Name: n(2), Description: n(3)}).is(t, 201)).ID
	path := "deep/" + n(0)
	write := func(path, value string) {
		h.do("PUT", secretPath(v, path), map[string]any{"value": value, "metadata": map[string]any{n(1): n(1)}}).is(t, 201)
	}
	write(path, values[1].text)
	write(path, values[0].text)
	write("gone/"+n(0), values[2].text)
	h.do("DELETE", secretPath(v, "gone/"+n(0)), nil).is(t, 204)
	agent, key := h.agent(t, n(4))
	h.do("POST", "/v1/vaults/"+v+"/policies", map[string]any{
		"secret_path_pattern": n(5) + "/**", "principal_type": "agent", "principal_id": agent, "permissions": []string{"read"},
		"conditions": map[string]any{"ip_allowlist": []string{n(9)}},
	}).is(t, 201)
	h.policy(v, agent, "deep/*", "read").is(t, 201)
	made := into[api.ApiKeyCreatedResponse](t, h.do("POST", "/v1/auth/api-keys", api.CreateApiKeyRequest{Name: n(6)}).is(t, 201))
	token := h.token(t, key)
	login := into[api.LoginResponse](t, d.as("").do("POST", "/v1/auth/token", api.LoginRequest{Email: d.owner.Email, Password: d.owner.Password}).is(t, 200))

	far := map[string][]string{"X-Forwarded-For": {n(8)}}
	if got := into[api.SecretResponse](t, d.as(token).doWith("GET", secretPath(v, path), nil, far).is(t, 200)).Value; got != values[0].text {
		t.Errorf("%q", got)
	}
	if h.events(t, "action=secret.read&limit=1")[0].IPAddress != n(8) {
		t.Error("the address is not in the audit log")
	}
	refused(t, d.as(token), h, v, values, n(7))
	for what, text := range map[string]string{
		"agent key": key, "user key": made.APIKey, "agent token": token, "user token": login.AccessToken,
		"owner's key": d.owner.APIKey, "owner's password": d.owner.Password, "e-mail": d.owner.Email,
	} {
		credentials = append(credentials, canary{what, text})
	}
	return credentials
}

// refused sends values where they do not belong: no error may repeat them.
func refused(t *testing.T, agent, h *client, v string, values []canary, missing string) {
	t.Helper()
	value := values[3].text
	at := secretPath(v, "deep/x")
	for name, a := range map[string]answer{
		"denied write":    agent.do("PUT", secretPath(v, "other/x"), map[string]any{"value": value}),
		"wrong type":      h.do("PUT", at, map[string]any{"value": value, "type": value}),
		"type of field":   h.do("PUT", at, map[string]any{"value": []string{value}}),
		"number field":    h.do("PUT", at, map[string]any{"value": value, "max_access_count": value}),
		"time field":      h.do("PUT", at, map[string]any{"value": value, "expires_at": value}),
		"object field":    h.do("PUT", at, map[string]any{"value": value, "metadata": value}),
		"wrong path":      h.do("PUT", secretPath(v, ".bad"), map[string]any{"value": value}),
		"wrong vault":     h.do("PUT", secretPath(value, "a"), map[string]any{"value": value}),
		"no such vault":   h.do("PUT", secretPath("00000000-0000-4000-8000-000000000000", "a"), map[string]any{"value": value}),
		"no such route":   h.do("PUT", "/v1/"+value, map[string]any{"value": value}),
		"wrong password":  h.do("POST", "/v1/auth/token", map[string]any{"email": "x@example.org", "password": value}),
		"wrong agent key": h.do("POST", "/v1/auth/agent-token", map[string]any{"api_key": value}),
		"wrong permission": h.do("POST", "/v1/vaults/"+v+"/policies", map[string]any{
			"secret_path_pattern": "a", "principal_type": value, "principal_id": value, "permissions": []string{value},
		}),
		"wrong token":  (&client{base: h.base, bearer: value, http: h.http}).get(v, "deep/x"),
		"missing path": h.get(v, missing),
		"wrong query":  h.do("GET", "/v1/audit/events?limit="+value+"&from="+value, nil),
	} {
		if a.err != nil || a.status < 400 || a.status >= 500 {
			t.Errorf("%s: %v", name, a)
		}
		for _, c := range values {
			if found := c.in(a.body); found != nil {
				t.Errorf("%s: the answer repeats what was sent, %v: %v", name, found, a)
			}
		}
	}
}
