package agents_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/agents"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

var (
	noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	peer = identity.Peer{IP: netip.MustParseAddr("192.0.2.7"), Request: "req-1"}
)

// clock is a clock that a test sets.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

// world is the three services over a real store and a real module.
type world struct {
	testing.TB
	ctx    context.Context
	db     *store.DB
	faults *faults
	module *flaky
	gate   *hsm.Gate
	clock  *clock
	ident  *identity.Service
	vaults *vault.Service
	*agents.Service

	org          id.ID
	owner, alice identity.Principal
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, ctx: t.Context(), db: storetest.Open(t), clock: &clock{t: noon}, gate: new(hsm.Gate), org: id.New()}
	w.module = &flaky{Module: hsmtest.Memory(t)}
	w.gate.Open(w.module)
	key, err := w.gate.NewSigningKey(w.ctx)
	w.ok(err)
	w.faults = &faults{Runner: store.Runner[vault.Tx](w.db)}
	w.ident = identity.New(identity.Config{
		DB: store.Runner[identity.Tx](w.db), Signer: w.gate, Key: key, Pepper: make([]byte, 32), Now: w.clock.Now,
	})
	w.vaults = vault.New(w.faults, w.gate, w.clock.Now)
	w.Service = agents.New(w.faults, w.ident, w.vaults, w.clock.Now)
	w.update(func(tx vault.Tx) error { return tx.PutOrg(identity.Org{ID: w.org, Name: "Acme", CreatedAt: noon}) })
	w.owner, w.alice = w.user(w.org, identity.RoleOwner), w.user(w.org, identity.RoleMember)
	return w
}

func (w *world) user(org id.ID, role identity.Role) identity.Principal {
	w.Helper()
	u := identity.User{ID: id.New(), Org: org, Role: role, CreatedAt: noon}
	w.update(func(tx vault.Tx) error { return tx.PutUser(u) })
	return identity.Principal{Kind: identity.KindUser, ID: u.ID, Org: org, Role: role, IP: peer.IP, RequestID: peer.Request}
}

func (w *world) update(fn func(vault.Tx) error) {
	w.Helper()
	w.ok(store.Runner[vault.Tx](w.db).Update(w.ctx, fn))
}

func (w *world) view(fn func(vault.Tx) error) {
	w.Helper()
	w.ok(store.Runner[vault.Tx](w.db).View(w.ctx, fn))
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("unexpected: %v", err)
	}
}

func (w *world) is(err, want error) {
	w.Helper()
	if (err == nil) != (want == nil) || !errors.Is(err, want) {
		w.Fatalf("got error %v, want %v", err, want)
	}
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if a, b := fmt.Sprintf("%v", got), fmt.Sprintf("%v", want); a != b {
		t.Fatalf("%s: got %s, want %s", what, a, b)
	}
}

func ptr[T any](v T) *T { return &v }

// register makes an agent as alice.
func (w *world) register(spec agents.Spec) (identity.Agent, string) {
	w.Helper()
	if spec.Name == "" {
		spec.Name = "bot"
	}
	a, key, err := w.Register(w.ctx, w.alice, spec)
	w.ok(err)
	return a, key
}

func (w *world) exchange(key string) string {
	w.Helper()
	tok, err := w.ident.ExchangeAgentKey(w.ctx, id.ID{}, key, peer)
	w.ok(err)
	return tok.JWT
}

// login is the principal that an agent's key gives.
func (w *world) login(key string) identity.Principal {
	w.Helper()
	p, err := w.ident.Authenticate(w.ctx, w.exchange(key), peer)
	w.ok(err)
	return p
}

// stored is an agent's record as the store has it.
func (w *world) stored(agent id.ID) (a identity.Agent) {
	w.Helper()
	w.view(func(tx vault.Tx) (err error) { a, _, err = tx.Agent(w.org, agent); return err })
	return a
}

// keysVaults are the vaults named __agent-keys.
func (w *world) keysVaults() (out []vault.Vault) {
	w.Helper()
	list, err := w.vaults.Vaults(w.ctx, w.owner)
	w.ok(err)
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
	w.view(func(tx vault.Tx) error {
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
	w.ok(err)
	return string(raw)
}

func (w *world) unchanged(fn func()) {
	w.Helper()
	before := w.state()
	fn()
	if after := w.state(); after != before {
		w.Fatal("something changed: " + firstDifference(before, after))
	}
}

// firstDifference shows two lines of the first place where texts differ.
func firstDifference(a, b string) string {
	before, after := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(before), len(after)) {
		if before[i] != after[i] {
			return fmt.Sprintf("line %d: %s, before %s", i, after[i], before[i])
		}
	}
	return fmt.Sprintf("%d lines, before %d", len(after), len(before))
}

// event is an audit event as the store has it.
type event struct {
	Org      id.ID
	Actor    audit.Actor
	Action   audit.Action
	Resource audit.Resource
	Outcome  audit.Outcome
	Reason   string
	Details  map[string]any
	IP       string
	Request  string
	Time     time.Time
}

func (e event) String() string {
	return strings.TrimSpace(fmt.Sprint(e.Action, " ", e.Outcome, " ", e.Reason))
}

func (w *world) rawEvents() (out [][]byte) {
	w.Helper()
	w.view(func(tx vault.Tx) error {
		size, err := tx.AuditSize()
		for seq := uint64(0); err == nil && seq < size; seq++ {
			var raw []byte
			raw, err = tx.AuditLeaf(seq)
			out = append(out, slices.Clone(raw))
		}
		return err
	})
	return out
}

// logs wants fn to leave exactly these events, separated by "; ".
func (w *world) logs(want string, fn func()) (out []event) {
	w.Helper()
	before := len(w.rawEvents())
	fn()
	var texts []string
	for _, raw := range w.rawEvents()[before:] {
		var e event
		w.ok(json.Unmarshal(raw, &e))
		out, texts = append(out, e), append(texts, e.String())
	}
	if s := strings.Join(texts, "; "); s != want {
		w.Fatalf("audit log: got %q, want %q", s, want)
	}
	return out
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
