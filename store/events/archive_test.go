package events_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/store/events"
	"github.com/oneclaw/oneclawd/vault/audit"
)

var key = bytes.Repeat([]byte{7}, 32)

func open(t testing.TB, c events.Config) *events.Archive {
	t.Helper()
	c.Key = key
	a, err := events.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func entries(from, to uint64) []audit.Entry {
	var out []audit.Entry
	for seq := from; seq < to; seq++ {
		out = append(out, audit.Entry{Seq: seq, Leaf: fmt.Appendf(nil, `{"seq":%d,"canary":"PLANTED-%d"}`, seq, seq)})
	}
	return out
}

func add(t testing.TB, a *events.Archive, batch []audit.Entry) {
	t.Helper()
	if err := a.Append(batch); err != nil {
		t.Fatal(err)
	}
}

func next(t testing.TB, a *events.Archive) uint64 {
	t.Helper()
	n, err := a.Next()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

type scan func(from, to uint64, fn func(audit.Entry) bool) error

// seqs scans and stops after limit entries, whose bytes it compares.
func seqs(t testing.TB, s scan, from, to uint64, limit int) []uint64 {
	t.Helper()
	out := []uint64{}
	err := s(from, to, func(e audit.Entry) bool {
		if want := entries(e.Seq, e.Seq+1)[0].Leaf; !bytes.Equal(e.Leaf, want) {
			t.Fatalf("entry %d: %s", e.Seq, e.Leaf)
		}
		out = append(out, e.Seq)
		return len(out) < limit
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestArchiveScans(t *testing.T) {
	a := open(t, events.Config{Dir: t.TempDir()})
	if next(t, a) != 0 || len(seqs(t, a.Ascend, 0, 100, 100)) != 0 {
		t.Fatal("not empty")
	}
	add(t, a, nil)
	add(t, a, entries(0, 300))
	add(t, a, entries(300, 310))
	for _, c := range []struct {
		scan     scan
		from, to uint64
		limit    int
		want     []uint64
	}{
		{a.Ascend, 0, 3, 9, []uint64{0, 1, 2}},
		{a.Ascend, 254, 1000, 3, []uint64{254, 255, 256}},
		{a.Ascend, 308, 1 << 63, 9, []uint64{308, 309}},
		{a.Ascend, 5, 5, 9, []uint64{}},
		{a.Descend, 0, 3, 9, []uint64{2, 1, 0}},
		{a.Descend, 255, 258, 9, []uint64{257, 256, 255}},
		{a.Descend, 0, 1 << 63, 2, []uint64{309, 308}},
		{a.Descend, 0, 0, 9, []uint64{}},
		{a.Descend, 400, 500, 9, []uint64{}},
	} {
		if got := seqs(t, c.scan, c.from, c.to, c.limit); !slices.Equal(got, c.want) {
			t.Errorf("[%d, %d): %v", c.from, c.to, got)
		}
	}
	if raw, err := a.Leaf(310); raw != nil || err != nil {
		t.Errorf("%s, %v", raw, err)
	}
}

// A batch that is delivered again, in part or whole, changes nothing; and what
// was appended is there after a restart.
func TestArchiveIsIdempotentAndDurable(t *testing.T) {
	dir := t.TempDir()
	a := open(t, events.Config{Dir: dir})
	add(t, a, entries(0, 50))
	add(t, a, entries(20, 60))
	add(t, a, entries(20, 60))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a = open(t, events.Config{Dir: dir})
	if got := seqs(t, a.Ascend, 0, 100, 100); len(got) != 60 || next(t, a) != 60 {
		t.Errorf("%d entries, next %d", len(got), next(t, a))
	}
}

// A batch larger than Badger's transactions is split.
func TestArchiveLargeBatch(t *testing.T) {
	a := open(t, events.Config{Dir: t.TempDir()})
	batch := entries(0, 100)
	for i := range batch {
		batch[i].Leaf = bytes.Repeat([]byte{byte(i)}, 63*1024)
	}
	add(t, a, batch)
	for _, e := range batch {
		if raw, err := a.Leaf(e.Seq); err != nil || !bytes.Equal(raw, e.Leaf) {
			t.Fatalf("entry %d: %v", e.Seq, err)
		}
	}
}

func TestArchiveForgets(t *testing.T) {
	a := open(t, events.Config{Dir: t.TempDir(), Retention: time.Second})
	add(t, a, entries(0, 10))
	if len(seqs(t, a.Ascend, 0, 100, 100)) != 10 {
		t.Fatal("gone at once")
	}
	for deadline := time.Now().Add(10 * time.Second); len(seqs(t, a.Ascend, 0, 100, 100)) > 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never gone")
		}
	}
	if n := next(t, a); n != 10 { // or the archive would look older than the store
		t.Errorf("next %d", n)
	}
}

func TestArchiveKeys(t *testing.T) {
	dir := t.TempDir()
	a := open(t, events.Config{Dir: dir})
	add(t, a, entries(0, 1000))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := events.Open(events.Config{Dir: dir, Key: bytes.Repeat([]byte{8}, 32)}); !errors.Is(err, events.ErrKey) {
		t.Errorf("another key: %v", err)
	}
	if _, err := events.Open(events.Config{Dir: dir, Key: key[:16]}); err == nil {
		t.Error("a short key is taken")
	}
	var size int64
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte("PLANTED")) {
			t.Errorf("%s is readable", d.Name())
		}
		size += int64(len(b))
		return err
	})
	if err != nil || size == 0 {
		t.Errorf("%d bytes, %v", size, err)
	}
	a = open(t, events.Config{Dir: dir})
	if len(seqs(t, a.Ascend, 0, 2000, 2000)) != 1000 {
		t.Error("not whole")
	}
}

