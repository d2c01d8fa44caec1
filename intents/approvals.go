package intents

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Approvals lists an organisation's approvals, newest first, for its people; an
// agent sees its own. An empty status means all.
func (s *Service) Approvals(ctx context.Context, p identity.Principal, status ApprovalStatus, limit int) (list []Approval, err error) {
	now := s.now()
	err = s.DB.View(ctx, func(tx Tx) error {
		return tx.Approvals(p.Org, func(a Approval) bool {
			a = a.at(now)
			mine := !p.IsAgent() || a.Agent == p.ID
			fits := status == "" || a.Status == status || status == Approved && a.Status == Used
			if mine && fits {
				list = append(list, a)
			}
			return len(list) < min(max(limit, 1), MaxPage)
		})
	})
	return list, err
}

// Approval is one of them.
func (s *Service) Approval(ctx context.Context, p identity.Principal, approval id.ID) (a Approval, err error) {
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		a, err = visibleApproval(tx, p, approval)
		return err
	})
	return a.at(s.now()), err
}

func visibleApproval(tx Tx, p identity.Principal, approval id.ID) (Approval, error) {
	a, ok, err := tx.Approval(p.Org, approval)
	if err == nil && (!ok || p.IsAgent() && a.Agent != p.ID) {
		err = ErrApprovalNotFound
	}
	return a, err
}

// Approve records that p agrees. The approval is good when as many distinct
// people have as its rule wants.
func (s *Service) Approve(ctx context.Context, p identity.Principal, approval id.ID) (Approval, error) {
	return s.vote(ctx, p, approval, audit.ApprovalApprove, func(a *Approval) {
		a.Votes = append(slices.Clone(a.Votes), Vote{User: p.ID, Agrees: true, At: s.now()})
		if len(a.Votes) >= a.Needed {
			a.Status, a.DecidedAt = Approved, s.now()
		}
	})
}

// Deny ends an approval: one who disagrees is enough.
func (s *Service) Deny(ctx context.Context, p identity.Principal, approval id.ID, reason string) (Approval, error) {
	return s.vote(ctx, p, approval, audit.ApprovalDeny, func(a *Approval) {
		a.Status, a.DecidedAt, a.Reason = Denied, s.now(), bounded(reason, maxReason)
		a.Votes = append(slices.Clone(a.Votes), Vote{User: p.ID, At: s.now()})
	})
}

// vote has fn change an approval that p may decide on.
func (s *Service) vote(ctx context.Context, p identity.Principal, approval id.ID, action audit.Action, fn func(*Approval)) (out Approval, err error) {
	err = txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		now := s.now()
		e := p.Event(action, "approval", approval.String())
		e.Time, e.Details = now, audit.Details{}
		a, ok, err := tx.Approval(p.Org, approval)
		if err != nil {
			return nil, err
		}
		if a = a.at(now); ok {
			e.Details["agent_id"], e.Details["action_hash"] = a.Agent.String(), hex.EncodeToString(a.Hash)
		}
		switch {
		case !p.Manages():
			return refuse(ctx, tx, e, ErrDenied)
		case !ok:
			return refuse(ctx, tx, e, ErrApprovalNotFound)
		case a.Asked == p.ID:
			return refuse(ctx, tx, e, ErrOwnApproval)
		case a.Status != Pending:
			return refuse(ctx, tx, e, ErrDecided.Detail("This approval is %s already", a.Status))
		case slices.ContainsFunc(a.Votes, func(v Vote) bool { return v.User == p.ID }):
			return refuse(ctx, tx, e, ErrVoted)
		}
		fn(&a)
		out = a
		e.Details["votes"], e.Details["needed"], e.Details["status"] = len(a.Votes), a.Needed, string(a.Status)
		if err := errors.Join(decided(tx, a, now), tx.PutApproval(a)); err != nil {
			return nil, err
		}
		return nil, audit.Write(ctx, tx, e)
	})
	return out, err
}

// decided takes an approval off those that its agent waits for, once it is.
func decided(tx Tx, a Approval, now time.Time) error {
	if a.Status == Pending {
		return nil
	}
	list, err := waiting(tx, a.Agent, now)
	if err != nil {
		return err
	}
	return tx.PutWaiting(a.Agent, slices.DeleteFunc(list, func(w Waiting) bool { return w.Approval == a.ID }))
}

// approvalEvent describes that people are asked.
func approvalEvent(t *task, a Approval) audit.Event {
	e := t.asked.Event(audit.ApprovalRequest, "approval", a.ID.String())
	e.Time = a.CreatedAt
	e.Details = audit.Details{
		"agent_id": a.Agent.String(), "chain": t.chain.Name, "to": a.Action["to"], "value_wei": a.Action["value_wei"],
		"why": a.Why, "needed": a.Needed, "action_hash": hex.EncodeToString(a.Hash),
	}
	return e
}
