// Package viewer shows people the outbox. On a site without mail it is where
// they find what would have been in their mailbox; elsewhere, why something did
// not arrive.
//
// Owners of the platform's organisation, who run the appliance, see every
// message with its body, and the log says so. An organisation's owner sees its
// messages, but not the body of one that would let them pass for its addressee.
// A person sees what is meant for them to be read here.
package viewer

import (
	"context"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
)

// Read is the audit action of looking into the outbox.
const Read audit.Action = "outbox.read"

// Tx is what this package reads and writes.
type Tx interface {
	identity.Tx
	outbox.Tx
}

// Service shows the outbox.
type Service struct {
	DB  txn.Runner[Tx]
	Now func() time.Time // time.Now if nil
}

// Filter selects messages; its zero fields select all that the caller may see.
type Filter struct {
	Channel outbox.Channel
	Kind    outbox.Kind
	State   outbox.State
	To      string
	Before  id.ID // older than this message: the next page
	Limit   int   // 0 means DefaultLimit
}

// Page sizes of List, and how many messages it looks through for a page.
const (
	DefaultLimit = 50
	MaxLimit     = 200
	maxLook      = 20000
)

func (f Filter) selects(m outbox.Message) bool {
	return (f.Channel == "" || f.Channel == m.Channel) && (f.Kind == "" || f.Kind == m.Kind) &&
		(f.State == "" || f.State == m.State) && (f.To == "" || f.To == m.To)
}

// List returns messages without their bodies, newest first.
func (s *Service) List(ctx context.Context, p identity.Principal, f Filter) ([]outbox.Message, error) {
	operator, err := s.admit(ctx, p)
	if err != nil {
		return nil, err
	}
	org := p.Org
	if operator {
		if err := s.record(ctx, p, id.ID{}, nil); err != nil {
			return nil, err
		}
		org = id.ID{}
	}
	limit, looked := f.Limit, 0
	if limit <= 0 {
		limit = DefaultLimit
	}
	limit = min(limit, MaxLimit)
	out := []outbox.Message{}
	err = s.DB.View(ctx, func(tx Tx) error {
		return tx.OutboxList(org, f.Before, func(m outbox.Message) bool {
			if looked++; f.selects(m) && (operator || sees(p, m)) {
				m.Body, m.Headers = "", nil
				out = append(out, m)
			}
			return len(out) < limit && looked < maxLook
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Show returns a message, with its body where p may read that. Whenever a body
// is shown the log says so first.
func (s *Service) Show(ctx context.Context, p identity.Principal, msg id.ID) (m outbox.Message, err error) {
	operator, err := s.admit(ctx, p)
	if err != nil {
		return m, err
	}
	err = s.DB.View(ctx, func(tx Tx) error {
		found, ok, err := tx.OutboxMessage(msg)
		if err == nil && (!ok || !operator && !sees(p, found)) {
			err = outbox.ErrNotFound
		}
		m = found
		return err
	})
	if err != nil {
		return outbox.Message{}, err
	}
	if !operator && m.Personal && !meant(p, m) {
		m.Body, m.Headers = "", nil
		return m, nil
	}
	if err := s.record(ctx, p, msg, audit.Details{"kind": string(m.Kind), "channel": string(m.Channel)}); err != nil {
		return outbox.Message{}, err
	}
	return m, nil
}

// meant reports whether m is for p to be read here.
func meant(p identity.Principal, m outbox.Message) bool {
	return !m.User.IsZero() && m.Org == p.Org && m.User == p.ID
}

// sees reports whether p, a person, may know of m.
func sees(p identity.Principal, m outbox.Message) bool {
	return m.Org == p.Org && (p.Role == identity.RoleOwner || meant(p, m))
}

// admit says whether p runs the appliance. Agents have no business here.
func (s *Service) admit(ctx context.Context, p identity.Principal) (operator bool, err error) {
	if p.IsAgent() {
		return false, s.refuse(ctx, p)
	}
	err = s.DB.View(ctx, func(tx Tx) error {
		platform, ok, err := tx.Platform()
		operator = ok && p.Role == identity.RoleOwner && p.Org == platform
		return err
	})
	return operator, err
}

func (s *Service) refuse(ctx context.Context, p identity.Principal) error {
	e := s.event(p, id.ID{})
	e.Outcome, e.Reason = audit.Refused, fault.As(identity.ErrUsersOnly).Code
	return txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		return identity.ErrUsersOnly, audit.Write(ctx, tx, e)
	})
}

// record logs that p is about to see something.
func (s *Service) record(ctx context.Context, p identity.Principal, msg id.ID, d audit.Details) error {
	e := s.event(p, msg)
	e.Details = d
	return s.DB.Update(ctx, func(tx Tx) error { return audit.Write(ctx, tx, e) })
}

func (s *Service) event(p identity.Principal, msg id.ID) audit.Event {
	e := p.Event(Read, "outbox", "")
	if !msg.IsZero() {
		e = p.Event(Read, "message", msg.String())
	}
	if e.Time = time.Now().UTC(); s.Now != nil {
		e.Time = s.Now().UTC()
	}
	return e
}
