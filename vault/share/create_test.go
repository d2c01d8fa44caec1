package share_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
	"github.com/oneclaw/oneclawd/vault/share"
)

func TestR1_CreatorNeedsRead(t *testing.T) {
	w := newWorld(t)
	reader := w.agent(func(a *identity.Agent) { a.Scopes = []string{"a/*"} })
	writer := w.agent(func(a *identity.Agent) { a.Scopes = []string{"**"} })
	w.grant(reader, "**", "")
	_, err := w.vaults.CreatePolicy(w.Ctx, w.alice, w.v.ID, vault.Grant{
		Pattern: w.pattern("**"), Principal: writer.Policy(), Permissions: []policy.Permission{policy.Write},
	})
	w.OK(err)
	narrow, unscoped, bound := reader, reader, reader
	narrow.Scopes, unscoped.Scopes = []policy.Pattern{w.pattern("x/**")}, nil
	bound.VaultIDs = []id.ID{id.New()}
	guest, outside, late := w.user(w.org, "guest@example.com"), w.user(w.org, "out@example.com"), w.user(w.org, "late@example.com")
	w.grant(guest, "a/**", `{"ip_allowlist":["192.0.2.0/24"]}`)
	w.grant(outside, "a/**", `{"ip_allowlist":["10.0.0.0/8"]}`)
	w.grant(late, "a/**", `{"time_window":{"after":"14:00","before":"20:00","timezone":"UTC"}}`)

	for name, tt := range map[string]struct {
		p    identity.Principal
		want error
	}{
		"who made the vault":                {w.alice, nil},
		"a reader":                          {reader, nil},
		"by a policy whose conditions hold": {guest, nil},
		"by one whose network is another":   {outside, policy.ErrInsufficient},
		"by one whose hours are others":     {late, policy.ErrInsufficient},
		"who may only write":                {writer, policy.ErrInsufficient},
		"whose scopes are others":           {narrow, policy.ErrScopes},
		"who has no scopes":                 {unscoped, policy.ErrNoScopes},
		"whose vaults are others":           {bound, policy.ErrNotBound},
		"who manages the organisation":      {w.owner, policy.ErrInsufficient},
		"somebody of another organisation":  {w.foreign, vault.ErrSecretNotFound},
		"a member without a policy":         {w.bob, policy.ErrInsufficient},
	} {
		t.Run(name, func(t *testing.T) {
			w.TB = t
			w.Clock.Add(time.Minute)
			want := "share.create success"
			if tt.want != nil {
				want = "share.create refused " + fault.As(tt.want).Code
			}
			e := w.Logs(want, func() {
				_, err := w.Create(w.Ctx, tt.p, w.offer(nil))
				w.Is(err, tt.want)
			})[0]
			if e.Actor.ID != tt.p.ID || e.Org != tt.p.Org || e.Details["secret_id"] != w.sec.ID.String() {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestR1_WhatThereIsToShare(t *testing.T) {
	w := newWorld(t)
	soon := clocktest.Noon.Add(time.Hour)
	gone := w.put("deleted", "x", "")
	w.OK(w.vaults.Delete(w.Ctx, w.alice, w.v.ID, w.path("deleted")))
	short := w.write("short", vault.NewVersion{Value: plain.FromString("x"), ExpiresAt: &soon})
	once := w.write("once", vault.NewVersion{Value: plain.FromString("x"), MaxAccess: ptr(int64(1))})
	_, _, err := w.vaults.Read(w.Ctx, w.alice, w.v.ID, w.path("once"))
	w.OK(err)
	w.Clock.Add(time.Hour)
	for name, tt := range map[string]struct {
		o    share.Offer
		want error
	}{
		"by id":           {share.Offer{Secret: w.sec.ID}, nil},
		"by path":         {share.Offer{Vault: w.v.ID, Path: w.path("a/b")}, nil},
		"no such id":      {share.Offer{Secret: id.New()}, vault.ErrSecretNotFound},
		"no such path":    {share.Offer{Vault: w.v.ID, Path: w.path("never")}, vault.ErrSecretNotFound},
		"no such vault":   {share.Offer{Vault: id.New(), Path: w.path("a/b")}, vault.ErrVaultNotFound},
		"deleted":         {share.Offer{Secret: gone.ID}, vault.ErrSecretDeleted},
		"expired":         {share.Offer{Secret: short.ID}, vault.ErrSecretExpired},
		"read to the end": {share.Offer{Secret: once.ID}, vault.ErrSecretExhausted},
	} {
		tt.o.Type = share.ToAnyone
		_, err := w.Create(w.Ctx, w.alice, tt.o)
		if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	// Permission is decided before a path is looked up.
	_, err = w.Create(w.Ctx, w.bob, share.Offer{Vault: w.v.ID, Path: w.path("never"), Type: share.ToAnyone})
	w.Is(err, policy.ErrInsufficient)
}

func TestR1_Defaults(t *testing.T) {
	w := newWorld(t)
	s, err := w.Create(w.Ctx, w.alice, w.offer(nil))
	w.OK(err)
	if s.ID[6]>>4 != 4 {
		t.Errorf("%s can be guessed from its neighbours", s.ID)
	}
	if !s.ExpiresAt.Equal(clocktest.Noon.Add(7*24*time.Hour)) || s.MaxAccess != 0 || s.Accesses != 0 || s.Secret != w.sec.ID || s.Path != w.path("a/b") {
		t.Errorf("%+v", s)
	}
	at := clocktest.Noon.Add(time.Hour)
	s, err = w.Create(w.Ctx, w.alice, w.offer(func(o *share.Offer) { o.ExpiresAt, o.MaxAccess = &at, ptr(int64(5)) }))
	w.OK(err)
	if !s.ExpiresAt.Equal(at) || s.MaxAccess != 5 {
		t.Errorf("%+v", s)
	}
	for name, tt := range map[string]struct {
		edit func(*share.Offer)
		want error
	}{
		"past":            {func(o *share.Offer) { o.ExpiresAt = ptr(clocktest.Noon.Add(-time.Second)) }, share.ErrExpiryPast},
		"now":             {func(o *share.Offer) { o.ExpiresAt = ptr(clocktest.Noon) }, share.ErrExpiryPast},
		"no accesses":     {func(o *share.Offer) { o.MaxAccess = ptr(int64(0)) }, share.ErrMaxAccess},
		"fewer":           {func(o *share.Offer) { o.MaxAccess = ptr(int64(-1)) }, share.ErrMaxAccess},
		"over 31 bits":    {func(o *share.Offer) { o.MaxAccess = ptr(int64(1 << 31)) }, share.ErrMaxAccess},
		"unknown type":    {func(o *share.Offer) { o.Type = "everyone" }, share.ErrType},
		"no type":         {func(o *share.Offer) { o.Type = "" }, share.ErrType},
		"no passphrase":   {func(o *share.Offer) { o.Passphrase = ptr(plain.FromString("")) }, share.ErrNoPassphrase},
		"long passphrase": {func(o *share.Offer) { o.Passphrase = ptr(plain.FromString(strings.Repeat("x", 1025))) }, share.ErrNoPassphrase},
	} {
		if _, err := w.Create(w.Ctx, w.alice, w.offer(tt.edit)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func TestR1_TenAMinuteForAnOrganisation(t *testing.T) {
	w := newWorld(t)
	w.grant(w.bob, "**", "")
	other := w.user(w.foreign.Org, "second@example.com")
	v, err := w.vaults.Create(w.Ctx, other, "v", "")
	w.OK(err)
	theirs, err := w.vaults.Put(w.Ctx, other, v.ID, w.path("x"), vault.NewVersion{Value: plain.FromString("x")})
	w.OK(err)
	for range 30 { // what was refused does not count
		_, err := w.Create(w.Ctx, w.owner, w.offer(nil))
		w.Is(err, policy.ErrInsufficient)
	}
	for i := range 10 {
		p := w.alice
		if i%2 == 1 {
			p = w.bob
		}
		_, err := w.Create(w.Ctx, p, w.offer(nil))
		w.OK(err)
		w.Clock.Add(time.Second)
	}
	w.Logs("share.create refused share_limit", func() {
		_, err := w.Create(w.Ctx, w.alice, w.offer(nil))
		w.Is(err, share.ErrTooMany)
		if f := fault.As(err); f.Kind != fault.RateLimited || f.RetryAfter != 50*time.Second {
			t.Errorf("%v after %v", f.Kind, f.RetryAfter)
		}
	})
	_, err = w.Create(w.Ctx, w.owner, w.offer(nil)) // who may not, learns that
	w.Is(err, policy.ErrInsufficient)
	_, err = w.Create(w.Ctx, other, share.Offer{Secret: theirs.ID, Type: share.ToAnyone})
	w.OK(err)
	w.Clock.Add(50 * time.Second)
	_, err = w.Create(w.Ctx, w.alice, w.offer(nil))
	w.OK(err)
	_, err = w.Create(w.Ctx, w.alice, w.offer(nil))
	w.Is(err, share.ErrTooMany)
}

func TestR2_Recipients(t *testing.T) {
	w := newWorld(t)
	bot := w.agent(func(a *identity.Agent) { a.Scopes = []string{"**"} })
	w.grant(bot, "**", "")
	orphan := w.agent(func(a *identity.Agent) { a.Scopes, a.CreatedBy = []string{"**"}, id.ID{} })
	w.grant(orphan, "**", "")
	lost := w.agent(func(a *identity.Agent) { a.Scopes, a.CreatedBy = []string{"**"}, id.New() })
	w.grant(lost, "**", "")
	for name, tt := range map[string]struct {
		p    identity.Principal
		o    share.Offer
		want error
		for_ policy.Principal
	}{
		"a user":                      {w.alice, share.Offer{Type: share.ToUser, Recipient: w.bob.ID}, nil, w.bob.Policy()},
		"an agent":                    {w.alice, share.Offer{Type: share.ToAgent, Recipient: bot.ID}, nil, bot.Policy()},
		"a user, by an agent":         {bot, share.Offer{Type: share.ToUser, Recipient: w.bob.ID}, nil, w.bob.Policy()},
		"no user named":               {w.alice, share.Offer{Type: share.ToUser}, share.ErrRecipient, policy.Principal{}},
		"no agent named":              {w.alice, share.Offer{Type: share.ToAgent}, share.ErrRecipient, policy.Principal{}},
		"nobody":                      {w.alice, share.Offer{Type: share.ToUser, Recipient: id.New()}, share.ErrRecipient, policy.Principal{}},
		"an agent as a user":          {w.alice, share.Offer{Type: share.ToUser, Recipient: bot.ID}, share.ErrRecipient, policy.Principal{}},
		"a user as an agent":          {w.alice, share.Offer{Type: share.ToAgent, Recipient: w.bob.ID}, share.ErrRecipient, policy.Principal{}},
		"somebody of another org":     {w.alice, share.Offer{Type: share.ToUser, Recipient: w.foreign.ID}, share.ErrRecipient, policy.Principal{}},
		"an address":                  {w.alice, share.Offer{Type: share.ToEmail, Email: "new@example.com"}, nil, policy.Principal{}},
		"an address, by an agent":     {bot, share.Offer{Type: share.ToEmail, Email: "new@example.com"}, identity.ErrUsersOnly, policy.Principal{}},
		"no address":                  {w.alice, share.Offer{Type: share.ToEmail}, identity.ErrEmail, policy.Principal{}},
		"not an address":              {w.alice, share.Offer{Type: share.ToEmail, Email: "x"}, identity.ErrEmail, policy.Principal{}},
		"its creator, by an agent":    {bot, share.Offer{Type: share.ToCreator}, nil, w.alice.Policy()},
		"its creator, by a user":      {w.alice, share.Offer{Type: share.ToCreator}, share.ErrNoCreator, policy.Principal{}},
		"its creator, having none":    {orphan, share.Offer{Type: share.ToCreator}, share.ErrNoCreator, policy.Principal{}},
		"its creator, who is not any": {lost, share.Offer{Type: share.ToCreator}, share.ErrNoCreator, policy.Principal{}},
		"anyone":                      {w.alice, share.Offer{Type: share.ToAnyone, Recipient: w.bob.ID}, nil, policy.Principal{}},
	} {
		w.Clock.Add(time.Minute)
		tt.o.Secret = w.sec.ID
		s, err := w.Create(w.Ctx, tt.p, tt.o)
		if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) || err == nil && s.Recipient != tt.for_ {
			t.Errorf("%s: for %v, %v; want %v, %v", name, s.Recipient, err, tt.for_, tt.want)
		}
	}
	if len(w.told.invited) != 1 || w.told.invited[0].Email != "new@example.com" {
		t.Errorf("invited: %v", w.told.invited)
	}
}

// What cannot be told to anybody did not happen.
func TestNotifierFails(t *testing.T) {
	w := newWorld(t)
	w.told.fail = errors.New("the outbox is full")
	w.Logs("", func() {
		_, err := w.Create(w.Ctx, w.alice, w.offer(func(o *share.Offer) { o.Type, o.Email = share.ToEmail, "new@example.com" }))
		w.Is(err, w.told.fail)
	})
	s := w.made(nil)
	w.Logs("", func() { w.refuses(nobody, s, w.told.fail) })
	if now, _ := w.record(s); now.Accesses != 0 {
		t.Errorf("%d accesses", now.Accesses)
	}
	w.told.fail = nil
	w.opens(nobody, s)
}
