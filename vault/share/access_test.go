package share_test

import (
	"errors"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/share"
)

func TestR3_AnyoneWithTheLink(t *testing.T) {
	w := newWorld(t)
	s := w.made(func(o *share.Offer) { o.MaxAccess = ptr(int64(9)) })
	e := w.Logs("share.access success", func() {
		got, err := w.Access(w.Ctx, nobody, s.ID, plain.Bytes{})
		w.OK(err)
		if string(got.Value.Reveal()) != secretValue || got.Share.Accesses != 1 || got.Secret.ID != w.sec.ID {
			t.Errorf("%+v", got)
		}
	})[0]
	if e.Actor.Type != "anonymous" || !e.Actor.ID.IsZero() || e.Org != w.org || e.IP != peer.String() || e.Request != "req-nobody" ||
		e.Resource != (audit.Resource{Type: "share", ID: s.ID.String()}) || e.Details["path"] != "a/b" || e.Details["access_count"] != 1.0 ||
		e.Details["max_access_count"] != 9.0 || e.Details["recipient_type"] != "anyone_with_link" || e.Details["version"] != 1.0 {
		t.Errorf("%+v", e)
	}
	for _, p := range []identity.Principal{w.alice, w.bob, w.foreign, w.agent(nil)} {
		w.opens(p, s)
	}
	w.Logs("share.access refused share_not_found", func() { w.refuses(nobody, share.Share{ID: id.Random()}, share.ErrNotFound) })
	if n := len(w.told.accessed); n != 5 || w.told.accessed[4].Accesses != 5 {
		t.Errorf("told of %d accesses", n)
	}
}

func TestR3_TargetedNeedsRecipientAndAccept(t *testing.T) {
	w := newWorld(t)
	bot := w.agent(nil)
	lender := w.agent(func(a *identity.Agent) { a.Scopes = []string{"**"} })
	w.grant(lender, "**", "")
	for _, to := range []struct {
		from, who identity.Principal
		typ       share.Type
	}{
		{w.alice, w.bob, share.ToUser}, {w.alice, bot, share.ToAgent}, {lender, w.alice, share.ToCreator}, {lender, bot, share.ToAgent},
	} {
		t.Run(string(to.from.Kind)+" to "+string(to.typ), func(t *testing.T) {
			w.TB = t
			s := w.madeBy(to.from, func(o *share.Offer) { o.Type, o.Recipient = to.typ, to.who.ID })
			others := []identity.Principal{nobody, w.owner, w.foreign, w.agent(nil)}
			for _, p := range append(others, to.from) {
				w.refuses(p, s, share.ErrNotRecipient)
				why := share.ErrNotRecipient
				if p.Org != w.org {
					why = share.ErrNotFound
				}
				w.Is(w.Accept(w.Ctx, p, s.ID), why)
				w.Is(w.Decline(w.Ctx, p, s.ID), why)
			}
			// The same identifier, but of another kind.
			twin := to.who
			twin.Kind = map[identity.Kind]identity.Kind{identity.KindUser: identity.KindAgent, identity.KindAgent: identity.KindUser}[twin.Kind]
			w.refuses(twin, s, share.ErrNotRecipient)
			w.Logs("share.access refused share_not_accepted", func() { w.refuses(to.who, s, share.ErrNotAccepted) })
			w.OK(w.Accept(w.Ctx, to.who, s.ID))
			w.opens(to.who, s)
			for _, p := range others {
				w.refuses(p, s, share.ErrNotRecipient)
			}
			if now, _ := w.record(s); now.Accesses != 1 {
				t.Errorf("%d accesses counted", now.Accesses)
			}
		})
	}
}

// A share needs no policy, scope or binding of who it is for.
func TestR3_RecipientNeedsNothingElse(t *testing.T) {
	w := newWorld(t)
	bound := w.agent(func(a *identity.Agent) { a.VaultIDs, a.Scopes = []id.ID{id.New()}, []string{"x/**"} })
	w.opens(bound, w.accepted(bound))
}

