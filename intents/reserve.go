package intents

import (
	"context"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// repeatable is how long an Idempotency-Key stands for what it was first used
// for; forgetAfter is when its record goes.
const (
	repeatable  = 24 * time.Hour
	forgetAfter = 48 * time.Hour
)

// admission is what became of a task in the transaction that decides.
type admission struct {
	intent  Intent
	earlier *Intent   // of a request with the same Idempotency-Key; nothing was done then
	waits   *Approval // people have to agree first; nothing is reserved then
	agreed  *Approval // that people gave
}

// reserve is the one transaction that decides. The claim on the Idempotency-Key,
// the spend, the nonce, the intent and its audit event are written together or
// not at all; and so are the signed bytes, if the key is a secret and nothing is to
// be looked at before it signs.
func (s *Service) reserve(ctx context.Context, t *task) (out admission, err error) {
	if !t.signer.soft() || t.resimulate || t.people {
		return s.reserveWith(ctx, t, nil)
	}
	key, err := s.openKey(ctx, t.signer.use)
	if err != nil {
		return out, s.cannotSign(ctx, t, err)
	}
	defer key.Wipe()
	if out, err = s.reserveWith(ctx, t, &key); err != nil && !isRefusal(err) {
		err = s.forget(ctx, t, err)
	}
	return out, err
}

func (s *Service) reserveWith(ctx context.Context, t *task, key *evm.Key) (out admission, err error) {
	err = txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		out, refusal, err = s.admit(tx, t, key)
		switch {
		case err != nil || out.earlier != nil:
			return nil, err
		case out.waits != nil && refusal == nil:
			return nil, s.ask(ctx, tx, t, *out.waits)
		}
		e := t.event(audit.TransactionSubmit)
		e.Time, e.Policies = s.now(), t.signer.use.Policies
		if refusal != nil {
			return refuse(ctx, tx, e, refusal)
		}
		e.Details["nonce"], e.Details["from"] = out.intent.Nonce, t.from.String(out.intent.From)
		if err := audit.Write(ctx, tx, e); err != nil || out.intent.State != Signed {
			return nil, err
		}
		return nil, audit.Write(ctx, tx, t.signedEvent(out.intent))
	})
	return out, err
}

// ask records that people are asked, the first time.
func (s *Service) ask(ctx context.Context, tx Tx, t *task, a Approval) error {
	if a.ID != t.id {
		return nil // they were before
	}
	if err := s.Notifier.ApprovalAsked(tx, a, t.managers); err != nil {
		return err
	}
	return audit.Write(ctx, tx, approvalEvent(t, a))
}

// admit loads, decides and applies. It may run twice: a key signs the same bytes
// again then, or others, of which nobody has seen the first.
func (s *Service) admit(tx Tx, t *task, key *evm.Key) (out admission, refusal, err error) {
	now := s.now()
	a, refusal, err := authorize(tx, t.asked, t.agent, now)
	if err != nil || refusal != nil {
		return out, refusal, err
	}
	if out.earlier, refusal, err = t.earlier(tx, s); out.earlier != nil || refusal != nil || err != nil {
		return out, refusal, err
	}
	g, p, refusal, err := t.decide(tx, a, s)
	if err != nil || refusal != nil {
		return out, refusal, err
	}
	if refusal, err = t.sameKey(tx, now); err != nil || refusal != nil {
		return out, refusal, err
	}
	if why := g.Approval.asks(p); why != nil {
		if out.agreed, out.waits, refusal, err = t.approve(tx, *g.Approval, why, a.Org, now); err != nil || refusal != nil || out.waits != nil {
			return out, refusal, err
		}
	}
	account, err := tx.Account(t.chain.ChainID, t.signer.address)
	if err != nil {
		return out, nil, err
	}
	nonce, account, refusal := account.take(t.pending, t.nonce)
	if refusal != nil {
		return out, refusal, nil
	}
	out.intent = t.intent(a, nonce, p.spends(g), now)
	if out.agreed != nil {
		out.intent.Approval = out.agreed.ID
	}
	if key != nil && t.expected(out.agreed) == nil {
		if out.intent, err = out.intent.sign(t.call, t.fees, now, key.Sign); isRefusal(err) {
			return out, err, nil
		} else if err != nil {
			return out, nil, err
		}
	}
	return out, nil, t.apply(tx, out.intent, account, out.agreed, p, now)
}

// decide holds the task against the guardrails as they are in this transaction.
func (t *task) decide(tx Tx, a identity.Agent, s *Service) (g Guardrails, p proposal, refusal, err error) {
	if g, p, refusal, err = t.weigh(tx, a, s); err != nil || refusal != nil {
		return g, p, refusal, err
	}
	return g, p, firstRefusal(judge(g, p)), nil
}

