package intents

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Outcome is the answer to a request.
type Outcome struct {
	Intent Intent
	// Repeated: this is what an earlier request with the same Idempotency-Key did.
	Repeated bool
	// Approval is what it waits for, if people have to agree. There is no intent
	// then: the same request is sent again once they have.
	Approval *Approval
}

// Submit signs and broadcasts a transaction for an agent. Once it has returned an
// Intent, what became of it is in its state, and the tracker carries on; an error
// means that nothing was signed.
func (s *Service) Submit(ctx context.Context, p identity.Principal, agent id.ID, r Request) (Outcome, error) {
	return s.carryOut(ctx, p, agent, r, Submit)
}

// Sign is Submit without the broadcast: the agent gets the bytes. They hold the
// same limits and the same nonce as if they had been sent.
func (s *Service) Sign(ctx context.Context, p identity.Principal, agent id.ID, r Request) (Outcome, error) {
	return s.carryOut(ctx, p, agent, r, SignOnly)
}

func (s *Service) carryOut(ctx context.Context, p identity.Principal, agent id.ID, r Request, kind Kind) (Outcome, error) {
	q, err := r.parse(kind)
	if err != nil {
		return Outcome{}, err
	}
	t := &task{asked: p, agent: agent, kind: kind, parsed: q, id: id.New()}
	if earlier, err := s.prepare(ctx, t); err != nil || earlier != nil {
		return s.repeated(earlier, err)
	}
	if t.failed != nil {
		return s.wouldFail(ctx, t)
	}
	defer s.working(t.id)()
	got, err := s.reserve(ctx, t)
	switch {
	case err != nil || got.earlier != nil:
		return s.repeated(got.earlier, err)
	case got.waits != nil:
		return Outcome{Approval: got.waits}, nil
	}
	// From here on it is finished even if the client does not wait for it.
	ctx = context.WithoutCancel(ctx)
	in := got.intent
	if in.State == Reserved {
		if in, err = s.signReserved(ctx, t, in, got.agreed); err != nil {
			return Outcome{}, err
		}
	}
	if kind == Submit && t.node != nil {
		in, err = s.broadcast(ctx, p, t.node, in)
	}
	return Outcome{Intent: in}, err
}

// repeated answers a request whose key was used before.
func (s *Service) repeated(earlier *Intent, err error) (Outcome, error) {
	switch {
	case err != nil:
		return Outcome{}, err
	case s.isActive(earlier.ID):
		return Outcome{}, ErrInFlight.After(time.Second)
	}
	return Outcome{Intent: *earlier, Repeated: true}, nil
}

// task is a request on its way to being an Intent.
type task struct {
	parsed
	asked identity.Principal
	agent id.ID
	kind  Kind
	id    id.ID // of the intent to be

	chain  Chain
	node   Node // nil: the chain has none
	signer signer

	effects []evm.Effect
	broken  bool
	pending uint64 // nonce that the node expects next
	note    *SimulationNote
	failed  *Simulation // what it was asked to be simulated for says no

	to, from spelling

	managers []identity.User // whom to ask
	people   bool            // they have to agree, as far as is foreseen

	rights    uint64        // what Rights said before anything was read
	strangers []evm.Address // whom the agent has paid, once this is signed
	cancels   bool          // the place of another one, with a transfer of nothing
}

// spelling is an address with its checksum. Events have the same ones again and
// again, and are made while others wait for the store.
type spelling struct {
	of   evm.Address
	text string
}

func (s *spelling) String(a evm.Address) string {
	if s.text == "" || s.of != a {
		*s = spelling{a, a.String()}
	}
	return s.text
}

// spell does so beforehand.
func (t *task) spell() {
	t.from.String(t.signer.address)
	if t.call.To != nil {
		t.to.String(*t.call.To)
	}
}

const mostDetails = 16 // of an event, so that its map has not to grow

// event starts the audit event of what is done with the task.
func (t *task) event(action audit.Action) audit.Event {
	e := t.asked.Event(action, "transaction", t.id.String())
	e.Details = make(audit.Details, mostDetails)
	e.Details["agent_id"], e.Details["chain"] = t.agent.String(), t.chain.Name
	e.Details["kind"], e.Details["value_wei"] = string(t.kind), t.call.Value.String()
	if t.call.To != nil {
		e.Details["to"] = t.to.String(*t.call.To)
	}
	return e
}