// A crash may leave files of no bytes, on each of which Badger fails once.
func TestArchiveOpensAfterCrash(t *testing.T) {
	dir := t.TempDir()
	a := open(t, events.Config{Dir: dir})
	add(t, a, entries(0, 10))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	logs, err := filepath.Glob(filepath.Join(dir, "*.vlog"))
	if err != nil || len(logs) == 0 {
		t.Fatal(err, logs)
	}
	slices.Sort(logs)
	var n int
	if _, err := fmt.Sscanf(filepath.Base(logs[len(logs)-1]), "%d.vlog", &n); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{fmt.Sprintf("%06d.vlog", n+1), "00007.mem", "00008.mem"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a = open(t, events.Config{Dir: dir})
	if len(seqs(t, a.Ascend, 0, 100, 100)) != 10 {
		t.Error("not whole")
	}
}

func TestArchiveIsLocked(t *testing.T) {
	dir := t.TempDir()
	open(t, events.Config{Dir: dir})
	if _, err := events.Open(events.Config{Dir: dir, Key: key}); err == nil || !strings.Contains(err.Error(), "lock") {
		t.Errorf("opened twice: %v", err)
	}
}

// A disk that lost the last page of a file gives zeros for it. That is an error
// that says so, or it is repaired; the daemon does not end in a panic.
func TestArchiveWithALostPage(t *testing.T) {
	dir := t.TempDir()
	a := open(t, events.Config{Dir: dir})
	for from := uint64(0); from < 4000; from += 500 {
		add(t, a, entries(from, from+500))
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	tried, tables := 0, 0
	for _, f := range files {
		info, err := f.Info()
		if err != nil || !info.Mode().IsRegular() || f.Name() == "LOCK" {
			continue
		}
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		zero(t, filepath.Join(copied, f.Name()), info.Size())
		tried++
		again, err := events.Open(events.Config{Dir: copied, Key: key})
		if err == nil {
			err = again.Close()
		}
		if isTable := filepath.Ext(f.Name()) == ".sst"; isTable {
			tables++
			if !errors.Is(err, events.ErrDamaged) || !strings.Contains(err.Error(), f.Name()) {
				t.Errorf("%s: %v", f.Name(), err)
			}
		}
	}
	if tried < 3 || tables == 0 {
		t.Errorf("only %d files, %d tables", tried, tables)
	}
	// A table that a crash has left half is no part of the archive.
	if err := os.WriteFile(filepath.Join(dir, "000099.sst"), make([]byte, 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := next(t, open(t, events.Config{Dir: dir})); n != 4000 {
		t.Errorf("%d events", n)
	}
}

// TestArchiveDamaged: what is gone or altered is called damage, with what to do.
func TestArchiveDamaged(t *testing.T) {
	dir := t.TempDir()
	a := open(t, events.Config{Dir: dir})
	add(t, a, entries(0, 500))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	flip := func(at int64) func(string) error {
		return func(name string) error {
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			text[(at+int64(len(text)))%int64(len(text))] ^= 1
			return os.WriteFile(name, text, 0o600)
		}
	}
	for what, do := range map[string]func(string) error{"MANIFEST": flip(-1), "KEYREGISTRY": flip(-1), "*.sst": os.Remove} {
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		names, _ := filepath.Glob(filepath.Join(copied, what))
		if len(names) == 0 {
			t.Fatalf("no %s", what)
		}
		if err := do(names[0]); err != nil {
			t.Fatal(err)
		}
		if _, err := events.Open(events.Config{Dir: copied, Key: key}); !errors.Is(err, events.ErrDamaged) || !strings.Contains(err.Error(), "restore a backup") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// zero makes the last page of a file zeros.
func zero(t *testing.T, name string, size int64) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := min(size, 4096)
	_, err1 := f.WriteAt(make([]byte, n), size-n)
	if err := errors.Join(err1, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// A folder that takes nothing any more, as of a disk that was taken away, does not
// keep anybody from stopping: the log of the memtable has what was not flushed.
func TestCloseWithoutFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "events")
	var said bytes.Buffer
	a, err := events.Open(events.Config{Dir: dir, Key: key, Log: slog.New(slog.NewTextHandler(&said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	add(t, a, entries(0, 300))
	away := dir + ".away"
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(said.String(), "closed without a flush") {
		t.Errorf("%s", said.String())
	}
	kept := filepath.Join(t.TempDir(), "copy") // Badger still waits, and has the lock
	if err := os.CopyFS(kept, os.DirFS(away)); err != nil {
		t.Fatal(err)
	}
	if got := seqs(t, open(t, events.Config{Dir: kept}).Ascend, 0, 500, 500); len(got) != 300 {
		t.Errorf("%d events of 300", len(got))
	}
}
