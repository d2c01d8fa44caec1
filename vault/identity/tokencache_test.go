package identity

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"testing"
)

func cacheKey(n int) [sha256.Size]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
}

// The cache never holds more than two halves, and keeps what is in use.
func TestTokenCache_Bounded(t *testing.T) {
	var c tokenCache
	hot := cacheKey(-1)
	c.put(hot, verified{Principal: Principal{Token: "hot"}})
	for n := range 3 * cacheHalf {
		c.put(cacheKey(n), verified{})
		if n%1000 == 0 {
			if v, ok := c.get(hot); !ok || v.Token != "hot" {
				t.Fatalf("after %d others the one in use is gone", n)
			}
		}
		if len(c.young)+len(c.old) > 2*cacheHalf {
			t.Fatalf("after %d: %d and %d", n, len(c.young), len(c.old))
		}
	}
	if _, ok := c.get(cacheKey(0)); ok {
		t.Error("the first is still there")
	}
	if v, ok := c.get(cacheKey(3*cacheHalf - 1)); !ok || v.Token != "" {
		t.Error("the last is not there")
	}
}

func TestTokenCache_Concurrent(t *testing.T) {
	var c tokenCache
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for n := range cacheHalf {
				c.put(cacheKey(n), verified{Principal: Principal{Token: string(rune('a' + n%26))}})
				if v, ok := c.get(cacheKey(n * (g + 1) % cacheHalf)); ok && v.Token == "" {
					t.Error("an empty entry")
					return
				}
			}
		})
	}
	wg.Wait()
}
