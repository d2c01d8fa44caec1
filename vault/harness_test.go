package vault_test

import (
	"context"
	"crypto/sha256"
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
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// noon is a Monday.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

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
	module *flaky
	gate   *hsm.Gate
	clock  *clock
	*vault.Service

	org   id.ID
	orgs  []id.ID
	owner identity.Principal // manages org
	alice identity.Principal // a member
	v     vault.Vault        // made by alice
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, ctx: t.Context(), db: storetest.Open(t), clock: &clock{t: noon}, org: id.New()}
	w.module = &flaky{Module: hsmtest.Memory(t)}
	w.gate = new(hsm.Gate)
	w.gate.Open(w.module)
	w.faults = &faults{Runner: store.Runner[vault.Tx](w.db)}
	w.Service = vault.New(w.faults, w.gate, w.clock.Now)
	w.owner = w.user(w.org, identity.RoleOwner)
	w.alice = w.user(w.org, identity.RoleMember)
	w.v = w.vault(w.alice, "payments")
	return w
}

var peer = netip.MustParseAddr("192.0.2.7")

func (w *world) user(org id.ID, role identity.Role) identity.Principal {
	w.Helper()
	if !slices.Contains(w.orgs, org) {
		w.orgs = append(w.orgs, org)
		w.update(func(tx vault.Tx) error { return tx.PutOrg(identity.Org{ID: org, CreatedAt: noon}) })
	}
	u := identity.User{ID: id.New(), Org: org, Role: role, CreatedAt: noon}
	w.update(func(tx vault.Tx) error { return tx.PutUser(u) })
	return identity.Principal{Kind: identity.KindUser, ID: u.ID, Org: org, Role: role, IP: peer, RequestID: "req-user"}
}

// agent is an agent that alice registered, whose token has these scopes.
func (w *world) agent(scopes ...string) identity.Principal {
	w.Helper()
	a := identity.Agent{ID: id.New(), Org: w.org, Active: true, CreatedBy: w.alice.ID, CreatedAt: noon}
	w.update(func(tx vault.Tx) error { return tx.PutAgent(a) })
	p := identity.Principal{Kind: identity.KindAgent, ID: a.ID, Org: w.org, IP: peer, RequestID: "req-agent"}
	for _, s := range scopes {
		p.Scopes = append(p.Scopes, w.pattern(s))
	}
	return p
}

func (w *world) update(fn func(vault.Tx) error) {
	w.Helper()
	w.ok(w.faults.Runner.Update(w.ctx, fn))
}

func (w *world) view(fn func(vault.Tx) error) {
	w.Helper()
	w.ok(w.faults.Runner.View(w.ctx, fn))
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("unexpected: %v", err)
	}
}

// is wants err to be want; nil wants none.
func (w *world) is(err, want error) {
	w.Helper()
	if (err == nil) != (want == nil) || !errors.Is(err, want) {
		w.Fatalf("got error %v, want %v", err, want)
	}
}

func (w *world) vault(p identity.Principal, name string) vault.Vault {
	w.Helper()
	v, err := w.Create(w.ctx, p, name, "")
	w.ok(err)
	return v
}

func (w *world) path(s string) vault.SecretPath {
	w.Helper()
	p, err := vault.ParseSecretPath(s)
	w.ok(err)
	return p
}

func (w *world) pattern(s string) policy.Pattern {
	w.Helper()
	p, err := policy.ParsePattern(s)
	w.ok(err)
	return p
}

func value(s string) vault.NewVersion { return vault.NewVersion{Value: plain.FromString(s)} }

// put writes as alice into her vault.
func (w *world) put(path, s string) vault.Secret {
	w.Helper()
	return w.putAs(w.alice, path, value(s))
}

func (w *world) putAs(p identity.Principal, path string, n vault.NewVersion) vault.Secret {
	w.Helper()
	sec, err := w.Put(w.ctx, p, w.v.ID, w.path(path), n)
	w.ok(err)
	return sec
}

// read returns the value in alice's vault, or why not.
func (w *world) read(p identity.Principal, path string) (string, error) {
	w.Helper()
	_, b, err := w.Read(w.ctx, p, w.v.ID, w.path(path))
	return string(b.Reveal()), err
}

func (w *world) wantValue(p identity.Principal, path, want string) {
	w.Helper()
	got, err := w.read(p, path)
	w.ok(err)
	if got != want {
		w.Fatalf("%s is %q, want %q", path, got, want)
	}
}

