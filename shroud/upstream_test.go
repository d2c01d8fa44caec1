package shroud

import (
	"errors"
	"testing"
	"time"
)

// A provider that fails is left alone, then one request finds out; however that ends,
// there is another one, and what was answered opens it to all.
func TestGate(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	g := &gate{}
	enter := func(want error) {
		t.Helper()
		if err := g.enter(now); !errors.Is(err, want) {
			t.Fatalf("%v, want %v", err, want)
		}
	}
	for range maxFailures {
		enter(nil)
		g.leave(now, failed)
	}
	enter(errOpen)
	now = now.Add(restFor)
	enter(nil)
	enter(errOpen) // one finds out
	g.leave(now, abandoned)
	enter(nil) // that one did not
	g.leave(now, failed)
	enter(errOpen)
	now = now.Add(restFor)
	enter(nil)
	g.headers() // it answers, and goes on for long
	enter(nil)
	g.leave(now, answered)
	enter(nil)
}
