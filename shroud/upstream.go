package shroud

import (
	"net/http"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud/provider"
)

// Upstream is a provider as this site reaches it.
type Upstream struct {
	provider.Vendor
	// Client connects. It has no limit of the whole time an answer may take, which
	// may be a long stream.
	Client *http.Client
	// Keyless says that it asks for no key, as many servers on a site's own network
	// do. A key is used where there is one.
	Keyless bool
	// Silence is how long it may say nothing, before its answer and in a stream.
	Silence time.Duration

	gate gate
}

// What a provider that cannot be asked is refused with.
var (
	errBusy = fault.New(fault.Unavailable, "provider_busy", "the provider has as many requests under way as this site allows")
	errOpen = fault.New(fault.Unavailable, "provider_failing", "the provider has failed repeatedly; it is asked again in a moment")
)

// Bounds of what is asked of one provider.
const (
	maxUnderway = 1024
	// After so many failures in a row a provider is left alone for a while. Then one
	// request finds out.
	maxFailures = 5
	restFor     = 10 * time.Second
)

// gate counts what is under way at a provider and keeps away from one that fails.
type gate struct {
	mu       sync.Mutex
	underway int
	failures int
	rests    time.Time // until when it is left alone
	trying   bool      // one request finds out
}

// enter lets a request through to the provider; leave ends it.
func (g *gate) enter(now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.refusal(now); err != nil {
		return err
	}
	g.trying = g.failures >= maxFailures
	g.underway++
	return nil
}

func (g *gate) refusal(now time.Time) error {
	switch {
	case g.underway >= maxUnderway:
		return errBusy.After(time.Second)
	case g.failures >= maxFailures && (g.trying || now.Before(g.rests)):
		return errOpen.After(max(time.Second, g.rests.Sub(now)))
	}
	return nil
}

// outcome is how a request to a provider ended.
type outcome uint8

const (
	answered  outcome = iota // whatever it answered, to its end: it is there
	failed                   // no connection, a time-out, a gateway that says so, an answer that breaks off
	abandoned                // it was not asked, or the client went away
)

// closed reports whether enter would refuse.
func (g *gate) closed(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refusal(now) != nil
}

// headers says that the provider has begun to answer: it is there, however long the
// rest takes. If it had failed too often, others are let through from now on, and
// one that fails keeps them away again.
func (g *gate) headers() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failures, g.trying = min(g.failures, maxFailures-1), false
}

func (g *gate) leave(now time.Time, o outcome) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.underway--
	switch o {
	case answered: // and has said so, with headers
		g.failures = 0
	case failed:
		g.failures++
		g.rests = now.Add(restFor)
		g.trying = false
	case abandoned:
		g.trying = false
	}
}
