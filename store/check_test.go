package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// damageFile makes a file with branches, leaves, overflow pages and free pages.
func damageFile(t testing.TB) []byte {
	db := openTest(t)
	db.bolt.NoSync = true
	for i := range uint64(damageRecords) {
		err := db.update(bg, func(tx *Tx) error {
			if i%8 == 0 && i > 0 {
				_ = things.delete(tx, damageKey(i-5))
			}
			return errors.Join(
				things.put(tx, damageKey(i), thing{strings.Repeat("n", int(i)), int(i)}),
				blobs.put(tx, damageKey(i), bytes.Repeat([]byte{1}, int(i*i%1200))))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	size := db.Stats().Bytes
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := CheckFile(db.cfg.Path); err != nil {
		t.Fatal("a good file:", err)
	}
	return read(t, db.cfg.Path)[:size]
}

// variant is one way to damage a file.
type variant struct {
	name string
	data []byte
}

func damages(good []byte) (all []variant) {
	rnd := rand.New(rand.NewPCG(1, 2))
	const page = 4096
	add := func(name string, change func(b []byte) []byte) {
		all = append(all, variant{name, change(bytes.Clone(good))})
	}
	for _, n := range []int{1, 100, page, page + 100, 2 * page, 3 * page, len(good) / 2, len(good) - page, len(good) - 1} {
		add(fmt.Sprintf("cut at %d", n), func(b []byte) []byte { return b[:n] })
	}
	for i := 0; i < len(good)/page; i += 1 + i/20 {
		add(fmt.Sprintf("page %d zeroed", i), func(b []byte) []byte { clear(b[i*page : (i+1)*page]); return b })
		add(fmt.Sprintf("page %d copied over the next", i), func(b []byte) []byte {
			copy(b[min(i+1, len(b)/page-1)*page:], b[i*page:(i+1)*page])
			return b
		})
		add(fmt.Sprintf("page %d random", i), func(b []byte) []byte {
			for j := i * page; j < (i+1)*page; j++ {
				b[j] = byte(rnd.Uint32())
			}
			return b
		})
		// Headers and elements are where lengths and page numbers are.
		for range 4 {
			at, bit := i*page+rnd.IntN(100), byte(1)<<rnd.IntN(8)
			add(fmt.Sprintf("bit %#x at %d flipped", bit, at), func(b []byte) []byte { b[at] ^= bit; return b })
		}
	}
	for range 100 {
		at, v := rnd.IntN(len(good)), byte(rnd.Uint32())
		add(fmt.Sprintf("byte %d set to %d", at, v), func(b []byte) []byte { b[at] = v; return b })
	}
	add("a text", func([]byte) []byte { return bytes.Repeat([]byte("not a database\n"), 1000) })
	return all
}

// A damaged file may be refused or answer with errors; it may not kill the
// process, which is why it is used in another one.
func TestDamagedFileNeverCrashes(t *testing.T) {
	dir := t.TempDir()
	var names, what []string
	all := damages(damageFile(t))
	for i, v := range all {
		for _, mode := range []string{"full", "quick"} {
			if mode == "quick" && i%4 != 0 || testing.Short() && i%5 != 0 {
				continue
			}
			path := filepath.Join(dir, fmt.Sprint(mode, i))
			if err := os.WriteFile(path, v.data, 0o600); err != nil {
				t.Fatal(err)
			}
			names, what = append(names, mode+" "+path), append(what, v.name)
		}
	}
	cmd := child(t, "read", "")
	cmd.Stdin = strings.NewReader(strings.Join(names, "\n"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(lines) != 2*len(names) {
		last := (len(lines) - 1) / 2
		t.Fatalf("crashed at %s, %q: %v\n%.3000s", names[last], what[last], err, stderr.String())
	}
	count := map[string]int{}
	for i := 1; i < len(lines); i += 2 {
		what, _, _ := strings.Cut(lines[i], ":")
		count[what]++
	}
	t.Log(count)
	if count["refused"] < len(names)/5 || count["errors"] < len(names)/20 {
		t.Errorf("the damage was not noticed: %v", count)
	}
}

func TestCutFileIsRefusedClearly(t *testing.T) {
	good := damageFile(t)
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, good[:len(good)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := open(Config{Path: path}, testLayout)
	if !errors.Is(err, ErrFileDamaged) || !strings.Contains(errors.Unwrap(err).Error(), "cut short") {
		t.Error(err, errors.Unwrap(err))
	}
}

// A meta page that was being written when the power went leaves the state
// before.
func TestTornMetaPageFallsBack(t *testing.T) {
	db := openTest(t)
	put(t, db, "a", thing{"a", 1})
	put(t, db, "b", thing{"b", 2})
	newest, err := db.visible()
	if err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	b := read(t, db.cfg.Path)
	clear(b[newest%2*4096+20 : newest%2*4096+40])
	if err := os.WriteFile(db.cfg.Path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	db = openAt(t, db.cfg.Path)
	if get(t, db, "a").N != 1 || get(t, db, "b").N != 0 {
		t.Error("not the state before the last commit")
	}
	put(t, db, "b", thing{"b", 3})
	_ = db.Close()
	if err := CheckFile(db.cfg.Path); err != nil {
		t.Error(err)
	}
}

func TestFlippedAndSwappedRecordsAreFound(t *testing.T) {
	db := openTest(t)
	for i := range 20 {
		put(t, db, fmt.Sprint("k", i), thing{"x", i})
	}
	_ = db.Close()
	key := func(i int) []byte { return fmt.Append(nil, "k", i) }
	tamper(t, db.cfg.Path, func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("things"))
		flip := bytes.Clone(b.Get(key(3)))
		flip[len(flip)/2] ^= 0x10
		one, two := bytes.Clone(b.Get(key(5))), bytes.Clone(b.Get(key(6)))
		return errors.Join(b.Put(key(3), flip), b.Put(key(5), two), b.Put(key(6), one), b.Put(key(7), nil),
			tx.Bucket([]byte("blobs")).Put(key(8), b.Get(key(8))))
	})
	db = openAt(t, db.cfg.Path)
	for i := range 20 {
		err := db.view(bg, func(tx *Tx) error { _, _, err := things.get(tx, key(i)); return err })
		bad := i == 3 || i == 5 || i == 6 || i == 7
		if errors.Is(err, ErrDamaged) != bad || err != nil && !bad {
			t.Errorf("record %d: %v", i, err)
		}
		if bad && !strings.Contains(err.Error(), fmt.Sprintf("%x of things", key(i))) {
			t.Errorf("the error names no record: %v", err)
		}
	}
	err := db.view(bg, func(tx *Tx) error { _, _, err := blobs.get(tx, key(8)); return err })
	if !errors.Is(err, ErrDamaged) {
		t.Error("a record moved to another table:", err)
	}
	if _, err := db.Verify(bg); !errors.Is(err, ErrDamaged) {
		t.Error("Verify:", err)
	}
}

// The file is cut while it is in use: the kernel answers with SIGBUS.
func TestFileCutUnderARunningStore(t *testing.T) {
	db := openTest(t)
	for i := range 300 {
		if err := tryPut(db, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(db.cfg.Path, 3*4096); err != nil {
		t.Fatal(err)
	}
	err := db.view(bg, func(tx *Tx) error {
		return things.scan(tx, page{}, func([]byte, thing) error { return nil })
	})
	if !errors.Is(err, ErrFileDamaged) {
		t.Error("View:", err)
	}
	if err := tryPut(db, 1000); err == nil {
		t.Error("Update on a file that is cut off succeeded")
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if _, err := open(Config{Path: db.cfg.Path}, testLayout); !errors.Is(err, ErrFileDamaged) {
		t.Error("Open:", err)
	}
}
