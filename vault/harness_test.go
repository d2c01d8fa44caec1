package vault_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// world is a Service over a real store and a real module.
type world struct {
	storetest.World
	faults *faults
	module *flaky
	gate   *hsm.Gate
	*vault.Service

	org   id.ID
	orgs  []id.ID
	owner identity.Principal // manages org
	alice identity.Principal // a member
	v     vault.Vault        // made by alice
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{World: storetest.NewWorld(t), org: id.New()}
	w.module = &flaky{Module: hsmtest.Memory(t)}
	w.gate = new(hsm.Gate)
	w.gate.Open(w.module)
	w.faults = &faults{Runner: store.Runner[vault.Tx](w.Store)}
	w.Service = vault.New(w.faults, w.gate, w.Clock.Now)
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
		w.Commit(func(tx *store.Tx) error { return tx.PutOrg(identity.Org{ID: org, CreatedAt: clocktest.Noon}) })
	}
	u := identity.User{ID: id.New(), Org: org, Role: role, CreatedAt: clocktest.Noon}
	w.Commit(func(tx *store.Tx) error { return tx.PutUser(u) })
	return identity.Principal{Kind: identity.KindUser, ID: u.ID, Org: org, Role: role, IP: peer, RequestID: "req-user"}
}

// agent is an agent that alice registered, whose token has these scopes.
func (w *world) agent(scopes ...string) identity.Principal {
	w.Helper()
	a := identity.Agent{ID: id.New(), Org: w.org, Active: true, CreatedBy: w.alice.ID, CreatedAt: clocktest.Noon}
	w.Commit(func(tx *store.Tx) error { return tx.PutAgent(a) })
	p := identity.Principal{Kind: identity.KindAgent, ID: a.ID, Org: w.org, IP: peer, RequestID: "req-agent"}
	for _, s := range scopes {
		p.Scopes = append(p.Scopes, w.pattern(s))
	}
	return p
}

func (w *world) vault(p identity.Principal, name string) vault.Vault {
	w.Helper()
	v, err := w.Create(w.Ctx, p, name, "")
	w.OK(err)
	return v
}

func (w *world) path(s string) vault.SecretPath {
	w.Helper()
	p, err := vault.ParseSecretPath(s)
	w.OK(err)
	return p
}

func (w *world) pattern(s string) policy.Pattern {
	w.Helper()
	p, err := policy.ParsePattern(s)
	w.OK(err)
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
	sec, err := w.Put(w.Ctx, p, w.v.ID, w.path(path), n)
	w.OK(err)
	return sec
}

// read returns the value in alice's vault, or why not.
func (w *world) read(p identity.Principal, path string) (string, error) {
	w.Helper()
	_, b, err := w.Read(w.Ctx, p, w.v.ID, w.path(path))
	return string(b.Reveal()), err
}

func (w *world) wantValue(p identity.Principal, path, want string) {
	w.Helper()
	got, err := w.read(p, path)
	w.OK(err)
	if got != want {
		w.Fatalf("%s is %q, want %q", path, got, want)
	}
}

func (w *world) grant(to identity.Principal, pattern string, perms ...policy.Permission) policy.Policy {
	w.Helper()
	pol, err := w.CreatePolicy(w.Ctx, w.alice, w.v.ID, vault.Grant{
		Pattern: w.pattern(pattern), Principal: to.Policy(), Permissions: perms,
	})
	w.OK(err)
	return pol
}

// paths lists what p sees in alice's vault.
func (w *world) paths(p identity.Principal, prefix string) []string {
	w.Helper()
	list, err := w.List(w.Ctx, p, w.v.ID, prefix)
	w.OK(err)
	out := []string{}
	for _, sec := range list {
		out = append(out, sec.Path.String())
	}
	return out
}

// state is all that the orgs of this world have, without the audit log.
func (w *world) state() string {
	w.Helper()
	all := map[string]any{}
	w.Inspect(func(tx *store.Tx) error {
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
	w.OK(err)
	return string(raw)
}

// unchanged wants fn to change nothing but the audit log.
func (w *world) unchanged(fn func()) {
	w.Helper()
	w.Unchanged(w.state, fn)
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
