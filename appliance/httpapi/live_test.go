package httpapi

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/hsm/local"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud/activity"
	"github.com/oneclaw/oneclawd/shroud/manifest"
	"github.com/oneclaw/oneclawd/shroud/pricelist"
	"github.com/oneclaw/oneclawd/shroud/screen"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/events"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/agents"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
	accounts "github.com/oneclaw/oneclawd/vault/people"
	"github.com/oneclaw/oneclawd/vault/share"
	"github.com/oneclaw/oneclawd/vault/site"
	"github.com/oneclaw/oneclawd/vault/use"
)

// clock runs like the real one, and can be set ahead.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// live is the API over the real services: a store, an archive, keys and a log
// of their own in folders of the test, wired as the appliance wires them.
type live struct {
	testing.TB
	*Server
	clock *clock
	log   *lockedBuffer

	dir         string
	db          *store.DB
	gate        *hsm.Gate
	accountKeys hsm.AccountKeys
	tokenKey    hsm.SigningKey
	auditKey    hsm.SigningKey
	archive     *events.Archive
	calls       *activity.Log
	drainer     *audit.Drainer
	checkpoints *audit.Checkpointer
	verifierKey string
	stop        func() // what runs beside the server

	workloads identity.Workloads // who is believed about agents, and about people
	signIns   identity.SignIns

	signup site.SignupMode // where nobody set another
	nodes  chainNodes
	sender use.Sender // takes requests elsewhere; nil: nothing is there
	chains int        // that were made

	org, other id.ID // organisations: the platform's, and another
	orgs       []id.ID
	ownerID    id.ID
	tokens     map[string]string // by the name that steps use
}

const (
	ownerEmail    = "owner@example.com"
	ownerPassword = "Correct-Horse-9-Battery"
)

// newLive makes an appliance with these people: owner (of the platform, by a
// token), key (the same by the 1ck_ key), member (of the same organisation)
// and stranger (owner of another one).
func newLive(t testing.TB, edit ...func(*Config)) *live {
	t.Helper()
	l := &live{TB: t, clock: &clock{}, log: &lockedBuffer{}, dir: t.TempDir(), tokens: map[string]string{}, signup: site.SignupOpen}
	l.db = storetest.Open(t)
	l.workloads, l.signIns = provider{}, provider{}
	l.start(edit...)
	owner, key, err := l.people.CreateOwner(t.Context(), ownerEmail, ownerPassword, "Acme")
	l.ok(err)
	l.org, l.other, l.ownerID = owner.Org, id.New(), owner.ID
	l.orgs = []id.ID{l.org, l.other, {}}
	l.tokens["key"], l.tokens["owner"] = key, l.exchange("/v1/auth/api-key-token", key)
	l.tokens["member"] = l.person(l.org, identity.RoleMember)
	l.tokens["stranger"] = l.person(l.other, identity.RoleOwner)
	t.Cleanup(func() {
		l.TB = t
		l.leaksNothing()
		l.halt()
	})
	return l
}

func (l *live) start(edit ...func(*Config)) {
	l.Helper()
	c := l.services()
	c.Enrol = l.enrollerOf(c.Agents)
	for _, e := range append([]func(*Config){unlimited}, edit...) {
		e(&c)
	}
	l.Server = New(c)
}

// halt lets go of everything but the store, whose test helper closes it.
func (l *live) halt() {
	l.Helper()
	l.stop()
	l.ok(l.archive.Close())
	l.ok(l.gate.Close())
}

// restart is what stopping the daemon and starting it again is.
func (l *live) restart() {
	l.Helper()
	l.halt()
	l.db = storetest.Reopen(l.TB, l.db)
	l.start()
}

