package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// TestMainJob is what oneclawd is for, through the API: a person stores a
// secret and grants a path, an agent reads it and is refused another, and the
// audit log shows both and holds.
func TestMainJob(t *testing.T) {
	needSoftHSM(t)
	d := newDev(t).start()
	human := d.human()
	if !strings.Contains(string(human.do("GET", "/v1/health/hsm", nil).is(t, 200).body), `"module":"pkcs11"`) {
		t.Error("dev does not use SoftHSM")
	}
	vault := human.vault(t, "prod")
	made := into[api.SecretMetadataResponse](t, human.put(vault, "api-keys/stripe", "sk-1").is(t, 201))
	human.put(vault, "db/password", "not for agents").is(t, 201)
	if made.Version != 1 || strings.Contains(string(human.put(vault, "api-keys/stripe", "sk-2").is(t, 201).body), "sk-2") {
		t.Errorf("a write answers %+v", made)
	}
	id, key := human.agent(t, "billing")
	human.policy(vault, id, "api-keys/*", "read").is(t, 201)
	token := human.token(t, key)

	check := func() {
		t.Helper()
		agent := d.as(token)
		if got := agent.value(t, vault, "api-keys/stripe"); got != "sk-2" {
			t.Errorf("the agent reads %q", got)
		}
		agent.get(vault, "db/password").problem(t, 403)
		agent.put(vault, "api-keys/stripe", "mine").problem(t, 403)
		agent.do("GET", "/v1/audit/export", nil).problem(t, 403)
		d.as("").get(vault, "api-keys/stripe").problem(t, 401)
		var read, refused bool
		for _, e := range d.human().events(t, "actor_id="+id+"&action=secret.read") {
			read = read || e.Outcome == "success" && e.Details != nil
			refused = refused || e.Outcome == "refused"
		}
		if !read || !refused {
			t.Errorf("the audit log shows the read: %v, the refusal: %v", read, refused)
		}
		d.human().verifyAudit(t)
	}
	check()
	d.restart() // keeps the vault, the secrets, the policy, the key and the token
	check()
	if got := d.human().token(t, key); got == token {
		t.Error("an exchange gives the same token again")
	}
	d.kill()
	d.start()
	check()
}

// TestTwoInOneFolder: the second daemon says why it does not start, and leaves
// the first one alone.
func TestTwoInOneFolder(t *testing.T) {
	d := newDev(t).start()
	second := newDevIn(t, d.data)
	second.refuses(1, "another oneclawd", "is using this data")
	d.human().vault(t, "still served")
	d.stop()
	second.start()
}

// TestTour reads what `dev --tour` prints and runs the lines that it offers.
func TestTour(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	d := newDaemon(t, data, "dev", "--data", data, "--listen", "127.0.0.1:0", "--tour")
	d.spawn()
	eventually(t, patience, "through with the tour", func() bool {
		if !d.proc.running() {
			t.Fatalf("it ended:\n%s", d.logTail())
		}
		return strings.Contains(d.output(), "Press Ctrl-C")
	})
	text := d.output()
	for _, want := range []string{
		"listens on http://127.0.0.1:", "1. A person stores two secrets", "→ 201",
		"2. registers an agent and grants it api-keys/*", "3. The agent buys a token with its key", "a JWT for 3600 s",
		"4. and reads api-keys/stripe", "200, version 1, the value that was stored",
		"5. It is refused db/password", "→ 403: Access denied",
		"6. The audit log shows both", "by agent", "refused", "7. and is proved intact", "all intact",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the tour does not show %q:\n%s", want, text)
		}
	}
	curls := regexp.MustCompile(`(?m)^ +curl .*$`).FindAllString(text, -1)
	if len(curls) != 3 {
		t.Fatalf("%d curl lines in\n%s", len(curls), text)
	}
	said := make([]string, len(curls))
	for i, line := range curls {
		said[i] = shell(t, line)
	}
	var put api.SecretMetadataResponse
	var got api.SecretResponse
	var events api.AuditEventsResponse
	decode(t, said[0], &put)
	decode(t, said[1], &got)
	decode(t, said[2], &events)
	if put.Version != 1 || put.Path != "api-keys/openai" || got.Value != "sk-demo-0123456789" {
		t.Errorf("the printed lines answer %s and %s", said[0], said[1])
	}
	if events.Count != 3 || events.Events[0].Action != "secret.read" || events.Events[1].Action != "secret.write" {
		t.Errorf("the printed line shows %s", said[2])
	}
	d.stop()
}

// output is what the present process has printed.
func (d *daemon) output() string {
	text, _ := os.ReadFile(d.proc.stdout)
	return string(text)
}

func decode(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Errorf("%q: %v", text, err)
	}
}

// shell runs a line as a reader would who pastes it.
func shell(t *testing.T, line string) string {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl")
	}
	out, err := exec.Command("sh", "-c", line).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}
