package vault

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// Modules finds what keeps KEKs; an hsm.Ring is one, and so is an hsm.Gate, for
// the default module alone.
type Modules interface {
	// Module returns a module by its name, the default one by "". Its calls fail
	// while it is not there.
	Module(name string) (hsm.Module, error)
}

// Service is the one way to vaults and secrets. All methods may be called at
// once.
type Service struct {
	DB   txn.Runner[Tx]
	Keys Modules
	Now  func() time.Time

	writers   stripes
	rotations rotations
	rewraps   rewraps
}

// New returns a Service; now is time.Now if nil.
func New(db txn.Runner[Tx], keys Modules, now func() time.Time) *Service {
	if now == nil {
		now = time.Now
	}
	return &Service{DB: db, Keys: keys, Now: now, writers: stripes{seed: maphash.MakeSeed()}}
}

// stripes makes writers of one path take turns: a value is sealed for the
// version number it will get, and losing that race costs another sealing.
type stripes struct {
	seed maphash.Seed
	mu   [256]sync.Mutex
}

func (s *stripes) lock(vault id.ID, path SecretPath) (unlock func()) {
	var h maphash.Hash
	h.SetSeed(s.seed)
	_, _ = h.Write(vault[:])
	_, _ = h.WriteString(path.String())
	m := &s.mu[h.Sum64()%uint64(len(s.mu))]
	m.Lock()
	return m.Unlock
}

// attempt is something a principal tries to do to a path.
type attempt struct {
	p      identity.Principal
	vault  id.ID
	path   SecretPath
	action audit.Action
	any    []policy.Permission // one of these is enough
}

// The permission sets of the verbs. Who asks to read asks to be shown the value:
// see withhold. What may be used is in the lists as well, so that it can be found.
var (
	toRead   = []policy.Permission{policy.Read}
	toWrite  = []policy.Permission{policy.Write}
	toDelete = []policy.Permission{policy.Write, policy.Delete}
)

// decide is the decision every door goes through. The refusal, if any, is
// also in the Decision; the error is a fault of the store.
func decide(tx Tx, a attempt, now time.Time) (Vault, policy.Decision, error) {
	v, ok, err := tx.Vault(a.p.Org, a.vault)
	if err != nil {
		return Vault{}, policy.Decision{}, err
	}
	if !ok {
		return Vault{}, policy.Decision{Refusal: ErrVaultNotFound}, nil
	}
	req := request(a.p, v, now)
	req.Path, req.Any = a.path.String(), a.any
	var grants []policy.Policy
	if !req.Owner {
		if grants, err = tx.Grants(a.p.Policy(), a.vault); err != nil {
			return Vault{}, policy.Decision{}, err
		}
	}
	d, err := withhold(tx, a.p, req, grants, policy.Evaluate(req, grants))
	return v, d, err
}

// request says what is known of p at v, without a path.
func request(p identity.Principal, v Vault, now time.Time) policy.Request {
	req := policy.Request{
		Principal: p.Policy(), Vault: v.ID, Owner: v.CreatedBy(p),
		Scoped: p.IsAgent(), Scopes: p.Scopes, Bound: p.VaultIDs,
		IP: p.IP, Now: now,
	}
	if req.Owner {
		req.Bound = nil // what an agent made itself is within its reach
	}
	return req
}

// event describes the attempt for the audit log. The path names the resource
// whether or not it exists, so that the log tells nobody which.
func (a attempt) event(d policy.Decision, now time.Time) audit.Event {
	e := a.p.Event(a.action, "secret", a.path.String())
	e.Time = now
	e.Policies = d.Policies
	e.Details = audit.Details{"vault_id": a.vault.String(), "path": a.path.String()}
	e.Inputs = a.inputs()
	if d.Owner {
		e.Details["owner"] = true
	}
	return e
}

// inputs hashes what the decision saw beyond the policies named in the event.
func (a attempt) inputs() []byte {
	parts := make([]string, 0, 4+len(a.any)+len(a.p.Scopes)+len(a.p.VaultIDs))
	parts = append(parts, a.vault.String(), a.path.String(), a.p.IP.String(), string(a.p.Role))
	for _, perm := range a.any {
		parts = append(parts, string(perm))
	}
	for _, s := range a.p.Scopes {
		parts = append(parts, s.String())
	}
	for _, v := range a.p.VaultIDs {
		parts = append(parts, v.String())
	}
	return audit.InputsHash(parts...)
}

// refuse appends the event of a refusal and passes the refusal on.
func refuse(ctx context.Context, tx Tx, e audit.Event, why error) (refusal, err error) {
	e.Outcome = audit.Refused
	if f := fault.As(why); f != nil {
		e.Reason = f.Code
	}
	return why, audit.Write(ctx, tx, e)
}

// failed records that something allowed could not be carried out, and returns
// why; if the audit cannot be written either, that is the answer.
func (s *Service) failed(ctx context.Context, e audit.Event, why error) error {
	e.Outcome, e.Reason, e.Time = audit.Failed, "internal", s.now()
	if f := fault.As(why); f != nil {
		e.Reason = f.Code
	}
	err := s.DB.Update(context.WithoutCancel(ctx), func(tx Tx) error {
		return audit.Write(ctx, tx, e)
	})
	if err != nil {
		return err
	}
	return why
}

func (s *Service) now() time.Time { return s.Now().UTC() }
