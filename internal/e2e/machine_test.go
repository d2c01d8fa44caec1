package e2e

import (
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// needSoftHSM is for tests that use the token that `dev` makes.
func needSoftHSM(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("softhsm2-util"); err != nil {
		required(t, "softhsm", "softhsm2-util is not installed")
	}
}

// tmpfs mounts a small file system of its own.
func tmpfs(t testing.TB, size string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "mode=0700,size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		required(t, "tmpfs", "mounting one fails: "+strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return dir
}

// children are the processes that pid has started.
func children(t testing.TB, pid int) (pids []int) {
	t.Helper()
	lists, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for field := range strings.FieldsSeq(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, child)
		}
	}
	return pids
}

// freeze stops every thread of the daemon where it is.
func (d *daemon) freeze() {
	d.t.Helper()
	d.signal(syscall.SIGSTOP)
	eventually(d.t, patience, "stopped", func() bool {
		threads, err := filepath.Glob("/proc/" + strconv.Itoa(d.pid) + "/task/*/stat")
		if err != nil || len(threads) == 0 {
			d.t.Fatal("the daemon is gone", err)
		}
		for _, stat := range threads {
			text, _ := os.ReadFile(stat) // gone: it ended meanwhile
			if _, rest, ok := strings.Cut(string(text), ") "); ok && !strings.HasPrefix(rest, "T") {
				return false
			}
		}
		return true
	})
}

// broker is the process that holds the PKCS#11 library of the daemon.
func (d *daemon) broker() int {
	d.t.Helper()
	pids := children(d.t, d.pid)
	if len(pids) != 1 {
		d.t.Fatalf("the daemon has %d children", len(pids))
	}
	return pids[0]
}

// archived waits until all events that there are now have left the store for
// the archive, whose newest files are written through memory.
func (d *daemon) archived() {
	d.t.Helper()
	mark := func() [sha256.Size]byte {
		h := sha256.New()
		files, err := filepath.Glob(filepath.Join(d.data, "events", "*.mem"))
		if err != nil {
			d.t.Fatal(err)
		}
		for _, f := range files {
			text, _ := os.ReadFile(f)
			h.Write(text)
		}
		return [sha256.Size]byte(h.Sum(nil))
	}
	before := mark()
	d.human().vault(d.t, "one event more")
	eventually(d.t, patience, "archived", func() bool { return mark() != before })
}

// changedSince reports whether a file in dir was written to after at.
func changedSince(dir string, at time.Time) bool {
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		if info, err := f.Info(); err == nil && info.ModTime().After(at) {
			return true
		}
	}
	return false
}

// kilobytes reads a figure such as Pss from /proc/PID/smaps_rollup, or VmRSS
// from status; 0 if there is none.
func kilobytes(pid int, file, name string) int {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/" + file)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return n
		}
	}
	return 0
}
