package intents_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/intents"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// testKey is a private key that is worth nothing: the SHA-256 of "oneclawd test".
const testKey = "0x8f2a559490ecb80d5d5c3a4a2b5b7c0f2c8b4a7f1d6e3a9c5b1f0e7d8c6a4b21"

// world is a Service over a real store, a real vault and a chain that a test
// drives.
type world struct {
	testing.TB
	ctx    context.Context
	db     *store.DB
	module *outage
	gate   *hsm.Gate
	clock  *clocktest.Clock
	chain  *fakeChain
	faults *faults
	vaults *vault.Service
	*intents.Service

	org   id.ID
	owner identity.Principal
	agent identity.Principal
	v     vault.Vault
}

// outage is a module that can be gone.
type outage struct {
	hsm.Module
	hsm.AccountKeys
	gone bool
}

func (o *outage) Unwrap(ctx context.Context, kek hsm.KEK, wrapped, aad []byte) ([]byte, error) {
	if o.gone {
		return nil, hsm.ErrUnavailable
	}
	return o.Module.Unwrap(ctx, kek, wrapped, aad)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, ctx: t.Context(), db: storetest.Open(t), clock: clocktest.At(clocktest.Noon), chain: newChain(), org: id.New()}
	memory := hsmtest.Memory(t)
	w.module = &outage{Module: memory, AccountKeys: hsm.Accounts(memory)}
	w.gate = new(hsm.Gate)
	w.gate.Open(w.module)
	w.wire()
	w.update(func(tx intents.Tx) error { return tx.PutOrg(identity.Org{ID: w.org, CreatedAt: clocktest.Noon}) })
	w.update(func(tx intents.Tx) error { return tx.PutPlatform(w.org) })
	w.owner = w.person(identity.RoleOwner)
	w.ok(w.SeedChains(w.ctx))
	w.nodes("ethereum", "http://node.test")
	var err error
	w.v, err = w.vaults.Create(w.ctx, w.owner, "keys", "")
	w.ok(err)
	w.putKey("keys/ethereum-signer", testKey)
	w.agent = w.newAgent()
	return w
}

// wire makes the services, as at a start.
func (w *world) wire() {
	w.faults = &faults{Runner: store.Runner[intents.Tx](w.db)}
	w.vaults = vault.New(store.Runner[vault.Tx](w.db), w.gate, w.clock.Now)
	w.Service = intents.New(intents.Config{
		DB: w.faults, Vaults: w.vaults, Accounts: w.gate, Nodes: w.chain, Now: w.clock.Now, Confirmations: 3, Rights: w.db.Generation,
	})
}

// restart ends the process, as kill -9 does, and starts it again.
func (w *world) restart() {
	w.Helper()
	w.db = storetest.Reopen(w.TB, w.db)
	w.wire()
	w.ok(w.Recover(w.ctx))
}

var peer = netip.MustParseAddr("192.0.2.7")

func (w *world) person(role identity.Role) identity.Principal {
	w.Helper()
	u := identity.User{ID: id.New(), Org: w.org, Role: role, CreatedAt: clocktest.Noon}
	w.update(func(tx intents.Tx) error { return tx.PutUser(u) })
	return identity.Principal{Kind: identity.KindUser, ID: u.ID, Org: w.org, Role: role, IP: peer}
}

// newAgent is an agent of the Intents API that may use all signing keys, changed
// by fn.
func (w *world) newAgent(fn ...func(*identity.Agent)) identity.Principal {
	w.Helper()
	a := identity.Agent{ID: id.New(), Org: w.org, Active: true, Intents: true, CreatedBy: w.owner.ID, CreatedAt: clocktest.Noon}
	for _, f := range fn {
		f(&a)
	}
	w.update(func(tx intents.Tx) error { return tx.PutAgent(a) })
	all, err := policy.ParsePattern("keys/**")
	w.ok(err)
	p := identity.Principal{Kind: identity.KindAgent, ID: a.ID, Org: w.org, IP: peer, Intents: a.Intents, Signs: a.Intents, Scopes: []policy.Pattern{all}}
	_, err = w.vaults.CreatePolicy(w.ctx, w.owner, w.v.ID, vault.Grant{
		Pattern: all, Principal: p.Policy(), Permissions: []policy.Permission{policy.Read},
	})
	w.ok(err)
	return p
}

