package identity

import (
	"crypto/sha256"
	"sync"
)

// cacheHalf bounds each of the two generations of remembered tokens.
const cacheHalf = 16 * 1024

// tokenCache remembers verified tokens by their hash. When the young
// generation is full it becomes the old one, and the old one is dropped: no
// list to maintain, and what is used stays.
type tokenCache struct {
	mu         sync.RWMutex
	young, old map[[sha256.Size]byte]verified
}

func (c *tokenCache) get(k [sha256.Size]byte) (verified, bool) {
	c.mu.RLock()
	v, ok := c.young[k]
	if ok {
		c.mu.RUnlock()
		return v, true
	}
	v, ok = c.old[k]
	c.mu.RUnlock()
	if ok {
		c.put(k, v)
	}
	return v, ok
}

func (c *tokenCache) put(k [sha256.Size]byte, v verified) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil || len(c.young) >= cacheHalf {
		c.old, c.young = c.young, make(map[[sha256.Size]byte]verified)
	}
	c.young[k] = v
}
