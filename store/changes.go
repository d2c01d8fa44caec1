package store

import (
	"maps"
	"slices"
	"strings"
)

// recordID says where a record is.
type recordID struct{ table, key string }

// record is an opened record.
type record struct {
	plain   []byte // never modified once it is here
	version byte
}

// change is what a transaction does to a record.
type change struct {
	record
	deleted bool
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
