package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
)

// recordID says where a record is.
type recordID struct{ table, key string }

// record is an opened record.
type record struct {
	plain   []byte // never modified once it is here
	version byte
	absent  bool  // there is none; of a table that is sparse
	memo    *memo // nil for one that is not durable yet, but for that of a table that is late
}

// memo remembers the value that a record's JSON decodes to: decoding is the
// larger part of a hot read. The value is shared by all who read the record.
type memo struct{ value atomic.Pointer[any] }

func (m *memo) load() any {
	if m == nil {
		return nil
	}
	if v := m.value.Load(); v != nil {
		return *v
	}
	return nil
}

func (m *memo) store(v any) {
	if m != nil {
		m.value.Store(&v)
	}
}

// change is what a transaction does to a record.
type change struct {
	record
	deleted bool
	late    bool // plain follows from the memo, once the group is complete
}

// encoded is ch with its JSON.
func (ch change) encoded(table string) (change, error) {
	if !ch.late || ch.plain != nil {
		return ch, nil
	}
	var err error
	if ch.plain, err = json.Marshal(ch.memo.load()); err != nil {
		err = fmt.Errorf("store: encoding a record of %s: %w", table, err)
	}
	return ch, err
}

// changes is a set of changes, at most one a record: the later replaces the
// earlier.
type changes map[recordID]change

// get looks a record up; known is false if the set does not touch it.
func (c changes) get(table string, key []byte) (ch change, known bool) {
	ch, known = c[recordID{table, string(key)}]
	return ch, known
}

// sorted lists the records touched in the order of the file, which is the
// order bbolt writes fastest in.
func (c changes) sorted() []recordID {
	return slices.SortedFunc(maps.Keys(c), func(a, b recordID) int {
		if a.table != b.table {
			return strings.Compare(a.table, b.table)
		}
		return strings.Compare(a.key, b.key)
	})
}
