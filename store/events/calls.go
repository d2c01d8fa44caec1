package events

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud/activity"
)

var _ activity.Store = (*Archive)(nil)

// The organisation and the ID of a call, which is in the order of time, are its key
// under callPrefix, and under textPrefix, with a number, those of the parts of a
// request that is kept.
const (
	callPrefix = 'c'
	textPrefix = 't'
)

func callKey(prefix byte, org, call id.ID) []byte {
	return slices.Concat([]byte{prefix}, org[:], call[:])
}

// Bounds in bytes. What is larger than a part would go into Badger's value log, and
// what is more than a batch would need more room than is reckoned with.
const (
	textPart  = 32 << 10
	callBatch = 256 << 10
)

// entriesOf are a call and the parts of its request.
func entriesOf(c activity.Call) (entries []*badger.Entry, size int64, err error) {
	value, err := json.Marshal(c)
	if err != nil {
		return nil, 0, fmt.Errorf("events: a call: %w", err)
	}
	ttl := max(activity.Lifetime, c.Keep)
	entries = append(entries, badger.NewEntry(callKey(callPrefix, c.Org, c.ID), value).WithTTL(ttl))
	n := 0
	for part := range slices.Chunk(c.Request, textPart) {
		key := append(callKey(textPrefix, c.Org, c.ID), byte(n))
		entries = append(entries, badger.NewEntry(key, part).WithTTL(c.Keep))
		n++
	}
	return entries, int64(len(value) + len(c.Request)), nil
}

// AppendCalls implements activity.Store.
func (a *Archive) AppendCalls(calls []activity.Call) error {
	var batch []*badger.Entry
	var size int64
	for i, c := range calls {
		entries, more, err := entriesOf(c)
		if err != nil {
			return err
		}
		batch, size = append(batch, entries...), size+more
		if size < callBatch && i < len(calls)-1 {
			continue
		}
		if err := a.appendEntries(size, batch); err != nil {
			return err
		}
		batch, size = nil, 0
	}
	return nil
}

func (a *Archive) appendEntries(size int64, batch []*badger.Entry) error {
	return a.append(size, func(wb *badger.WriteBatch) error {
		for _, e := range batch {
			if err := wb.SetEntry(e); err != nil {
				return fmt.Errorf("events: a call: %w", err)
			}
		}
		return nil
	})
}

// Call implements activity.Store.
func (a *Archive) Call(org, call id.ID) (c activity.Call, found bool, err error) {
	value, err := a.get(callKey(callPrefix, org, call))
	if err != nil || value == nil {
		return c, false, err
	}
	if err := json.Unmarshal(value, &c); err != nil {
		return c, false, fmt.Errorf("events: a call: %w", err)
	}
	return c, true, nil
}

// Request implements activity.Store.
func (a *Archive) Request(org, call id.ID) (text []byte, err error) {
	prefix := callKey(textPrefix, org, call)
	err = a.walk(prefix, prefix, false, func(_, part []byte) (bool, error) {
		text = append(text, part...)
		return true, nil
	})
	return text, err
}

// Calls implements activity.Store.
func (a *Archive) Calls(org, before id.ID, fn func(activity.Call) bool) error {
	prefix := slices.Concat([]byte{callPrefix}, org[:])
	start := append(slices.Clone(prefix), 0xff) // after all of them
	if !before.IsZero() {
		start = callKey(callPrefix, org, before)
	}
	return a.walk(prefix, start, true, func(key, value []byte) (bool, error) {
		if string(key) == string(start) {
			return true, nil
		}
		var c activity.Call
		if err := json.Unmarshal(value, &c); err != nil {
			return false, err
		}
		return fn(c), nil
	})
}

// walk calls fn with what has a prefix, from start on, until it returns false.
func (a *Archive) walk(prefix, start []byte, reverse bool, fn func(key, value []byte) (more bool, err error)) error {
	err := a.db.View(func(tx *badger.Txn) error {
		o := badger.DefaultIteratorOptions
		o.Reverse = reverse
		o.PrefetchValues = false // they are beside the keys
		o.Prefix = prefix
		it := tx.NewIterator(o)
		defer it.Close()
		for it.Seek(start); it.Valid(); it.Next() {
			more := false
			err := it.Item().Value(func(v []byte) (err error) {
				more, err = fn(it.Item().Key(), v)
				return err
			})
			if err != nil || !more {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("events: calls: %w", err)
	}
	return nil
}
