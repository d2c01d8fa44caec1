package intents

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/id"
)

// ApprovalRule says when people have to agree to what an agent wants signed. A
// condition that is not set asks for nothing.
type ApprovalRule struct {
	Above         *evm.Amount `json:"above,omitempty"`          // of the chain's coin, in one transaction
	Methods       []string    `json:"methods,omitempty"`        // selectors
	NewRecipients bool        `json:"new_recipients,omitempty"` // whoever the agent has not paid yet

	Approvers int           `json:"approvers"`        // how many distinct people, 1 or more
	Within    time.Duration `json:"within,omitempty"` // how long they have; defaultWithin if 0
}

// maxWaiting bounds how many approvals of an agent wait for people at once: who
// is asked for much reads little of it.
const maxWaiting = 32

// Waiting is an approval that people have not decided.
type Waiting struct {
	Approval id.ID     `json:"approval"`
	Until    time.Time `json:"until"`
}

// How long an approval may be asked for, and how long it may then be used.
const (
	defaultWithin = 24 * time.Hour
	maxWithin     = 30 * 24 * time.Hour
	maxApprovers  = 16
)

func (r ApprovalRule) check() error {
	switch {
	case r.Approvers < 1 || r.Approvers > maxApprovers:
		return ErrLimits.Detail("approval.approvers must be 1 to %d", maxApprovers)
	case r.Within < 0 || r.Within > maxWithin:
		return ErrLimits.Detail("approval.within_seconds must not be more than %d", int(maxWithin/time.Second))
	case r.Above == nil && len(r.Methods) == 0 && !r.NewRecipients:
		return ErrLimits.Detail("approval needs a condition: above_eth, methods or new_recipients")
	case len(r.Methods) > maxLimits || slices.ContainsFunc(r.Methods, func(m string) bool { return !selector.MatchString(m) }):
		return ErrLimits
	}
	return nil
}

// asks says why a transaction needs people's agreement; nothing if it does not.
func (r *ApprovalRule) asks(p proposal) (why []string) {
	if r == nil {
		return nil
	}
	if r.Above != nil && p.outflow(Asset{ChainID: p.chain.ChainID}).Cmp(*r.Above) > 0 {
		why = append(why, "above "+r.Above.Units(nativeDecimals)+" "+p.chain.Native)
	}
	for _, e := range p.effects {
		if m := "method " + e.Selector; slices.Contains(r.Methods, e.Selector) && !slices.Contains(why, m) {
			why = append(why, m)
		}
	}
	if r.NewRecipients && p.endows() {
		why = append(why, "new contract with "+p.chain.Native)
	}
	if r.NewRecipients && len(p.strangers) > 0 {
		why = append(why, "new recipient "+p.strangers[0].String())
	}
	return why
}

// endows reports whether a new contract gets some of the chain's coin: nobody has
// paid it before.
func (p proposal) endows() bool {
	return slices.ContainsFunc(p.effects, func(e evm.Effect) bool { return e.Kind == evm.Creation && !e.Amount.IsZero() })
}

// ApprovalStatus is what has come of an approval.
type ApprovalStatus string

// The statuses.
const (
	Pending  ApprovalStatus = "pending"
	Approved ApprovalStatus = "approved"
	Denied   ApprovalStatus = "denied"
	Expired  ApprovalStatus = "expired" // nobody decided in time, or it was not used in time
	Used     ApprovalStatus = "used"
)

// Approval asks people whether an agent may do one thing, once.
type Approval struct {
	ID     id.ID  `json:"id"`
	Org    id.ID  `json:"org"`
	Agent  id.ID  `json:"agent"`
	Asked  id.ID  `json:"asked"` // who asked: the agent, or a person for it
	Action Action `json:"action"`
	// Hash is what binds the decision to the action: whoever carries it out
	// derives it again from what is about to be signed.
	Hash   []byte         `json:"hash"`
	Why    []string       `json:"why"`
	Needed int            `json:"needed"`
	Votes  []Vote         `json:"votes,omitempty"`
	Status ApprovalStatus `json:"status"`
	Reason string         `json:"reason,omitempty"` // of whoever denied

	// Simulation is what it would have done when people were asked, if that was
	// simulated. It has to do the same when it is signed.
	Simulation *SimulationNote `json:"simulation,omitempty"`

	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	DecidedAt time.Time `json:"decided_at,omitzero"`
	Intent    id.ID     `json:"intent,omitzero"` // that used it
}

