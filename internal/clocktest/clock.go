// Package clocktest is a clock that tests set. It must not know what is tested.
package clocktest

import (
	"sync"
	"time"
)

// Noon is when most tests begin: a Monday.
var Noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// Clock stands still until it is set. It is safe for concurrent use.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// At is a clock that stands at t.
func At(t time.Time) *Clock { return &Clock{t: t} }

// Now is the time that was set.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Set makes it t.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

// Add makes it later.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}
