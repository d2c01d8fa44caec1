package backup_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/backup"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault"
)

func (w *world) putBig(i, size int) error {
	p, err := vault.ParseSecretPath(path(i))
	if err == nil {
		_, err = w.vaults.Put(w.ctx, w.owner, w.v.ID, p, vault.NewVersion{Value: plain.New(bytes.Repeat([]byte{'x'}, size))})
	}
	return err
}

func TestCreateFile(t *testing.T) {
	w := newWorld(t)
	w.put(0, 10)
	name := filepath.Join(t.TempDir(), "state.backup")
	writeFile(t, name, []byte("an old one"))
	var seen backup.Progress
	m := must(backup.CreateFile(w.ctx, w.source(), name, func(p backup.Progress) { seen = p }))(t)
	if info := must(os.Stat(name))(t); info.Mode().Perm() != 0o600 {
		t.Error(info.Mode())
	}
	if seen.Bytes != m.Bytes || seen.Rate() <= 0 {
		t.Errorf("%+v", seen)
	}
	f := must(os.Open(name))(t)
	defer f.Close()
	report := must(backup.Verify(w.ctx, f, w.vkey, nil))(t)
	if report.Manifest.Sum() != m.Sum() || !report.Pinned {
		t.Errorf("%+v", report)
	}

	good := must(os.ReadFile(name))(t)
	src := w.source() // whose HSM does not sign what comes last
	src.Key.Sign = func(context.Context, []byte) ([]byte, error) { return nil, hsm.ErrUnavailable }
	if _, err := backup.CreateFile(w.ctx, src, name, nil); !errors.Is(err, hsm.ErrUnavailable) {
		t.Error(err)
	}
	if after := must(os.ReadFile(name))(t); !bytes.Equal(after, good) {
		t.Error("a failed backup touched the one before")
	}
	if names := left(t, filepath.Dir(name)); len(names) != 1 {
		t.Errorf("left: %v", names)
	}
}

// TestDiskFull: a backup and a restore that find no space say so and leave
// nothing behind.
func TestDiskFull(t *testing.T) {
	disk := tmpfs(t, "4m")
	w := newWorld(t)
	for i := range 6 {
		w.ok(w.putBig(i, 1<<20))
	}
	_, err := backup.CreateFile(w.ctx, w.source(), filepath.Join(disk, "state.backup"), nil)
	if !errors.Is(err, backup.ErrFull) {
		t.Errorf("backup: %v", err)
	}
	_, err = backup.Restore(w.ctx, bytes.NewReader(w.backup()), filepath.Join(disk, "data"), w.options())
	if !errors.Is(err, backup.ErrFull) {
		t.Errorf("restore: %v", err)
	}
	if names := left(t, disk); len(names) > 0 {
		t.Errorf("left: %v", names)
	}
}

func tmpfs(t *testing.T, size string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "mode=0700,size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		if slices.Contains(strings.Split(os.Getenv("ONECLAW_REQUIRE"), ","), "tmpfs") {
			t.Fatalf("mounting a tmpfs: %s", out)
		}
		t.Skipf("mounting a tmpfs: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return dir
}
