package store

import (
	"bytes"
	"fmt"
	"testing"
)

func rec(s string) record { return record{plain: []byte(s)} }

func TestCacheServesOnlyWhatTheSnapshotMaySee(t *testing.T) {
	c := newCache(1 << 20)
	key := []byte("k")
	c.latest.Store(5)
	c.fill("t", key, rec("old"), 4) // read by a snapshot that is not the newest
	if _, ok := c.get("t", key, 9); ok {
		t.Error("a late reader filled the cache")
	}
	c.fill("t", key, rec("five"), 5)
	if r, ok := c.get("t", key, 5); !ok || string(r.plain) != "five" {
		t.Error("not served at its own snapshot")
	}
	if _, ok := c.get("t", key, 4); ok {
		t.Error("served to an older snapshot")
	}
	change6 := changes{{"t", "k"}: {record: rec("six")}}
	c.publish(change6, 6)
	if _, ok := c.get("t", key, 5); ok {
		t.Error("a change served to the snapshot before it")
	}
	if r, _ := c.get("t", key, 6); string(r.plain) != "six" {
		t.Error("a change is not served")
	}
	c.retract(change6, 5)
	if _, ok := c.get("t", key, 6); ok {
		t.Error("a change that did not happen is served")
	}
	c.fill("t", key, rec("five"), 5)
	c.publish(changes{{"t", "k"}: {deleted: true}}, 6)
	if _, ok := c.get("t", key, 6); ok {
		t.Error("a deleted record is served")
	}
	if _, ok := c.get("u", key, 6); ok {
		t.Error("a record of another table is served")
	}
}

func TestCacheIsBounded(t *testing.T) {
	const limit = 64 << 10
	c := newCache(limit)
	hot := []byte("hot")
	for i := range 10_000 {
		key := fmt.Append(nil, i)
		c.fill("t", hot, rec("hot"), 0)
		c.fill("t", key, record{plain: bytes.Repeat([]byte{1}, i%300)}, 0)
		c.get("t", hot, 0)
		if i%100 == 0 {
			c.publish(changes{{"t", string(key)}: {record: record{plain: make([]byte, 2000)}}}, 0)
		}
		if n := c.size(); n > limit {
			t.Fatalf("%d bytes", n)
		}
	}
	if c.size() < limit/2 {
		t.Errorf("only %d bytes are used", c.size())
	}
	if _, ok := c.get("t", hot, 0); !ok {
		t.Error("what is read all the time was pushed out")
	}
	c.fill("t", []byte("big"), record{plain: make([]byte, limit)}, 0)
	if _, ok := c.get("t", []byte("big"), 0); ok {
		t.Error("one record took the whole cache")
	}
	c.wipe()
	if c.size() != 0 {
		t.Error("bytes after wipe:", c.size())
	}
}
