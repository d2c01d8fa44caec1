package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/hsm/hsmtest"
)

// file writes a private file that ends with the test.
func file(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readable(t testing.TB, path string) string {
	t.Helper()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// tokenArgs point a command at a token.
func tokenArgs(t testing.TB, token hsmtest.Token) []string {
	return []string{
		"--set", "hsm.library=" + token.Library, "--set", "hsm.token=" + token.Label,
		"--set", "hsm.pin_file=" + file(t, "pin", string(token.PIN.Reveal())+"\n"),
	}
}

// configured writes a configuration file for an appliance on the token; without
// one, on the local module.
func configured(t testing.TB, data string, token *hsmtest.Token) string {
	t.Helper()
	text := fmt.Sprintf("data = %q\n[api]\nlisten = \"127.0.0.1:0\"\n[attest]\nmode = \"none\"\n", data)
	if token == nil {
		return file(t, "oneclawd.toml", text+"[hsm]\nmodule = \"local\"\n")
	}
	pin := file(t, "pin", string(token.PIN.Reveal())+"\n")
	return file(t, "oneclawd.toml", text+fmt.Sprintf("[hsm]\nlibrary = %q\ntoken = %q\npin_file = %q\n", token.Library, token.Label, pin))
}

const (
	ownerEmail    = "ann@example.org"
	ownerPassword = "Correct-Horse-42-Battery"
)

var printedKey = regexp.MustCompile(`(?m)^API key: +(1ck_\S+)$`)

// newServe is an appliance set up with `init` from a configuration file on the
// token, whose `serve` is not yet started. args come last on its command line.
func newServe(t testing.TB, token hsmtest.Token, args ...string) *daemon {
	t.Helper()
	return newServeOn(t, &token, args...)
}

func newServeOn(t testing.TB, token *hsmtest.Token, args ...string) *daemon {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	config := configured(t, data, token)
	d := newDaemon(t, data, append([]string{"serve", "--config", config}, args...)...)
	if token != nil {
		d.env = token.Env
	}
	password := file(t, "password", ownerPassword+"\n")
	out, errs, code := run(t, d.env, "init", "--config", config, "--email", ownerEmail, "--password-file", password)
	key := printedKey.FindStringSubmatch(out)
	if code != 0 || key == nil || strings.Contains(out, ownerPassword) {
		t.Fatalf("init: %d\n%s%s", code, out, errs)
	}
	d.owner = owner{Email: ownerEmail, Password: ownerPassword, APIKey: key[1]}
	again, errs, code := run(t, d.env, "init", "--config", config, "--email", ownerEmail, "--password-file", password)
	if code != 0 || !strings.Contains(again, "nothing was changed") || printedKey.MatchString(again) {
		t.Fatalf("init for a second time: %d\n%s%s", code, again, errs)
	}
	return d
}

// TestServe is the way of a real set-up: a configuration file, init, serve, on
// a token and on the local module.
func TestServe(t *testing.T) {
	for name, token := range map[string]func() *hsmtest.Token{
		"token": func() *hsmtest.Token { token := hsmtest.SoftHSM(t); return &token },
		"local": func() *hsmtest.Token { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			d := newServeOn(t, token()).start()
			v := d.human().vault(t, "v")
			d.human().put(v, "a/b", "kept").is(t, 201)
			d.kill()
			d.start()
			if got := d.human().value(t, v, "a/b"); got != "kept" {
				t.Errorf("%q", got)
			}
			d.restart()
			d.human().verifyAudit(t)
			login := d.as("").do("POST", "/v1/auth/token", map[string]string{"email": ownerEmail, "password": ownerPassword})
			login.is(t, 200)
		})
	}
}

// TestServeWithoutInit says what to do.
func TestServeWithoutInit(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	newDaemon(t, data, "serve", "--config", configured(t, data, nil)).refuses(1, "run `oneclawd init`")
}
