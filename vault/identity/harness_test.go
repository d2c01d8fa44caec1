package identity_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

var (
	noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	peer = identity.Peer{IP: netip.MustParseAddr("192.0.2.7"), Request: "req-1"}
)

const (
	email    = "Ann@Example.com"
	password = "Correct-Horse-7-Battery"
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

// world is a Service over a real store and a real module.
type world struct {
	testing.TB
	ctx    context.Context
	db     *store.DB
	faults *faults
	gate   *hsm.Gate
	key    hsm.SigningKey
	pepper []byte
	clock  *clock
	*identity.Service
	org id.ID
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, ctx: t.Context(), db: storetest.Open(t), clock: &clock{t: noon}, gate: new(hsm.Gate), org: id.New()}
	w.gate.Open(hsmtest.Memory(t))
	var err error
	w.key, err = w.gate.NewSigningKey(w.ctx)
	w.ok(err)
	pepper, err := w.db.DeriveKey("pepper")
	w.ok(err)
	w.pepper = pepper.Reveal()
	w.serve()
	w.update(func(tx vault.Tx) error { return tx.PutOrg(identity.Org{ID: w.org, CreatedAt: noon}) })
	return w
}

// serve makes a new Service over what there is, as a restart does.
func (w *world) serve() {
	w.faults = &faults{Runner: store.Runner[identity.Tx](w.db)}
	w.Service = identity.New(identity.Config{DB: w.faults, Signer: w.gate, Key: w.key, Pepper: w.pepper, Now: w.clock.Now})
}

func (w *world) restart() {
	w.Helper()
	w.db = storetest.Reopen(w, w.db)
	w.serve()
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

// owner makes ann, with a password and a first key.
func (w *world) owner() (identity.User, string) {
	w.Helper()
	u, key, err := w.CreateOwner(w.ctx, email, password, "Acme")
	w.ok(err)
	return u, key
}

// member is a user without a password.
func (w *world) member() identity.Principal {
	w.Helper()
	u := identity.User{ID: id.New(), Org: w.org, Role: identity.RoleMember, CreatedAt: noon}
	w.update(func(tx vault.Tx) error { return tx.PutUser(u) })
	return identity.Principal{Kind: identity.KindUser, ID: u.ID, Org: w.org, Role: u.Role, IP: peer.IP, RequestID: peer.Request}
}

// agent stores an agent with a key; set changes it first.
func (w *world) agent(set func(*identity.Agent)) (identity.Agent, string) {
	w.Helper()
	key := identity.NewKey(identity.AgentKeyPrefix)
	a := identity.Agent{
		ID: id.New(), Org: w.org, Name: "bot", AuthMethod: identity.AuthAPIKey, Active: true,
		KeyHash: w.HashKey(key), CreatedBy: id.New(), CreatedAt: noon,
	}
	if set != nil {
		set(&a)
	}
	w.putAgent(a)
	w.update(func(tx vault.Tx) error {
		return tx.PutCredential(a.KeyHash, identity.Credential{Kind: identity.KindAgent, Org: w.org, ID: a.ID})
	})
	return a, key
}

func (w *world) putAgent(a identity.Agent) {
	w.Helper()
	w.update(func(tx vault.Tx) error { return tx.PutAgent(a) })
}

// grant adds a policy for an agent.
func (w *world) grant(a identity.Agent, v id.ID, pattern string, ends *time.Time) policy.Policy {
	w.Helper()
	p, err := policy.ParsePattern(pattern)
	w.ok(err)
	who := policy.Principal{Type: policy.Agent, ID: a.ID}
	pol := policy.Policy{ID: id.New(), Vault: v, Pattern: p, Principal: who, Permissions: []policy.Permission{policy.Read}, ExpiresAt: ends, CreatedAt: noon}
	w.update(func(tx vault.Tx) error {
		list, err := tx.Grants(who, v)
		return errors.Join(err, tx.PutGrants(who, v, append(slices.Clone(list), pol)), tx.PutPolicyHolder(v, pol.ID, who))
	})
	return pol
}

func (w *world) exchange(key string) identity.AgentToken {
	w.Helper()
	tok, err := w.ExchangeAgentKey(w.ctx, id.ID{}, key, peer)
	w.ok(err)
	return tok
}

func (w *world) auth(bearer string) (identity.Principal, error) {
	return w.Authenticate(w.ctx, bearer, peer)
}

func (w *world) admits(bearer string) identity.Principal {
	w.Helper()
	p, err := w.auth(bearer)
	w.ok(err)
	return p
}

func scopes(p identity.Principal) []string {
	out := []string{}
	for _, s := range p.Scopes {
		out = append(out, s.String())
	}
	return out
}

// part decodes the header (0) or payload (1) of a JWT.
func (w *world) part(token string, n int) map[string]any {
	w.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[n])
	w.ok(err)
	var m map[string]any
	w.ok(json.Unmarshal(raw, &m))
	return m
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

// faults is a store that can be made to fail where an event is appended.
type faults struct {
	txn.Runner[identity.Tx]
	mu   sync.Mutex
	leaf error
}

func (f *faults) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leaf = err
}

func (f *faults) Update(ctx context.Context, fn func(identity.Tx) error) error {
	f.mu.Lock()
	err := f.leaf
	f.mu.Unlock()
	return f.Runner.Update(ctx, func(tx identity.Tx) error { return fn(faultyTx{tx, err}) })
}

type faultyTx struct {
	identity.Tx
	leaf error
}

func (t faultyTx) PutAuditLeaf(seq uint64, leaf []byte) error {
	if t.leaf != nil {
		return t.leaf
	}
	return t.Tx.PutAuditLeaf(seq, leaf)
}
