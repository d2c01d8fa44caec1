package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
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
