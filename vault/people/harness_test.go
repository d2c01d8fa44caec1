package people_test

import (
	"context"
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
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/people"
	"github.com/oneclaw/oneclawd/vault/share"
	"github.com/oneclaw/oneclawd/vault/site"
)

const (
	first  = "Correct-Horse-9-Battery"
	second = "Another-Good-Mule-42"
	canary = "Wrong-Horse-77-Canary"
)

var peer = identity.Peer{IP: netip.MustParseAddr("192.0.2.7"), Request: "req-1"}

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// world is a Service over a real store and a real module.
type world struct {
	testing.TB
	db    *store.DB
	gate  *hsm.Gate
	key   hsm.SigningKey
	clock *clock
	ident *identity.Service
	gone  []id.ID // for whom Removed was called
	fail  error   // what Removed answers
	*people.Service
}

func newWorld(t testing.TB, mode site.SignupMode) *world {
	t.Helper()
	w := &world{TB: t, db: storetest.Open(t), clock: &clock{t: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}, gate: new(hsm.Gate)}
	w.gate.Open(hsmtest.Memory(t))
	var err error
	w.key, err = w.gate.NewSigningKey(t.Context())
	w.ok(err)
	w.serve(mode)
	t.Cleanup(w.leaksNothing)
	return w
}

func (w *world) serve(mode site.SignupMode) {
	w.ident = identity.New(identity.Config{
		DB: store.Runner[identity.Tx](w.db), Signer: w.gate, Key: w.key, Pepper: make([]byte, 32), Now: w.clock.Now,
	})
	w.Service = people.New(people.Config{
		DB: store.Runner[people.Tx](w.db), Identity: w.ident, Signup: mode, PublicURL: "https://vault.example",
		Claim: share.ClaimHook, Now: w.clock.Now,
		Removed: func(_ context.Context, _, user id.ID) error {
			w.gone = append(w.gone, user)
			return w.fail
		},
	})
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

func (w *world) view(fn func(people.Tx) error) {
	w.Helper()
	w.ok(store.Runner[people.Tx](w.db).View(w.Context(), fn))
}

func (w *world) update(fn func(people.Tx) error) {
	w.Helper()
	w.ok(store.Runner[people.Tx](w.db).Update(w.Context(), fn))
}

// mails to an address, newest first.
func (w *world) mails(address string) (out []outbox.Message) {
	w.Helper()
	w.view(func(tx people.Tx) error {
		return tx.OutboxList(id.ID{}, id.ID{}, func(m outbox.Message) bool {
			if m.To == address {
				out = append(out, m)
			}
			return true
		})
	})
	return out
}

func (w *world) mailed(address string) string {
	w.Helper()
	all := w.mails(address)
	if len(all) == 0 {
		w.Fatalf("no mail to %s", address)
	}
	_, token, ok := strings.Cut(all[0].Body, "#token=")
	if !ok {
		w.Fatalf("no token in %s", all[0].Body)
	}
	token, _, _ = strings.Cut(token, "\n")
	return token
}

func (w *world) signUp(email string) error {
	w.Helper()
	tok, err := w.SignUp(w.Context(), people.Signup{Email: email, Password: first}, peer)
	if tok.JWT != "" {
		w.Error("a token before the address is confirmed")
	}
	return err
}

func (w *world) auth(token string) identity.Principal {
	w.Helper()
	p, err := w.ident.Authenticate(w.Context(), token, peer)
	w.ok(err)
	return p
}

func (w *world) dead(token string) {
	w.Helper()
	if _, err := w.ident.Authenticate(w.Context(), token, peer); err == nil {
		w.Error("a token that should be dead is good")
	}
}

// account makes one with an organisation of its own; the first is the platform's.
func (w *world) account(email string) identity.Principal {
	w.Helper()
	w.ok(w.signUp(email))
	tok, err := w.VerifyEmail(w.Context(), w.mailed(email), peer)
	w.ok(err)
	return w.auth(tok.JWT)
}

// member joins p's organisation.
func (w *world) member(p identity.Principal, email string, role identity.Role) identity.Principal {
	w.Helper()
	_, err := w.Invite(w.Context(), p, email, role)
	w.ok(err)
	tok, err := w.Accept(w.Context(), identity.Principal{}, w.mailed(email), first, "", peer)
	w.ok(err)
	return w.auth(tok.JWT)
}

func (w *world) login(email, password string) (people.Login, error) {
	w.Helper()
	return w.Login(w.Context(), email, password, peer)
}

// events are the actions, outcomes and reasons of all that was logged.
func (w *world) events() (out []string) {
	w.Helper()
	for _, raw := range w.leaves() {
		var e struct{ Action, Outcome, Reason string }
		w.ok(json.Unmarshal(raw, &e))
		out = append(out, strings.TrimSpace(e.Action+" "+e.Outcome+" "+e.Reason))
	}
	return out
}

// leaves are all events as they were logged. It is asked for at the end too,
// when the test's own context is over.
func (w *world) leaves() (out [][]byte) {
	_ = store.Runner[people.Tx](w.db).View(context.Background(), func(tx people.Tx) error {
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

// logs wants fn to leave exactly these events.
func (w *world) logs(want string, fn func()) {
	w.Helper()
	before := len(w.events())
	fn()
	if got := strings.Join(w.events()[before:], "; "); got != want {
		w.Errorf("logged %q, want %q", got, want)
	}
}

// leaksNothing looks for passwords in the log.
func (w *world) leaksNothing() {
	for _, raw := range w.leaves() {
		for _, secret := range []string{first, second, canary, "1ct_", "@example"} {
			if strings.Contains(string(raw), secret) {
				w.Errorf("%s is in the audit log: %s", secret, raw)
			}
		}
	}
}
