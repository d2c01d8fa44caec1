package share_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
	"github.com/oneclaw/oneclawd/vault/share"
)

func (w *world) addr(ip string) netip.Addr {
	w.Helper()
	a, err := netip.ParseAddr(ip)
	w.OK(err)
	return a
}

func TestR6_Answers(t *testing.T) {
	w := newWorld(t)
	s := w.made(to(w.bob))
	e := w.Logs("share.accept success; share.accept success", func() {
		w.OK(w.Accept(w.Ctx, w.bob, s.ID))
		w.OK(w.Accept(w.Ctx, w.bob, s.ID))
	})[0]
	if e.Actor.ID != w.bob.ID || e.Org != w.org || e.Details["path"] != "a/b" || e.Details["share_id"] != s.ID.String() {
		t.Errorf("%+v", e)
	}
	w.Logs("share.decline success; share.decline refused share_not_found", func() {
		w.OK(w.Decline(w.Ctx, w.bob, s.ID))
		w.Is(w.Decline(w.Ctx, w.bob, s.ID), share.ErrNotFound)
	})
	for _, p := range []identity.Principal{w.bob, w.owner} {
		w.Logs("share.revoke refused not_the_creator", func() { w.Is(w.Revoke(w.Ctx, p, s.ID), share.ErrNotCreator) })
	}
	w.Logs("share.revoke success; share.revoke refused share_not_found", func() {
		w.OK(w.Revoke(w.Ctx, w.alice, s.ID))
		w.Is(w.Revoke(w.Ctx, w.alice, s.ID), share.ErrNotFound)
	})
	link := w.made(nil)
	w.Is(w.Accept(w.Ctx, w.bob, link.ID), share.ErrNotRecipient)
	w.Is(w.Accept(w.Ctx, w.bob, id.Random()), share.ErrNotFound)
}

// TestOtherOrganisationsLearnOfNoShare has somebody try what is not theirs, of
// which the organisation that it belongs to is told.
func TestOtherOrganisationsLearnOfNoShare(t *testing.T) {
	w := newWorld(t)
	for _, s := range []share.Share{w.made(to(w.bob)), w.made(nil)} {
		for _, p := range []identity.Principal{w.foreign, {}} {
			events := w.Logs("share.accept refused share_not_found; share.decline refused share_not_found; share.revoke refused share_not_found", func() {
				w.Is(w.Accept(w.Ctx, p, s.ID), share.ErrNotFound)
				w.Is(w.Decline(w.Ctx, p, s.ID), share.ErrNotFound)
				w.Is(w.Revoke(w.Ctx, p, s.ID), share.ErrNotFound)
			})
			for _, e := range events {
				if e.Org != w.org {
					t.Errorf("%+v", e)
				}
			}
		}
	}
}

func (w *world) lists(p identity.Principal, in bool, want ...share.Share) {
	w.Helper()
	list, err := w.Outbound(w.Ctx, p)
	if in {
		list, err = w.Inbound(w.Ctx, p)
	}
	w.OK(err)
	if list == nil {
		w.Fatal("no list")
	}
	var got, wanted []id.ID
	for _, s := range list {
		got = append(got, s.ID)
	}
	for _, s := range want {
		wanted = append(wanted, s.ID)
	}
	if fmt.Sprint(got) != fmt.Sprint(wanted) {
		w.Fatalf("list: %v, want %v", got, wanted)
	}
}

