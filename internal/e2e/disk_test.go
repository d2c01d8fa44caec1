package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// fill leaves no byte free in dir and returns how to give the space back.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	ballast := filepath.Join(dir, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size >= 1; size >>= 4 {
		for err = nil; err == nil; {
			_, err = f.Write(bytes.Repeat([]byte{1}, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDiskFull fills the disk under the daemon. Writes are refused and have not
// happened, the daemon lives, the log holds, and when there is space again all
// goes on by itself.
func TestDiskFull(t *testing.T) {
	needSoftHSM(t)
	disk := tmpfs(t, "96m")
	d := newDevIn(t, filepath.Join(disk, "data"), "--set", "audit.checkpoint_interval=300ms").start()
	h := d.human()
	v := h.vault(t, "v")
	agent, key := h.agent(t, "a")
	secret := &written{vault: v, path: "a/secret"}
	for range 20 {
		secret.write(t, h)
	}
	for round := range 3 {
		free := fill(t, disk)
		// The file has free pages of its own; big values use them up.
		eventually(t, patience, "full", func() bool { return secret.write(t, h).status == 507 })
		for range 50 {
			if a := secret.write(t, h); a.status == 507 {
				a.problem(t, 507)
			}
		}
		// Nothing is read without a record of it, and no grant is half made.
		if a := h.get(v, secret.path); a.status != 200 && a.status != 507 {
			t.Errorf("a read on a full disk: %v", a)
		}
		grant := h.policy(v, agent, fmt.Sprintf("full/%d", round), "read")
		if grant.status != 201 && grant.status != 507 {
			t.Errorf("a grant on a full disk: %v", grant)
		}
		if a := h.exchange(key); a.status != 200 && a.status != 507 {
			t.Errorf("an exchange on a full disk: %v", a)
		}
		if !d.proc.running() {
			t.Fatalf("the daemon ended:\n%s", d.logTail())
		}
		free()
		took := eventually(t, patience, "writable again", func() bool { return secret.write(t, h).status == 201 })
		t.Logf("writable again after %v; %d of %d writes were refused so far", took, secret.refused, secret.refused+len(secret.values))
		secret.check(t, h)
		granted := strings.Contains(string(h.do("GET", "/v1/vaults/"+v+"/policies", nil).is(t, 200).body), fmt.Sprintf(`"full/%d"`, round))
		if granted != (grant.status == 201) {
			t.Errorf("a grant was answered with %d; it is there: %v", grant.status, granted)
		}
		h.verifyAudit(t)
	}
	if secret.refused == 0 {
		t.Error("the disk was never full")
	}
	d.restart()
	secret.check(t, d.human())
	d.human().verifyAudit(t)
}

// written is a secret and the values whose writes were acknowledged.
type written struct {
	vault, path string
	values      []string
	refused     int
	tried       int
}

func (w *written) write(t *testing.T, c *client) answer {
	t.Helper()
	w.tried++
	value := fmt.Sprintf("value %d %s", w.tried, strings.Repeat("x", 30000))
	a := c.put(w.vault, w.path, value)
	switch {
	case a.err != nil:
		t.Fatal(a)
	case a.status == 201:
		w.values = append(w.values, value)
		if n := into[api.SecretMetadataResponse](t, a).Version; n != len(w.values) {
			t.Fatalf("version %d was acknowledged as %d: a refused write took effect", len(w.values), n)
		}
	case a.status == 507:
		w.refused++
	default:
		t.Fatalf("a write on a full disk: %v", a)
	}
	return a
}

// check reads every version: those acknowledged, and no other.
func (w *written) check(t *testing.T, c *client) {
	t.Helper()
	for i, value := range w.values {
		a := c.do("GET", fmt.Sprintf("/v1/vaults/%s/secret-version/%s/%d", w.vault, w.path, i+1), nil).is(t, 200)
		if got := into[api.SecretResponse](t, a).Value; got != value {
			t.Fatalf("version %d is %.20q, written as %.20q", i+1, got, value)
		}
	}
	c.do("GET", fmt.Sprintf("/v1/vaults/%s/secret-version/%s/%d", w.vault, w.path, len(w.values)+1), nil).is(t, 404)
}

// TestDiskFullUnderLoad fills the disk while events pour in, so that the archive,
// whose files are mapped, runs out of space in the middle of its work. The disk is
// large enough for all that the archive keeps free.
func TestDiskFullUnderLoad(t *testing.T) {
	needSoftHSM(t)
	disk := tmpfs(t, "640m")
	d := newDevIn(t, filepath.Join(disk, "data"), "--set", "audit.checkpoint_interval=300ms").start()
	h := d.human()
	v := h.vault(t, "v")
	h.put(v, "a", "1").is(t, 201)
	var stop atomic.Bool
	var reads, full, wrong atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for !stop.Load() {
				switch a := h.get(v, "a"); {
				case a.err == nil && a.status == 200:
					reads.Add(1)
				case a.err == nil && a.status == 507:
					full.Add(1)
					time.Sleep(2 * time.Millisecond)
				default:
					wrong.Add(1)
					t.Errorf("a read on a full disk: %v", a)
					time.Sleep(100 * time.Millisecond)
				}
			}
		})
	}
	stopAll := sync.OnceFunc(func() { stop.Store(true); all.Wait() })
	t.Cleanup(stopAll)
	more := func(n *atomic.Int64, by int64, what string) {
		t.Helper()
		to := n.Load() + by
		eventually(t, 2*patience, what, func() bool { return n.Load() >= to || !d.proc.running() || wrong.Load() > 0 })
		if !d.proc.running() {
			stopAll()
			t.Fatalf("the daemon ended: %v\n%s", d.proc.state, d.logTail())
		}
	}
	more(&reads, 3000, "read enough")
	for range 3 {
		free := fill(t, disk)
		more(&full, 3000, "refused enough")
		free()
		more(&reads, 1500, "read again")
	}
	stopAll()
	t.Logf("%d reads, %d refused", reads.Load(), full.Load())
	h.verifyAudit(t)
	d.restart()
	if n := d.human().verifyAudit(t).EventsVerified; n < uint64(reads.Load()) {
		t.Errorf("%d reads were answered and only %d events are in the log", reads.Load(), n)
	}
}

