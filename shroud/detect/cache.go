package detect

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

// Cache remembers reports: agents send the whole conversation again with every
// message. It is bounded by the size of the texts; what was not asked for since half
// of it was filled anew is forgotten. The zero value is ready and may be used from
// many goroutines.
type Cache struct {
	// Bytes of texts that are kept; zero is 32 MiB.
	Bytes int

	mu       sync.Mutex
	new, old map[cacheKey]*Report
	size     int // of new
}

type cacheKey [sha256.Size]byte

// Inspect is the function of that name, by the cache. Version tells apart what is
// not part of the text or the policy, such as the state of a manifest.
func (c *Cache) Inspect(text string, o Options, version string) *Report {
	if o.Policy == nil {
		o.Policy = standard()
	}
	key := keyOf(text, o, version)
	if r := c.lookUp(key, len(text)); r != nil {
		return r
	}
	r := Inspect(text, o)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(key, r, len(text))
	return r
}

func keyOf(text string, o Options, version string) (key cacheKey) {
	h := sha256.New()
	h.Write(o.Policy.key[:])
	if o.Structured {
		version += "\x00structured"
	}
	for _, s := range append([]string{string(o.Context), version, text}, o.Regions...) {
		var n [8]byte
		binary.LittleEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	h.Sum(key[:0])
	return key
}

func (c *Cache) lookUp(key cacheKey, size int) *Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.new[key]; r != nil {
		return r
	}
	r := c.old[key]
	if r != nil {
		c.keep(key, r, size)
	}
	return r
}

// keep remembers a report. Each is a text and some hundred bytes.
func (c *Cache) keep(key cacheKey, r *Report, size int) {
	const overhead = 1 << 10
	limit := c.Bytes
	if limit == 0 {
		limit = 32 << 20
	}
	if size += overhead; size > limit/2 || c.new[key] != nil {
		return
	}
	if c.new == nil || c.size+size > limit/2 {
		c.new, c.old, c.size = map[cacheKey]*Report{}, c.new, 0
	}
	c.new[key] = r
	c.size += size
}
