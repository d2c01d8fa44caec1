package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// table is a bucket of JSON records of type V. A value that get or scan
// returns is the caller's to read, not to modify in place (slices, maps, what
// pointers point to): it is shared with everybody who reads the same record.
//
// version is written with every record. Raise it when V's JSON changes so that
// an older oneclawd must not read it, and let V's UnmarshalJSON take the old.
//
// late is for records that most transactions of a group read and write, such as
// an account's next nonce: one that is put is not encoded before its group is
// complete, and not decoded by those of the group who read it. They get the value
// itself, so whoever puts one gives it away, and nothing of V is lost in its JSON.
type table[V any] struct {
	name    string
	version byte
	late    bool
}

// errStop ends a scan early, without an error.
var errStop = errors.New("stop")

// page says which records of a table to scan, in the order of their keys.
type page struct {
	Prefix []byte // of the keys; nil means all
	After  []byte // start after this key, which need not exist; nil means at the start
	Limit  int    // 0 means no limit
	Down   bool   // from the last key to the first; After then means "before"
}

func (tb table[V]) get(t *Tx, key []byte) (v V, found bool, err error) {
	rec, found, err := t.get(tb.name, key)
	if err != nil || !found {
		return v, false, err
	}
	if v, ok := rec.memo.load().(V); ok {
		return v, true, nil
	}
	if v, err = tb.decode(key, rec); err == nil {
		rec.memo.store(v)
	}
	return v, err == nil, err
}

func (tb table[V]) put(t *Tx, key []byte, v V) error {
	if tb.late {
		m := new(memo)
		m.store(v)
		return t.set(tb.name, key, change{record: record{version: tb.version, memo: m}, late: true})
	}
	plain, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("store: encoding a record of %s: %w", tb.name, err)
	}
	return t.set(tb.name, key, change{record: record{plain: plain, version: tb.version}})
}

func (tb table[V]) delete(t *Tx, key []byte) error {
	return t.set(tb.name, key, change{deleted: true})
}

// scan calls fn with the records of p. The key is valid during the call only.
// Not in Update: what the closures before would add to a range cannot be seen.
func (tb table[V]) scan(t *Tx, p page, fn func(key []byte, v V) error) error {
	return t.scan(tb.name, p, func(key []byte, rec record) error {
		v, err := tb.decode(key, rec)
		if err != nil {
			return err
		}
		return fn(key, v)
	})
}

func (tb table[V]) decode(key []byte, rec record) (v V, err error) {
	if rec.version > tb.version {
		return v, ErrNewer.Detail("a record of %s was written by a newer oneclawd", tb.name)
	}
	if err := json.Unmarshal(rec.plain, &v); err != nil {
		return v, damaged(tb.name, key, errors.New("not the JSON of its type")) // err may quote it
	}
	return v, nil
}

// rawTable is a bucket of byte strings.
type rawTable struct{ name string }

// peek returns the bytes themselves, nil if there are none. They are shared: to
// be read only, and only until t ends.
func (tb rawTable) peek(t *Tx, key []byte) ([]byte, error) {
	rec, _, err := t.get(tb.name, key)
	return rec.plain, err
}

// get returns a copy.
func (tb rawTable) get(t *Tx, key []byte) ([]byte, bool, error) {
	rec, found, err := t.get(tb.name, key)
	return bytes.Clone(rec.plain), found, err
}

func (tb rawTable) put(t *Tx, key, value []byte) error {
	return t.set(tb.name, key, change{record: record{plain: bytes.Clone(value)}})
}

// give is put without the copy: value is the store's from then on.
func (tb rawTable) give(t *Tx, key, value []byte) error {
	return t.set(tb.name, key, change{record: record{plain: value}})
}

func (tb rawTable) delete(t *Tx, key []byte) error {
	return t.set(tb.name, key, change{deleted: true})
}

// scan calls fn with the records of p; key is valid during the call only.
func (tb rawTable) scan(t *Tx, p page, fn func(key, value []byte) error) error {
	return t.scan(tb.name, p, func(key []byte, rec record) error { return fn(key, rec.plain) })
}

// scan opens what walk comes by.
func (t *Tx) scan(table string, p page, fn func(key []byte, rec record) error) error {
	return t.walk(table, p, func(key, raw []byte) error {
		var rec record
		err := guard(func() (err error) {
			rec, err = t.snap.open(table, key, raw)
			return err
		})
		if err != nil {
			return err
		}
		return fn(key, rec)
	})
}

// walk calls fn with the records of p as they are in the file, sealed. It reads the
// durable state, past the cache: a long list would push out what is read often.
func (t *Tx) walk(table string, p page, fn func(key, raw []byte) error) error {
	if t.done {
		return errTxDone
	}
	if t.own != nil {
		return errScanInUpdate
	}
	var c *bolt.Cursor
	if err := guard(func() error {
		b, err := t.snap.bucket(table)
		if err == nil {
			c = b.Cursor()
		}
		return err
	}); err != nil {
		return err
	}
	step := p.start
	for n := 0; p.Limit == 0 || n < p.Limit; n++ {
		var key, raw []byte
		err := guard(func() error {
			if key, raw = step(c); !bytes.HasPrefix(key, p.Prefix) {
				key = nil
			}
			return nil
		})
		if err != nil || key == nil {
			return err
		}
		if err := t.ctx.Err(); err != nil {
			return err
		}
		if err := fn(key, raw); err != nil {
			if errors.Is(err, errStop) {
				return nil
			}
			return err
		}
		step = p.next
	}
	return nil
}

// start moves c to the first record of p.
func (p page) start(c *bolt.Cursor) (key, raw []byte) {
	if !p.Down {
		key, raw = c.Seek(maxBytes(p.Prefix, p.After))
		if p.After != nil && bytes.Equal(key, p.After) {
			key, raw = c.Next()
		}
		return key, raw
	}
	end := after(p.Prefix)
	if p.After != nil && (end == nil || bytes.Compare(p.After, end) < 0) {
		end = p.After
	}
	if end == nil {
		return c.Last()
	}
	if key, _ = c.Seek(end); key == nil {
		return c.Last()
	}
	return c.Prev()
}

func (p page) next(c *bolt.Cursor) (key, raw []byte) {
	if p.Down {
		return c.Prev()
	}
	return c.Next()
}

func maxBytes(a, b []byte) []byte {
	if bytes.Compare(a, b) < 0 {
		return b
	}
	return a
}

// after returns the first key behind all keys with the prefix, nil if none is.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