// Vote is what one person said.
type Vote struct {
	User   id.ID     `json:"user"`
	Agrees bool      `json:"agrees"`
	At     time.Time `json:"at"`
}

// at is the approval as it is at a time: one that nobody has decided, or that was
// not used, ends by itself.
func (a Approval) at(now time.Time) Approval {
	if (a.Status == Pending || a.Status == Approved) && !now.Before(a.ExpiresAt) {
		a.Status = Expired
	}
	return a
}

// Action is what is asked for, in words of one spelling.
type Action map[string]string

// hash is the SHA-256 of the action's canonical JSON (RFC 8785): keys in order,
// no spaces. All keys and values are printable ASCII without quotes, for which
// that is what encoding/json writes.
func (a Action) hash() ([]byte, error) {
	raw, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	return sum[:], nil
}

// action is the task as people agree to it. Fees and the nonce are left out: they
// are others when it is asked for again, and are held by guardrails.
func (t *task) action() Action {
	a := Action{
		"type": "transaction", "kind": string(t.kind), "agent_id": t.agent.String(), "chain_id": strconv.FormatUint(t.chain.ChainID, 10),
		"from": t.signer.address.String(), "value_wei": t.call.Value.String(), "data": "0x" + hex.EncodeToString(t.call.Data), "to": "",
	}
	if t.call.To != nil {
		a["to"] = t.call.To.String()
	}
	if len(t.call.Access) > 0 {
		a["access_list"] = accessText(t.call.Access)
	}
	return a
}

// approve finds the approval that lets the task pass, to be marked as used, or
// the one that it has to wait for, which is made if need be.
func (t *task) approve(tx Tx, r ApprovalRule, why []string, org id.ID, now time.Time) (use, wait *Approval, refusal, err error) {
	if err := r.check(); err != nil {
		return nil, nil, ErrBadGuardrails, nil // never fewer people than somebody meant
	}
	action := t.action()
	hash, err := action.hash()
	if err != nil {
		return nil, nil, nil, err
	}
	last, ok, err := tx.LastApproval(org, t.agent, hash)
	if err != nil {
		return nil, nil, nil, err
	}
	// One that fewer people were asked for than the rule wants by now is none.
	if last = last.at(now); ok && bytes.Equal(last.Hash, hash) && last.Needed >= r.Approvers {
		switch last.Status {
		case Approved:
			return &last, nil, nil, nil
		case Pending:
			return nil, &last, nil, nil
		}
	}
	list, err := waiting(tx, t.agent, now)
	switch {
	case err != nil:
		return nil, nil, nil, err
	case len(list) >= maxWaiting:
		return nil, nil, ErrManyWaiting.Detail("%d approvals of this agent wait for people, and no more may", len(list)), nil
	}
	within := r.Within
	if within == 0 {
		within = defaultWithin
	}
	a := Approval{
		ID: t.id, Org: org, Agent: t.agent, Asked: t.asked.ID, Action: action, Hash: hash, Why: why, Needed: r.Approvers,
		Status: Pending, Simulation: t.note, CreatedAt: now, ExpiresAt: now.Add(within),
	}
	if err := tx.PutWaiting(t.agent, append(list, Waiting{a.ID, a.ExpiresAt})); err != nil {
		return nil, nil, nil, err
	}
	return nil, &a, nil, tx.PutApproval(a)
}

// waiting are the approvals of an agent that people can still decide on, oldest
// first.
func waiting(tx Tx, agent id.ID, now time.Time) ([]Waiting, error) {
	list, err := tx.Waiting(agent)
	return slices.DeleteFunc(slices.Clone(list), func(w Waiting) bool { return !now.Before(w.Until) }), err
}