func TestR7_Lists(t *testing.T) {
	w := newWorld(t)
	bot := w.agent(func(a *identity.Agent) { a.Scopes = []string{"**"} })
	w.grant(bot, "**", "")
	for _, p := range []identity.Principal{w.alice, w.bob, bot, w.foreign} {
		w.lists(p, false)
		w.lists(p, true)
	}
	one, two, three := w.made(to(w.bob)), w.made(nil), w.made(to(bot))
	back := w.madeBy(bot, func(o *share.Offer) { o.Type = share.ToCreator })
	w.lists(w.alice, false, one, two, three)
	w.lists(w.bob, true, one)
	w.lists(bot, true, three)
	w.lists(bot, false, back)
	w.lists(w.alice, true, back)
	w.lists(w.owner, false)
	w.restart()
	w.lists(w.alice, false, one, two, three)
	w.OK(w.Decline(w.Ctx, w.bob, one.ID))
	w.lists(w.bob, true)
	w.lists(w.alice, false, one, two, three)
	w.OK(w.Revoke(w.Ctx, w.alice, two.ID))
	w.lists(w.alice, false, one, three)
	w.OK(w.Revoke(w.Ctx, w.alice, three.ID))
	w.lists(bot, true)

	statuses := func(s share.Share, want share.Status) {
		t.Helper()
		now, _ := w.record(s)
		if got := now.Status(w.Clock.Now()); got != want {
			t.Errorf("status %s, want %s", got, want)
		}
	}
	once := w.made(func(o *share.Offer) { o.MaxAccess = ptr(int64(1)) })
	pending := w.made(to(w.bob))
	statuses(one, share.Declined)
	statuses(once, share.Active)
	statuses(pending, share.Pending)
	w.opens(nobody, once)
	w.OK(w.Accept(w.Ctx, w.bob, pending.ID))
	statuses(once, share.Exhausted)
	statuses(pending, share.Accepted)
	w.Clock.Add(8 * 24 * time.Hour)
	statuses(pending, share.Expired)
	w.lists(w.bob, true, pending)
	w.OK(w.vaults.DeleteVault(w.Ctx, w.alice, w.v.ID))
	w.lists(w.bob, true)
	w.lists(w.alice, false)
}

func TestLook(t *testing.T) {
	w := newWorld(t)
	s := w.made(to(w.bob))
	for _, p := range []identity.Principal{w.alice, w.bob} {
		w.Logs("", func() {
			got, err := w.Look(w.Ctx, p, s.ID)
			w.OK(err)
			if got.ID != s.ID {
				t.Errorf("%+v", got)
			}
		})
	}
	for _, p := range []identity.Principal{w.owner, w.foreign, w.agent(nil)} {
		w.Logs("share.read refused share_not_found", func() {
			_, err := w.Look(w.Ctx, p, s.ID)
			w.Is(err, share.ErrNotFound)
		})
	}
	w.OK(w.Decline(w.Ctx, w.bob, s.ID))
	_, err := w.Look(w.Ctx, w.bob, s.ID)
	w.Is(err, share.ErrNotFound)
	_, err = w.Look(w.Ctx, w.alice, s.ID)
	w.OK(err)
}

// claims runs what signing in does.
func (w *world) claims(u identity.User) {
	w.Helper()
	w.Commit(func(tx *store.Tx) error { return share.ClaimHook(tx, u) })
}

