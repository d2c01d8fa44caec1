package agents_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/agents"
	"github.com/oneclaw/oneclawd/vault/identity"
)

var peer = identity.Peer{IP: netip.MustParseAddr("192.0.2.7"), Request: "req-1"}

// world is the three services over a real store and a real module.
type world struct {
	storetest.World
	faults *faults
	module *flaky
	gate   *hsm.Gate
	ident  *identity.Service
	vaults *vault.Service
	*agents.Service

	org          id.ID
	owner, alice identity.Principal
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{World: storetest.NewWorld(t), gate: new(hsm.Gate), org: id.New()}
	w.module = &flaky{Module: hsmtest.Memory(t)}
	w.gate.Open(w.module)
	key, err := w.gate.NewSigningKey(w.Ctx)
	w.OK(err)
	w.faults = &faults{Runner: store.Runner[vault.Tx](w.Store)}
	w.ident = identity.New(identity.Config{
		DB: store.Runner[identity.Tx](w.Store), Signer: w.gate, Key: key, Pepper: make([]byte, 32), Now: w.Clock.Now,
	})
	w.vaults = vault.New(w.faults, w.gate, w.Clock.Now)
	w.Service = agents.New(w.faults, w.ident, w.vaults, w.Clock.Now)
	w.Commit(func(tx *store.Tx) error {
		return tx.PutOrg(identity.Org{ID: w.org, Name: "Acme", CreatedAt: clocktest.Noon})
	})
	w.owner, w.alice = w.user(w.org, identity.RoleOwner), w.user(w.org, identity.RoleMember)
	return w
}

func (w *world) user(org id.ID, role identity.Role) identity.Principal {
	w.Helper()
	u := identity.User{ID: id.New(), Org: org, Role: role, CreatedAt: clocktest.Noon}
	w.Commit(func(tx *store.Tx) error { return tx.PutUser(u) })
	return identity.Principal{Kind: identity.KindUser, ID: u.ID, Org: org, Role: role, IP: peer.IP, RequestID: peer.Request}
}

func ptr[T any](v T) *T { return &v }

// register makes an agent as alice.
func (w *world) register(spec agents.Spec) (identity.Agent, string) {
	w.Helper()
	if spec.Name == "" {
		spec.Name = "bot"
	}
	a, key, err := w.Register(w.Ctx, w.alice, spec)
	w.OK(err)
	return a, key
}

func (w *world) exchange(key string) string {
	w.Helper()
	tok, err := w.ident.ExchangeAgentKey(w.Ctx, id.ID{}, key, peer)
	w.OK(err)
	return tok.JWT
}

// login is the principal that an agent's key gives.
func (w *world) login(key string) identity.Principal {
	w.Helper()
	p, err := w.ident.Authenticate(w.Ctx, w.exchange(key), peer)
	w.OK(err)
	return p
}

// stored is an agent's record as the store has it.
func (w *world) stored(agent id.ID) (a identity.Agent) {
	w.Helper()
	w.Inspect(func(tx *store.Tx) (err error) { a, _, err = tx.Agent(w.org, agent); return err })
	return a
}

// keysVaults are the vaults named __agent-keys.
func (w *world) keysVaults() (out []vault.Vault) {
	w.Helper()
	list, err := w.vaults.Vaults(w.Ctx, w.owner)
	w.OK(err)
	for _, v := range list {
		if v.Name == vault.AgentKeysName {
			out = append(out, v)
		}
	}
	return out
}

// state is what the organisation has, without the audit log.
func (w *world) state() string {
	w.Helper()
	all := map[string]any{}
	w.Inspect(func(tx *store.Tx) error {
		o, _, err1 := tx.Org(w.org)
		as, err2 := tx.Agents(w.org)
		vs, err3 := tx.Vaults(w.org)
		all["org"], all["agents"], all["vaults"] = o, as, vs
		err := errors.Join(err1, err2, err3)
		for _, a := range as {
			if len(a.KeyHash) > 0 {
				_, known, err4 := tx.Credential(a.KeyHash)
				all["credential "+a.ID.String()] = known
				err = errors.Join(err, err4)
			}
		}
		for _, v := range vs {
			secs, err5 := tx.Secrets(v.ID)
			all["secrets "+v.ID.String()] = secs
			err = errors.Join(err, err5)
		}
		return err
	})
	raw, err := json.MarshalIndent(all, "", " ")
	w.OK(err)
	return string(raw)
}

func (w *world) unchanged(fn func()) {
	w.Helper()
	w.Unchanged(w.state, fn)
}

// faults is a store that can be made to fail where an event or an agent is
// written, and that something can be slipped into before an Update.
type faults struct {
	txn.Runner[vault.Tx]
	mu          sync.Mutex
	leaf, agent error
	before      func()
}

func (f *faults) set(leaf, agent error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leaf, f.agent = leaf, agent
}

func (f *faults) slip(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = fn
}

func (f *faults) Update(ctx context.Context, fn func(vault.Tx) error) error {
	f.mu.Lock()
	leaf, agent, before := f.leaf, f.agent, f.before
	f.before = nil
	f.mu.Unlock()
	if before != nil {
		before()
	}
	return f.Runner.Update(ctx, func(tx vault.Tx) error { return fn(faultyTx{tx, leaf, agent}) })
}

type faultyTx struct {
	vault.Tx
	leaf, agent error
}

func (t faultyTx) PutAuditLeaf(seq uint64, leaf []byte) error {
	if t.leaf != nil {
		return t.leaf
	}
	return t.Tx.PutAuditLeaf(seq, leaf)
}

func (t faultyTx) PutAgent(a identity.Agent) error {
	if t.agent != nil {
		return t.agent
	}
	return t.Tx.PutAgent(a)
}

// flaky is a module that can be made to fail.
type flaky struct {
	hsm.Module
	down atomic.Bool
}

func (m *flaky) NewKEK(ctx context.Context) (hsm.KEK, error) {
	if m.down.Load() {
		return nil, hsm.ErrUnavailable
	}
	return m.Module.NewKEK(ctx)
}

func (m *flaky) Wrap(ctx context.Context, kek hsm.KEK, key, aad []byte) ([]byte, error) {
	if m.down.Load() {
		return nil, hsm.ErrUnavailable
	}
	return m.Module.Wrap(ctx, kek, key, aad)
}
