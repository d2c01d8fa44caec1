package cutfs_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/oneclaw/oneclawd/internal/cutfs"
	"github.com/oneclaw/oneclawd/internal/cutfs/cutfstest"
)

// mapperVar makes this test program the one that maps a file: the process that
// mounts must not.
const mapperVar = "CUTFS_MAPPER"

func TestMain(m *testing.M) {
	if path := os.Getenv(mapperVar); path != "" {
		os.Exit(writeMapped(path))
	}
	os.Exit(m.Run())
}

const mappedPages = 16

// writeMapped writes s to half of the pages of a map and syncs it, and then u to
// the others. It says so and waits to be killed.
func writeMapped(path string) int {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = f.Truncate(mappedPages * 4096)
	}
	if err != nil {
		return 1
	}
	m, err := unix.Mmap(int(f.Fd()), 0, mappedPages*4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return 2
	}
	fill := func(from int, b byte) {
		for p := from; p < mappedPages; p += 2 {
			copy(m[p*4096:], bytes.Repeat([]byte{b}, 4096))
		}
	}
	fill(0, 's')
	if err := unix.Msync(m, unix.MS_SYNC); err != nil {
		return 3
	}
	fill(1, 'u')
	if _, err := os.Stdout.WriteString("mapped\n"); err != nil {
		return 4
	}
	select {}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// What is synced through a map survives every cut; what is not, some.
func TestMapped(t *testing.T) {
	lost, kept := 0, 0
	for range 12 {
		d := cutfstest.New(t)
		power := d.Mount(nil)
		cmd := exec.Command(must[string](t)(os.Executable()))
		cmd.Env = append(os.Environ(), mapperVar+"="+filepath.Join(d.Dir, "mapped"))
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		said := make([]byte, 16)
		n, _ := pipe.Read(said)
		power.Cut()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if string(said[:n]) != "mapped\n" {
			t.Fatalf("%q: %v", said[:n], cmd.ProcessState)
		}
		d.Unmount()
		text := must[[]byte](t)(os.ReadFile(filepath.Join(d.Backing, "mapped")))
		if len(text) != mappedPages*4096 {
			t.Fatalf("%d bytes", len(text))
		}
		for p := range mappedPages {
			switch us := bytes.Count(text[p*4096:(p+1)*4096], []byte{'u'}); {
			case p%2 == 0 && bytes.Count(text[p*4096:(p+1)*4096], []byte{'s'}) != 4096:
				t.Fatalf("page %d was synced and is lost", p)
			case p%2 == 1 && us == 0:
				lost++
			case p%2 == 1:
				kept++
			}
		}
	}
	t.Logf("of the pages that were not synced, %d were lost and %d kept", lost, kept)
	if lost == 0 {
		t.Error("nothing is ever lost")
	}
}

// The mount does what programs of ours do with files, and keeps all of it if the
// power stays.
func TestMountIsAFileSystem(t *testing.T) {
	d := cutfstest.New(t)
	d.Mount(nil)
	at := func(name string) string { return filepath.Join(d.Dir, name) }
	for _, err := range []error{
		os.MkdirAll(at("a/b"), 0o700),
		os.WriteFile(at("a/b/one"), []byte("one"), 0o600),
		os.WriteFile(at("two"), []byte("2"), 0o644),
		os.WriteFile(at("two"), []byte("two"), 0o644),
		os.Link(at("two"), at("a/two")),
		os.Rename(at("a/b/one"), at("a/one")),
		os.Remove(at("a/b")),
		os.Chmod(at("two"), 0o400),
		os.WriteFile(at("gone"), nil, 0o600),
		os.Remove(at("gone")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	check := func(root string) {
		t.Helper()
		for name, want := range map[string]string{"a/one": "one", "two": "two", "a/two": "two"} {
			if got := string(must[[]byte](t)(os.ReadFile(filepath.Join(root, name)))); got != want {
				t.Errorf("%s: %q", name, got)
			}
		}
		for _, name := range []string{"a/b", "gone"} {
			if _, err := os.Stat(filepath.Join(root, name)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if mode := must[os.FileInfo](t)(os.Stat(filepath.Join(root, "two"))).Mode(); mode != 0o400 {
			t.Errorf("mode %v", mode)
		}
		if list := must[[]os.DirEntry](t)(os.ReadDir(root)); len(list) != 2 {
			t.Errorf("%v", list)
		}
	}
	check(d.Dir)
	d.Unmount()
	check(d.Backing)
	d.Mount(nil)
	check(d.Dir)
}

// After a cut nothing works until the disk is mounted again.
func TestNoPower(t *testing.T) {
	d := cutfstest.New(t)
	var asked []string
	power := d.Mount(func(s cutfs.Sync) cutfs.Verdict {
		asked = append(asked, s.Name)
		if s.Name == "synced" && s.N == 2 {
			return cutfs.CutAfter
		}
		return cutfs.Done
	})
	f := must[*os.File](t)(os.Create(filepath.Join(d.Dir, "synced")))
	defer f.Close()
	must[int](t)(f.WriteString("one "))
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	must[int](t)(f.WriteString("two "))
	if err := unix.Fdatasync(int(f.Fd())); !errors.Is(err, syscall.EIO) {
		t.Errorf("the sync that was cut off: %v", err)
	}
	<-power.Down()
	power.Cut() // again
	if _, err := f.WriteString("three"); !errors.Is(err, syscall.EIO) {
		t.Errorf("a write: %v", err)
	}
	if _, err := os.Create(filepath.Join(d.Dir, "new")); !errors.Is(err, syscall.EIO) {
		t.Errorf("a new file: %v", err)
	}
	_ = f.Close()
	d.Unmount()
	if got := string(must[[]byte](t)(os.ReadFile(filepath.Join(d.Backing, "synced")))); got != "one two " {
		t.Errorf("%q", got)
	}
	if strings.Join(asked, " ") != "synced synced" {
		t.Errorf("asked of %v", asked)
	}
}
