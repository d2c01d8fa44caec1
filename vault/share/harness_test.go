package share_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
	"github.com/oneclaw/oneclawd/vault/share"
)

// told is a Notifier that remembers.
type told struct {
	mu       sync.Mutex
	fail     error
	invited  []share.Share
	accessed []share.Share
}

func (n *told) ShareOffered(_ share.Tx, s share.Share, _ time.Time) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.Type == share.ToEmail {
		n.invited = append(n.invited, s)
	}
	return n.fail
}

func (n *told) ShareAnswered(share.Tx, share.Share, time.Time) error { return n.fail }
func (n *told) ShareRevoked(share.Tx, share.Share, time.Time) error  { return n.fail }

func (n *told) ShareAccessed(_ share.Tx, s share.Share, _ time.Time, _ string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.accessed = append(n.accessed, s)
	return n.fail
}

// world is a Service over a real store and real keys.
type world struct {
	storetest.World
	module *flaky
	gate   *hsm.Gate
	key    hsm.SigningKey
	told   *told
	hashes atomic.Int64 // passphrases that were compared
	hashed atomic.Int64 // and hashed
	vaults *vault.Service
	*share.Service

	org     id.ID
	owner   identity.Principal // manages org
	alice   identity.Principal // a member, who made the vault
	bob     identity.Principal // a member
	foreign identity.Principal // owner of another organisation
	v       vault.Vault
	sec     vault.Secret // at a/b in v
}

const secretValue = "CANARY-value-51d0c7"

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{World: storetest.NewWorld(t), told: &told{}, org: id.New()}
	w.module = &flaky{Module: hsmtest.Memory(t)}
	w.gate = new(hsm.Gate)
	w.gate.Open(w.module)
	var err error
	w.key, err = w.gate.NewSigningKey(w.Ctx)
	w.OK(err)
	w.start()
	w.owner, w.alice, w.bob = w.user(w.org, "owner@example.com"), w.user(w.org, "alice@example.com"), w.user(w.org, "bob@example.com")
	w.owner.Role = identity.RoleOwner
	w.foreign = w.user(id.New(), "foreign@example.com")
	w.v, err = w.vaults.Create(w.Ctx, w.alice, "payments", "")
	w.OK(err)
	w.sec = w.put("a/b", secretValue, "")
	return w
}

func (w *world) start() {
	people := identity.New(identity.Config{
		DB: store.Runner[identity.Tx](w.Store), Signer: w.gate, Key: w.key, Pepper: make([]byte, 32), Now: w.Clock.Now,
	})
	w.vaults = vault.New(store.Runner[vault.Tx](w.Store), w.gate, w.Clock.Now)
	w.Service = share.New(share.Config{
		DB: store.Runner[share.Tx](w.Store), Vaults: w.vaults, Hasher: &counting{people, &w.hashes, &w.hashed}, Notifier: w.told, Now: w.Clock.Now,
	})
}

// restart is what stopping the daemon and starting it again is.
func (w *world) restart() {
	w.Helper()
	w.Reopen()
	w.start()
}

type counting struct {
	share.Hasher
	n, hashed *atomic.Int64
}

func (c *counting) HashPassphrase(ctx context.Context, p plain.Bytes) (string, error) {
	c.hashed.Add(1)
	return c.Hasher.HashPassphrase(ctx, p)
}

func (c *counting) CheckPassphrase(ctx context.Context, hash string, p plain.Bytes) (bool, error) {
	c.n.Add(1)
	return c.Hasher.CheckPassphrase(ctx, hash, p)
}

// flaky is a module that can be made to fail.
type flaky struct {
	hsm.Module
	down atomic.Bool
}

func (m *flaky) Unwrap(ctx context.Context, kek hsm.KEK, wrapped, aad []byte) ([]byte, error) {
	if m.down.Load() {
		return nil, hsm.ErrUnavailable
	}
	return m.Module.Unwrap(ctx, kek, wrapped, aad)
}

var peer = netip.MustParseAddr("192.0.2.7")

// nobody is somebody without a token.
var nobody = identity.Principal{IP: peer, RequestID: "req-nobody"}

func (w *world) user(org id.ID, email string) identity.Principal {
	w.Helper()
	u := identity.User{ID: id.New(), Org: org, Email: email, EmailVerified: true, Role: identity.RoleMember, CreatedAt: clocktest.Noon}
	w.Commit(func(tx *store.Tx) error {
		if err := tx.PutOrg(identity.Org{ID: org, CreatedAt: clocktest.Noon}); err != nil {
			return err
		}
		if err := tx.PutUserEmail(strings.ToLower(email), identity.UserRef{Org: org, User: u.ID}); err != nil {
			return err
		}
		return tx.PutUser(u)
	})
	return identity.Principal{Kind: identity.KindUser, ID: u.ID, Org: org, Role: identity.RoleMember, IP: peer, RequestID: "req"}
}