// prepare finds out everything that takes a network or the HSM, before the one
// transaction that decides. What is refused already is refused here, so that
// nobody has to be asked for it. It returns the intent of an earlier request
// with the same Idempotency-Key, if there was one.
func (s *Service) prepare(ctx context.Context, t *task) (earlier *Intent, err error) {
	earlier, refusal, err := s.find(ctx, t, t.foresee)
	if err != nil || earlier != nil {
		return earlier, err
	}
	if refusal != nil {
		return nil, s.refused(ctx, t.event(audit.TransactionSubmit), refusal)
	}
	t.spell()
	if n, ok := s.Nodes.Node(t.chain); ok {
		t.node = n
	}
	err = s.askNode(ctx, t)
	switch {
	case fault.KindOf(err) == fault.Denied:
		err = s.refused(ctx, t.event(audit.TransactionSubmit), err)
	case err == nil && t.failed == nil:
		err = t.check()
	}
	return nil, err
}

// find reads what is known without asking anybody, the key's address among it, and has
// then, if there is one, go on with that: in the same view, unless the key was never
// used before. It returns the intent of an earlier request as look does.
func (s *Service) find(ctx context.Context, t *task, then func(Tx, *Service) (refusal, err error)) (earlier *Intent, refusal, err error) {
	if s.Rights != nil {
		t.rights = s.Rights()
	}
	known := false
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		if earlier, refusal, err = t.look(tx, s); err != nil || refusal != nil || earlier != nil {
			return err
		}
		if refusal, err = t.findKey(tx, s, s.now()); err != nil || refusal != nil {
			return err
		}
		if known = !t.signer.address.IsZero(); known && then != nil {
			refusal, err = then(tx, s)
		}
		return err
	})
	if err != nil || refusal != nil || earlier != nil || known {
		return earlier, refusal, err
	}
	if err = s.findAddress(ctx, t); err != nil || then == nil {
		return nil, nil, err
	}
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		refusal, err = then(tx, s)
		return err
	})
	return nil, refusal, err
}

// look finds the chain, and the intent of an earlier request with the same
// Idempotency-Key, if there was one.
func (t *task) look(tx Tx, s *Service) (earlier *Intent, refusal, err error) {
	now := s.now()
	_, refusal, err = authorize(tx, t.asked, t.agent, now)
	if err != nil || refusal != nil {
		return nil, refusal, err
	}
	if earlier, refusal, err = t.earlier(tx, s); earlier != nil || refusal != nil || err != nil {
		return earlier, refusal, err
	}
	c, ok, err := findChain(tx, t.parsed.chain)
	if err == nil && (!ok || !c.Enabled) {
		refusal = ErrUnknownChain
	}
	t.chain = c
	return nil, refusal, err
}

// foresee decodes what the call does and holds it against the guardrails, before
// a node is asked for anything. What counts is decided once more.
func (t *task) foresee(tx Tx, s *Service) (refusal, err error) {
	t.effects, err = evm.Effects(t.signer.address, t.call)
	t.broken = err != nil
	a, refusal, err := authorize(tx, t.asked, t.agent, s.now())
	if err != nil || refusal != nil {
		return refusal, err
	}
	g, pr, refusal, err := t.decide(tx, a, s)
	if err == nil && g.Approval != nil {
		t.managers, err = tx.Managers(a.Org)
		t.people = len(g.Approval.asks(pr)) > 0
	}
	return refusal, err
}

// earlier is what a request with the same Idempotency-Key did, within its
// lifetime.
func (t *task) earlier(tx Tx, s *Service) (earlier *Intent, refusal, err error) {
	if t.key == "" {
		return nil, nil, nil
	}
	r, ok, err := tx.Repeat(t.agent, t.key)
	if err != nil || !ok || s.now().Sub(r.At) > repeatable {
		return nil, nil, err
	}
	if !bytes.Equal(r.Fingerprint, t.print) {
		return nil, ErrKeyReused, nil
	}
	in, ok, err := tx.Intent(t.agent, r.Intent)
	if err == nil && !ok {
		err = errors.New("intents: an Idempotency-Key leads to no transaction")
	}
	return &in, nil, err
}
