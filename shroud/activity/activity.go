// Package activity is what is remembered of calls of models for people to look at:
// who called which model when, what it cost, and what was found in it. What was said
// is in it only where the agent's configuration asks for it: then the request of a
// call in which something was found is kept for some days, without the values of the
// vaults, for those who manage the organisation.
//
// It decides nothing, and so may be lost: the audit log has what was refused and
// found, the meter has what was spent. It is kept for Lifetime, and of each
// organisation so many calls a day at most, so that an agent in a loop does not fill
// the disk.
//
// It must not know how calls are made (shroud) or kept (store/events).
package activity

import (
	"context"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Bounds.
const (
	Lifetime  = 30 * 24 * time.Hour
	MaxPage   = 200
	maxLooked = 20_000  // for a page, those of other agents included
	maxSummed = 100_000 // for a summary
	maxName   = 256     // bytes of a model's name
)

// Errors.
var (
	ErrDenied   = fault.New(fault.Denied, "access_denied", "Access denied")
	ErrNotFound = fault.New(fault.NotFound, "call_not_found", "No such call of a model")
	ErrPeriod   = fault.New(fault.Invalid, "invalid_period", "period must be 24h, 7d or 30d")
)

// Threat is something that was found.
type Threat struct {
	Type     string `json:"threat_type"`
	Pattern  string `json:"pattern"`
	Location string `json:"location,omitempty"`
	Severity string `json:"severity"`
}

// Call is one call of a model. IDs are in the order of time.
type Call struct {
	ID       id.ID         `json:"id"`
	Org      id.ID         `json:"org"`
	Agent    id.ID         `json:"agent"`
	Provider string        `json:"provider,omitempty"`
	Model    string        `json:"model,omitempty"`
	Asked    string        `json:"asked,omitempty"` // provider and model that were asked first, if these are others
	Status   int           `json:"status,omitempty"`
	Refusal  string        `json:"refusal,omitempty"`
	Threats  []Threat      `json:"threats,omitempty"`
	Redacted int           `json:"redacted,omitempty"`
	Input    int           `json:"input,omitempty"` // tokens
	Output   int           `json:"output,omitempty"`
	MicroUSD int64         `json:"micro_usd,omitempty"`
	Began    time.Time     `json:"began"`
	Took     time.Duration `json:"took"`
	Keep     time.Duration `json:"keep,omitempty"` // how long its request is kept, from Began on; 0: it is not

	Request []byte `json:"-"` // kept apart
}

// Store keeps calls for their lifetime, and requests for as long as Keep says.
type Store interface {
	AppendCalls([]Call) error
	// Calls calls fn with those of an organisation, newest first, beginning before
	// one (the zero ID: with the newest), until it returns false. Requests are not
	// in them.
	Calls(org, before id.ID, fn func(Call) bool) error
	Call(org, call id.ID) (c Call, found bool, err error)
	// Request is that of a call, nil if it is not kept.
	Request(org, call id.ID) ([]byte, error)
}

// Tx is what a Service asks of a transaction.
type Tx interface{ audit.Tx }

// Service shows calls. All methods may be called at once.
type Service struct {
	Log *Log
	DB  txn.Runner[Tx]
	Now func() time.Time // time.Now if nil
}

// Query is which calls are asked for.
type Query struct {
	Agent  id.ID // the zero ID: all
	Before id.ID // where the page before ended
	Limit  int
}

// List returns the newest calls that p may see, and where the next page begins, the
// zero ID if there is none. A page may be short: how many calls are looked at for it
// is bounded.
func (s *Service) List(ctx context.Context, p identity.Principal, q Query) (page []Call, next id.ID, err error) {
	agent, err := visible(p, q.Agent)
	if err != nil {
		return nil, id.ID{}, err
	}
	limit, looked := min(max(q.Limit, 1), MaxPage), 0
	var last id.ID
	err = s.Log.calls(p.Org, q.Before, func(c Call) bool {
		if len(page) == limit || looked == maxLooked || ctx.Err() != nil {
			next = last
			return false
		}
		looked, last = looked+1, c.ID
		if agent.IsZero() || c.Agent == agent {
			page = append(page, c)
		}
		return true
	})
	if err == nil {
		err = ctx.Err()
	}
	return page, next, err
}

// visible is the agent whose calls are shown, the zero ID for all. An agent sees its
// own; people see those of their organisation.
func visible(p identity.Principal, asked id.ID) (id.ID, error) {
	switch {
	case !p.IsAgent():
		return asked, nil
	case asked.IsZero() || asked == p.ID:
		return p.ID, nil
	}
	return id.ID{}, ErrDenied
}

// Open returns one call with its request, if that is kept, to those who manage its
// organisation. That they looked is in the audit log before they see it.
func (s *Service) Open(ctx context.Context, p identity.Principal, call id.ID) (c Call, err error) {
	found := false
	if p.Manages() {
		if c, found, err = s.Log.call(p.Org, call); err != nil {
			return Call{}, err
		}
	}
	kept := c.Keep > 0 && s.now().Before(c.Began.Add(c.Keep))
	err = txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		e := p.Event(audit.ShroudOpen, "shroud_call", call.String())
		e.Time, e.Outcome = s.now(), audit.Success
		switch {
		case !p.Manages():
			refusal, e.Outcome, e.Reason = ErrDenied, audit.Refused, ErrDenied.Code
		case !found:
			refusal, e.Outcome, e.Reason = ErrNotFound, audit.Refused, ErrNotFound.Code
		default:
			e.Details = audit.Details{"agent_id": c.Agent.String(), "request": kept}
		}
		return refusal, audit.Write(ctx, tx, e)
	})
	if err != nil {
		return Call{}, err
	}
	if kept {
		c.Request, err = s.Log.store.Request(p.Org, call)
	}
	return c, err
}

func (s *Service) now() time.Time {
	if s.Now == nil {
		return time.Now().UTC()
	}
	return s.Now().UTC()
}