func TestR4_Ends(t *testing.T) {
	w := newWorld(t)
	at := clocktest.Noon.Add(time.Hour)
	short := w.made(func(o *share.Offer) { o.ExpiresAt = &at })
	twice := w.made(func(o *share.Offer) { o.MaxAccess = ptr(int64(2)) })
	forBob := w.made(func(o *share.Offer) { to(w.bob)(o); o.ExpiresAt = &at })
	w.opens(nobody, twice)
	w.opens(nobody, twice)
	w.Logs("share.access refused share_exhausted", func() { w.refuses(nobody, twice, share.ErrExhausted) })
	w.Clock.Add(at.Add(-time.Nanosecond).Sub(w.Clock.Now()))
	w.opens(nobody, short)
	w.Clock.Add(time.Nanosecond)
	w.Logs("share.access refused share_expired", func() { w.refuses(nobody, short, share.ErrExpired) })
	w.refuses(w.bob, forBob, share.ErrExpired)
	w.refuses(w.foreign, forBob, share.ErrNotRecipient) // who it is not for does not learn it
	w.Is(w.Accept(w.Ctx, w.bob, forBob.ID), share.ErrExpired)
	revoked, declined := w.made(nil), w.accepted(w.bob)
	w.OK(w.Revoke(w.Ctx, w.alice, revoked.ID))
	w.OK(w.Decline(w.Ctx, w.bob, declined.ID))
	w.refuses(nobody, revoked, share.ErrNotFound)
	w.refuses(w.bob, declined, share.ErrNotFound)
	w.Is(w.Accept(w.Ctx, w.bob, declined.ID), share.ErrNotFound)
}

func TestR4_FollowsTheSecret(t *testing.T) {
	w := newWorld(t)
	s := w.made(nil)
	w.opens(nobody, s)
	w.put("a/b", "second", "")
	if got, err := w.open(nobody, s, ""); err != nil || got != "second" {
		t.Errorf("%q, %v", got, err)
	}
	w.OK(w.vaults.Delete(w.Ctx, w.alice, w.v.ID, w.path("a/b")))
	w.refuses(nobody, s, vault.ErrSecretDeleted)
	w.put("a/b", secretValue, "")
	w.opens(nobody, s)
	w.write("a/b", vault.NewVersion{Value: plain.FromString("x"), ExpiresAt: ptr(w.Clock.Now().Add(time.Minute))})
	w.Clock.Add(time.Minute)
	w.Logs("share.access refused secret_expired", func() { w.refuses(nobody, s, vault.ErrSecretExpired) })
	w.put("a/b", secretValue, "")
	_, _, err := w.vaults.DisableVersion(w.Ctx, w.alice, w.v.ID, w.path("a/b"), 5)
	w.OK(err)
	w.refuses(nobody, s, vault.ErrVersionDisabled)
	if now, _ := w.record(s); now.Accesses != 3 {
		t.Errorf("%d accesses", now.Accesses)
	}
	w.OK(w.vaults.DeleteVault(w.Ctx, w.alice, w.v.ID))
	w.refuses(nobody, s, vault.ErrSecretDeleted)
}

// An access is a read of the secret too.
func TestR4_CountsAgainstTheSecret(t *testing.T) {
	w := newWorld(t)
	w.write("a/b", vault.NewVersion{Value: plain.FromString(secretValue), MaxAccess: ptr(int64(3))})
	s := w.made(nil)
	w.opens(nobody, s)
	_, _, err := w.vaults.Read(w.Ctx, w.alice, w.v.ID, w.path("a/b"))
	w.OK(err)
	w.opens(nobody, s)
	w.refuses(nobody, s, vault.ErrSecretExhausted)
	_, _, err = w.vaults.Read(w.Ctx, w.alice, w.v.ID, w.path("a/b"))
	w.Is(err, vault.ErrSecretExhausted)
	if now, _ := w.record(s); now.Accesses != 2 {
		t.Errorf("%d accesses", now.Accesses)
	}
}

