package intents

import (
	"context"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// How the tracker works.
const (
	trackEvery  = 2 * time.Second
	resendEvery = 30 * time.Second // the same bytes, to a node that forgot them
	settlePause = 10 * time.Second
	pageSize    = 256
)

// Recover gives up what was reserved when the process ended: it was never
// signed, and whoever asked for it got no answer. It runs before requests are
// taken.
func (s *Service) Recover(ctx context.Context) error {
	return s.eachOpen(ctx, func(in Intent) error {
		if in.State != Reserved {
			return nil
		}
		return s.DB.Update(ctx, func(tx Tx) error {
			now := s.now()
			e := stepEvent(in, in.moved(Released, now), now)
			e.Outcome, e.Reason = audit.Failed, "interrupted"
			if err := audit.Write(ctx, tx, e); err != nil {
				return err
			}
			return undo(tx, in, now)
		})
	})
}

// Run follows what is not settled until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(trackEvery)
	defer tick.Stop()
	sent := make(map[id.ID]time.Time)
	for {
		if err := s.Track(ctx, sent); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "transactions could not be followed", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Track takes every open intent one step further. sent remembers when bytes were
// shown to a node last.
func (s *Service) Track(ctx context.Context, sent map[id.ID]time.Time) error {
	down := make(map[uint64]bool) // chains whose nodes do not answer: once is enough
	err := s.eachOpen(ctx, func(in Intent) error {
		if s.isActive(in.ID) || in.State == Reserved || down[in.ChainID] {
			return nil
		}
		n, ok := s.nodeOf(ctx, in.ChainID)
		if !ok {
			return nil
		}
		if err := s.track(ctx, n, in, sent); err != nil {
			down[in.ChainID] = true
			s.Log.DebugContext(ctx, "a chain does not answer", "chain", in.Chain, "error", err)
		}
		return ctx.Err()
	})
	return err
}

func (s *Service) track(ctx context.Context, n Node, in Intent, sent map[id.ID]time.Time) error {
	seen, err := look(ctx, n, in, s.Confirmations)
	if err != nil {
		return err
	}
	after, news := settle(in, seen, s.now())
	if news {
		if after, err = s.record(ctx, in, after); err != nil {
			return err
		}
	}
	if after.State.Final() {
		delete(sent, in.ID)
		return nil
	}
	if after.State != Rejected && seen.nonce < in.Nonce && s.settled(in) {
		if err := s.fill(ctx, n, in, seen.nonce); err != nil {
			s.Log.WarnContext(ctx, "a gap in an account's nonces could not be filled", "chain", in.Chain, "transaction", in.ID, "error", err)
		}
	}
	lost := after.Block == nil && seen.nonce <= in.Nonce && seen.tries[len(seen.tries)-1].Fate == node.Unknown
	if in.Kind == SignOnly || after.State == Rejected || !lost || s.now().Sub(sent[in.ID]) < resendEvery {
		return nil
	}
	sent[in.ID] = s.now()
	_, err = s.broadcast(ctx, n, after)
	return err
}

// settled reports whether an intent has waited long enough for a gap before it
// to be one: the next request may be about to fill it.
func (s *Service) settled(in Intent) bool { return s.now().Sub(in.SignedAt) >= settlePause }

// eachOpen calls fn with every intent that is not final, oldest first.
func (s *Service) eachOpen(ctx context.Context, fn func(Intent) error) error {
	var after id.ID
	for {
		var open []Intent
		err := s.DB.View(ctx, func(tx Tx) (err error) {
			open, err = tx.OpenIntents(after, pageSize)
			return err
		})
		if err != nil || len(open) == 0 {
			return err
		}
		for _, in := range open {
			if err := fn(in); err != nil {
				return err
			}
		}
		after = open[len(open)-1].ID
	}
}

func (s *Service) nodeOf(ctx context.Context, chain uint64) (Node, bool) {
	var c Chain
	err := s.DB.View(ctx, func(tx Tx) error {
		all, err := tx.Chains()
		if i := slices.IndexFunc(all, func(c Chain) bool { return c.ChainID == chain }); i >= 0 {
			c = all[i]
		}
		return err
	})
	if err != nil || c.ChainID == 0 {
		return nil, false
	}
	return s.Nodes.Node(c)
}
