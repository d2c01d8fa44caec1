package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
)

var (
	printedShare    = regexp.MustCompile(`(?m)^Share \d+: (OCR1-\S+)$`)
	printedRecovery = regexp.MustCompile(`(?m)^Recovery key ([0-9a-f]{8})\.`)
)

// recoveryKey makes a recovery key, three shares of which two are needed.
func recoveryKey(t testing.TB, pub string) (name string, shares []string) {
	t.Helper()
	out, errs, code := run(t, nil, "recovery", "init", "--shares", "3", "--threshold", "2", "--set", "backup.recovery_file="+pub)
	for _, m := range printedShare.FindAllStringSubmatch(out, -1) {
		shares = append(shares, m[1])
	}
	key := printedRecovery.FindStringSubmatch(out)
	if code != 0 || len(shares) != 3 || key == nil {
		t.Fatalf("recovery init: %d\n%s%s", code, out, errs)
	}
	return key[1], shares
}

// lossy is an appliance that is about to lose its HSM.
type lossy struct {
	*daemon
	t          *testing.T
	pub        string // file of the public half
	key        string // name of the recovery key
	shares     []string
	guest      hsmtest.Token
	plain      string // vaults
	cmek       string
	elsewhere  string
	customer   []byte
	agentID    string
	agentKey   string
	share      string
	token      string // that the agent bought
	verifier   string // file
	checkpoint string // file
	backup     string
}

