package webhook_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/egress"
	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/events"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
	"github.com/oneclaw/oneclawd/vault/webhook"
)

// world is all of it over a real store, a real archive and a real receiver.
type world struct {
	testing.TB
	db      *store.DB
	archive *events.Archive
	log     *audit.Log
	clock   *clocktest.Clock
	text    *safeBuffer
	hook    *receiver

	service  *webhook.Service
	follower *webhook.Follower
	outbox   *outbox.Dispatcher

	org   id.ID
	owner identity.Principal
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, db: storetest.Open(t), clock: clocktest.At(clocktest.Noon), text: &safeBuffer{}, hook: newReceiver(t), org: id.New()}
	var err error
	w.archive, err = events.Open(events.Config{Dir: filepath.Join(t.TempDir(), "events"), Key: make([]byte, 32)})
	w.ok(err)
	t.Cleanup(func() { _ = w.archive.Close() })
	w.wire()
	w.owner = w.person(w.org, identity.RoleOwner)
	return w
}

// wire makes everything anew that a restart makes anew.
func (w *world) wire() {
	w.Helper()
	way, err := egress.New(egress.Policy{AllowLoopback: true}, nil)
	w.ok(err)
	poster := way.Poster(egress.ClientOptions{RootCAs: w.hook.roots, Timeout: 5 * time.Second})
	db, log := store.Runner[webhook.Tx](w.db), slog.New(slog.NewTextHandler(w.text, nil))
	w.log = &audit.Log{DB: store.Runner[audit.Tx](w.db), Archive: w.archive}
	w.service = &webhook.Service{DB: db, CheckURL: check(poster), Now: w.clock.Now}
	w.follower = &webhook.Follower{DB: db, Events: w.log, Now: w.clock.Now, Log: log}
	w.outbox = &outbox.Dispatcher{
		DB: store.Runner[outbox.Tx](w.db), Now: w.clock.Now, Log: log,
		Senders: map[outbox.Channel]outbox.Sender{outbox.Webhook: &webhook.Deliverer{
			DB: db, Poster: poster, Letters: letter.Writer{Base: "https://vault.example.com"}, Now: w.clock.Now, Log: log,
		}},
	}
}

// check is what the appliance makes of a Poster's check.
func check(p *egress.Poster) func(context.Context, string) error {
	return func(_ context.Context, url string) error { return p.CheckURL(url) }
}

func (w *world) restart() {
	w.Helper()
	w.db = storetest.Reopen(w, w.db)
	w.wire()
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) person(org id.ID, role identity.Role) identity.Principal {
	w.Helper()
	u := identity.User{ID: id.New(), Org: org, Role: role, Email: string(role) + "@example.com", CreatedAt: clocktest.Noon}
	w.ok(w.service.DB.Update(w.Context(), func(tx webhook.Tx) error { return tx.PutUser(u) }))
	return identity.Principal{Kind: identity.KindUser, ID: u.ID, Org: org, Role: role}
}

func (w *world) subscribe(events ...string) (webhook.Subscription, string) {
	w.Helper()
	s, secret, err := w.service.Create(w.Context(), w.owner, webhook.Spec{URL: w.hook.url + "/hook?token=canary-url", Events: events})
	w.ok(err)
	return s, secret
}

// happen logs an event and returns the resource's name, by which to find it.
func (w *world) happen(org id.ID, action audit.Action, name string) {
	w.Helper()
	e := audit.Event{
		Org: org, Actor: audit.Actor{Type: "user", ID: w.owner.ID}, Action: action,
		Resource: audit.Resource{Type: "secret", ID: name}, Time: w.clock.Now(), IP: "192.0.2.7",
		Details: audit.Details{"path": name, "vault_id": org.String()},
	}
	w.ok(w.log.DB.Update(w.Context(), func(tx audit.Tx) error { return audit.Write(w.Context(), tx, e) }))
}

// follow makes all deliveries there are to make.
func (w *world) follow() {
	w.Helper()
	for more := true; more; {
		var err error
		more, err = w.follower.Step(w.Context())
		w.ok(err)
	}
}

func (w *world) deliver() int {
	w.Helper()
	n, err := w.outbox.Deliver(w.Context())
	w.ok(err)
	return n
}

func (w *world) read(sub id.ID) webhook.Subscription {
	w.Helper()
	s, err := w.service.Read(w.Context(), w.owner, sub)
	w.ok(err)
	return s
}

// records is the whole log.
func (w *world) records() (all []audit.Record) {
	w.Helper()
	for at := uint64(0); ; {
		some, next, err := w.log.Since(w.Context(), at)
		w.ok(err)
		if next == at {
			return all
		}
		all, at = append(all, some...), next
	}
}

// messages are all of the outbox, newest first.
func (w *world) messages() (all []outbox.Message) {
	w.Helper()
	w.ok(w.service.DB.View(w.Context(), func(tx webhook.Tx) error {
		return tx.OutboxList(id.ID{}, id.ID{}, func(m outbox.Message) bool { all = append(all, m); return true })
	}))
	return all
}

// delivery is what a receiver got.
type delivery struct {
	header http.Header
	url    string
	body   []byte
	Type   string `json:"type"`
	ID     id.ID  `json:"id"`
	Org    id.ID  `json:"org_id"`
	Data   struct {
		Action     string         `json:"action"`
		ResourceID string         `json:"resource_id"`
		Outcome    string         `json:"outcome"`
		Details    map[string]any `json:"details"`
		Index      uint64         `json:"index"`
		IPAddress  string         `json:"ip_address"`
	} `json:"data"`
}

// receiver is somebody's system.
type receiver struct {
	mu     sync.Mutex
	url    string
	roots  *x509.CertPool
	status int
	got    []delivery
	tried  int
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{status: http.StatusNoContent, roots: x509.NewCertPool()}
	server := httptest.NewUnstartedServer(r)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	r.url = server.URL
	r.roots.AddCert(server.Certificate())
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := delivery{header: req.Header, url: req.URL.String()}
	d.body, _ = io.ReadAll(req.Body)
	_ = json.Unmarshal(d.body, &d)
	if r.tried++; r.status < 300 {
		r.got = append(r.got, d)
	}
	w.WriteHeader(r.status)
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *receiver) received() []delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]delivery(nil), r.got...)
}

func (r *receiver) attempts() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tried
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