// TestStartOnFullDisk: a restart needs no space, or says that it does.
func TestStartOnFullDisk(t *testing.T) {
	needSoftHSM(t)
	disk := tmpfs(t, "96m")
	d := newDevIn(t, filepath.Join(disk, "data")).start()
	v := d.human().vault(t, "v")
	d.human().put(v, "a", "1").is(t, 201)
	d.stop()
	free := fill(t, disk)
	if err := d.tryStart(); err == nil {
		if a := d.human().get(v, "a"); a.status != 200 && a.status != 507 {
			t.Errorf("a read on a full disk: %v", a)
		}
		d.stop()
	} else if code := d.wait(patience); code != 1 || !strings.Contains(d.log(), "space") || strings.Contains(d.log(), "goroutine ") {
		t.Errorf("exit code %d and no clear word:\n%s", code, d.logTail())
	}
	free()
	d.start()
	if got := d.human().value(t, v, "a"); got != "1" {
		t.Errorf("%q", got)
	}
	d.human().verifyAudit(t)
}

// TestReadOnlyFolder: the disk is mounted read-only before the start, and under
// a running daemon.
func TestReadOnlyFolder(t *testing.T) {
	needSoftHSM(t)
	disk := tmpfs(t, "96m")
	remount := func(how string) error {
		out, err := exec.Command("mount", "-o", "remount,"+how, disk).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	d := newDevIn(t, filepath.Join(disk, "data")).start()
	v := d.human().vault(t, "v")
	d.human().put(v, "a", "1").is(t, 201)
	d.stop()
	if err := remount("ro"); err != nil {
		t.Fatal(err)
	}
	d.refuses(1, "the data folder", "cannot be written", "read-only")
	out, _ := d.operate("", "doctor", "--set", "hsm.module=local", "--set", "attest.mode=none")
	if !strings.Contains(out, "cannot be written: read-only file system") || strings.Contains(out, "backup restore") {
		t.Errorf("the doctor: %s", out)
	}
	fresh := newDevIn(t, filepath.Join(disk, "other"))
	fresh.refuses(1, "read-only")
	if err := remount("rw"); err != nil {
		t.Fatal(err)
	}
	d.start()
	if got := d.human().value(t, v, "a"); got != "1" {
		t.Errorf("%q", got)
	}
}

// TestDiskGoesAway: under a running daemon the disk takes and gives nothing any more,
// as one that was pulled out, or that the kernel made read-only after an error. All is
// refused, everybody who asks is told, the daemon stops when it is told to, and what
// was acknowledged is there when the disk is.
func TestDiskGoesAway(t *testing.T) {
	needSoftHSM(t)
	disk, mount := ext4(t, "128M")
	d := newDevIn(t, filepath.Join(disk, "data")).start()
	syscall.Sync() // for the token and its PIN, which `dev` makes to play with
	h := d.human()
	secret := &written{vault: h.vault(t, "v"), path: "a/secret"}
	for range 20 {
		secret.write(t, h)
	}
	shutDown(t, disk)
	for range 10 {
		h.put(secret.vault, secret.path, "lost").problem(t, 503)
		h.get(secret.vault, secret.path).problem(t, 503)
	}
	if a := h.do("GET", "/readyz", nil).is(t, 503); !strings.Contains(string(a.body), `"storage":"unwritable"`) {
		t.Errorf("/readyz: %v", a)
	}
	if got := into[api.HealthResponse](t, h.do("GET", "/v1/health", nil).is(t, 200)).Status; got != api.Degraded {
		t.Errorf("health: %s", got)
	}
	d.signal(syscall.SIGTERM)
	if code := d.wait(patience); code != 1 || !strings.Contains(d.log(), "could not be written down") || strings.Contains(d.log(), "goroutine ") {
		t.Errorf("exit code %d after SIGTERM\n%s", code, d.logTail())
	}
	mount()
	d.start()
	secret.check(t, d.human())
	d.human().verifyAudit(t)
}

// ext4 mounts a file with a file system of its own; again mounts it anew.
func ext4(t *testing.T, size string) (dir string, again func()) {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image")
	dir = filepath.Join(t.TempDir(), "disk")
	command := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			required(t, "loop", fmt.Sprintf("%s fails: %v %s", name, err, out))
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	command("mkfs.ext4", "-q", image, size)
	command("mount", "-o", "loop", image, dir)
	t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
	return dir, func() {
		t.Helper()
		command("umount", dir)
		command("mount", "-o", "loop", image, dir)
	}
}

// shutDown has the file system answer nothing but errors until it is mounted again
// (EXT4_IOC_SHUTDOWN, what was not synced is lost).
func shutDown(t *testing.T, disk string) {
	t.Helper()
	f, err := os.Open(disk)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const shutdown = 0x8004587d
	how := uint32(2)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), shutdown, uintptr(unsafe.Pointer(&how))); errno != 0 {
		t.Fatal(errno)
	}
}
