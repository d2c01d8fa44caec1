package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/hsm/hsmtest"
)

// TestBackup is a disaster from end to end: a backup under load, the data lost,
// restored, and compared; and what must be refused on the way.
func TestBackup(t *testing.T) {
	token := hsmtest.SoftHSM(t)
	d := newServe(t, token).start()
	h := d.human()
	v := h.vault(t, "v")
	agent, key := h.agent(t, "reader")
	h.policy(v, agent, "**", "read").is(t, 201)
	const secrets = 100
	for i := range secrets {
		h.put(v, fmt.Sprintf("s/%d", i), fmt.Sprintf("value %d", i)).is(t, 201)
	}
	stop, wrote := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				wrote <- n
				return
			default:
				h.put(v, fmt.Sprintf("later/%d", n), "x")
			}
		}
	}()
	path := filepath.Join(t.TempDir(), "a.backup")
	d.operates("", "oneclawd drill", "backup", "create", path)
	close(stop)
	if n := <-wrote; n == 0 {
		t.Error("nothing was written meanwhile")
	}
	audit, errs, code := run(t, []string{"ONECLAW_API_KEY=" + d.owner.APIKey}, "audit", "key", "--api", d.api)
	if code != 0 {
		t.Fatal(errs)
	}
	verify := func(args ...string) (string, bool) {
		out, errs, code := run(t, nil, append([]string{"backup", "verify"}, args...)...)
		return out + errs, code == 0
	}
	if out, ok := verify(path, "--key", strings.TrimSpace(audit)); !ok || !strings.Contains(out, "the key you gave") {
		t.Error(out)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(text)
	damaged[len(damaged)/2] ^= 1
	for what, content := range map[string][]byte{"damaged": damaged, "cut short": text[:len(text)-1], "no backup": []byte("hello\n")} {
		if out, ok := verify(file(t, "b.backup", string(content))); ok || !strings.Contains(out, "oneclawd: ") {
			t.Errorf("%s: %s", what, out)
		}
	}
	d.operates("", "proven", "drill", path)
	d.operates("", "proven restore: 2", "status")
	if out, ok := d.operate("", "drill", file(t, "b.backup", string(damaged))); ok {
		t.Errorf("a damaged one passes the drill: %s", out)
	}

	d.kill()
	if err := os.RemoveAll(d.data); err != nil {
		t.Fatal(err)
	}
	restore := func(env []string, args ...string) (string, bool) {
		out, errs, code := run(t, env, append([]string{"backup", "restore", path, "--config", d.args[2]}, args...)...)
		return out + errs, code == 0
	}
	other := hsmtest.SoftHSM(t)
	if out, ok := restore(other.Env); ok || !strings.Contains(out, "HSM") {
		t.Errorf("with another HSM: %s", out)
	}
	if out, ok := restore(d.env, "--dry-run"); !ok || !strings.Contains(out, "Nothing was written") {
		t.Errorf("dry run: %s", out)
	}
	if left, _ := filepath.Glob(filepath.Join(d.data, "*")); len(left) > 0 {
		t.Errorf("a dry run wrote %v", left)
	}
	if out, ok := restore(d.env); !ok || !strings.Contains(out, "--accept-rollback") {
		t.Fatalf("restore: %s", out)
	}
	if out, ok := restore(d.env); ok || !strings.Contains(out, "move it away first") {
		t.Errorf("restoring twice: %s", out)
	}
	d.refuses(1, "accept-rollback")
	d.args = append(d.args, "--accept-rollback")
	d.start()
	h = d.human()
	reader := d.as(h.token(t, key))
	for i := range secrets {
		if got := reader.value(t, v, fmt.Sprintf("s/%d", i)); got != fmt.Sprintf("value %d", i) {
			t.Errorf("s/%d is %q", i, got)
		}
	}
	h.verifyAudit(t)
}

// backups are the scheduled ones in a folder.
func backups(dir string) []string {
	all, _ := filepath.Glob(filepath.Join(dir, "oneclawd-*.backup"))
	return all
}

func settingBackupDir(t *testing.T, l *lab) {
	a, b := t.TempDir(), t.TempDir()
	for _, dir := range []string{a, b} {
		before := len(backups(dir))
		d := l.with(t, "backup.dir="+dir, "backup.every=1s")
		eventually(t, patience, "a backup in the folder", func() bool { return len(backups(dir)) > before })
		eventually(t, patience, "proven", func() bool { out, _ := d.operate("", "status"); return strings.Contains(out, "proven restore: 2") })
		d.kill()
	}
	newDaemon(t, l.base.data, append(l.base.args[:len(l.base.args):len(l.base.args)], "--set", "backup.dir=here")...).refuses(2, "backup.dir")
}

func settingBackupEvery(t *testing.T, l *lab) {
	dir := t.TempDir()
	often := l.with(t, "backup.dir="+dir, "backup.every=1s")
	eventually(t, patience, "three backups", func() bool { return len(backups(dir)) >= 3 })
	often.kill()
	seldom := l.with(t, "backup.dir="+dir, "backup.every=24h")
	before := len(backups(dir))
	for range 50 { // each takes longer than a backup would
		seldom.human().do("GET", "/v1/vaults", nil).is(t, 200)
	}
	if len(backups(dir)) != before {
		t.Error("a backup a day, and another one at once")
	}
}

func settingBackupKeep(t *testing.T, l *lab) {
	dir := t.TempDir()
	d := l.with(t, "backup.dir="+dir, "backup.every=1s", "backup.keep=2")
	first := ""
	eventually(t, patience, "the first gone", func() bool {
		all := backups(dir)
		if first == "" && len(all) > 0 {
			first = all[0]
		}
		_, err := os.Stat(first)
		return first != "" && os.IsNotExist(err)
	})
	d.kill()
	if n := len(backups(dir)); n < 2 || n > 3 {
		t.Errorf("%d are kept, want 2 and perhaps one that is not proven yet", n)
	}
}
