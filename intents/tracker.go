package intents

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// How the tracker works.
const (
	trackEvery  = 2 * time.Second
	resendEvery = 30 * time.Second // the same bytes, to a node that forgot them
	settlePause = 10 * time.Second
	pageSize    = 256
	trackAtOnce = 8
)

// Recover gives up what was reserved when the process ended: it was never
// signed, and whoever asked for it got no answer. It runs before requests are
// taken.
func (s *Service) Recover(ctx context.Context) error {
	chains, err := s.allChains(ctx)
	if err != nil {
		return err
	}
	for _, c := range chains {
		if err := s.eachOpen(ctx, c.ChainID, func(page []Intent) error { return s.giveUp(ctx, page) }); err != nil {
			return err
		}
	}
	return nil
}

// giveUp releases those of some intents that were not signed.
func (s *Service) giveUp(ctx context.Context, page []Intent) error {
	return s.DB.Update(ctx, func(tx Tx) error {
		for _, in := range page {
			if in.State != Reserved {
				continue
			}
			now := s.now()
			e := stepEvent(in, in.moved(Released, now), now)
			e.Outcome, e.Reason = audit.Failed, "interrupted"
			if err := audit.Write(ctx, tx, e); err != nil {
				return err
			}
			if err := errors.Join(undo(tx, in, now), unuse(tx, in)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Run follows what is not settled until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(trackEvery)
	defer tick.Stop()
	for {
		if err := s.Track(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "transactions could not be followed", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Track takes every open intent one step further, as far as its chain tells. On
// a chain without nodes nothing is to be seen.
func (s *Service) Track(ctx context.Context) error {
	chains, err := s.allChains(ctx)
	if err != nil {
		return err
	}
	for _, c := range chains {
		n, ok := s.Nodes.Node(c)
		if !ok {
			continue
		}
		v := s.newView(c, n)
		err := s.eachOpen(ctx, c.ChainID, func(page []Intent) error { return v.follow(ctx, page) })
		if err == nil {
			err = v.followUnseen(ctx, c.ChainID)
		}
		if err == nil {
			v.end()
		} else {
			s.Log.DebugContext(ctx, "transactions of a chain could not be followed", "chain", c.Name, "error", err)
		}
	}
	return ctx.Err()
}

// follow takes some intents a step further, several at once. A chain that does
// not answer is left alone for the rest of the round.
func (v *chainView) follow(ctx context.Context, page []Intent) error {
	if err := v.begin(ctx); err != nil {
		return err
	}
	var wg sync.WaitGroup
	turns := make(chan struct{}, trackAtOnce)
	for _, in := range page {
		if v.service.isActive(in.ID) || in.State == Reserved {
			continue
		}
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			if err := v.step(ctx, in); err != nil {
				v.fail(err)
			}
		})
	}
	wg.Wait()
	return v.failed()
}

func (v *chainView) step(ctx context.Context, in Intent) error {
	s := v.service
	if v.waits(in, s.Confirmations) {
		return nil
	}
	nonce, err := v.nonceOf(ctx, in.From)
	if err != nil {
		return err
	}
	due := in.Kind != SignOnly && in.State != Rejected && s.resendDue(in)
	unclear := in.State == Signed && in.Kind != SignOnly
	if in.Block == nil && in.GoneAt == 0 && nonce <= in.Nonce && !due && !unclear {
		return nil // it still waits: there is nothing to be seen
	}
	seen, err := v.look(ctx, in, nonce, s.Confirmations)
	if err != nil {
		return err
	}
	after, news := settle(in, seen, s.now())
	if news {
		if after, err = s.record(ctx, identity.Principal{}, in, after); err != nil {
			return err
		}
	}
	if after.State.Final() || after.State == Rejected {
		s.forgetSent(in.ID)
		return nil
	}
	if nonce < in.Nonce && due && v.fillsOnce(in.From) {
		if err := s.fill(ctx, v.node, in, nonce); err != nil {
			s.Log.WarnContext(ctx, "a gap in an account's nonces could not be filled", "chain", in.Chain, "transaction", in.ID, "error", err)
		}
	}
	lost := after.Block == nil && nonce <= in.Nonce && seen.tries[len(seen.tries)-1].Fate == node.Unknown
	if !due || !lost {
		return nil
	}
	s.noteSent(in.ID)
	_, err = s.broadcast(ctx, identity.Principal{}, v.node, after)
	return err
}

// followUnseen takes those that somebody else should have broadcast a step
// further, where the account's nonce says that there is something to be seen.
func (v *chainView) followUnseen(ctx context.Context, chain uint64) error {
	var accounts []evm.Address
	err := v.service.DB.View(ctx, func(tx Tx) (err error) {
		accounts, err = tx.UnseenAccounts(chain)
		return err
	})
	if err == nil && len(accounts) > 0 {
		err = v.begin(ctx)
	}
	if err != nil {
		return err
	}
	for _, a := range accounts {
		next, err := v.nonceOf(ctx, a)
		if err == nil {
			err = v.followAccount(ctx, chain, a, next)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *chainView) followAccount(ctx context.Context, chain uint64, a evm.Address, next uint64) error {
	for from := uint64(0); from < next; {
		var page []Intent
		err := v.service.DB.View(ctx, func(tx Tx) (err error) {
			page, err = tx.Unseen(chain, a, [2]uint64{from, next}, pageSize)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		if err := v.follow(ctx, page); err != nil {
			return err
		}
		from = page[len(page)-1].Nonce + 1
	}
	return nil
}

// resendDue reports whether an intent has waited for so long that its bytes may
// have been lost, or that a gap before it is one: the next request may have been
// about to fill it.
func (s *Service) resendDue(in Intent) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, ok := s.sent[in.ID]
	if !ok {
		return in.State == Signed || s.now().Sub(in.SignedAt) >= settlePause
	}
	return s.now().Sub(last) >= resendEvery
}

func (s *Service) noteSent(in id.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[in] = s.now()
}

func (s *Service) forgetSent(in id.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sent, in)
}

// eachOpen calls fn with the intents on a chain that are not final, oldest first,
// some at a time.
func (s *Service) eachOpen(ctx context.Context, chain uint64, fn func([]Intent) error) error {
	var after id.ID
	for {
		var open []Intent
		err := s.DB.View(ctx, func(tx Tx) (err error) {
			open, err = tx.OpenIntents(chain, after, pageSize)
			return err
		})
		if err != nil || len(open) == 0 {
			return err
		}
		if err := fn(open); err != nil {
			return err
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
