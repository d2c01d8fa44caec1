package intents

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// sighting is what a chain says of an intent.
type sighting struct {
	head   uint64        // newest block
	nonce  uint64        // of the account: how many of its transactions are in blocks
	tries  []node.Lookup // of each try
	safety uint64        // blocks that have to be on top
}

// settle says what a sighting makes of an intent, and whether that is news. It
// is pure.
//
// A block may be taken back, so nothing is final before enough others are on
// top: a transaction that was in one and no longer is, is waited for again.
func settle(in Intent, s sighting, now time.Time) (Intent, bool) {
	for i, st := range s.tries {
		if st.Fate == node.Mined {
			return settleMined(in, in.Tries[i], st, s, now)
		}
	}
	if in.Block != nil { // reorganised out
		in.Block = nil
		return in, true
	}
	if s.nonce <= in.Nonce { // the nonce is still to be used
		changed := in.GoneAt != 0
		in.GoneAt = 0
		return in, changed
	}
	switch {
	case in.GoneAt == 0:
		in.GoneAt = s.head
		return in, true
	case s.head < in.GoneAt+s.safety:
		return in, false
	}
	in = in.moved(Replaced, now)
	in.Error = "another transaction of the account has its nonce"
	return in, true
}

func settleMined(in Intent, try Try, st node.Lookup, s sighting, now time.Time) (Intent, bool) {
	b := Block{Number: st.Block, Hash: st.BlockHash, Tx: try.Hash, Gas: st.GasUsed, Price: st.Price, OK: st.Success}
	seen := in.Block != nil && *in.Block == b
	in.Block, in.GoneAt, in.Error = &b, 0, "" // whatever a node said before
	switch deep := s.head >= b.Number+s.safety; {
	case !deep && (in.State == Rejected || in.State == Signed && in.Kind != SignOnly):
		return in.moved(Broadcast, now), true
	case !deep:
		return in, !seen
	case try.Cancels:
		in = in.moved(Replaced, now)
		in.Error = "cancelled"
	case b.OK:
		in = in.moved(Confirmed, now)
	default:
		in = in.moved(Reverted, now)
		in.Error = "the chain executed it, and its execution failed"
	}
	return in, true
}

// record writes a step of an intent, if nobody else made one meanwhile, and
// returns the intent as it is then.
func (s *Service) record(ctx context.Context, by identity.Principal, before, after Intent) (out Intent, err error) {
	err = txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		now, ok, err := tx.Intent(before.Agent, before.ID)
		if err != nil || !ok {
			return nil, errors.Join(err, errors.New("intents: a transaction is gone"))
		}
		if now.State != before.State || len(now.Tries) != len(before.Tries) {
			out = now
			return nil, nil
		}
		out = after
		if before.State != after.State {
			if !slices.Contains(next[before.State], after.State) {
				return nil, fmt.Errorf("intents: %s does not follow %s", after.State, before.State)
			}
			if err := s.step(ctx, tx, by, before, after); err != nil {
				return nil, err
			}
		}
		return nil, tx.PutIntent(after)
	})
	return out, err
}

// step writes what a change of state brings with it.
func (s *Service) step(ctx context.Context, tx Tx, by identity.Principal, before, after Intent) error {
	now := s.now()
	switch after.State {
	case Rejected: // no node has it: the next transaction may have its nonce
		account, err := tx.Account(after.ChainID, after.From)
		if err != nil {
			return err
		}
		if err := tx.PutAccount(account.give(after.Nonce)); err != nil {
			return err
		}
	case Replaced, Reverted: // it can move nothing any more
		if err := letGo(tx, after, now); err != nil {
			return err
		}
	}
	e := stepEvent(before, after, now)
	if !by.ID.IsZero() {
		asked := by.Event(e.Action, e.Resource.Type, e.Resource.ID)
		e.Actor, e.IP, e.Request = asked.Actor, asked.IP, asked.Request
	}
	return audit.Write(ctx, tx, e)
}

// stepEvent describes what happened to an intent outside of a request.
func stepEvent(before, after Intent, now time.Time) audit.Event {
	action := audit.TransactionSettle
	if after.State == Broadcast || after.State == Rejected {
		action = audit.TransactionBroadcast
	}
	e := audit.Event{
		Org: after.Org, Actor: audit.Actor{Type: string(identity.KindAgent), ID: after.Agent}, Action: action,
		Resource: audit.Resource{Type: "transaction", ID: after.ID.String()}, Time: now,
		Details: audit.Details{"agent_id": after.Agent.String(), "chain": after.Chain, "from_state": string(before.State), "state": string(after.State)},
	}
	if t := after.Last(); t != nil {
		e.Details["tx_hash"] = t.Hash.String()
	}
	if after.Block != nil {
		e.Details["tx_hash"], e.Details["block"] = after.Block.Tx.String(), after.Block.Number
	}
	if after.State == Rejected || after.State == Reverted {
		e.Outcome, e.Reason = audit.Failed, string(after.State)
	}
	return e
}

// reason says in words that may be shown why a node did not take a transaction.
func reason(s node.Sent) string {
	switch s.Outcome {
	case node.NonceTooLow:
		return "the chain has a transaction with its nonce already"
	case node.Underpriced:
		return "its fee is too low for the node: " + s.Reason
	}
	return "the node refused it: " + s.Reason
}
