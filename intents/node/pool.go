package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// Options say which chain, and where its nodes are.
type Options struct {
	ChainID uint64
	URLs    []string      // in order of preference; http or https
	Client  *http.Client  // which connections are made with
	Timeout time.Duration // of one call to one node; 8 s if 0
	MaxBody int64         // bytes of an answer; 4 MiB if 0
	Now     func() time.Time
}

// Pool is the nodes of one chain.
type Pool struct {
	chain uint64
	nodes []*node
	now   func() time.Time

	pending turns[evm.Address, uint64] // of PendingNonce
}

// node is an endpoint, and what is known of it.
type node struct {
	*endpoint

	mu       sync.Mutex
	checked  bool // it is of the right chain
	failures int  // in a row
	until    time.Time
	err      error
	lacks    map[string]bool // methods that it does not have
}

// New returns the nodes. It asks them nothing yet.
func New(o Options) (*Pool, error) {
	if o.Client == nil || o.ChainID == 0 || len(o.URLs) == 0 {
		return nil, ErrConfig
	}
	if o.Timeout == 0 {
		o.Timeout = 8 * time.Second
	}
	if o.MaxBody == 0 {
		o.MaxBody = 4 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Pool{chain: o.ChainID, now: o.Now}
	seen := map[string]int{}
	for _, raw := range o.URLs {
		e, err := newEndpoint(raw, o)
		if err != nil {
			return nil, err
		}
		if seen[e.name]++; seen[e.name] > 1 { // another key at the same provider
			e.name = fmt.Sprintf("%s#%d", e.name, seen[e.name])
		}
		p.nodes = append(p.nodes, &node{endpoint: e})
	}
	return p, nil
}

// ChainID is the chain that the nodes have to be of.
func (p *Pool) ChainID() uint64 { return p.chain }

// State is what is known of a node.
type State string

// The states.
const (
	Untried State = "untried"     // not asked yet, or not since it was away
	Ready   State = "ready"       // it answers
	Down    State = "down"        // it gave no answer
	Foreign State = "wrong_chain" // it is of another chain
)

// Health is a node's state, as far as it was asked for something.
type Health struct {
	Node     string // its URL, without path and credentials
	State    State
	Failures int       // in a row
	Err      string    // the last of them
	Retry    time.Time // when it is tried again
}

// Health tells of each node, in the order of preference.
func (p *Pool) Health() []Health {
	var all []Health
	for _, n := range p.nodes {
		all = append(all, n.health())
	}
	return all
}

func (n *node) health() Health {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := Health{Node: n.name, State: Untried, Failures: n.failures, Retry: n.until}
	var f foreign
	switch {
	case errors.As(n.err, &f):
		h.State = Foreign
	case n.err != nil:
		h.State = Down
	case n.checked:
		h.State = Ready
	}
	if n.err != nil {
		h.Err = n.err.Error()
	}
	return h
}

// ask has the first node that can answer do so. An answer may be a refusal.
func (p *Pool) ask(ctx context.Context, what func(*node) error) error {
	var errs []error
	for _, n := range p.nodes {
		err := p.try(ctx, n, what)
		if !failed(err) {
			return err
		}
		errs = append(errs, err)
	}
	return p.unavailable(errs)
}

// failed reports whether another node should be asked.
func failed(err error) bool {
	var f *failure
	return errors.As(err, &f)
}

func (p *Pool) unavailable(errs []error) error {
	var first time.Time
	for _, n := range p.nodes {
		if h := n.health(); first.IsZero() || h.Retry.Before(first) {
			first = h.Retry
		}
	}
	return unavailable(p.chain, errs).After(max(0, first.Sub(p.now())))
}

// try asks one node, if it is its turn: one that failed is left alone for a time
// that doubles, and has to be of the right chain before it is asked again.
func (p *Pool) try(ctx context.Context, n *node, what func(*node) error) error {
	n.mu.Lock()
	checked, until, last := n.checked, n.until, n.err
	n.mu.Unlock()
	if p.now().Before(until) {
		return last
	}
	var err error
	if !checked {
		err = p.check(ctx, n)
	}
	if err == nil {
		err = what(n)
	}
	if ctx.Err() == nil || failed(err) {
		n.note(err, p.now())
	}
	return err
}

// check asks a node for its chain.
func (p *Pool) check(ctx context.Context, n *node) error {
	var id quantity
	err := n.call(ctx, &id, "eth_chainId")
	var r *refusal
	if errors.As(err, &r) {
		return n.fails(strings.TrimPrefix(r.Error(), n.name+": ")) // all nodes have this
	}
	if err != nil {
		return err
	}
	if has, fits := id.Uint64(); !fits || has != p.chain {
		return &failure{n.name, foreign{has, p.chain}}
	}
	n.mu.Lock()
	n.checked = true
	n.mu.Unlock()
	return nil
}

// Times for which a node that failed is left alone.
const (
	minBackoff = 250 * time.Millisecond
	maxBackoff = 30 * time.Second
)

func (n *node) note(err error, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !failed(err) {
		n.failures, n.until, n.err = 0, time.Time{}, nil
		return
	}
	n.checked, n.err, n.lacks = false, err, nil
	n.until = now.Add(min(maxBackoff, minBackoff<<min(n.failures, 10)))
	n.failures++
}

// optional calls a method that not every node has. Of one that lacked it before
// it is not asked again until that was away.
func (n *node) optional(ctx context.Context, out any, method string, params ...any) (has bool, err error) {
	n.mu.Lock()
	lacking := n.lacks[method]
	n.mu.Unlock()
	if lacking {
		return false, nil
	}
	err = n.call(ctx, out, method, params...)
	var r *refusal
	if !errors.As(err, &r) || !r.unsupported() {
		return true, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lacks == nil {
		n.lacks = map[string]bool{}
	}
	n.lacks[method] = true
	return false, nil
}