// TestRecovery is the end of an HSM: two vaults, one of them encrypted with a
// customer's key, a share, an agent; its token deleted, and all of it back with
// two of three shares and a new token.
func TestRecovery(t *testing.T) {
	token := hsmtest.SoftHSM(t)
	l := &lossy{t: t, pub: filepath.Join(t.TempDir(), "recovery.pub"), guest: hsmtest.SoftHSM(t)}
	l.daemon = newServe(t, token)
	l.args = append(l.args, "--set", "hsm.modules=b="+moduleFile(t, l.guest, l.guest.Label), "--set", "backup.recovery_file="+l.pub)
	l.refuses(2, "backup.recovery_file", "oneclawd recovery init")
	l.key, l.shares = recoveryKey(t, l.pub)
	l.initModule("b")
	l.start()
	l.fill()
	l.backUp()

	l.kill()
	for _, dir := range []string{l.data, token.Dir} {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(l.pub); err != nil { // with the machine
		t.Fatal(err)
	}
	fresh := hsmtest.SoftHSM(t)
	l.args[2], l.env = configured(t, l.data, &fresh), fresh.Env
	l.refuseRecovery()
	verifier := l.recover()
	if text, err := os.ReadFile(l.pub); err != nil || !strings.Contains(string(text), "age1pq1") {
		t.Errorf("the public half is not back: %v", err)
	}
	l.start()
	l.allBack()
	l.logGoesOn(verifier)

	// It is an appliance like any other.
	l.restart()
	h := l.human()
	h.put(l.plain, "s/after", "the disaster").is(t, 201)
	again := filepath.Join(t.TempDir(), "b.backup")
	l.operates("", "oneclawd drill", "backup", "create", again)
	l.operates("", "with keys for", "drill", again)
	l.operates("", "recovery", "status")
	l.stop()
}

// fill makes what is to survive: 64 values, of which two are the agent's own keys, and
// one in the other module.
func (l *lossy) fill() {
	t, h := l.t, l.human()
	l.plain, l.cmek, l.elsewhere = h.vault(t, "plain"), h.vault(t, "customers"), h.vault(t, "elsewhere")
	for i := range 30 {
		h.put(l.plain, fmt.Sprintf("s/%d", i), "an older value").is(t, 201)
		h.put(l.plain, fmt.Sprintf("s/%d", i), fmt.Sprintf("value %d", i)).is(t, 201)
	}
	var print string
	l.customer, print = customerKey(t)
	h.do("POST", "/v1/vaults/"+l.cmek+"/cmek", api.EnableCmekRequest{Fingerprint: print}).is(t, 200)
	h.put(l.cmek, "sealed", customerBlob(t, l.customer, "only with the customer's key")).is(t, 201)
	h.put(l.elsewhere, "a", "in another HSM").is(t, 201)
	l.kek(0, "rotate", "--vault", l.elsewhere, "--module", "b")

	l.agentID, l.agentKey = h.agent(t, "worker")
	h.policy(l.plain, l.agentID, "**", "read", "write").is(t, 201)
	l.token = h.token(t, l.agentKey)
	agent := l.as(l.token)
	found := into[api.SecretMetadataResponse](t, agent.put(l.plain, "found", "shared").is(t, 201))
	offer := api.CreateShareRequest{RecipientType: "creator", ExpiresAt: api.At(time.Now().Add(time.Hour))}
	l.share = into[api.ShareResponse](t, agent.do("POST", "/v1/secrets/"+found.ID+"/share", offer).is(t, 201)).ID
	h.do("POST", "/v1/shares/"+l.share+"/accept", nil).is(t, 204)
}

// backUp makes a backup, and looks at what is said of it.
func (l *lossy) backUp() {
	t := l.t
	l.verifier, l.checkpoint = file(t, "verifier.key", l.auditSays("key")), file(t, "old.checkpoint", l.auditSays("checkpoint"))
	status := func(want string) {
		t.Helper()
		out, ok := l.operate("", "status")
		if out = strings.Join(strings.Fields(out), " "); !ok || !strings.Contains(out, want) {
			t.Errorf("status does not say %q: %s", want, out)
		}
	}
	status("recovery key " + l.key + " last backup with it: never")
	config := l.args[1:]
	doctor := func(want string) {
		t.Helper()
		if out, errs, _ := run(t, l.env, append([]string{"doctor"}, config...)...); !strings.Contains(out, want) {
			t.Errorf("doctor does not say %q:\n%s%s", want, out, errs)
		}
	}
	doctor("no backup was made with it")
	l.backup = filepath.Join(t.TempDir(), "a.backup")
	l.operates("", "oneclawd drill", "backup", "create", l.backup)
	status("recovery key " + l.key + " last backup with it: 2")
	doctor("opens 64 values; the keys of 1 more are in")
	l.operates("", l.key+", with keys for 64 values", "drill", l.backup)
	if out, errs, code := run(t, nil, "backup", "verify", l.backup, "--key", strings.TrimSpace(l.auditSays("key"))); code != 0 || !strings.Contains(out, l.key+", for 64 of 65 values") {
		t.Errorf("%s%s", out, errs)
	}
	if _, errs, code := run(t, nil, "recovery", "init", "--shares", "3", "--threshold", "2", "--set", "backup.recovery_file="+l.pub); code == 0 || !strings.Contains(errs, "is there already") {
		t.Errorf("a second key: %s", errs)
	}
}

// auditSays is what `oneclawd audit` prints.
func (l *lossy) auditSays(what string) string {
	l.t.Helper()
	out, errs, code := run(l.t, []string{"ONECLAW_API_KEY=" + l.owner.APIKey}, "audit", what, "--api", l.api)
	if code != 0 {
		l.t.Fatal(errs)
	}
	return out
}

// recovers runs `backup recover`, with shares in files.
func (l *lossy) recovers(shares []string, args ...string) (string, bool) {
	l.t.Helper()
	args = slices.Concat([]string{"backup", "recover", l.backup}, l.args[1:], args)
	for _, s := range shares {
		args = append(args, "--share-file", file(l.t, "share", s+"\n"))
	}
	out, errs, code := run(l.t, l.env, args...)
	for _, s := range l.shares {
		if strings.Contains(out+errs, s) {
			l.t.Errorf("a share is in what is said: %s%s", out, errs)
		}
	}
	return out + errs, code == 0
}

// refuseRecovery tries what must not work, and leave nothing.
func (l *lossy) refuseRecovery() {
	t := l.t
	_, others := recoveryKey(t, filepath.Join(t.TempDir(), "other.pub"))
	pinned := []string{"--key", l.verifier}
	old, err := os.ReadFile(l.backup)
	if err != nil {
		t.Fatal(err)
	}
	typo := []byte(l.shares[1])
	if typo[7]++; typo[7] > '9' {
		typo[7] = '2'
	}
	for name, c := range map[string]struct {
		shares []string
		args   []string
		want   string
	}{
		"one share of two":     {l.shares[:1], pinned, "1 of the 2 shares that are needed are missing"},
		"no share":             {nil, pinned, "no share was given"},
		"the same share twice": {[]string{l.shares[0], l.shares[0]}, pinned, "given already"},
		"another key's shares": {others, pinned, "the one that is needed is " + l.key},
		"a mistyped share":     {[]string{l.shares[0], string(typo)}, pinned, "mistake"},
		"no verifier key":      {l.shares[:2], nil, "--key"},
		"another verifier key": {l.shares[:2], []string{"--key", otherVerifier(t)}, "another key than the one that was given"},
	} {
		if out, ok := l.recovers(c.shares, c.args...); ok || !strings.Contains(out, c.want) {
			t.Errorf("%s: %s", name, out)
		}
	}
	whole := l.backup
	l.backup = file(t, "cut.backup", string(old[:len(old)/2]))
	if out, ok := l.recovers(l.shares[:2], pinned...); ok || !strings.Contains(out, "cut off") {
		t.Errorf("half a backup: %s", out)
	}
	l.backup = whole
	if out, errs, code := run(t, l.env, append([]string{"backup", "restore", l.backup}, l.args[1:3]...)...); code == 0 || !strings.Contains(errs, "HSM") {
		t.Errorf("restore, without the HSM: %s%s", out, errs)
	}
	if left, _ := filepath.Glob(filepath.Join(l.data, "*")); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}

// otherVerifier is that of an appliance that has nothing to do with it.
func otherVerifier(t *testing.T) string {
	t.Helper()
	o := &lossy{daemon: newLocal(t).start(), t: t}
	defer o.stop()
	return strings.TrimSpace(o.auditSays("key"))
}

// recover is what helps; it returns the new verifier key.
func (l *lossy) recover() string {
	t := l.t
	if out, ok := l.recovers(l.shares[1:], "--key", l.verifier, "--dry-run"); !ok || !strings.Contains(out, "Nothing was written") || !strings.Contains(out, "values with a recovery key: 64") {
		t.Fatalf("dry run: %s", out)
	}
	if left, _ := filepath.Glob(filepath.Join(l.data, "*")); len(left) > 0 {
		t.Errorf("a dry run wrote %v", left)
	}
	cmd := exec.Command(binary, slices.Concat([]string{"backup", "recover", l.backup, "--key", l.verifier}, l.args[1:])...)
	cmd.Env = append(os.Environ(), l.env...)
	cmd.Stdin = strings.NewReader(l.shares[2] + "\n" + strings.ToLower(l.shares[0]) + "\n")
	text, err := cmd.CombinedOutput()
	keys := regexp.MustCompile(`(?m)^  (oneclawd/\S+\+\S+)$`).FindAllStringSubmatch(string(text), -1)
	before, _ := os.ReadFile(l.verifier)
	if err != nil || len(keys) != 2 || keys[1][1] != strings.TrimSpace(string(before)) || !strings.Contains(string(text), "64 values of 3 vaults") {
		t.Fatalf("recover: %v\n%s", err, text)
	}
	if out, ok := l.recovers(l.shares[1:], "--key", l.verifier); ok || !strings.Contains(out, "move it away first") {
		t.Errorf("recovering twice: %s", out)
	}
	return keys[0][1]
}

// allBack looks for everything that fill made.
func (l *lossy) allBack() {
	t, h := l.t, l.human()
	for i := range 30 {
		path := fmt.Sprintf("s/%d", i)
		if got := h.value(t, l.plain, path); got != fmt.Sprintf("value %d", i) {
			t.Errorf("%s is %q", path, got)
		}
		if r := into[api.SecretResponse](t, h.do("GET", "/v1/vaults/"+l.plain+"/secret-version/"+path+"/1", nil).is(t, 200)); r.Value != "an older value" {
			t.Errorf("version 1 of %s is %q", path, r.Value)
		}
	}
	if got := customerOpen(t, l.customer, h.value(t, l.cmek, "sealed")); got != "only with the customer's key" {
		t.Errorf("%q", got)
	}
	eventually(t, patience, "the other module", l.moduleIs("b", "ok"))
	if got := h.value(t, l.elsewhere, "a"); got != "in another HSM" {
		t.Errorf("%q", got)
	}
	l.as(l.token).get(l.plain, "s/1").problem(t, 401) // it was signed with a key that is gone
	agent := l.as(h.token(t, l.agentKey))
	if got := agent.value(t, l.plain, "found"); got != "shared" {
		t.Errorf("%q", got)
	}
	agent.put(l.plain, "s/new", "written by the agent").is(t, 201)
	if got := into[api.SharedSecretResponse](t, h.do("GET", "/v1/share/"+l.share, nil).is(t, 200)); got.Value != "shared" {
		t.Errorf("%+v", got)
	}
	l.as("").do("POST", "/v1/auth/token", api.LoginRequest{Email: l.owner.Email, Password: l.owner.Password}).is(t, 200)
}

// logGoesOn verifies the audit log from before the loss to now.
func (l *lossy) logGoesOn(verifier string) {
	t := l.t
	l.human().verifyAudit(t)
	if now := strings.TrimSpace(l.auditSays("key")); now != verifier {
		t.Errorf("the verifier key is %s, and not %s", now, verifier)
	}
	export := file(t, "audit.log", l.auditSays("export"))
	before, err := os.ReadFile(l.verifier)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(export)
	if err != nil || !strings.Contains(string(text), `"appliance.recover"`) || !strings.Contains(string(text), `"kek.recover"`) || !strings.Contains(string(text), strings.TrimSpace(string(before))) {
		t.Error("the log does not say what happened, ", err)
	}
	verify := func(args ...string) (string, bool) {
		out, errs, code := run(t, nil, slices.Concat([]string{"audit", "verify", "--key", verifier, "--checkpoint", l.checkpoint}, args, []string{export})...)
		return out + errs, code == 0
	}
	if out, ok := verify("--checkpoint-key", l.verifier); !ok || !strings.Contains(out, "continues the older checkpoint") {
		t.Error(out)
	}
	if out, ok := verify(); ok {
		t.Errorf("the old checkpoint under the new key: %s", out)
	}
}

// settingRecoveryFile: with a key, with none, and with what is none.
func settingRecoveryFile(t *testing.T, l *lab) {
	pub := filepath.Join(t.TempDir(), "recovery.pub")
	name, _ := recoveryKey(t, pub)
	for _, c := range [][2]string{{pub, "key " + name}, {"", "no key"}} {
		d := l.with(t, "backup.recovery_file="+c[0])
		d.operates("", c[1], "status")
		d.kill()
	}
	for value, want := range map[string]string{
		"here.pub": "not an absolute path", "/nowhere/recovery.pub": "oneclawd recovery init", file(t, "text", "hello"): "age1pq1",
	} {
		args := append(l.base.args[:len(l.base.args):len(l.base.args)], "--set", "backup.recovery_file="+value)
		newDaemon(t, l.base.data, args...).refuses(2, "backup.recovery_file", want)
	}
}

// BenchmarkE2EBackup makes backups of 10,000 values on a SoftHSM token, with and without
// a recovery key, for which the token unwraps each value's key.
func BenchmarkE2EBackup(b *testing.B) {
	for _, name := range []string{"alone", "recovery key"} {
		b.Run(name, func(b *testing.B) {
			d := newServe(b, hsmtest.SoftHSM(b))
			if name != "alone" {
				pub := filepath.Join(b.TempDir(), "recovery.pub")
				recoveryKey(b, pub)
				d.args = append(d.args, "--set", "backup.recovery_file="+pub)
			}
			h := d.start().human()
			h.fill(b, h.vault(b, "v"), 10_000)
			path := filepath.Join(b.TempDir(), "a.backup")
			b.ResetTimer()
			for b.Loop() {
				d.operates("", "oneclawd drill", "backup", "create", path)
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/backup")
		})
	}
}
