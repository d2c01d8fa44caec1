package use

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// execution is one request on its way.
type execution struct {
	s       *Service
	p       identity.Principal
	id      id.ID
	call    Call
	target  string // what the call says of where it goes
	request request
	vaults  map[Ref]id.ID // where each placeholder's secret is

	// What admit found.
	binding *Binding
	bound   id.ID // the binding's secret
	loans   []loan
	used    map[Ref]id.ID // the secret of each placeholder
	record  audit.Event   // of the admission
}

// loan is a value that goes into the request.
type loan struct{ vault.Loan }

func (l loan) version() string {
	return l.Secret.ID.String() + "/" + strconv.FormatUint(uint64(l.Secret.Latest.Number), 10)
}

// locate finds the vault of each placeholder that names none. That takes a look at
// all vaults, which a transaction that decides must not.
func (u *execution) locate(ctx context.Context) (refusal, err error) {
	u.vaults = map[Ref]id.ID{}
	refs := u.request.refs()
	if len(refs) == 0 && u.call.Binding == "" {
		return ErrNothing, nil
	}
	for _, r := range refs {
		u.vaults[r] = r.Vault
		if !r.Vault.IsZero() {
			continue
		}
		found, err := u.s.vaults.Usable(ctx, u.p, r.Path)
		switch {
		case err != nil:
			return nil, err
		case len(found) == 0:
			return ErrNoSecret, nil
		case len(found) > 1:
			return ErrAmbiguous, nil
		}
		u.vaults[r] = found[0]
	}
	return nil, nil
}

// decide has the request admitted, and returns what must not get to the agent.
func (u *execution) decide(ctx context.Context) (Screen, error) {
	if why, err := u.locate(ctx); err != nil {
		return nil, err
	} else if why != nil {
		return nil, u.s.refused(ctx, u.event(audit.SecretUse), why)
	}
	screen, err := u.s.screens.For(ctx, u.p) // before reads are counted
	if err != nil {
		return nil, err
	}
	err = txn.Decide(ctx, u.s.db, func(tx Tx) (refusal, err error) { return u.admit(ctx, tx, u.s.now()) })
	return screen, err
}

// admit decides the request and applies the decision: counts, and the event that is
// durable before anything leaves.
func (u *execution) admit(ctx context.Context, tx Tx, now time.Time) (refusal, err error) {
	u.binding, u.bound, u.loans, u.used = nil, id.ID{}, nil, map[Ref]id.ID{}
	why, err := u.bind(tx, now)
	if err == nil && why == nil {
		why, err = u.borrow(tx, now)
	}
	if err != nil {
		return nil, err
	}
	e := u.event(audit.SecretUse)
	e.Time = now
	if why != nil {
		return refuse(ctx, tx, e, why)
	}
	if u.call.DryRun {
		return nil, audit.Write(ctx, tx, e)
	}
	for i := range u.loans {
		if err := u.loans[i].Take(tx); err != nil {
			return nil, err
		}
	}
	u.record = e
	return nil, audit.Write(ctx, tx, e)
}

// bind finds the binding, if one is named, and where the request goes.
func (u *execution) bind(tx Tx, now time.Time) (refusal, err error) {
	if u.call.Binding == "" {
		return u.request.aim(u.target), nil
	}
	all, err := tx.Bindings(u.p.ID)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(b Binding) bool { return b.Name == u.call.Binding || b.ID.String() == u.call.Binding })
	if i < 0 {
		return ErrNoBinding, nil
	}
	b := all[i]
	if why := u.request.aim(b.resolve(u.target)); why != nil {
		return why, nil
	}
	u.binding = &b
	if why := b.permits(u.request); why != nil {
		return why, nil
	}
	l, why, err := b.lend(tx, u.p, now)
	if err != nil || why != nil {
		return why, err
	}
	u.bound = l.Secret.ID
	u.add(l)
	return nil, nil
}

// lend decides whether who gave the binding may still read the secret.
func (b Binding) lend(tx Tx, p identity.Principal, now time.Time) (l vault.Loan, refusal, err error) {
	if !p.BoundTo(b.Vault) {
		return l, policy.ErrNotBound, nil
	}
	giver, ok, err := vault.Lender(tx, b.Org, policy.Principal{Type: policy.User, ID: b.GivenBy}, b.Vault, now)
	if err != nil || !ok {
		return l, ErrLapsed, err
	}
	giver.IP = p.IP
	l, why, err := vault.Lend(tx, giver, b.Vault, b.Path, now)
	switch {
	case err != nil:
		return l, nil, err
	case why == nil && !b.means(l.Secret):
		return l, ErrLapsed, nil
	case why == nil:
		return l, l.Sendable(), nil
	case fault.KindOf(why) == fault.Gone && !errors.Is(why, vault.ErrSecretDeleted):
		return l, why, nil
	}
	return l, ErrLapsed.Because(why), nil
}

