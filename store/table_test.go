package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/oneclaw/oneclawd/internal/plain"
)

func TestScansAreForViewsOnly(t *testing.T) {
	db := openTest(t)
	err := db.update(bg, func(tx *Tx) error {
		return things.scan(tx, page{}, func([]byte, thing) error { return nil })
	})
	if !errors.Is(err, errScanInUpdate) {
		t.Error(err)
	}
	err = db.view(bg, func(tx *Tx) error { return things.put(tx, []byte("a"), thing{}) })
	if !errors.Is(err, errReadOnly) {
		t.Error(err)
	}
	var kept *Tx
	_ = db.view(bg, func(tx *Tx) error { kept = tx; return nil })
	if _, _, err := things.get(kept, []byte("a")); !errors.Is(err, errTxDone) {
		t.Error(err)
	}
	err = db.update(bg, func(tx *Tx) error { return things.put(tx, nil, thing{}) })
	if !errors.Is(err, errKeySize) {
		t.Error(err)
	}
}

func TestScan(t *testing.T) {
	db := openTest(t)
	for _, k := range []string{"a1", "a2", "a3", "b1", "b2", "\xff\xff1"} {
		put(t, db, k, thing{N: int(k[0])})
	}
	for _, c := range []struct {
		p    page
		want string
	}{
		{page{}, "a1 a2 a3 b1 b2 \xff\xff1"},
		{page{Prefix: []byte("a")}, "a1 a2 a3"},
		{page{Prefix: []byte("a"), After: []byte("a1")}, "a2 a3"},
		{page{Prefix: []byte("a"), After: []byte("a1x")}, "a2 a3"},
		{page{Prefix: []byte("b"), After: []byte("a1")}, "b1 b2"},
		{page{Prefix: []byte("a"), After: []byte("a3")}, ""},
		{page{Limit: 2}, "a1 a2"},
		{page{Prefix: []byte("c")}, ""},
		{page{Down: true}, "\xff\xff1 b2 b1 a3 a2 a1"},
		{page{Down: true, Prefix: []byte("a")}, "a3 a2 a1"},
		{page{Down: true, Prefix: []byte("a"), After: []byte("a3")}, "a2 a1"},
		{page{Down: true, Prefix: []byte("a"), After: []byte("b1"), Limit: 1}, "a3"},
		{page{Down: true, Prefix: []byte("\xff\xff")}, "\xff\xff1"},
		{page{Down: true, Prefix: []byte("A")}, ""},
	} {
		var got []string
		err := db.view(bg, func(tx *Tx) error {
			got = nil
			return things.scan(tx, c.p, func(k []byte, v thing) error {
				got = append(got, string(k))
				if v.N != int(k[0]) {
					return fmt.Errorf("%d at %q", v.N, k)
				}
				return nil
			})
		})
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%q after %q down %v limit %d: %q, %v", c.p.Prefix, c.p.After, c.p.Down, c.p.Limit, got, err)
		}
	}
}

// sums are late, holes are sparse.
var (
	sums       = table[map[string]int]{name: "sums", version: 1, late: true}
	holes      = table[thing]{name: "holes", version: 1}
	fastLayout = layout{schema: 1, buckets: []bucket{{name: "sums"}, {name: "holes", sparse: true}}}
)

func openFast(t *testing.T, path string) *DB {
	t.Helper()
	db, err := open(Config{Path: path}, fastLayout)
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

// TestLateRecords: what is encoded once its group is complete is seen by the group,
// by those after it, and by who opens the file anew; and what failed by nobody.
func TestLateRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := openFast(t, path)
	key := []byte("k")
	count := func(fail error) error {
		return db.update(bg, func(tx *Tx) error {
			for range 2 { // its own put is read too
				old, _, err := sums.get(tx, key)
				if err != nil {
					return err
				}
				if err := sums.put(tx, key, map[string]int{"n": old["n"] + 1}); err != nil {
					return err
				}
			}
			return fail
		})
	}
	const each = 50
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range each {
				want := []error{nil, errStop}[i%2]
				if err := count(want); !errors.Is(err, want) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	read := func() (n int) {
		if err := db.view(bg, func(tx *Tx) error {
			v, _, err := sums.get(tx, key)
			n = v["n"]
			return err
		}); err != nil {
			t.Error(err)
		}
		return n
	}
	if got := read(); got != 8*each {
		t.Errorf("%d instead of %d", got, 8*each)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openFast(t, path)
	if got := read(); got != 8*each {
		t.Errorf("after reopening %d instead of %d", got, 8*each)
	}
	if err := db.update(bg, func(tx *Tx) error { return sums.delete(tx, key) }); err != nil {
		t.Fatal(err)
	}
	if got := read(); got != 0 {
		t.Errorf("%d after it was deleted", got)
	}
}

// TestAbsenceIsRemembered until there is a record, and again from its deletion on;
// a snapshot from before sees what it always saw.
func TestAbsenceIsRemembered(t *testing.T) {
	db := openFast(t, filepath.Join(t.TempDir(), "state.db"))
	key := []byte("k")
	there := func(tx *Tx) bool {
		_, ok, err := holes.get(tx, key)
		if err != nil {
			t.Error(err)
		}
		return ok
	}
	look := func() (ok bool) {
		_ = db.view(bg, func(tx *Tx) error { ok = there(tx); return nil })
		return ok
	}
	change := func(fn func(tx *Tx) error) {
		if err := db.update(bg, fn); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if look() || look() {
			t.Fatal("there before it was put")
		}
		if db.cache.size() == 0 {
			t.Error("the absence is not remembered")
		}
		_ = db.view(bg, func(before *Tx) error {
			change(func(tx *Tx) error { return holes.put(tx, key, thing{}) })
			if there(before) {
				t.Error("an older snapshot sees the new record")
			}
			return nil
		})
		if !look() {
			t.Fatal("gone after it was put")
		}
		change(func(tx *Tx) error { return holes.delete(tx, key) })
	}
	if err := db.update(bg, func(tx *Tx) error { _ = holes.put(tx, key, thing{}); return errStop }); !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	if look() {
		t.Error("what failed is there")
	}
}
