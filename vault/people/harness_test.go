package people_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"

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

// world is a Service over a real store and a real module.
type world struct {
	storetest.World
	gate  *hsm.Gate
	key   hsm.SigningKey
	ident *identity.Service
	gone  []id.ID // for whom Removed was called
	fail  error   // what Removed answers
	*people.Service
}

func newWorld(t testing.TB, mode site.SignupMode) *world {
	t.Helper()
	w := &world{World: storetest.NewWorld(t), gate: new(hsm.Gate)}
	w.gate.Open(hsmtest.Memory(t))
	var err error
	w.key, err = w.gate.NewSigningKey(t.Context())
	w.OK(err)
	w.serve(mode)
	w.watch()
	return w
}

func (w *world) serve(mode site.SignupMode) {
	w.ident = identity.New(identity.Config{
		DB: store.Runner[identity.Tx](w.Store), Signer: w.gate, Key: w.key, Pepper: make([]byte, 32), Now: w.Clock.Now,
	})
	w.Service = people.New(people.Config{
		DB: store.Runner[people.Tx](w.Store), Identity: w.ident, Signup: mode, PublicURL: "https://vault.example",
		Claim: share.ClaimHook, Now: w.Clock.Now,
		Removed: func(_ context.Context, _, user id.ID) error {
			w.gone = append(w.gone, user)
			return w.fail
		},
	})
}

// mails to an address, newest first.
func (w *world) mails(address string) (out []outbox.Message) {
	w.Helper()
	w.Inspect(func(tx *store.Tx) error {
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
	w.OK(err)
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
	w.OK(w.signUp(email))
	tok, err := w.VerifyEmail(w.Context(), w.mailed(email), peer)
	w.OK(err)
	return w.auth(tok.JWT)
}

// member joins p's organisation.
func (w *world) member(p identity.Principal, email string, role identity.Role) identity.Principal {
	w.Helper()
	_, err := w.Invite(w.Context(), p, email, role)
	w.OK(err)
	tok, err := w.Accept(w.Context(), identity.Principal{}, w.mailed(email), first, "", peer)
	w.OK(err)
	return w.auth(tok.JWT)
}

func (w *world) login(email, password string) (people.Login, error) {
	w.Helper()
	return w.Login(w.Context(), email, password, peer)
}

// reopen is what a restart does.
func (w *world) reopen(mode site.SignupMode) {
	w.Helper()
	w.Reopen()
	w.serve(mode)
	w.watch()
}

// watch has the log looked through at the end, before this store is closed.
func (w *world) watch() {
	db := w.Store
	w.Cleanup(func() {
		if w.Store == db {
			w.leaksNothing()
		}
	})
}

// leaksNothing looks for passwords in the log.
func (w *world) leaksNothing() {
	for _, raw := range w.Leaves(0) {
		for _, secret := range []string{first, second, canary, "1ct_", "@example"} {
			if strings.Contains(string(raw), secret) {
				w.Errorf("%s is in the audit log: %s", secret, raw)
			}
		}
	}
}