func (w *world) grant(to identity.Principal, pattern string, perms ...policy.Permission) policy.Policy {
	w.Helper()
	pol, err := w.CreatePolicy(w.ctx, w.alice, w.v.ID, vault.Grant{
		Pattern: w.pattern(pattern), Principal: to.Policy(), Permissions: perms,
	})
	w.ok(err)
	return pol
}

// paths lists what p sees in alice's vault.
func (w *world) paths(p identity.Principal, prefix string) []string {
	w.Helper()
	list, err := w.List(w.ctx, p, w.v.ID, prefix)
	w.ok(err)
	out := []string{}
	for _, sec := range list {
		out = append(out, sec.Path.String())
	}
	return out
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if a, b := fmt.Sprintf("%v", got), fmt.Sprintf("%v", want); a != b {
		t.Fatalf("%s: got %s, want %s", what, a, b)
	}
}

// event is an audit event as the store has it.
type event struct {
	Seq      uint64
	Org      id.ID
	Actor    audit.Actor
	Action   audit.Action
	Resource audit.Resource
	Outcome  audit.Outcome
	Reason   string
	Details  map[string]any
	Inputs   string
	Policies []id.ID
	IP       string
	Request  string
	Time     time.Time
}

// String is the short form that tables use: "secret.read refused no_scopes".
func (e event) String() string {
	s := string(e.Action) + " " + string(e.Outcome)
	if e.Reason != "" {
		s += " " + e.Reason
	}
	return s
}

// rawEvents returns the bytes of all events from seq on.
func (w *world) rawEvents(seq uint64) (out [][]byte) {
	w.Helper()
	w.view(func(tx vault.Tx) error {
		size, err := tx.AuditSize()
		for ; err == nil && seq < size; seq++ {
			var raw []byte
			raw, err = tx.AuditLeaf(seq)
			out = append(out, slices.Clone(raw))
		}
		return err
	})
	return out
}

func (w *world) size() (n uint64) {
	w.view(func(tx vault.Tx) (err error) { n, err = tx.AuditSize(); return err })
	return n
}

// during returns the events that fn leaves.
func (w *world) during(fn func()) (out []event) {
	w.Helper()
	from := w.size()
	fn()
	for _, raw := range w.rawEvents(from) {
		var e event
		w.ok(json.Unmarshal(raw, &e))
		out = append(out, e)
	}
	return out
}

// logs wants fn to leave exactly these events, separated by "; ".
func (w *world) logs(want string, fn func()) []event {
	w.Helper()
	got := w.during(fn)
	texts := make([]string, len(got))
	for i, e := range got {
		texts[i] = e.String()
	}
	if s := strings.Join(texts, "; "); s != want {
		w.Fatalf("audit log: got %q, want %q", s, want)
	}
	return got
}

// state is all that the orgs of this world have, without the audit log.
func (w *world) state() string {
	w.Helper()
	all := map[string]any{}
	w.view(func(tx vault.Tx) error {
		doomed, err := tx.Doomed()
		all["doomed"] = doomed
		ids := slices.Clone(doomed)
		for _, org := range w.orgs {
			o, _, err1 := tx.Org(org)
			vs, err2 := tx.Vaults(org)
			as, err3 := tx.Agents(org)
			all["org "+org.String()] = []any{o, vs, as}
			for _, v := range vs {
				ids = append(ids, v.ID)
			}
			err = errors.Join(err, err1, err2, err3)
		}
		for _, v := range ids {
			pols, err1 := tx.Policies(v)
			secs, err2 := tx.Secrets(v)
			all["policies "+v.String()], all["secrets "+v.String()] = pols, secs
			err = errors.Join(err, err1, err2)
			for _, s := range secs {
				ref, known, err3 := tx.SecretRef(s.ID)
				all["ref "+s.ID.String()] = []any{ref, known}
				err = errors.Join(err, err3)
				for n := uint32(1); n <= s.Latest.Number; n++ {
					old, _, err4 := tx.Version(s.ID, n)
					env, _, err5 := tx.Envelope(s.ID, n)
					all[fmt.Sprint("version ", s.ID, n)] = []any{old, sha256.Sum256(env)}
					err = errors.Join(err, err4, err5)
				}
			}
		}
		return err
	})
	raw, err := json.MarshalIndent(all, "", " ")
	w.ok(err)
	return string(raw)
}

// unchanged wants fn to change nothing but the audit log.
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

func code(err error) string {
	if err == nil {
		return ""
	}
	if f := fault.As(err); f != nil {
		return f.Code
	}
	return "internal: " + err.Error()
}

var _ txn.Runner[vault.Tx] = (*faults)(nil)

// someAgent has keys in __agent-keys and no record.
var someAgent = id.New()
