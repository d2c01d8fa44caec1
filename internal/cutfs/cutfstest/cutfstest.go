// Package cutfstest mounts file systems that have power cuts, for tests.
package cutfstest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/cutfs"
)

// Disk is a folder that lies on a file system with power cuts while it is
// mounted.
type Disk struct {
	t       testing.TB
	dice    cutfs.Dice
	fs      *cutfs.FS
	Dir     string // where it is mounted
	Backing string // what is on it when it is not
}

// New returns an empty disk that is not mounted. Without root or /dev/fuse the
// test is skipped, or fails if ONECLAW_REQUIRE lists fuse.
func New(t testing.TB) *Disk {
	t.Helper()
	if os.Getuid() != 0 {
		require(t, "only root mounts file systems")
	}
	fuse, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		require(t, err.Error())
	}
	_ = fuse.Close()
	base, seed := t.TempDir(), uint64(time.Now().UnixNano())
	t.Logf("the disk's seed is %d", seed)
	d := &Disk{
		t: t, dice: cutfs.NewDice(seed),
		Dir: filepath.Join(base, "disk"), Backing: filepath.Join(base, "backing"),
	}
	for _, dir := range []string{d.Dir, d.Backing} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if d.fs != nil {
			d.Unmount()
		}
	})
	return d
}

func require(t testing.TB, missing string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("ONECLAW_REQUIRE"), ","), "fuse") {
		t.Fatalf("ONECLAW_REQUIRE has fuse, but: %s", missing)
	}
	t.Skip("no fuse: " + missing)
}

// Mount turns the power on, and returns what turns it off. onSync may be nil.
func (d *Disk) Mount(onSync func(cutfs.Sync) cutfs.Verdict) *cutfs.FS {
	d.t.Helper()
	fs, err := cutfs.Mount(d.Backing, d.Dir, cutfs.Options{Dice: d.dice, OnSync: onSync})
	if err != nil {
		d.t.Fatal(err)
	}
	d.fs = fs
	return fs
}

// Unmount leaves in Backing what is on the disk. Programs that used it must have
// ended.
func (d *Disk) Unmount() {
	d.t.Helper()
	fs := d.fs
	d.fs = nil
	if err := fs.Unmount(); err != nil {
		d.t.Fatal(err)
	}
}