// A share lends what its creator has, where and when the creator has it.
func TestLentRightIsDecidedAtEachAccess(t *testing.T) {
	w := newWorld(t)
	bot := w.agent(func(a *identity.Agent) { a.Scopes = []string{"**"} })
	lapsed := func(s share.Share) {
		t.Helper()
		e := w.Logs("share.access refused share_lapsed", func() { w.refuses(nobody, s, share.ErrLapsed) })[0]
		if e.Details["path"] != "a/b" || e.Details["vault_id"] != w.v.ID.String() {
			t.Errorf("%+v", e)
		}
	}
	pol := w.grant(bot, "a/**", `{"ip_allowlist":["192.0.2.0/24"],"time_window":{"after":"08:00","before":"18:00","timezone":"UTC"}}`)
	s := w.madeBy(bot, nil)
	e := w.Logs("share.access success", func() { w.opens(nobody, s) })[0]
	if len(e.Policies) != 1 || e.Policies[0] != pol.ID {
		t.Errorf("policies %v", e.Policies)
	}
	away := nobody
	away.IP = peer.Next().Next()
	w.opens(away, s)
	away.IP = w.addr("198.51.100.1")
	w.refuses(away, s, share.ErrLapsed)
	w.Clock.Add(8 * time.Hour)
	lapsed(s)
	w.Clock.Add(16 * time.Hour)
	w.opens(nobody, s)

	for name, edit := range map[string]struct{ do, undo func(*identity.Agent) }{
		"deactivated":  {func(a *identity.Agent) { a.Active = false }, func(a *identity.Agent) { a.Active = true }},
		"expired":      {func(a *identity.Agent) { a.ExpiresAt = ptr(clocktest.Noon) }, func(a *identity.Agent) { a.ExpiresAt = nil }},
		"bound":        {func(a *identity.Agent) { a.VaultIDs = []id.ID{id.New()} }, func(a *identity.Agent) { a.VaultIDs = nil }},
		"other scopes": {func(a *identity.Agent) { a.Scopes = []string{"x"} }, func(a *identity.Agent) { a.Scopes = nil }},
	} {
		w.editAgent(bot, edit.do)
		t.Log(name)
		lapsed(s)
		w.editAgent(bot, edit.undo)
		w.opens(nobody, s)
	}
	w.OK(w.vaults.DeletePolicy(w.Ctx, w.alice, w.v.ID, pol.ID))
	lapsed(s)
	if now, _ := w.record(s); now.Accesses != 7 {
		t.Errorf("%d accesses", now.Accesses)
	}
}

func TestR5_AddressAllowlist(t *testing.T) {
	w := newWorld(t)
	s := w.made(func(o *share.Offer) {
		w.OK(o.Conditions.UnmarshalJSON([]byte(`{"ip_allowlist":["192.0.2.7","10.0.0.0/8"]}`)))
	})
	w.opens(nobody, s)
	for _, ip := range []string{"192.0.2.8", "11.0.0.1", "::1"} {
		p := nobody
		p.IP = w.addr(ip)
		w.Logs("share.access refused share_address", func() { w.refuses(p, s, share.ErrAddress) })
	}
	w.refuses(identity.Principal{}, s, share.ErrAddress)
	w.restart()
	w.opens(nobody, s)
}

func TestR9_SigningKeysAreNotLent(t *testing.T) {
	w := newWorld(t)
	signer := w.agent(func(a *identity.Agent) { a.Intents, a.Scopes = true, []string{"**"} })
	w.grant(signer, "**", "")
	bot := w.agent(nil)
	forSigner, forBot, link := w.accepted(signer), w.accepted(bot), w.made(nil)
	made := w.madeBy(signer, nil)
	for _, typ := range []vault.Type{vault.TypePrivateKey, vault.TypeSSHKey} {
		w.put("a/b", secretValue, typ) // the share follows
		w.Logs("share.access refused signing_key_protected", func() { w.refuses(signer, forSigner, vault.ErrSigningKey) })
		w.refuses(signer, link, vault.ErrSigningKey)
		w.refuses(nobody, link, share.ErrStranger) // who might be the agent
		w.refuses(w.bob, made, vault.ErrSigningKey)
		_, err := w.Create(w.Ctx, signer, w.offer(nil))
		w.Is(err, vault.ErrSigningKey)
		w.opens(bot, forBot)
		w.opens(w.foreign, link)
	}
	w.put("a/b", secretValue, "note")
	for _, s := range []share.Share{link, made} {
		w.opens(nobody, s)
	}
	w.opens(signer, forSigner)
	// An agent that becomes one later, without a new token.
	w.put("a/b", secretValue, vault.TypePrivateKey)
	bot.Intents = true
	w.refuses(bot, forBot, vault.ErrSigningKey)
}

func TestHSM_OutageDuringAccess(t *testing.T) {
	w := newWorld(t)
	s := w.made(func(o *share.Offer) { o.MaxAccess = ptr(int64(2)) })
	w.module.down.Store(true)
	w.Logs("share.access success; share.access failed "+hsm.ErrUnavailable.Code, func() { w.refuses(nobody, s, hsm.ErrUnavailable) })
	w.module.down.Store(false)
	w.opens(nobody, s)
	w.refuses(nobody, s, share.ErrExhausted)
}

func TestSealed(t *testing.T) {
	w := newWorld(t)
	s := w.made(nil)
	w.OK(w.gate.Close())
	_, err := w.open(nobody, s, "")
	if !errors.Is(err, hsm.ErrSealed) {
		t.Error(err)
	}
}