func TestR8_ClaimedByAddress(t *testing.T) {
	w := newWorld(t)
	const address = "New.Person@Example.com"
	mail := func(to string) func(*share.Offer) {
		return func(o *share.Offer) { o.Type, o.Email = share.ToEmail, to }
	}
	one, two, other := w.made(mail(address)), w.made(mail(" new.person@example.com ")), w.made(mail("other@example.com"))
	dead := w.made(func(o *share.Offer) { mail(address)(o); o.ExpiresAt = ptr(w.Clock.Now().Add(time.Minute)) })
	revoked := w.made(mail(address))
	w.OK(w.Revoke(w.Ctx, w.alice, revoked.ID))
	w.restart()

	org := id.New()
	u := identity.User{ID: id.New(), Org: org, Email: "NEW.person@example.com"}
	p := identity.Principal{Kind: identity.KindUser, ID: u.ID, Org: org, IP: peer}
	w.claims(u) // not verified
	w.lists(p, true)
	w.refuses(p, one, share.ErrNotRecipient)
	w.Is(w.Accept(w.Ctx, p, one.ID), share.ErrNotFound)
	u.EmailVerified = true
	events := w.Logs("share.claim success; share.claim success; share.claim success", func() { w.claims(u) })
	if e := events[0]; e.Org != w.org || e.Actor.ID != u.ID || e.Details["recipient_id"] != u.ID.String() {
		t.Errorf("%+v", e)
	}
	w.Logs("", func() { w.claims(u) })
	w.lists(p, true, one, two, dead)
	w.refuses(p, one, share.ErrNotAccepted)
	w.OK(w.Accept(w.Ctx, p, one.ID))
	w.opens(p, one)
	w.refuses(p, two, share.ErrNotAccepted)
	w.refuses(p, other, share.ErrNotRecipient)
	w.Inspect(func(tx *store.Tx) error {
		list, err := tx.PendingShares("new.person@example.com")
		if len(list) > 0 {
			t.Errorf("%v still wait", list)
		}
		return err
	})
	thief := u
	thief.ID = id.New()
	w.Logs("", func() { w.claims(thief) })
	w.OK(w.Revoke(w.Ctx, w.alice, two.ID))
	w.lists(p, true, one, dead)

	// Who has an account already need not sign in anew.
	known := w.made(mail("BOB@example.com"))
	w.lists(w.bob, true, known)
	w.refuses(w.bob, known, share.ErrNotAccepted)
	// Who merely says that the address is theirs does.
	w.user(org, "claimed@example.com")
	w.Commit(func(tx *store.Tx) error {
		ref, _, err := tx.UserByEmail("claimed@example.com")
		if err != nil {
			return err
		}
		u, _, err = tx.User(ref.Org, ref.User)
		u.EmailVerified = false
		return errors.Join(err, tx.PutUser(u))
	})
	p.ID = u.ID
	unproven := w.made(mail("claimed@example.com"))
	w.lists(p, true)
	u.EmailVerified = true
	w.claims(u)
	w.lists(p, true, unproven)
	if len(w.told.invited) != 7 {
		t.Errorf("%d invitations", len(w.told.invited))
	}
	for _, text := range []string{"erson@", "other@", "BOB@", "bob@"} {
		if w.logHas(text) {
			t.Errorf("%s is in the audit log", text)
		}
	}
}

func TestR8_PendingIsBounded(t *testing.T) {
	w := newWorld(t)
	mail := func(o *share.Offer) {
		o.Type, o.Email, o.ExpiresAt = share.ToEmail, "x@example.com", ptr(clocktest.Noon.Add(10*time.Hour))
	}
	for range 256 {
		w.made(mail)
	}
	w.Clock.Add(time.Minute)
	w.Logs("share.create refused too_many_pending_shares", func() {
		_, err := w.Create(w.Ctx, w.alice, w.offer(mail))
		w.Is(err, share.ErrPending)
	})
	w.Clock.Add(10 * time.Hour)
	w.made(func(o *share.Offer) { mail(o); o.ExpiresAt = nil })
	w.Inspect(func(tx *store.Tx) error {
		list, err := tx.PendingShares("x@example.com")
		if len(list) != 1 {
			t.Errorf("%d wait", len(list))
		}
		return err
	})
}

func TestForget(t *testing.T) {
	w := newWorld(t)
	old := w.made(nil)
	mail := w.made(func(o *share.Offer) { o.Type, o.Email = share.ToEmail, "x@example.com" })
	kept := w.made(func(o *share.Offer) { o.ExpiresAt = ptr(clocktest.Noon.Add(1000 * time.Hour)) })
	w.Clock.Add((7+30)*24*time.Hour + time.Minute)
	w.OK(w.Forget(w.Ctx))
	w.refuses(nobody, old, share.ErrNotFound)
	w.opens(nobody, kept)
	w.lists(w.alice, false, kept)
	w.Inspect(func(tx *store.Tx) error {
		list, err := tx.PendingShares("x@example.com")
		if len(list) > 0 {
			t.Errorf("%s still waits", mail.ID)
		}
		return err
	})
	w.OK(w.vaults.DeleteVault(w.Ctx, w.alice, w.v.ID))
	w.OK(w.Forget(w.Ctx))
	w.Inspect(func(tx *store.Tx) error {
		left, err := tx.Shares(id.ID{}, 0)
		out, err2 := tx.Outbound(policy.Principal{Type: policy.User, ID: w.alice.ID})
		if len(left)+len(out) > 0 || err2 != nil {
			t.Errorf("left: %v %v %v", left, out, err2)
		}
		return err
	})
}
