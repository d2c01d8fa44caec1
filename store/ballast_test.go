package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// ballastLayout has one table that is spared, as the audit log's are.
var ballastLayout = layout{schema: 1, buckets: []bucket{{name: "things"}, {name: "blobs", journal: true, spare: true}}}

const ballastSize = 1 << 20

func openWithBallast(t *testing.T, dir string) *DB {
	t.Helper()
	db, err := open(Config{Path: filepath.Join(dir, "state.db"), Ballast: filepath.Join(dir, "ballast"), BallastBytes: ballastSize}, ballastLayout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Meta(); errors.Is(err, ErrEmpty) {
		if err := db.Init(Meta{}, plain.New(testKey)); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Unseal(plain.New(testKey)); err != nil {
		t.Fatal(err)
	}
	return db
}

// tryLog appends to the table that is spared.
func tryLog(db *DB, i int) error {
	return db.update(bg, func(tx *Tx) error {
		return blobs.put(tx, fmt.Appendf(nil, "e%08d", i), bytes.Repeat([]byte("x"), 2000))
	})
}

// fillDisk leaves no byte free.
func fillDisk(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 64 << 10; size >= 1; size >>= 4 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
}

// On a full disk changes are refused, the log goes on until the ballast is used
// up, and both are back by themselves.
func TestBallast(t *testing.T) {
	dir := needTmpfs(t, 8<<20)
	filler := filepath.Join(dir, "filler")
	db := openWithBallast(t, dir)
	if !db.ballast.whole() || db.Stats().ReadOnly {
		t.Fatal("no ballast at the start")
	}
	things, logged := map[int]bool{}, map[int]bool{}
	n := 0
	for round := range 3 {
		fillDisk(t, filler)
		var err error
		for ; err == nil; n++ {
			if err = tryPut(db, n); err == nil {
				things[n] = true
			}
		}
		if s := db.Stats(); !errors.Is(err, ErrFull) || !s.ReadOnly || s.Outages != round+1 || db.ballast.whole() {
			t.Fatalf("round %d: %v, %+v", round, err, s)
		}
		before := len(logged)
		for err = nil; err == nil; n++ {
			if err := tryPut(db, n); !errors.Is(err, ErrFull) {
				t.Fatalf("a change in an outage: %v", err)
			}
			if err = tryLog(db, n); err == nil {
				logged[n] = true
			}
		}
		if got := len(logged) - before; !errors.Is(err, ErrFull) || got < 100 || !db.Stats().Full {
			t.Errorf("round %d: %d were logged on the ballast, then %v", round, got, err)
		}
		if err := os.Truncate(filler, 0); err != nil {
			t.Fatal(err)
		}
		if round == 1 { // without anybody writing
			db.Recover()
			if s := db.Stats(); s.ReadOnly || s.Full || !db.ballast.whole() {
				t.Errorf("it does not recover: %+v", s)
			}
		}
		if err := tryPut(db, n); err != nil || !db.ballast.whole() {
			t.Fatalf("round %d, space again: %v", round, err)
		}
		things[n] = true
		n++
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	boltCheck(t, db.cfg.Path)
	db = openWithBallast(t, dir)
	for i := range n {
		if got := get(t, db, fmt.Sprint("k", i)); (got.Name != "") != things[i] {
			t.Fatalf("k%d is %.5q, acknowledged: %v", i, got.Name, things[i])
		}
		err := db.view(bg, func(tx *Tx) error {
			_, found, err := blobs.get(tx, fmt.Appendf(nil, "e%08d", i))
			if err == nil && found != logged[i] {
				err = fmt.Errorf("e%d is there: %v, acknowledged: %v", i, found, logged[i])
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A disk that is full at the start has the log go on in what is left.
func TestOpenWithoutRoomForTheBallast(t *testing.T) {
	dir := needTmpfs(t, 4<<20)
	if err := openWithBallast(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	path, filler := filepath.Join(dir, "ballast"), filepath.Join(dir, "filler")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	fillDisk(t, filler)
	info, err := os.Stat(filler)
	if err == nil {
		err = os.Truncate(filler, info.Size()-ballastSize) // room for it, and none beside
	}
	if err != nil {
		t.Fatal(err)
	}
	db := openWithBallast(t, dir)
	if s := db.Stats(); !s.ReadOnly || s.Outages != 1 {
		t.Errorf("%+v", s)
	}
	if err := tryPut(db, 1); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	if err := tryLog(db, 1); err != nil {
		t.Error(err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := tryPut(db, 2); err != nil || db.Stats().ReadOnly {
		t.Error(err)
	}
}

// The file is made good if it is not what the settings say, and goes with them.
func TestBallastFollowsItsSetting(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ballast")
	for _, size := range []int64{0, 1 << 20, 3 << 20, 1 << 20, 0} {
		if size == 3<<20 {
			if err := os.Truncate(path, 5<<20); err != nil { // a hole, as after a power cut
				t.Fatal(err)
			}
		}
		db, err := Open(Config{Path: filepath.Join(dir, "state.db"), Ballast: path, BallastBytes: size})
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if size == 0 && !errors.Is(err, os.ErrNotExist) || size > 0 && (err != nil || info.Size() != size || !db.ballast.whole()) {
			t.Errorf("%d bytes: %v, %v", size, info, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}
