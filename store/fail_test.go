package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
)

// needTmpfs mounts a file system of size bytes that nothing else uses.
func needTmpfs(t *testing.T, size int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := unix.Mount("oneclawd-test", dir, "tmpfs", 0, fmt.Sprint("size=", size)); err != nil {
		if strings.Contains(os.Getenv("ONECLAW_REQUIRE"), "tmpfs") {
			t.Fatal("mounting a tmpfs:", err)
		}
		t.Skip("mounting a tmpfs needs root:", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

func tryPut(db *DB, i int) error {
	return db.update(bg, func(tx *Tx) error {
		return things.put(tx, fmt.Append(nil, "k", i), thing{strings.Repeat("x", 2000), i})
	})
}

// On a full disk a write is refused as such, reads go on, and as soon as there
// is space again so do writes.
func TestFullDisk(t *testing.T) {
	dir := needTmpfs(t, 4<<20)
	db := openAt(t, filepath.Join(dir, "state.db"))
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	kept := map[int]bool{}
	n := 0
	for round := range 3 {
		var err error
		for ; err == nil; n++ {
			if err = tryPut(db, n); err == nil {
				kept[n] = true
			}
			if n > 10_000 {
				t.Fatal("the disk does not fill up")
			}
		}
		for range 20 { // again and again, each time from a clean state
			if err := tryPut(db, n); !errors.Is(err, ErrFull) || fault.KindOf(err) != fault.StorageFull {
				t.Fatalf("round %d, full disk: %v", round, err)
			}
		}
		if !db.Stats().Full {
			t.Error("Stats does not say that the disk is full")
		}
		for i := range n + 1 {
			if got := get(t, db, fmt.Sprint("k", i)); (got.Name != "") != kept[i] {
				t.Fatalf("round %d: k%d is %.5q, acknowledged: %v", round, i, got.Name, kept[i])
			}
		}
		if err := os.Truncate(filler, int64(2-round)<<19); err != nil {
			t.Fatal(err)
		}
		if err := tryPut(db, n); err != nil {
			t.Fatalf("round %d, space again: %v", round, err)
		}
		kept[n] = true
		n++
	}
	if db.Stats().Full {
		t.Error("Stats still says that the disk is full")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	boltCheck(t, db.cfg.Path)
	db = openAt(t, db.cfg.Path)
	for i := range n {
		if got := get(t, db, fmt.Sprint("k", i)); (got.Name != "") != kept[i] {
			t.Fatalf("after reopening: k%d is %.5q, acknowledged: %v", i, got.Name, kept[i])
		}
	}
}

func TestReadOnlyFolder(t *testing.T) {
	dir := needTmpfs(t, 4<<20)
	path := filepath.Join(dir, "state.db")
	_ = openAt(t, path).Close()
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	_, err := open(Config{Path: path}, testLayout)
	if err == nil || !strings.Contains(err.Error(), "cannot be written") {
		t.Error(err)
	}
}

// failNext makes the next commit answer as fn says.
func failNext(db *DB, fn func(tx *bolt.Tx) error) {
	db.commitBolt = func(tx *bolt.Tx) error {
		db.commitBolt = (*bolt.Tx).Commit
		return fn(tx)
	}
}

// A commit that failed before it could be seen fails its whole group, leaves
// nothing in the cache, and does not hinder the next.
func TestFailedCommitChangesNothing(t *testing.T) {
	for _, c := range []struct {
		cause error
		want  error
	}{
		{&os.PathError{Op: "write", Path: "/secret/path", Err: syscall.ENOSPC}, ErrFull},
		{fmt.Errorf("file resize error: %s", syscall.ENOSPC), ErrFull}, // as bbolt words it
		{syscall.EDQUOT, ErrFull},
		{syscall.EIO, ErrUnwritable},
		{syscall.EROFS, ErrUnwritable},
	} {
		db := openTest(t)
		put(t, db, "a", thing{"a", 1})
		get(t, db, "a") // now cached
		failNext(db, func(tx *bolt.Tx) error { return errors.Join(c.cause, tx.Rollback()) })
		hook := false
		err := db.update(bg, func(tx *Tx) error {
			tx.OnCommit(func() { hook = true })
			return things.put(tx, []byte("a"), thing{"a", 2})
		})
		if !errors.Is(err, c.want) || hook || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v: %v, hook %v", c.cause, err, hook)
		}
		if got := get(t, db, "a"); got.N != 1 {
			t.Errorf("%v: the change is there: %v", c.cause, got)
		}
		put(t, db, "b", thing{"b", 3}) // under the number of the commit that failed
		if a, b := get(t, db, "a"), get(t, db, "b"); a.N != 1 || b.N != 3 {
			t.Errorf("%v: after the next write: %v, %v", c.cause, a, b)
		}
	}
}

// The last sync fails: the change can be seen already.
func TestDoubtfulCommitIsSettled(t *testing.T) {
	doubt := func(tx *bolt.Tx) error { return errors.Join(tx.Commit(), syscall.EIO) }

	db := openTest(t)
	failNext(db, doubt)
	put(t, db, "a", thing{"a", 1}) // settled at once: no error
	if get(t, db, "a").N != 1 || db.doubt.Load() {
		t.Error("not settled")
	}

	path := db.cfg.Path
	db.cfg.Path = filepath.Join(t.TempDir(), "gone") // settling fails
	failNext(db, doubt)
	err := tryPut(db, 1)
	if !errors.Is(err, ErrInDoubt) || fault.KindOf(err) != fault.Unavailable {
		t.Error("in doubt:", err)
	}
	if err := tryPut(db, 2); !errors.Is(err, ErrUnwritable) {
		t.Error("a write on top of a doubtful one:", err)
	}
	db.cfg.Path = path // the disk is back
	if err := tryPut(db, 3); err != nil {
		t.Error(err)
	}
	if get(t, db, "k1").N != 1 || get(t, db, "k2").N != 0 || get(t, db, "k3").N != 3 {
		t.Error("wrong state after the doubt")
	}
	_ = db.Close()
	boltCheck(t, path)
}

// A disk that cannot be written is told of until it is back, even if nobody asks
// for a change meanwhile: who was told stays away.
func TestUnwritableUntilTheDiskIsBack(t *testing.T) {
	db := openTest(t)
	put(t, db, "a", thing{"a", 1})
	failNext(db, func(tx *bolt.Tx) error { _ = tx.Rollback(); return syscall.EROFS })
	if err := tryPut(db, 1); !errors.Is(err, ErrUnwritable) {
		t.Fatal(err)
	}
	path := db.cfg.Path
	db.cfg.Path = filepath.Join(t.TempDir(), "gone")
	for range 2 {
		if db.Recover(); !db.Stats().Unwritable {
			t.Fatal("a disk that is away is taken for good")
		}
	}
	db.cfg.Path = path
	if db.Recover(); db.Stats().Unwritable {
		t.Error("a disk that is back is not noticed")
	}
	failNext(db, func(tx *bolt.Tx) error { _ = tx.Rollback(); return syscall.EIO })
	if err := tryPut(db, 2); !errors.Is(err, ErrUnwritable) || !db.Stats().Unwritable {
		t.Error(err)
	}
	if err := tryPut(db, 3); err != nil || db.Stats().Unwritable {
		t.Errorf("a commit shows that the disk is back: %v", err)
	}
	if get(t, db, "a").N != 1 || get(t, db, "k1").N != 0 || get(t, db, "k3").N != 3 {
		t.Error("wrong state")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	boltCheck(t, path)
}

// A killed process loses nothing that was written without a sync either, so
// this is looked at rather than tried.
func TestCommitsAreSynced(t *testing.T) {
	if db := openTest(t); db.bolt.NoSync || db.bolt.NoGrowSync {
		t.Error("bbolt does not sync")
	}
}

func TestPanicInCommitStopsWritingOnly(t *testing.T) {
	db := openTest(t)
	put(t, db, "a", thing{"a", 1})
	failNext(db, func(*bolt.Tx) error { panic("page 7 already freed") })
	if err := tryPut(db, 1); !errors.Is(err, ErrFileDamaged) {
		t.Error(err)
	}
	if err := tryPut(db, 2); !errors.Is(err, ErrUnwritable) || !db.Stats().Unwritable {
		t.Error(err)
	}
	if get(t, db, "a").N != 1 {
		t.Error("reads stopped")
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	db = openAt(t, db.cfg.Path)
	put(t, db, "a", thing{"a", 2})
}

// A closure that ends the writer's goroutine (t.FailNow does) fails, as does
// everything after, but nobody waits for ever.
func TestGoexitInClosure(t *testing.T) {
	db := openTest(t)
	err := db.update(bg, func(*Tx) error {
		(&testing.T{}).SkipNow()
		return nil
	})
	if !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := tryPut(db, 1); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestBackup(t *testing.T) {
	db := openTest(t)
	for i := range 100 {
		if err := tryPut(db, i); err != nil {
			t.Fatal(err)
		}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 100; ; i++ {
			select {
			case <-stop:
				return
			default:
				_ = tryPut(db, i)
			}
		}
	}()
	var buf bytes.Buffer
	if err := db.Backup(bg, &buf); err != nil {
		t.Fatal(err)
	}
	close(stop)
	<-stopped
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckFile(path); err != nil {
		t.Fatal(err)
	}
	again := openAt(t, path)
	if n, err := again.Verify(bg); err != nil || n < 100 {
		t.Error(n, err)
	}
	if err := db.Backup(bg, failingWriter{}); !errors.Is(err, io.ErrShortWrite) {
		t.Error(err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// TestSnapshot: a snapshot is of one instant, in pages, counts and records, and
// does not hold up whoever writes.
func TestSnapshot(t *testing.T) {
	db := openTest(t)
	for i := range 10 {
		if err := tryPut(db, i); err != nil {
			t.Fatal(err)
		}
	}
	s, err := db.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.Tables(bg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if err := tryPut(db, 1000+i); err != nil {
			t.Fatal(err)
		}
	}
	after, err := s.Tables(bg)
	if err != nil || after["things"] != before["things"] {
		t.Errorf("%v, then %v, %v", before, after, err)
	}
	count := func() (n int, err error) {
		err = s.View(bg, func(tx *Tx) error {
			return things.scan(tx, page{}, func([]byte, thing) error { n++; return nil })
		})
		return n, err
	}
	if n, err := count(); err != nil || uint64(n) != before["things"] {
		t.Error(n, err)
	}
	db.Seal()
	if _, err := count(); !errors.Is(err, ErrSealed) {
		t.Error(err)
	}
	var buf bytes.Buffer
	if err := s.Write(bg, &buf); err != nil || int64(buf.Len()) != s.Size() {
		t.Error(buf.Len(), s.Size(), err)
	}
	s.Close()
}

// TestSample draws each value at most once, and all if there are few.
func TestSample(t *testing.T) {
	db := openCurrent(t)
	const all = 50
	err := db.update(bg, func(tx *Tx) error {
		for i := range all {
			if err := tx.PutEnvelope(id.New(), uint32(i), []byte("sealed")); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := db.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for n, want := range map[int]int{0: 0, 1: 1, 20: 20, all: all, 1000: all} {
		drawn, err := s.Sample(bg, n)
		seen := map[SealedValue]bool{}
		for _, v := range drawn {
			seen[v] = true
		}
		if err != nil || len(drawn) != want || len(seen) != want {
			t.Errorf("of %d: %d, %d of them different, %v", n, len(drawn), len(seen), err)
		}
	}
}
