package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// TestMoveVault takes a vault from one appliance to another, with its versions.
func TestMoveVault(t *testing.T) {
	here, there := newLocal(t).start(), newLocal(t).start()
	h := here.human()
	v := h.vault(t, "moved")
	secret := canary{"value", "moved-canary-77aa01"}
	for _, value := range []string{"first", "second", secret.text} {
		h.do("PUT", secretPath(v, "db/password"), map[string]any{"value": value, "type": "password", "metadata": map[string]any{"owner": "db"}}).is(t, 201)
	}
	h.put(v, "deep/er/under_score", "line\nbreak").is(t, 201)

	id, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	ways := map[string][2][]string{
		"recipient":  {{"--to", id.Recipient().String()}, {"--identity", file(t, "key", id.String()+"\n")}},
		"passphrase": {{"--passphrase-file", file(t, "p", "an open sesame\n")}, {"--passphrase-file", file(t, "q", "an open sesame\n")}},
	}
	for name, way := range ways {
		path := filepath.Join(t.TempDir(), "v.age")
		command := func(d *daemon, args ...string) (string, bool) {
			out, errs, code := run(t, []string{"ONECLAW_API_KEY=" + d.owner.APIKey}, append(args, "--api", d.api)...)
			return out + errs, code == 0
		}
		if out, ok := command(here, append([]string{"vault", "export", "moved", "--out", path}, way[0]...)...); !ok || !strings.Contains(out, "2 secrets") {
			t.Fatalf("%s: %s", name, out)
		}
		text, err := os.ReadFile(path)
		if err != nil || secret.in(text) != nil || bytes.Contains(text, []byte("password")) {
			t.Errorf("%s: the file can be read: %v", name, err)
		}
		cut := file(t, "cut.age", string(text[:len(text)-1]))
		if out, ok := command(there, append([]string{"vault", "import", cut}, way[1]...)...); ok {
			t.Errorf("%s: a file that was cut short: %s", name, out)
		}
		if out, ok := command(there, append([]string{"vault", "import", path, "--name", name}, way[1]...)...); !ok || !strings.Contains(out, "2 secrets") {
			t.Fatalf("%s: %s", name, out)
		}
		to := there.human()
		var made string
		for _, one := range into[api.VaultListResponse](t, to.do("GET", "/v1/vaults", nil).is(t, 200)).Vaults {
			if one.Name == name {
				made = one.ID
			}
		}
		got := into[api.SecretResponse](t, to.get(made, "db/password").is(t, 200))
		if got.Value != secret.text || got.Version != 3 || got.Type != "password" || !strings.Contains(string(to.get(made, "db/password").body), `"owner":"db"`) {
			t.Errorf("%s: %+v", name, got)
		}
		if old := into[api.SecretResponse](t, to.do("GET", "/v1/vaults/"+made+"/secret-version/db/password/1", nil).is(t, 200)); old.Value != "first" {
			t.Errorf("%s: version 1 is %q", name, old.Value)
		}
		if got := to.value(t, made, "deep/er/under_score"); got != "line\nbreak" {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, one := range into[api.VaultListResponse](t, there.human().do("GET", "/v1/vaults", nil).is(t, 200)).Vaults {
		if one.Name == "moved" {
			t.Error("a file that was cut short made a vault")
		}
	}
	wrong := file(t, "w", "another sesame\n")
	path := filepath.Join(t.TempDir(), "v.age")
	env := []string{"ONECLAW_API_KEY=" + here.owner.APIKey}
	if _, errs, code := run(t, env, "vault", "export", v, "--out", path, "--passphrase-file", wrong, "--api", here.api); code != 0 {
		t.Fatal(errs)
	}
	if _, errs, code := run(t, env, "vault", "import", path, "--identity", file(t, "key", id.String()+"\n"), "--api", here.api); code == 0 || strings.Contains(errs, "canary") {
		t.Errorf("read with what it was not made for: %s", errs)
	}
}
