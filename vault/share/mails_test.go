package share_test

import (
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/outbox"
	"github.com/oneclaw/oneclawd/vault/outbox/letter"
	"github.com/oneclaw/oneclawd/vault/share"
)

// mailing makes the service write mails.
func (w *world) mailing() {
	people := identity.New(identity.Config{
		DB: store.Runner[identity.Tx](w.Store), Signer: w.gate, Key: w.key, Pepper: make([]byte, 32), Now: w.Clock.Now,
	})
	w.Service = share.New(share.Config{
		DB: store.Runner[share.Tx](w.Store), Vaults: w.vaults, Hasher: people, Now: w.Clock.Now,
		Notifier: share.Mails{Letters: letter.Writer{Base: "https://vault.example"}},
	})
}

// writes wants fn to leave mails, as "kind to address" in any order.
func (w *world) writes(fn func(), want ...string) (out []outbox.Message) {
	w.Helper()
	seen := map[id.ID]bool{}
	list := func(keep func(outbox.Message)) {
		w.Inspect(func(tx *store.Tx) error {
			return tx.OutboxList(id.ID{}, id.ID{}, func(m outbox.Message) bool { keep(m); return true })
		})
	}
	list(func(m outbox.Message) { seen[m.ID] = true })
	fn()
	var got []string
	list(func(m outbox.Message) {
		if !seen[m.ID] {
			out, got = append(out, m), append(got, string(m.Kind)+" to "+m.To)
		}
	})
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		w.Fatalf("mails: %q, want %q", got, want)
	}
	for _, m := range out {
		if m.Org != w.org || strings.Contains(m.Body+m.Subject, "a/b") || strings.Contains(m.Body, secretValue) {
			w.Fatalf("%+v\n%s", m, m.Body)
		}
	}
	return out
}

func TestE1_PeopleAreToldOfShares(t *testing.T) {
	w := newWorld(t)
	w.mailing()
	bot := w.agent(func(a *identity.Agent) { a.Name, a.Scopes = "scout", []string{"**"} })
	w.grant(bot, "**", `{}`)
	var s share.Share
	make := func(p identity.Principal, edit func(*share.Offer)) func() {
		return func() { s = w.madeBy(p, edit) }
	}
	mail := func(address string) func(*share.Offer) {
		return func(o *share.Offer) { o.Type, o.Email = share.ToEmail, address }
	}
	m := w.writes(make(w.alice, to(w.bob)), "share_invite to bob@example.com")[0]
	if !strings.Contains(m.Body, "alice@example.com shares a secret with you") || m.Personal {
		t.Errorf("%s", m.Body)
	}
	w.writes(func() { w.OK(w.Accept(w.Ctx, w.bob, s.ID)) }, "share_accepted to alice@example.com")
	w.writes(func() { w.OK(w.Accept(w.Ctx, w.bob, s.ID)) }) // which changes nothing
	m = w.writes(func() { w.opens(w.bob, s) }, "share_accessed to alice@example.com")[0]
	if !strings.Contains(m.Body, "from 192.0.2.7") || !strings.Contains(m.Body, "makes 1") {
		t.Errorf("%s", m.Body)
	}
	w.writes(func() { w.OK(w.Revoke(w.Ctx, w.alice, s.ID)) }, "share_revoked to bob@example.com")

	w.writes(make(w.alice, to(w.bob)), "share_invite to bob@example.com")
	w.writes(func() { w.OK(w.Decline(w.Ctx, w.bob, s.ID)) }, "share_declined to alice@example.com")
	w.writes(func() { w.OK(w.Revoke(w.Ctx, w.alice, s.ID)) }) // of what was declined

	w.writes(make(w.alice, mail("New@example.com")), "share_invite to New@example.com")
	w.writes(func() { w.OK(w.Revoke(w.Ctx, w.alice, s.ID)) }, "share_revoked to New@example.com")
	w.writes(make(w.alice, mail("foreign@example.com")), "share_invite to foreign@example.com")
	w.Clock.Add(8 * 24 * time.Hour)
	w.writes(func() { w.OK(w.Revoke(w.Ctx, w.alice, s.ID)) }) // of what had ended

	w.writes(make(w.alice, nil)) // anyone is nobody
	w.writes(func() { w.opens(nobody, s) }, "share_accessed to alice@example.com")
	w.writes(make(w.alice, to(bot)))
	w.writes(func() { w.OK(w.Accept(w.Ctx, bot, s.ID)) }, "share_accepted to alice@example.com")

	m = w.writes(make(bot, func(o *share.Offer) { o.Type = share.ToCreator }), "share_invite to alice@example.com")[0]
	if !strings.Contains(m.Body, "The agent scout shares") {
		t.Errorf("%s", m.Body)
	}
	w.writes(func() { w.OK(w.Accept(w.Ctx, w.alice, s.ID)) }, "share_accepted to alice@example.com") // for the agent
	w.editAgent(bot, func(a *identity.Agent) { a.CreatedBy = id.ID{} })
	w.writes(func() { w.opens(w.alice, s) })
	w.writes(func() { w.OK(w.EndOf(w.Ctx, w.alice.ID)) })
}

// A full outbox keeps nobody from sharing.
func TestE1_NoticesDoNotGetInTheWay(t *testing.T) {
	w := newWorld(t)
	w.mailing()
	w.Commit(func(tx *store.Tx) error {
		for range 1000 {
			m := outbox.Message{Org: w.org, Channel: outbox.Mail, Kind: "x", To: "x@example.com", CreatedAt: w.Clock.Now()}
			if err := outbox.Enqueue(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	w.writes(func() { w.opens(w.bob, w.accepted(w.bob)) })
}
