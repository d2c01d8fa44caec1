package use

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Sender takes requests to elsewhere.
type Sender interface {
	// Send sends a request and returns the answer with at most limit bytes of its body.
	// It follows no redirect and keeps nothing of what it sends. An error that is a
	// fault.Error may be shown; no error holds anything of the request.
	Send(ctx context.Context, r Outgoing, limit int) (Incoming, error)
}

// Config is what a Service is made of.
type Config struct {
	DB      txn.Runner[Tx]
	Vaults  *vault.Service
	Sender  Sender
	Screens Screens
	History History
	Now     func() time.Time // time.Now if nil
}

// Service executes requests and manages bindings. All methods may be called at once.
type Service struct {
	db      txn.Runner[Tx]
	vaults  *vault.Service
	sender  Sender
	screens Screens
	history History
	clock   func() time.Time

	mu       sync.Mutex
	underway map[id.ID]int // requests by agent
}

// Bounds of what is under way.
const (
	patience    = 30 * time.Second // for a host, with all of its answer
	maxUnderway = 8                // requests of one agent
)

// New returns a Service.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{db: c.DB, vaults: c.Vaults, sender: c.Sender, screens: c.Screens, history: c.History, clock: c.Now, underway: map[id.ID]int{}}
}

func (s *Service) now() time.Time { return s.clock().UTC() }

// Execute sends a request for the agent that asks, with the values of secrets in it
// that it may use, and returns the answer without any.
//
// What leaves is decided, counted and recorded first; if the host then cannot be
// reached, the reads stay used, and a second event says so.
func (s *Service) Execute(ctx context.Context, p identity.Principal, agent id.ID, c Call) (Answer, error) {
	u := &execution{s: s, p: p, id: id.New(), call: c}
	if !p.IsAgent() || p.ID != agent {
		return Answer{}, s.refused(ctx, u.event(audit.SecretUse), ErrAgentOnly)
	}
	var err error
	if u.request, err = read(c); err != nil {
		return Answer{}, err
	}
	if u.target, err = c.target(); err != nil {
		return Answer{}, err
	}
	leave, err := s.enter(agent)
	if err != nil {
		return Answer{}, s.refused(ctx, u.event(audit.SecretUse), err)
	}
	defer leave()
	screen, err := u.decide(ctx)
	if err != nil {
		return Answer{}, err
	}
	if c.DryRun {
		return Answer{ID: u.id}, nil
	}
	began := s.now()
	a, err := u.carryOut(ctx, screen)
	a.Took = s.now().Sub(began)
	return a, u.settle(ctx, a, err)
}

// enter counts a request of an agent in; leave counts it out.
func (s *Service) enter(agent id.ID) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.underway[agent] >= maxUnderway {
		return nil, ErrBusy.After(time.Second)
	}
	s.underway[agent]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.underway[agent]--; s.underway[agent] == 0 {
			delete(s.underway, agent)
		}
	}, nil
}

// refuse appends the event of a refusal and passes the refusal on.
func refuse(ctx context.Context, tx Tx, e audit.Event, why error) (refusal, err error) {
	e.Outcome = audit.Refused
	if f := fault.As(why); f != nil {
		e.Reason = f.Code
	}
	return why, audit.Write(ctx, tx, e)
}

// refused records a refusal in a transaction of its own.
func (s *Service) refused(ctx context.Context, e audit.Event, why error) error {
	return txn.Decide(ctx, s.db, func(tx Tx) (error, error) { return refuse(ctx, tx, e, why) })
}

// unreached is what an agent is told of a host that did not answer.
func unreached(ctx context.Context, err error) error {
	switch {
	case fault.As(err) != nil:
		return err
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return ErrTimeout.Because(err)
	}
	return ErrUnreachable.Because(err)
}
