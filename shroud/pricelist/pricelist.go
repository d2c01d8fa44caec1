// Package pricelist is who may see and change the prices that calls of models are
// charged by: those who run the appliance.
//
// It must not know what a call costs (shroud/meter) or who asks over which door.
package pricelist

import (
	"context"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/shroud/meter"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/site"
)

// ErrDenied: whoever asks does not run the appliance.
var ErrDenied = fault.New(fault.Denied, "access_denied", "Access denied")

// Tx is what this package reads and writes.
type Tx interface {
	identity.Tx

	// LLMPrices returns the operator's prices, nil if there are none.
	LLMPrices() ([]meter.Price, error)
	// PutLLMPrices replaces them; an empty list removes the record.
	PutLLMPrices([]meter.Price) error
}

// Service shows and replaces the operator's prices. All methods may be called at once.
type Service struct {
	DB  txn.Runner[Tx]
	Now func() time.Time // time.Now if nil
}

// Own returns the operator's prices, in the order in which they count.
func (s *Service) Own(ctx context.Context, p identity.Principal) (own []meter.Price, err error) {
	var runs bool
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		if runs, err = site.Runs(tx, p); err != nil || !runs {
			return err
		}
		own, err = tx.LLMPrices()
		return err
	})
	if err == nil && !runs {
		err = txn.Decide(ctx, s.DB, func(tx Tx) (error, error) { return s.refuse(ctx, tx, s.event(p, audit.LLMPricesRead), ErrDenied) })
	}
	return own, err
}

// Replace puts the operator's prices in the place of those before. They hold from
// the next call on; none is a return to the built-in ones.
func (s *Service) Replace(ctx context.Context, p identity.Principal, own []meter.Price) error {
	_, bad := meter.NewTable(own)
	return txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		e := s.event(p, audit.LLMPricesUpdate)
		runs, err := site.Runs(tx, p)
		switch {
		case err != nil:
			return nil, err
		case !runs:
			return s.refuse(ctx, tx, e, ErrDenied)
		case bad != nil:
			return s.refuse(ctx, tx, e, bad)
		}
		before, err := tx.LLMPrices()
		if err != nil {
			return nil, err
		}
		e.Details = audit.Details{"prices": len(own), "prices_before": len(before)}
		if err := tx.PutLLMPrices(own); err != nil {
			return nil, err
		}
		return nil, audit.Write(ctx, tx, e)
	})
}

func (s *Service) event(p identity.Principal, action audit.Action) audit.Event {
	e := p.Event(action, "llm_prices", "")
	e.Time = time.Now().UTC()
	if s.Now != nil {
		e.Time = s.Now().UTC()
	}
	return e
}

// refuse appends the event of a refusal and passes the refusal on.
func (s *Service) refuse(ctx context.Context, tx Tx, e audit.Event, why error) (refusal, err error) {
	e.Outcome = audit.Refused
	if f := fault.As(why); f != nil {
		e.Reason = f.Code
	}
	return why, audit.Write(ctx, tx, e)
}
