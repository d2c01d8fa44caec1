package identity_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

var peer = identity.Peer{IP: netip.MustParseAddr("192.0.2.7"), Request: "req-1"}

const (
	email    = "Ann@Example.com"
	password = "Correct-Horse-7-Battery"
)

// world is a Service over a real store and a real module.
type world struct {
	storetest.World
	faults *faults
	gate   *hsm.Gate
	key    hsm.SigningKey
	pepper []byte
	*identity.Service
	org id.ID
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{World: storetest.NewWorld(t), gate: new(hsm.Gate), org: id.New()}
	w.gate.Open(hsmtest.Memory(t))
	var err error
	w.key, err = w.gate.NewSigningKey(w.Ctx)
	w.OK(err)
	pepper, err := w.Store.DeriveKey("pepper")
	w.OK(err)
	w.pepper = pepper.Reveal()
	w.serve()
	w.Commit(func(tx *store.Tx) error { return tx.PutOrg(identity.Org{ID: w.org, CreatedAt: clocktest.Noon}) })
	return w
}

// serve makes a new Service over what there is, as a restart does.
func (w *world) serve() {
	w.faults = &faults{Runner: store.Runner[identity.Tx](w.Store)}
	w.Service = identity.New(identity.Config{DB: w.faults, Signer: w.gate, Key: w.key, Pepper: w.pepper, Now: w.Clock.Now})
}

func (w *world) restart() {
	w.Helper()
	w.Reopen()
	w.serve()
}

func ptr[T any](v T) *T { return &v }

// owner makes ann, with a password and a first key.
func (w *world) owner() (identity.User, string) {
	w.Helper()
	u, key, err := w.CreateOwner(w.Ctx, email, password, "Acme")
	w.OK(err)
	return u, key
}

// member is a user without a password.
func (w *world) member() identity.Principal {
	w.Helper()
	u := identity.User{ID: id.New(), Org: w.org, Role: identity.RoleMember, CreatedAt: clocktest.Noon}
	w.Commit(func(tx *store.Tx) error { return tx.PutUser(u) })
	return identity.Principal{Kind: identity.KindUser, ID: u.ID, Org: w.org, Role: u.Role, IP: peer.IP, RequestID: peer.Request}
}

// agent stores an agent with a key; set changes it first.
func (w *world) agent(set func(*identity.Agent)) (identity.Agent, string) {
	w.Helper()
	key := identity.NewKey(identity.AgentKeyPrefix)
	a := identity.Agent{
		ID: id.New(), Org: w.org, Name: "bot", AuthMethod: identity.AuthAPIKey, Active: true,
		KeyHash: w.HashKey(key), CreatedBy: id.New(), CreatedAt: clocktest.Noon,
	}
	if set != nil {
		set(&a)
	}
	w.putAgent(a)
	w.Commit(func(tx *store.Tx) error {
		return tx.PutCredential(a.KeyHash, identity.Credential{Kind: identity.KindAgent, Org: w.org, ID: a.ID})
	})
	return a, key
}

func (w *world) putAgent(a identity.Agent) {
	w.Helper()
	w.Commit(func(tx *store.Tx) error { return tx.PutAgent(a) })
}

// grant adds a policy for an agent.
func (w *world) grant(a identity.Agent, v id.ID, pattern string, ends *time.Time) policy.Policy {
	w.Helper()
	p, err := policy.ParsePattern(pattern)
	w.OK(err)
	who := policy.Principal{Type: policy.Agent, ID: a.ID}
	pol := policy.Policy{ID: id.New(), Vault: v, Pattern: p, Principal: who, Permissions: []policy.Permission{policy.Read}, ExpiresAt: ends, CreatedAt: clocktest.Noon}
	w.Commit(func(tx *store.Tx) error {
		list, err := tx.Grants(who, v)
		return errors.Join(err, tx.PutGrants(who, v, append(slices.Clone(list), pol)), tx.PutPolicyHolder(v, pol.ID, who))
	})
	return pol
}

func (w *world) exchange(key string) identity.AgentToken {
	w.Helper()
	tok, err := w.ExchangeAgentKey(w.Ctx, id.ID{}, key, peer)
	w.OK(err)
	return tok
}

func (w *world) auth(bearer string) (identity.Principal, error) {
	return w.Authenticate(w.Ctx, bearer, peer)
}

func (w *world) admits(bearer string) identity.Principal {
	w.Helper()
	p, err := w.auth(bearer)
	w.OK(err)
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
	w.OK(err)
	var m map[string]any
	w.OK(json.Unmarshal(raw, &m))
	return m
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