// change changes the record of w.agent.
func (w *world) change(fn func(*identity.Agent)) {
	w.Helper()
	w.update(func(tx intents.Tx) error {
		a, _, err := tx.Agent(w.org, w.agent.ID)
		if err != nil {
			return err
		}
		fn(&a)
		return tx.PutAgent(a)
	})
}

func (w *world) putKey(path, key string) {
	w.Helper()
	p, err := vault.ParseSecretPath(path)
	w.ok(err)
	_, err = w.vaults.Put(w.ctx, w.owner, w.v.ID, p, vault.NewVersion{Value: plain.FromString(key), Type: vault.TypePrivateKey})
	w.ok(err)
}

// nodes gives a chain of the registry nodes.
func (w *world) nodes(chain, urls string) {
	w.Helper()
	c, err := w.Chain(w.ctx, chain)
	w.ok(err)
	_, err = w.ChangeChain(w.ctx, w.owner, c.ID, func(c *intents.Chain) { c.RPC = intents.ParseRPC(urls) })
	w.ok(err)
}

func (w *world) update(fn func(intents.Tx) error) {
	w.Helper()
	w.ok(store.Runner[intents.Tx](w.db).Update(w.ctx, fn))
}

func (w *world) view(fn func(intents.Tx) error) {
	w.Helper()
	w.ok(store.Runner[intents.Tx](w.db).View(w.ctx, fn))
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("unexpected: %v (%v)", err, errors.Unwrap(err))
	}
}

// is wants err to be want; nil wants none.
func (w *world) is(err, want error) {
	w.Helper()
	if (err == nil) != (want == nil) || !errors.Is(err, want) {
		w.Fatalf("got error %v, want %v", err, want)
	}
}

const somebody = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"

// pay is a transfer to somebody.
func pay(value string) intents.Request {
	return intents.Request{To: somebody, Value: value, Chain: "ethereum"}
}

func (w *world) submit(r intents.Request) intents.Intent {
	w.Helper()
	out, err := w.Submit(w.ctx, w.agent, w.agent.ID, r)
	w.ok(err)
	return out.Intent
}

// get is the intent as it is now.
func (w *world) get(in id.ID) intents.Intent {
	w.Helper()
	out, err := w.Get(w.ctx, w.agent, w.agent.ID, in)
	w.ok(err)
	return out
}

func (w *world) track() {
	w.Helper()
	w.ok(w.Track(w.ctx))
}

// wantState tracks and wants an intent to be in a state then.
func (w *world) wantState(in id.ID, want intents.State) intents.Intent {
	w.Helper()
	w.track()
	got := w.get(in)
	if got.State != want {
		w.Fatalf("the intent is %s (%s), want %s", got.State, got.Error, want)
	}
	return got
}

// spent is what the agent's window of ether holds.
func (w *world) spent() string {
	w.Helper()
	var sum evm.Amount
	w.view(func(tx intents.Tx) error {
		win, err := tx.Spent(w.agent.ID, intents.Asset{ChainID: 1})
		for _, s := range win.Slots {
			sum, _ = sum.Add(s.Amount)
		}
		return err
	})
	return sum.Units(18)
}

// account is the nonces of the test key.
func (w *world) account() (a intents.Account) {
	w.Helper()
	raw, err := hex.DecodeString(strings.TrimPrefix(testKey, "0x"))
	w.ok(err)
	key, err := evm.ParseKey([]byte(hex.EncodeToString(raw)))
	w.ok(err)
	w.view(func(tx intents.Tx) (err error) {
		a, err = tx.Account(1, key.Address())
		return err
	})
	return a
}

// logs wants fn to leave exactly these audit events, as "action outcome reason".
func (w *world) logs(want string, fn func()) {
	w.Helper()
	from := w.events()
	fn()
	var texts []string
	w.view(func(tx intents.Tx) error {
		size, err := tx.AuditSize()
		for ; err == nil && from < size; from++ {
			var raw []byte
			if raw, err = tx.AuditLeaf(from); err != nil {
				return err
			}
			var e struct{ Action, Outcome, Reason string }
			if err = json.Unmarshal(raw, &e); err != nil {
				return err
			}
			texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Action, e.Outcome, e.Reason)))
		}
		return err
	})
	if got := strings.Join(texts, "; "); got != want {
		w.Fatalf("audit log: got %q, want %q", got, want)
	}
}

func (w *world) events() (n uint64) {
	w.view(func(tx intents.Tx) (err error) { n, err = tx.AuditSize(); return err })
	return n
}