// services wires what core.go of the appliance wires.
func (l *live) services() Config {
	l.Helper()
	ctx := l.Context()
	module, err := local.Open(local.Config{Dir: filepath.Join(l.dir, "keys")})
	l.ok(err)
	l.gate = new(hsm.Gate)
	if l.accountKeys == nil {
		l.accountKeys = hsm.Accounts(hsmtest.Memory(l.TB))
	}
	l.gate.Open(withAccounts{module, l.accountKeys})
	if l.tokenKey.Public == nil {
		l.ok(l.gate.Init(ctx))
		l.tokenKey, err = l.gate.NewSigningKey(ctx)
		l.ok(err)
		l.auditKey, err = l.gate.NewSigningKey(ctx)
		l.ok(err)
	}
	log := slog.New(slog.NewJSONHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug}))

	auditLog := l.auditLog(l.auditKey, log)
	pepper, err := l.db.DeriveKey("credential pepper")
	l.ok(err)
	letters := letter.Writer{Base: "https://vault.example"}
	people := identity.New(identity.Config{
		DB: store.Runner[identity.Tx](l.db), Signer: l.gate, Key: l.tokenKey, Pepper: pepper.Reveal(), Now: l.clock.Now,
		Workloads: l.workloads, SignIns: l.signIns, KeyMade: accounts.Mails{Letters: letters}.KeyMade,
		Passwords: identity.PasswordCost{MemoryKiB: 64, Time: 1}, // nobody keeps anything here
	})
	vaults := vault.New(store.Runner[vault.Tx](l.db), l.gate, l.clock.Now)
	shares := share.New(share.Config{
		DB: store.Runner[share.Tx](l.db), Vaults: vaults, Hasher: people, Notifier: share.Mails{Letters: letters}, Now: l.clock.Now,
	})
	monitor := &hsm.Monitor{Module: l.gate, Log: log, Every: 20 * time.Millisecond}
	running, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { monitor.Run(running); close(done) }()
	l.stop = func() { stop(); <-done }
	return Config{
		Version: "1.2.3", PublicURL: "https://vault.example", Log: log,
		Identity: people, People: l.accountsOf(people, shares), Vaults: vaults, Audit: auditLog, HSM: monitor,
		Agents:   agents.New(store.Runner[vault.Tx](l.db), people, vaults, l.clock.Now),
		Site:     &site.Service{DB: store.Runner[site.Tx](l.db), Defaults: site.Settings{Signup: l.signup}, Now: l.clock.Now},
		Shares:   shares,
		Webhooks: l.webhooksOf(), Outbox: l.viewer(), Intents: l.intentsOf(vaults),
		Activity: &activity.Service{Log: l.calls, DB: store.Runner[activity.Tx](l.db), Now: l.clock.Now},
		Uses: use.New(use.Config{
			DB: store.Runner[use.Tx](l.db), Vaults: vaults, Sender: lateSender{l}, Now: l.clock.Now,
			History: auditLog, Screens: screen.Screens{Manifests: &manifest.Keeper{Load: vaults.Manifest, Rights: l.db.Generation, Now: l.clock.Now}},
		}),
		Prices: &pricelist.Service{DB: store.Runner[pricelist.Tx](l.db), Now: l.clock.Now},
	}
}

func (l *live) auditLog(key hsm.SigningKey, log *slog.Logger) *audit.Log {
	l.Helper()
	meta, err := l.db.Meta()
	l.ok(err)
	archiveKey, err := l.db.DeriveKey("audit archive")
	l.ok(err)
	l.archive, err = events.Open(events.Config{Dir: filepath.Join(l.dir, "events"), Key: archiveKey.Reveal(), Log: log})
	l.ok(err)
	l.calls = activity.NewLog(l.archive, log)
	db := store.Runner[audit.Tx](l.db)
	l.checkpoints = &audit.Checkpointer{
		DB: db, Anchor: l.gate, Instance: meta.Instance, Log: log,
		Key: audit.Key{Public: key.Public, Sign: func(ctx context.Context, msg []byte) ([]byte, error) {
			return l.gate.Sign(ctx, key, msg)
		}},
	}
	l.verifierKey, err = audit.VerifierKey(meta.Instance, ed25519.PublicKey(key.Public))
	l.ok(err)
	l.drainer = &audit.Drainer{DB: db, Archive: l.archive, Log: log}
	return &audit.Log{DB: db, Archive: l.archive, Checkpoints: l.checkpoints}
}

func (l *live) ok(err error) {
	l.Helper()
	if err != nil {
		l.Fatalf("unexpected: %v", err)
	}
}

