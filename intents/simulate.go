package intents

import (
	"context"
	"fmt"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Simulation is what a transaction would do, by the chain's own node.
type Simulation struct {
	ID     id.ID
	Chain  Chain
	From   evm.Address
	Result node.SimResult
	Tokens map[evm.Address]node.TokenInfo // of the tokens in Result.Changes, as far as they answer
	At     time.Time
}

// maxBundle bounds how many transactions are simulated together.
const maxBundle = 16

// Simulate runs transactions one after the other, each on what those before it
// left, on the newest state of their chain. Nothing is signed or reserved. The
// guardrails apply: what they refuse is not simulated.
func (s *Service) Simulate(ctx context.Context, p identity.Principal, agent id.ID, requests []Request) ([]Simulation, error) {
	if len(requests) == 0 || len(requests) > maxBundle {
		return nil, ErrRequest.Detail("a bundle has 1 to %d transactions", maxBundle)
	}
	tasks := make([]*task, len(requests))
	for i, r := range requests {
		r.IdempotencyKey = "" // some clients send one with everything
		q, err := r.parse(Submit)
		if err != nil {
			return nil, err
		}
		t := &task{asked: p, agent: agent, kind: Submit, parsed: q, id: id.New()}
		if err := s.findForSimulation(ctx, t); err != nil {
			return nil, err
		}
		if i > 0 && t.chain.ChainID != tasks[0].chain.ChainID {
			return nil, ErrRequest.Detail("the transactions of a bundle are on one chain")
		}
		tasks[i] = t
	}
	return s.simulate(ctx, tasks)
}

func (s *Service) findForSimulation(ctx context.Context, t *task) error {
	_, refusal, err := s.find(ctx, t, t.foresee)
	if err != nil {
		return err
	}
	if refusal != nil {
		return s.refused(ctx, t.event(audit.TransactionSimulate), refusal)
	}
	n, ok := s.Nodes.Node(t.chain)
	if !ok {
		return ErrNoSimulation
	}
	t.node = n
	return nil
}

// simulate runs tasks of one chain, whose nodes and signers are found.
func (s *Service) simulate(ctx context.Context, tasks []*task) ([]Simulation, error) {
	calls := make([]node.SimCall, len(tasks))
	for i, t := range tasks {
		calls[i] = node.SimCall{From: t.signer.address, Call: t.call, Gas: t.gas}
	}
	n := tasks[0].node
	results, err := n.Simulate(ctx, calls, 0)
	if err != nil {
		return nil, err
	}
	if len(results) != len(tasks) {
		return nil, fmt.Errorf("intents: %d simulations of %d transactions", len(results), len(tasks))
	}
	out := make([]Simulation, len(tasks))
	tokens := make(map[evm.Address]node.TokenInfo)
	for i, t := range tasks {
		r := results[i]
		out[i] = Simulation{ID: id.New(), Chain: t.chain, From: t.signer.address, Result: r, Tokens: tokens, At: s.now()}
		for _, c := range r.Changes {
			if _, asked := tokens[c.Asset.Token]; asked || c.Asset.Token.IsZero() {
				continue
			}
			if info, err := n.TokenInfo(ctx, c.Asset.Token); err == nil {
				tokens[c.Asset.Token] = info // else amounts stay in the smallest unit
			}
		}
	}
	return out, nil
}

// mustSimulate reports whether a task has to be simulated before it is signed.
func (s *Service) mustSimulate(ctx context.Context, t *task) (bool, error) {
	if t.parsed.simulate || s.MustSimulate == nil {
		return t.parsed.simulate, nil
	}
	return s.MustSimulate(ctx)
}

// simulateFirst simulates a task that has to be.
func (s *Service) simulateFirst(ctx context.Context, t *task) error {
	if must, err := s.mustSimulate(ctx, t); err != nil || !must {
		return err
	}
	done, err := s.simulate(ctx, []*task{t})
	if err != nil {
		return err
	}
	t.note = &SimulationNote{ID: done[0].ID, Status: done[0].Result.Status, Changes: done[0].Result.Changes}
	if done[0].Result.Status != node.SimSuccess {
		t.failed = &done[0]
	}
	return nil
}

// wouldFail records a transaction whose simulation failed. Nothing is reserved
// for it; a request with the same Idempotency-Key gets the same answer.
func (s *Service) wouldFail(ctx context.Context, t *task) (out Outcome, err error) {
	var earlier *Intent // that a request with the same Idempotency-Key made meanwhile
	err = txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		now := s.now()
		e := t.event(audit.TransactionSubmit)
		e.Time, e.Outcome, e.Reason = now, audit.Failed, ErrWouldRevert.Code
		a, refusal, err := authorize(tx, t.asked, t.agent, now)
		if err != nil || refusal != nil {
			return refusal, err
		}
		if earlier, refusal, err = t.earlier(tx, s); earlier != nil || refusal != nil || err != nil {
			return refusal, err // meanwhile
		}
		in := t.intent(a, 0, nil, now).moved(Simulated, now)
		in.Error = t.failed.Result.Reason
		if t.key != "" {
			if err := tx.PutRepeat(in.Agent, t.key, Repeat{Intent: in.ID, Fingerprint: t.print, At: now}); err != nil {
				return nil, err
			}
		}
		if err := tx.PutIntent(in); err != nil {
			return nil, err
		}
		out.Intent = in
		return nil, audit.Write(ctx, tx, e)
	})
	if err == nil && earlier != nil {
		return s.repeated(earlier, nil)
	}
	return out, err
}