// borrow decides about each placeholder: whether the agent may use the secret, and
// whether the secret may go there.
func (u *execution) borrow(tx Tx, now time.Time) (refusal, err error) {
	for _, r := range u.request.refs() {
		l, why, err := vault.LendForUse(tx, u.p, u.vaults[r], r.Path, now)
		if err != nil || why != nil {
			return why, err
		}
		hosts, why := hostsOf(l.Secret.Latest.Metadata)
		if why != nil {
			return why, nil
		}
		if !hosts.Allow(u.request.origin) {
			return ErrHost, nil
		}
		u.used[r] = l.Secret.ID
		u.add(l)
	}
	return nil, nil
}

// add takes a loan in, once for each secret: it is one read.
func (u *execution) add(l vault.Loan) {
	if !slices.ContainsFunc(u.loans, func(have loan) bool { return have.Secret.ID == l.Secret.ID }) {
		u.loans = append(u.loans, loan{l})
	}
}

// opened is an admitted request with the values in it, and what its answer goes through.
type opened struct {
	out    Outgoing
	filter Filter
	values map[id.ID]plain.Bytes
}

func (o opened) wipe() {
	for _, v := range o.values {
		v.Wipe()
	}
}

// open opens the values. It runs once the admission is durable.
func (u *execution) open(ctx context.Context, screen Screen) (o opened, err error) {
	o.values = map[id.ID]plain.Bytes{}
	var used []Value
	for _, l := range u.loans {
		v, err := u.s.vaults.OpenLoan(ctx, l.Loan, u.record)
		if err != nil {
			return o, err
		}
		o.values[l.Secret.ID] = v
		used = append(used, Value{l.Secret.Path.String(), v})
	}
	var covered bool
	if o.filter, covered = screen.With(used); !covered {
		return o, ErrTooShort
	}
	o.out, err = u.outgoing(o.values)
	return o, err
}

// carryOut sends the request.
func (u *execution) carryOut(ctx context.Context, screen Screen) (Answer, error) {
	o, err := u.open(ctx, screen)
	defer o.wipe()
	if err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	in, err := u.s.sender.Send(ctx, o.out, MaxAnswer+overlap)
	if err != nil {
		return Answer{}, unreached(ctx, err)
	}
	return shown(o.filter, u.id, in), nil
}

// outgoing is the request with the values in it.
func (u *execution) outgoing(values map[id.ID]plain.Bytes) (Outgoing, error) {
	by := map[Ref][]byte{}
	for r, secret := range u.used {
		by[r] = values[secret].Reveal()
	}
	out, err := u.request.with(by)
	if err == nil && u.binding != nil {
		err = u.binding.Auth.apply(&out, values[u.bound].Reveal())
	}
	return out, err
}

// event describes the execution as far as it is known: where it goes, and which
// versions it uses, but nothing of path, query, headers and body.
func (u *execution) event(action audit.Action) audit.Event {
	e := u.p.Event(action, "agent", u.p.ID.String())
	e.Time = u.s.now()
	e.Details = audit.Details{"execution_id": u.id.String()}
	if u.call.DryRun {
		e.Details["dry_run"] = true
	}
	if u.request.method != "" {
		e.Details["method"] = u.request.method
	}
	if u.request.url != nil {
		e.Details["host"] = u.request.origin.String()
	}
	if u.binding != nil {
		e.Details["binding_id"] = u.binding.ID.String()
	}
	var versions, paths, inputs []string
	for _, l := range u.loans {
		versions, paths = append(versions, l.version()), append(paths, l.Secret.Path.String())
		inputs = append(inputs, string(l.Inputs()))
		e.Policies = append(e.Policies, l.Policies()...)
	}
	if len(versions) > 0 {
		e.Details["versions"], e.Details["paths"] = versions, paths
		e.Inputs = audit.InputsHash(inputs...)
	}
	return e
}

// settle records what became of an admitted execution.
func (u *execution) settle(ctx context.Context, a Answer, why error) error {
	e := u.event(audit.SecretUsed)
	e.Details["duration_ms"] = a.Took.Milliseconds()
	if why != nil {
		e.Outcome, e.Reason = audit.Failed, "internal"
		if f := fault.As(why); f != nil {
			e.Reason = f.Code
		}
	} else {
		e.Details["status"], e.Details["redactions"] = a.Status, a.Redactions
	}
	err := u.s.db.Update(context.WithoutCancel(ctx), func(tx Tx) error { return audit.Write(ctx, tx, e) })
	if err != nil {
		return err
	}
	return why
}