// weigh loads the guardrails and what they look at. Ones that cannot be read are
// a refusal.
func (t *task) weigh(tx Tx, a identity.Agent, s *Service) (g Guardrails, p proposal, refusal, err error) {
	extra, err := tx.Extra(a.ID)
	if err != nil {
		return g, p, nil, err
	}
	if g, refusal = guardrails(a, extra); refusal != nil {
		return g, p, refusal, nil
	}
	p, err = t.proposal(tx, a, g, s.now())
	return g, p, nil, err
}

// proposal loads what the rules look at.
func (t *task) proposal(tx Tx, a identity.Agent, g Guardrails, now time.Time) (p proposal, err error) {
	p = proposal{chain: t.chain, from: t.signer.address, effects: t.effects, broken: t.broken, now: now, spent: make(map[Asset]Window)}
	if _, p.frozen, err = tx.Freeze(a.Org); err != nil {
		return p, err
	}
	if p.day, err = tx.TxCount(a.ID); err != nil {
		return p, err
	}
	if g.Approval != nil && g.Approval.NewRecipients {
		if p.strangers, err = strangers(tx, a.ID, t.effects); err != nil {
			return p, err
		}
	}
	assets := []Asset{{ChainID: t.chain.ChainID}}
	for _, tl := range g.Tokens {
		assets = append(assets, Asset{tl.ChainID, tl.Token})
	}
	for _, asset := range assets {
		if p.spent[asset], err = tx.Spent(a.ID, asset); err != nil {
			return p, err
		}
	}
	return p, nil
}

// strangers are those who get something and whom the agent has not paid yet.
func strangers(tx Tx, agent id.ID, effects []evm.Effect) (out []evm.Address, err error) {
	for _, e := range effects {
		if e.Kind == evm.Invocation || e.Kind == evm.Creation || slices.Contains(out, e.To) {
			continue
		}
		known, err := tx.Paid(agent, e.To)
		if err != nil {
			return nil, err
		}
		if !known {
			out = append(out, e.To)
		}
	}
	return out, nil
}

// intent is what the task becomes.
func (t *task) intent(a identity.Agent, nonce uint64, spends []Spend, now time.Time) Intent {
	return Intent{
		ID: t.id, Org: a.Org, Agent: a.ID, Kind: t.kind, State: Reserved,
		Chain: t.chain.Name, ChainID: t.chain.ChainID, From: t.signer.address,
		Key: t.signer.ref(), Call: t.call, Nonce: nonce, Gas: t.gas, Fees: t.fees, Spends: spends, Repeat: t.key,
		Simulation: t.note, CreatedAt: now,
	}
}

// apply writes what was decided.
func (t *task) apply(tx Tx, in Intent, account Account, agreed *Approval, p proposal, now time.Time) error {
	if agreed != nil {
		a := *agreed
		a.Status, a.Intent = Used, in.ID
		if err := tx.PutApproval(a); err != nil {
			return err
		}
	}
	if t.strangers = p.strangers; in.State == Signed {
		if err := t.meet(tx); err != nil {
			return err
		}
	}
	account.ChainID, account.Address = in.ChainID, in.From
	if err := tx.PutAccount(account); err != nil {
		return err
	}
	if err := t.signer.keepAddress(tx); err != nil {
		return err
	}
	if t.key != "" {
		if err := tx.PutRepeat(in.Agent, t.key, Repeat{Intent: in.ID, Fingerprint: t.print, At: now}); err != nil {
			return err
		}
	}
	if in.Kind != Filler { // which the agent did not ask for
		if err := p.hold(tx, in, now); err != nil {
			return err
		}
	}
	return tx.PutIntent(in)
}

// meet notes whom the agent has paid. That is when it is signed: what was given up
// before that makes nobody known.
func (t *task) meet(tx Tx) error {
	for _, to := range t.strangers {
		if err := tx.PutPaid(t.agent, to); err != nil {
			return err
		}
	}
	return nil
}

// hold adds what in spends, of what was proposed, to the windows of its agent.
func (p proposal) hold(tx Tx, in Intent, now time.Time) error {
	for _, sp := range in.Spends {
		if err := tx.PutSpent(in.Agent, sp.Asset, p.spent[sp.Asset].add(now, sp.Amount, 0)); err != nil {
			return err
		}
	}
	return tx.PutTxCount(in.Agent, p.day.add(now, evm.Amount{}, 1))
}

// letGo takes back what in held in windows: it can spend nothing any more. That
// it was made stays counted, unless it was never signed.
func letGo(tx Tx, in Intent, now time.Time) error {
	for _, sp := range in.Spends {
		w, err := tx.Spent(in.Agent, sp.Asset)
		if err != nil {
			return err
		}
		if err := tx.PutSpent(in.Agent, sp.Asset, w.release(now, in.CreatedAt, sp.Amount, 0)); err != nil {
			return err
		}
	}
	if in.State != Released || in.Kind == Filler {
		return nil
	}
	w, err := tx.TxCount(in.Agent)
	if err != nil {
		return err
	}
	return tx.PutTxCount(in.Agent, w.release(now, in.CreatedAt, evm.Amount{}, 1))
}
