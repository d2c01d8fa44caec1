package store

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// DefaultCacheBytes is the cache's size if Config does not say.
const DefaultCacheBytes = 32 << 20

const (
	cacheShards   = 16
	entryOverhead = 160 // of the map, the entry and its strings, roughly
)

// cache holds opened records, so that a hot read needs neither bbolt nor AES.
//
// An entry is the newest version of its record and knows since which commit
// it is known to be. A transaction at snapshot s may use it if since ≤ s: no
// commit in between changed the record, as it would have replaced the entry.
// For that to hold, the writer replaces entries (publish) before a commit can
// be seen, and a reader may only add what it read (fill) while its snapshot is
// the newest; a reader that is too late adds nothing.
type cache struct {
	seed   maphash.Seed
	limit  int           // per shard
	latest atomic.Uint64 // the newest commit that is or may become visible
	shards [cacheShards]cacheShard
}

type cacheShard struct {
	mu      sync.Mutex
	entries map[recordID]*cacheEntry
	ring    cacheEntry // head of the list: next is the most recently used
	bytes   int
}

type cacheEntry struct {
	id         recordID
	rec        record
	since      uint64
	prev, next *cacheEntry
}

// size counts the JSON twice: for itself and for the value it decodes to.
func (e *cacheEntry) size() int {
	return 2*len(e.rec.plain) + len(e.id.table) + len(e.id.key) + entryOverhead
}

func (e *cacheEntry) unlink() { e.prev.next, e.next.prev = e.next, e.prev }

func (e *cacheEntry) linkAfter(p *cacheEntry) {
	e.prev, e.next = p, p.next
	p.next.prev, p.next = e, e
}

func newCache(limit int) *cache {
	c := &cache{seed: maphash.MakeSeed(), limit: limit / cacheShards}
	for i := range c.shards {
		c.shards[i].reset()
	}
	return c
}

func (s *cacheShard) reset() {
	s.entries = make(map[recordID]*cacheEntry)
	s.ring.prev, s.ring.next = &s.ring, &s.ring
	s.bytes = 0
}

func (c *cache) shard(key []byte) *cacheShard {
	return &c.shards[maphash.Bytes(c.seed, key)%cacheShards]
}

// get returns the record as it was at snapshot, if it is here.
func (c *cache) get(table string, key []byte, snapshot uint64) (record, bool) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[recordID{table, string(key)}]
	if e == nil || e.since > snapshot {
		return record{}, false
	}
	e.unlink()
	e.linkAfter(&s.ring)
	return e.rec, true
}

// fill adds a record that was read at snapshot.
func (c *cache) fill(table string, key []byte, rec record, snapshot uint64) {
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	id := recordID{table, string(key)}
	if c.latest.Load() != snapshot || s.entries[id] != nil {
		return
	}
	e := &cacheEntry{id: id, rec: rec, since: snapshot}
	if e.size() > c.limit/4 {
		return // one record must not push out everything else
	}
	s.entries[id] = e
	e.linkAfter(&s.ring)
	s.bytes += e.size()
	s.trim(c.limit)
}

func (s *cacheShard) trim(limit int) {
	for s.bytes > limit {
		s.remove(s.ring.prev)
	}
}

func (s *cacheShard) remove(e *cacheEntry) {
	e.unlink()
	delete(s.entries, e.id)
	s.bytes -= e.size()
}

// publish replaces the entries of the records that commit changes, also those that
// say that there is none; the commit must not be visible yet. Records that are not here stay out: most of what is
// written (an event, a leaf) is not read again soon.
func (c *cache) publish(changed changes, commit uint64) {
	c.latest.Store(commit)
	for id, ch := range changed {
		s := c.shard([]byte(id.key))
		s.mu.Lock()
		if e := s.entries[id]; e != nil && ch.deleted {
			s.remove(e)
		} else if e != nil {
			s.bytes += 2 * (len(ch.plain) - len(e.rec.plain))
			e.rec, e.since = ch.record, commit
			if !ch.late {
				e.rec.memo = new(memo)
			}
			s.trim(c.limit)
		}
		s.mu.Unlock()
	}
}

// retract undoes publish for a commit that did not happen.
func (c *cache) retract(changed changes, snapshot uint64) {
	for id := range changed {
		s := c.shard([]byte(id.key))
		s.mu.Lock()
		if e := s.entries[id]; e != nil {
			s.remove(e)
		}
		s.mu.Unlock()
	}
	c.latest.Store(snapshot)
}

// wipe overwrites and drops everything. No transaction may be open.
func (c *cache) wipe() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for _, e := range s.entries {
			clear(e.rec.plain)
		}
		s.reset()
		s.mu.Unlock()
	}
}

func (c *cache) size() (n int) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		n += s.bytes
		s.mu.Unlock()
	}
	return n
}
