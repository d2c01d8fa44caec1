package appliance

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// harden keeps the memory of this process from other processes and from the
// disk: no core dumps, no debuggers (prctl(2), PR_SET_DUMPABLE). It returns what
// an operator should know because the system did not grant it or cannot be told
// from here.
//
// Memory is not locked as a whole: the store's file is mapped into it. The keys
// of a module are locked by what holds them; for the rest, swap must be off.
func harden() []string {
	var notes []string
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		notes = append(notes, "other processes of the same user can read this one's memory: "+err.Error())
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		notes = append(notes, "a crash may leave keys in a core dump: "+err.Error())
	}
	if canSwap("/proc/swaps", "/proc/self/cgroup", "/sys/fs/cgroup") {
		notes = append(notes, "swap is on, so keys in memory may reach the disk; switch it off, or set MemorySwapMax=0 in the unit")
	}
	return notes
}

// writable reports why this user cannot make files in dir, or nil.
func writable(dir string) error {
	return unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS)
}

// freeSpace is how many bytes this user can still write where dir is.
func freeSpace(dir string) (bytes uint64, ok bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true
}

// clockUnsynchronised reports what the kernel knows of its clock (adjtimex(2)).
func clockUnsynchronised() (wrong, ok bool) {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return false, false
	}
	return t.Status&unix.STA_UNSYNC != 0, true
}

// canSwap reports whether this process's memory may go to a swap device: there
// is one, and the control group (version 2) does not forbid it.
func canSwap(swaps, cgroup, root string) bool {
	f, err := os.Open(swaps)
	if err != nil {
		return false
	}
	defer f.Close()
	lines := 0
	for s := bufio.NewScanner(f); s.Scan(); lines++ { // the first is a heading
	}
	if lines < 2 {
		return false
	}
	mine, _ := os.ReadFile(cgroup)
	for line := range strings.Lines(string(mine)) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue
		}
		limit, err := os.ReadFile(filepath.Join(root, group, "memory.swap.max"))
		return err != nil || strings.TrimSpace(string(limit)) != "0"
	}
	return true
}
