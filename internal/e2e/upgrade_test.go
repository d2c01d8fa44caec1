package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// nextBinary is a oneclawd whose schema is one ahead, built once: an upgrade can
// be tried with it before a release needs one.
var nextBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "oneclawd-rehearsal")
	out, err := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", "oneclawd_rehearsal",
		"-ldflags", "-X main.version=v99.0.0", "-o", path, "../../cmd/oneclawd").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// upgrading is an appliance with data, stopped, and both binaries.
type upgrading struct {
	*daemon
	vault     string
	now, next string
}

const upgradeSecrets = 30

func newUpgrading(t *testing.T, settings ...string) *upgrading {
	t.Helper()
	next, err := nextBinary()
	if err != nil {
		t.Fatal(err)
	}
	u := &upgrading{daemon: newServeOn(t, nil, settings...), now: binary, next: next}
	u.start()
	h := u.human()
	u.vault = h.vault(t, "v")
	for i := range upgradeSecrets {
		h.put(u.vault, fmt.Sprintf("s/%d", i), fmt.Sprintf("value %d", i)).is(t, 201)
	}
	u.stop()
	return u
}

// with runs fn with a binary as the one that is installed.
func (u *upgrading) with(path string, fn func()) {
	defer func(before string) { binary = before }(binary)
	binary = path
	fn()
}

// sound fails unless all is there that was before, and the log holds.
func (u *upgrading) sound() {
	u.t.Helper()
	h := u.human()
	for i := range upgradeSecrets {
		if got := h.value(u.t, u.vault, fmt.Sprintf("s/%d", i)); got != fmt.Sprintf("value %d", i) {
			u.t.Errorf("s/%d is %q", i, got)
		}
	}
	h.verifyAudit(u.t)
}

// upgrades are the events of them.
func (u *upgrading) upgrades() (found []string) {
	u.t.Helper()
	for _, line := range lines(string(u.human().do("GET", "/v1/audit/export", nil).is(u.t, 200).body)) {
		if strings.Contains(line, `"appliance.upgrade"`) {
			found = append(found, line)
		}
	}
	return found
}

func (u *upgrading) state() []byte {
	u.t.Helper()
	b, err := os.ReadFile(filepath.Join(u.data, "state.db"))
	if err != nil {
		u.t.Fatal(err)
	}
	return b
}

// befores are the backups from before an upgrade.
func (u *upgrading) befores() []string {
	all, _ := filepath.Glob(filepath.Join(u.data, "pre-upgrade", "pre-upgrade-schema-1-*.backup"))
	return all
}

func (u *upgrading) touch(name string) string {
	u.t.Helper()
	path := filepath.Join(u.data, name)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		u.t.Fatal(err)
	}
	return path
}

// TestUpgrade: a newer oneclawd backs old data up and upgrades it, the older one
// then refuses it and says where the backup is, and brings that back.
func TestUpgrade(t *testing.T) {
	u := newUpgrading(t)
	u.with(u.next, func() {
		u.start()
		u.sound()
		if e := u.upgrades(); len(e) != 1 || !strings.Contains(e[0], `"from":1`) || !strings.Contains(e[0], `"to":2`) || !strings.Contains(e[0], `"v99.0.0"`) {
			t.Errorf("events of the upgrade: %v", e)
		}
		u.operates("", "proven restore: 2", "status")
		u.restart()
		if n := len(u.upgrades()); n != 1 {
			t.Errorf("%d events of one upgrade", n)
		}
		u.stop()
	})
	kept := u.befores()
	if len(kept) != 1 {
		t.Fatalf("backups from before: %v", kept)
	}
	before := u.state()
	u.refuses(1, "newer oneclawd", "schema 2, this one knows 1", "install that version again", kept[0])
	if !bytes.Equal(u.state(), before) {
		t.Error("the older one touched the data")
	}
	if out, errs, code := run(t, u.env, "backup", "verify", kept[0]); code != 0 || !strings.Contains(out, "schema 1") {
		t.Errorf("%s%s", out, errs)
	}
	// The way back: the data moved away, the older version, the backup.
	aside := u.data + ".newer"
	if err := os.Rename(u.data, aside); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(u.data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(aside, "keys"), filepath.Join(u.data, "keys")); err != nil {
		t.Fatal(err)
	}
	kept[0] = strings.Replace(kept[0], u.data, aside, 1)
	if out, errs, code := run(t, u.env, "backup", "restore", kept[0], "--config", u.args[2]); code != 0 {
		t.Fatalf("restore: %s%s", out, errs)
	}
	u.args = append(u.args, "--accept-rollback")
	u.start()
	u.sound()
	u.stop()
	// A newer one restores it just as well, and upgrades it again.
	u.with(u.next, func() {
		u.start()
		u.sound()
		u.stop()
	})
}

// TestUpgradeThatDoesNotHappen: what ends it halfway, by a word, by force or by an
// error, leaves every byte of the data as it was; both versions start on it.
func TestUpgradeThatDoesNotHappen(t *testing.T) {
	u := newUpgrading(t)
	before := u.state()
	untouched := func(what string) {
		t.Helper()
		if !bytes.Equal(u.state(), before) {
			t.Errorf("%s: the data was changed", what)
		}
		if n := len(u.befores()); n != 1 {
			t.Errorf("%s: %d backups of one state", what, n)
		}
		left, _ := filepath.Glob(filepath.Join(u.data, "pre-upgrade", ".*"))
		if len(left) > 0 {
			t.Errorf("%s: it left %v", what, left)
		}
	}
	u.with(u.next, func() {
		hold := u.touch("rehearsal-hold")
		held := filepath.Join(u.data, "rehearsal-held")
		for _, s := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGKILL} {
			u.spawn()
			eventually(t, patience, "halfway", func() bool {
				_, err := os.Stat(held)
				return err == nil || !u.proc.running()
			})
			u.operates("", "upgrading the data from schema 1 to 2", "status")
			u.signal(s)
			if code := u.wait(patience); s == syscall.SIGTERM && code != 0 {
				t.Errorf("exit code %d after SIGTERM:\n%s", code, u.logTail())
			}
			if err := os.Remove(held); err != nil {
				t.Error(err)
			}
			untouched(s.String())
		}
		fail := u.touch("rehearsal-fail")
		u.refuses(1, "not upgraded", "as it was", "rehearsed to fail", u.befores()[0])
		untouched("an error")
		for _, name := range []string{hold, fail} {
			if err := os.Remove(name); err != nil {
				t.Error(err)
			}
		}
	})
	copied := filepath.Join(t.TempDir(), "data")
	if out, err := exec.Command("cp", "-a", u.data, copied).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	u.with(u.next, func() {
		u.start()
		u.sound()
		u.stop()
	})
	if err := os.RemoveAll(u.data); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(copied, u.data); err != nil {
		t.Fatal(err)
	}
	u.args = append(u.args, "--accept-rollback") // the copy is older than what ran since
	u.start()
	u.sound()
	u.stop()
}

// TestUpgradeWithoutRoom: a disk without room for the backup is told of before
// anything is done.
func TestUpgradeWithoutRoom(t *testing.T) {
	disk := tmpfs(t, "1m")
	u := newUpgrading(t, "--set", "backup.dir="+disk)
	before := u.state()
	u.with(u.next, func() {
		u.refuses(1, "not upgraded", "as it was", "too little space in "+disk)
	})
	if left, _ := filepath.Glob(filepath.Join(disk, "*pre-upgrade*")); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	if !bytes.Equal(u.state(), before) {
		t.Error("the data was changed")
	}
	u.start()
	u.sound()
}