// person puts someone into an organisation, as an invitation would, and
// returns their 1ck_ key.
func (l *live) person(org id.ID, role identity.Role) string {
	l.Helper()
	now := l.clock.Now().UTC()
	u := identity.User{ID: id.New(), Org: org, Email: string(role) + "@example.org", Role: role, CreatedAt: now}
	key := identity.NewKey(identity.UserKeyPrefix)
	k := identity.APIKey{ID: id.New(), User: u.ID, Name: "first", Prefix: key[:12], Active: true, CreatedAt: now, KeyHash: l.people.HashKey(key)}
	l.ok(store.Runner[identity.Tx](l.db).Update(l.Context(), func(tx identity.Tx) error {
		if _, ok, err := tx.Org(org); err != nil {
			return err
		} else if !ok {
			if err := tx.PutOrg(identity.Org{ID: org, CreatedAt: now}); err != nil {
				return err
			}
		}
		if err := tx.PutUser(u); err != nil {
			return err
		}
		if err := tx.PutAPIKey(k); err != nil {
			return err
		}
		return tx.PutCredential(k.KeyHash, identity.Credential{Kind: identity.KindUser, Org: org, ID: u.ID, Key: k.ID})
	}))
	return key
}

// leaksNothing looks for the canary and the signing key, at the end of a test,
// everywhere but in the answers that were meant to have it, which the steps look at.
func (l *live) leaksNothing() {
	log := l.log.String()
	if what, found := leaked(log); found {
		l.Errorf("%s is in the log:\n%s", what, log)
	}
	for _, leaf := range l.leaves() {
		if what, found := leaked(string(leaf)); found {
			l.Errorf("%s is in the audit log: %s", what, leaf)
		}
	}
	for _, dir := range []string{l.dir, filepath.Dir(l.db.Config().Path)} {
		l.ok(filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			if what, found := leaked(string(b)); found {
				l.Errorf("%s is on disk in %s", what, path)
			}
			return err
		}))
	}
}

// leaves are all events there are, as they were logged.
func (l *live) leaves() [][]byte {
	l.Helper()
	var out [][]byte
	ctx := context.Background()
	for i := uint64(0); ; i++ {
		leaf, ok := l.leaf(ctx, i)
		if !ok {
			return out
		}
		out = append(out, leaf)
	}
}

func (l *live) leaf(ctx context.Context, index uint64) ([]byte, bool) {
	l.learnOrgs()
	for _, org := range l.orgs {
		if leaf, err := l.audit.Leaf(ctx, org, index); err == nil {
			return leaf, true
		}
	}
	return nil, false
}

// exchange buys a token for a key.
func (l *live) exchange(route, key string) string {
	l.Helper()
	a := l.send(step{method: post, url: route, body: fmt.Sprintf(`{"api_key":%q}`, key)})
	if a.Code != 200 {
		l.Fatalf("exchange: %d %s", a.Code, a.Body)
	}
	return a.text("access_token")
}

// made is an agent that a test made.
type made struct{ id, key string }

// agent registers one as the owner; more is further members of the body, each
// with a leading comma. Its token has the agent's name in steps, once renewed.
func (l *live) agent(name, more string) made {
	l.Helper()
	a := l.want(step{method: post, url: "/v1/agents", as: "owner", body: `{"name":"` + name + `"` + more + `}`, status: 201})
	m := made{a.text("agent.id"), a.text("api_key")}
	l.renew(name, m)
	return m
}

// renew exchanges an agent's key, after which its token covers what it was
// granted so far.
func (l *live) renew(name string, m made) {
	l.Helper()
	l.tokens[name] = l.exchange("/v1/auth/agent-token", m.key)
}

// vault makes one and returns its URL.
func (l *live) vault(as, name string) string {
	l.Helper()
	return "/v1/vaults/" + l.want(step{method: post, url: "/v1/vaults", as: as, body: `{"name":"` + name + `"}`, status: 201}).text("id")
}

// grant gives an agent rights and returns the policy's id; more is as in agent.
func (l *live) grant(as, vault string, to made, pattern, permissions, more string) string {
	l.Helper()
	body, err := json.Marshal(map[string]string{"principal_type": "agent", "principal_id": to.id, "secret_path_pattern": pattern})
	l.ok(err)
	text := string(body[:len(body)-1]) + `,"permissions":` + permissions + more + `}`
	return l.want(step{method: post, url: vault + "/policies", as: as, body: text, status: 201}).text("id")
}

// put writes a value as the owner, of a path in a vault that the owner made.
func (l *live) put(vault, path, value string) answered {
	l.Helper()
	return l.want(step{method: put, url: vault + "/secrets/" + path, as: "owner", body: fmt.Sprintf(`{"value":%q}`, value), status: 201})
}