// agent is one that alice registered, with edit made to its record.
func (w *world) agent(edit func(*identity.Agent)) identity.Principal {
	w.Helper()
	a := identity.Agent{ID: id.New(), Org: w.org, Active: true, CreatedBy: w.alice.ID, CreatedAt: clocktest.Noon}
	if edit != nil {
		edit(&a)
	}
	w.Commit(func(tx *store.Tx) error { return tx.PutAgent(a) })
	p := identity.Principal{Kind: identity.KindAgent, ID: a.ID, Org: w.org, VaultIDs: a.VaultIDs, Intents: a.Intents, IP: peer, RequestID: "req"}
	for _, s := range a.Scopes {
		p.Scopes = append(p.Scopes, w.pattern(s))
	}
	return p
}

// editAgent changes an agent's record.
func (w *world) editAgent(p identity.Principal, edit func(*identity.Agent)) {
	w.Helper()
	w.Commit(func(tx *store.Tx) error {
		a, _, err := tx.Agent(p.Org, p.ID)
		if err != nil {
			return err
		}
		edit(&a)
		return tx.PutAgent(a)
	})
}

func (w *world) pattern(s string) policy.Pattern {
	w.Helper()
	p, err := policy.ParsePattern(s)
	w.OK(err)
	return p
}

func (w *world) grant(to identity.Principal, pattern string, conditions string) policy.Policy {
	w.Helper()
	c, err := policy.ParseConditions(json.RawMessage(conditions))
	w.OK(err)
	g, err := w.vaults.CreatePolicy(w.Ctx, w.alice, w.v.ID, vault.Grant{
		Pattern: w.pattern(pattern), Principal: to.Policy(), Permissions: []policy.Permission{policy.Read}, Conditions: c,
	})
	w.OK(err)
	return g
}

func (w *world) path(s string) vault.SecretPath {
	w.Helper()
	p, err := vault.ParseSecretPath(s)
	w.OK(err)
	return p
}

func (w *world) put(path, value string, typ vault.Type) vault.Secret {
	w.Helper()
	return w.write(path, vault.NewVersion{Value: plain.FromString(value), Type: typ})
}

func (w *world) write(path string, n vault.NewVersion) vault.Secret {
	w.Helper()
	sec, err := w.vaults.Put(w.Ctx, w.alice, w.v.ID, w.path(path), n)
	w.OK(err)
	return sec
}

// link is an offer of a/b to anyone, with edit made to it.
func (w *world) offer(edit func(*share.Offer)) share.Offer {
	o := share.Offer{Secret: w.sec.ID, Type: share.ToAnyone}
	if edit != nil {
		edit(&o)
	}
	return o
}

// made makes a share of a/b as alice. Ten a minute is not what most tests are
// about.
func (w *world) made(edit func(*share.Offer)) share.Share {
	w.Helper()
	return w.madeBy(w.alice, edit)
}

func (w *world) madeBy(p identity.Principal, edit func(*share.Offer)) share.Share {
	w.Helper()
	w.Clock.Add(6 * time.Second)
	s, err := w.Create(w.Ctx, p, w.offer(edit))
	w.OK(err)
	return s
}

// accepted is a share of a/b with p, who accepted it.
func (w *world) accepted(p identity.Principal) share.Share {
	w.Helper()
	s := w.made(to(p))
	w.OK(w.Accept(w.Ctx, p, s.ID))
	return s
}

// to offers to a principal.
func to(p identity.Principal) func(*share.Offer) {
	return func(o *share.Offer) { o.Type, o.Recipient = share.Type(p.Kind), p.ID }
}

func (w *world) open(p identity.Principal, s share.Share, passphrase string) (string, error) {
	got, err := w.Access(w.Ctx, p, s.ID, plain.FromString(passphrase))
	return string(got.Value.Reveal()), err
}

// opens wants p to get the value; refuses wants it not to, and why.
func (w *world) opens(p identity.Principal, s share.Share) {
	w.Helper()
	got, err := w.open(p, s, "")
	w.OK(err)
	if got != secretValue {
		w.Fatalf("opened %q", got)
	}
}

func (w *world) refuses(p identity.Principal, s share.Share, want error) {
	w.Helper()
	got, err := w.open(p, s, "")
	w.Is(err, want)
	if got != "" {
		w.Fatalf("refused, and showed %q", got)
	}
}

func (w *world) record(s share.Share) (out share.Share, ok bool) {
	w.Helper()
	w.Inspect(func(tx *store.Tx) (err error) { out, ok, err = tx.Share(s.ID); return err })
	return out, ok
}

// logHas reports whether any event has a text.
func (w *world) logHas(text string) bool {
	w.Helper()
	return bytes.Contains(bytes.Join(w.Leaves(0), nil), []byte(text))
}

func ptr[T any](v T) *T { return &v }
