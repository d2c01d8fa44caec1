package intents

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Node answers for one chain. A node.Pool is one.
type Node interface {
	PendingNonce(ctx context.Context, a evm.Address) (uint64, error)
	LatestNonce(ctx context.Context, a evm.Address) (uint64, error)
	Balance(ctx context.Context, a evm.Address) (evm.Amount, error)
	Fees(ctx context.Context) (node.Fees, error)
	Estimate(ctx context.Context, from evm.Address, c evm.Call) (gas uint64, err error)
	Simulate(ctx context.Context, calls []node.SimCall, block uint64) ([]node.SimResult, error)
	TokenInfo(ctx context.Context, token evm.Address) (node.TokenInfo, error)
	Send(ctx context.Context, tx evm.Signed) (node.Sent, error)
	Lookup(ctx context.Context, hash evm.Hash) (node.Lookup, error)
	Head(ctx context.Context) (node.Head, error)
	BlockHash(ctx context.Context, block uint64) (evm.Hash, error)
	Health() []node.Health
}

// Nodes finds who answers for a chain.
type Nodes interface {
	// Node returns false for a chain without nodes.
	Node(c Chain) (Node, bool)
}

// Config is what a Service is made of.
type Config struct {
	DB       txn.Runner[Tx]
	Vaults   *vault.Service  // finds and opens signing keys
	Accounts hsm.AccountKeys // keys in the HSM
	Nodes    Nodes
	Notifier Notifier // nil: nobody is told; see Mails
	Log      *slog.Logger
	Now      func() time.Time // time.Now if nil

	// Rights is another number after each change of vaults or policies: what follows
	// from those is kept for as long as it stays the same. Nothing is kept if nil.
	Rights func() uint64

	// MustSimulate reports whether every transaction has to be simulated first; nil:
	// only where it is asked for.
	MustSimulate func(ctx context.Context) (bool, error)
	// MaxFee is what a unit of gas may cost at most, in wei; nil: no cap.
	MaxFee *evm.Amount
	// Confirmations are how many blocks have to be on top of a transaction's own
	// until it is taken for final.
	Confirmations uint64
}

// Service is the one way to transactions. All methods may be called at once.
type Service struct {
	Config

	mu     sync.Mutex
	active map[id.ID]bool      // intents that a request is at work on
	sent   map[id.ID]time.Time // when the tracker showed their bytes to a node last
	rounds map[uint64]seen     // what the tracker saw last of each chain
	reach  map[id.ID]reach     // of agents that had something signed
}

// New returns a Service.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Notifier == nil {
		c.Notifier = silent{}
	}
	return &Service{Config: c, active: make(map[id.ID]bool), sent: make(map[id.ID]time.Time), rounds: make(map[uint64]seen), reach: make(map[id.ID]reach)}
}

func (s *Service) now() time.Time { return s.Now().UTC() }

// working marks an intent as being worked on, so that the tracker leaves it
// alone, until done is called.
func (s *Service) working(in id.ID) (done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active[in] = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.active, in)
	}
}

func (s *Service) isActive(in id.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.active[in]
}

// authorize finds the agent and whether p may have it sign: the agent itself may,
// and so may those who manage its organisation.
func authorize(tx identity.Tx, p identity.Principal, agent id.ID, now time.Time) (a identity.Agent, refusal, err error) {
	switch {
	case p.IsAgent() && p.ID != agent:
		return a, ErrOtherAgent, nil
	case !p.IsAgent() && !p.Manages():
		return a, ErrDenied, nil
	}
	a, ok, err := tx.Agent(p.Org, agent)
	switch {
	case err != nil:
		return a, nil, err
	case !ok:
		return a, ErrAgentNotFound, nil
	case !a.Usable(now):
		return a, ErrAgentInactive, nil
	case !a.Intents:
		return a, ErrNotEnabled, nil
	case p.IsAgent() && !p.Signs:
		return a, ErrNotEnabled.Detail("Access denied: this token was made when the Intents API was not enabled for the agent; get a new one"), nil
	}
	return a, nil, nil
}

// refuse appends the event of a refusal and passes the refusal on.
func refuse(ctx context.Context, tx audit.Tx, e audit.Event, why error) (refusal, err error) {
	e.Outcome = audit.Refused
	if f := fault.As(why); f != nil {
		e.Reason = f.Code
	}
	return why, audit.Write(ctx, tx, e)
}

// refused records a refusal that was decided outside of a transaction.
func (s *Service) refused(ctx context.Context, e audit.Event, why error) error {
	return txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) { return refuse(ctx, tx, e, why) })
}
