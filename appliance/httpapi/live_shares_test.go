package httpapi

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/share"
)

const (
	shareItemKeys = "id share_url secret_id secret_path recipient_type status access_count expires_at created_at is_expired is_accepted"
	openedKeys    = "id path type value access_count"
)

// shareLifecycle is every operation of shares; see lifecycle.
func shareLifecycle(l *live) []operation {
	var secret, self, first, second, third string
	url := func(format string, s *string) func() string {
		return func() string { return fmt.Sprintf(format, *s) }
	}
	fixed := func(text string) func() string { return func() string { return text } }
	setUp := func() string {
		secret = l.put(l.vault("owner", "shared"), "a/b", canary).text("id")
		self = l.ownerID.String()
		return "/v1/secrets/" + secret + "/share"
	}
	toSelf := func() string {
		return `{"secret_id":"` + secret + `","recipient_type":"user","recipient_id":"` + self + `"}`
	}
	return []operation{
		{"createShare", post, setUp, "owner", fixed(`{"recipient_type":"anyone_with_link","expires_at":"2100-01-01T00:00:00Z","passphrase":"p"}`), 201, "share.create success", func(a answered) { first = a.text("id") }, "any"},
		{"createShareOf", post, fixed("/v1/shares"), "owner", toSelf, 201, "share.create success", func(a answered) { second = a.text("id") }, "any"},
		{"accessShareWithPassphrase", post, url("/v1/shares/%s/access", &first), "", fixed(`{"passphrase":"p"}`), 200, "share.access success", nil, ""},
		{"acceptShare", post, url("/v1/shares/%s/accept", &second), "owner", nil, 204, "share.accept success", nil, "any"},
		{"accessShare", get, url("/v1/share/%s", &second), "owner", nil, 200, "share.access success", nil, ""},
		{"getShare", get, url("/v1/shares/%s", &second), "owner", nil, 200, "none", nil, "any"},
		{"listOutboundShares", get, fixed("/v1/shares/outbound"), "owner", nil, 200, "none", nil, "any"},
		{"listInboundShares", get, fixed("/v1/shares/inbound"), "owner", nil, 200, "none", nil, "any"},
		{"listShares", get, fixed("/v1/shares?direction=inbound"), "owner", nil, 200, "none", func(answered) {
			third = l.want(step{method: post, url: "/v1/shares", as: "owner", body: toSelf(), status: 201}).text("id")
		}, "any"},
		{"declineShare", post, url("/v1/shares/%s/decline", &third), "owner", nil, 204, "share.decline success", nil, "any"},
		{"revokeShare", remove, url("/v1/share/%s", &first), "owner", nil, 204, "share.revoke success", nil, "any"},
		{"revokeShareById", remove, url("/v1/shares/%s", &second), "owner", nil, 204, "share.revoke success", nil, "any"},
	}
}

// shared makes a share of a secret as somebody and returns its id; more is as
// in agent. Ten a minute is not what most tests are about.
func (l *live) shared(as, secret, typ, more string) string {
	l.Helper()
	l.clock.advance(7 * time.Second)
	return l.want(step{
		method: post, url: "/v1/secrets/" + secret + "/share", as: as, status: 201, body: `{"recipient_type":"` + typ + `"` + more + `}`,
	}).text("id")
}

// secretToShare is the owner's, at api-keys/stripe.
func (l *live) secretToShare() (vault, secret string) {
	l.Helper()
	vault = l.vault("owner", "v")
	l.tokens["owner"] = l.tokens["key"] // the clock runs ahead of a token
	return vault, l.put(vault, "api-keys/stripe", canary).text("id")
}

func TestR1_CreateByEveryForm(t *testing.T) {
	l := newLive(t)
	v, secret := l.secretToShare()
	vaultID := strings.TrimPrefix(v, "/v1/vaults/")
	week := func(a answered) time.Duration {
		at, err := time.Parse(time.RFC3339Nano, a.text("expires_at"))
		l.ok(err)
		return at.Sub(l.clock.Now()).Round(time.Minute)
	}
	for _, tt := range []struct {
		name, url, body, keys string
		has                   []string
		lasts                 time.Duration
	}{
		{"TypeScript", "/v1/secrets/" + secret + "/share", `{"recipient_type":"anyone_with_link","expires_at":"2100-01-01T00:00:00Z","permissions":["read"],"max_access_count":3}`,
			"id share_url recipient_type expires_at max_access_count", []string{`"expires_at":"2100-01-01T00:00:00Z"`, `"max_access_count":3`, `"recipient_type":"anyone_with_link"`}, 0},
		{"no expiry", "/v1/secrets/" + secret + "/share", `{"recipient_type":"anyone_with_link"}`, "id share_url recipient_type expires_at", nil, 7 * 24 * time.Hour},
		{"CLI", "/v1/shares", `{"secret_id":"` + secret + `","recipient_type":"external_email","recipient_email":"A@example.com"}`,
			"id share_url recipient_type recipient_email expires_at", []string{`"recipient_email":"A@example.com"`}, 7 * 24 * time.Hour},
		{"email", "/v1/secrets/" + secret + "/share", `{"recipient_type":"external_email","email":"b@example.com"}`,
			"id share_url recipient_type recipient_email expires_at", []string{`"recipient_email":"b@example.com"`}, 7 * 24 * time.Hour},
		{"Python", "/v1/shares", `{"vault_id":"` + vaultID + `","secret_path":"api-keys/stripe","expires_in_hours":24,"max_views":2}`,
			"id share_url recipient_type expires_at max_access_count", []string{`"recipient_type":"anyone_with_link"`, `"max_access_count":2`}, 24 * time.Hour},
		{"Python, to an address", "/v1/shares", `{"vault_id":"` + vaultID + `","secret_path":"api-keys/stripe","expires_in_hours":1,"recipient_email":"c@example.com"}`,
			"id share_url recipient_type recipient_email expires_at", []string{`"recipient_type":"external_email"`}, time.Hour},
	} {
		a := l.want(step{name: tt.name, method: post, url: tt.url, as: "owner", body: tt.body, status: 201, keys: tt.keys, has: tt.has, event: "share.create success"})
		if want := "https://vault.example/v1/share/" + a.text("id"); a.text("share_url") != want {
			t.Errorf("%s: %s, want %s", tt.name, a.text("share_url"), want)
		}
		if tt.lasts != 0 && week(a) != tt.lasts {
			t.Errorf("%s: lasts %v", tt.name, week(a))
		}
		if a.text("id")[14] != '4' {
			t.Errorf("%s can be guessed", a.text("id"))
		}
	}
}

func TestR1_CreateRefusals(t *testing.T) {
	l := newLive(t)
	v, secret := l.secretToShare()
	bot, reader := l.agent("bot", ""), l.agent("reader", "")
	l.grant("owner", v, reader, "**", `["read"]`, "")
	l.grant("owner", v, bot, "**", `["write"]`, "")
	l.renew("reader", reader)
	l.renew("bot", bot)
	url := "/v1/secrets/" + secret + "/share"
	link := `{"recipient_type":"anyone_with_link"`
	create := func(name, as, url, body string, status int, code string) step {
		return step{name: name, method: post, url: url, as: as, body: body, status: status, has: []string{`"code":"` + code + `"`}}
	}
	l.run(t, []step{
		create("no recipient type", "owner", url, `{}`, 400, "invalid_request"),
		create("an unknown one", "owner", url, `{"recipient_type":"`+canary+`"}`, 400, "invalid_request"),
		create("no user", "owner", url, `{"recipient_type":"user"}`, 400, "unknown_recipient"),
		create("nobody", "owner", url, `{"recipient_type":"agent","recipient_id":"`+id.New().String()+`"}`, 400, "unknown_recipient"),
		create("no address", "owner", url, `{"recipient_type":"external_email"}`, 400, "invalid_request"),
		create("not an address", "owner", url, `{"recipient_type":"external_email","email":"`+canary+`"}`, 400, "invalid_email"),
		create("past", "owner", url, link+`,"expires_at":"2020-01-01T00:00:00Z"}`, 400, "expiry_in_past"),
		create("no hours", "owner", url, link+`,"expires_in_hours":0}`, 400, "invalid_request"),
		create("too many hours", "owner", url, link+`,"expires_in_hours":2147483647}`, 400, "invalid_request"),
		create("no accesses", "owner", url, link+`,"max_access_count":0}`, 400, "invalid_max_access_count"),
		create("no views", "owner", url, link+`,"max_views":-1}`, 400, "invalid_max_access_count"),
		create("an empty passphrase", "owner", url, link+`,"passphrase":""}`, 400, "invalid_passphrase"),
		create("an empty allowlist", "owner", url, link+`,"ip_allowlist":[]}`, 400, "invalid_request"),
		create("not an address of the net", "owner", url, link+`,"ip_allowlist":["`+canary+`"]}`, 400, "invalid_request"),
		create("more than reading", "owner", url, link+`,"permissions":["read","write"]}`, 400, "invalid_request"),
		create("no secret", "owner", "/v1/shares", link+`}`, 400, "invalid_request"),
		create("half a path", "owner", "/v1/shares", link+`,"secret_path":"a"}`, 400, "invalid_request"),
		create("no such secret", "owner", "/v1/secrets/"+id.New().String()+"/share", link+`}`, 404, "secret_not_found"),
		create("of another organisation", "stranger", url, link+`}`, 404, "secret_not_found"),
		create("without a right", "member", url, link+`}`, 403, "insufficient_permissions"),
		create("without the right to read", "bot", url, link+`}`, 403, "insufficient_permissions"),
		create("an agent to an address", "reader", url, `{"recipient_type":"external_email","email":"a@example.com"}`, 403, "users_only"),
		create("a user to its creator", "owner", url, `{"recipient_type":"creator"}`, 400, "no_creator"),
		{name: "an agent to its creator", method: post, url: url, as: "reader", body: `{"recipient_type":"creator"}`, status: 201},
		{name: "an unknown field", method: post, url: url, as: "owner", body: link + `,"note":"` + canary + `"}`, status: 201},
	})
}

func TestR1_TenAMinute(t *testing.T) {
	l := newLive(t)
	_, secret := l.secretToShare()
	s := step{method: post, url: "/v1/secrets/" + secret + "/share", as: "owner", body: `{"recipient_type":"anyone_with_link"}`, status: 201}
	for range 10 {
		l.want(s)
	}
	s.status, s.event, s.has = 429, "share.create refused share_limit", []string{`"code":"share_limit"`}
	if wait := l.want(s).Header().Get("Retry-After"); wait < "50" || wait > "60" {
		t.Errorf("wait %s", wait)
	}
}

func TestR3_AnyoneWithTheLinkOpens(t *testing.T) {
	l := newLive(t)
	_, secret := l.secretToShare()
	s := l.shared("owner", secret, "anyone_with_link", `,"max_access_count":9`)
	one := "/v1/share/" + s
	a := l.want(step{name: "no token", url: one, status: 200, reveals: true, keys: openedKeys + " max_access_count", event: "share.access success",
		has:  []string{`"value":"` + canary + `"`, `"path":"api-keys/stripe"`, `"type":"generic"`, `"access_count":1`, `"max_access_count":9`, `"id":"` + s + `"`},
		want: map[string]string{"Cache-Control": "no-store"}})
	if e := l.logged(a); e.Actor.Type != "anonymous" || e.Org != l.org.String() || e.IP != "192.0.2.1" || e.Resource.ID != s {
		t.Errorf("%+v", e)
	}
	l.run(t, []step{
		{name: "a stranger", url: one, as: "stranger", status: 200, reveals: true, has: []string{`"access_count":2`}},
		{name: "a body without anything", method: post, url: "/v1/shares/" + s + "/access", body: `{}`, status: 200, reveals: true},
		{name: "no body", method: post, url: "/v1/shares/" + s + "/access", status: 200, reveals: true, has: []string{`"access_count":4`}},
		{name: "a token that is none", url: one, as: "eyJ.x.y", status: 401, has: []string{"Invalid or expired token"}},
		{name: "no bearer", url: one, header: map[string]string{"Authorization": "Basic eDp5"}, status: 401, has: []string{"missing_token"}},
		{name: "unknown", url: "/v1/share/" + id.Random().String(), status: 404, event: "share.access refused share_not_found", has: []string{`"code":"share_not_found"`}},
		{name: "no id", url: "/v1/share/" + canary, status: 400},
		{name: "no id at all", url: "/v1/share/", status: 404},
	})
}

func TestR3_TargetedShares(t *testing.T) {
	l := newLive(t)
	_, secret := l.secretToShare()
	bot, _ := l.agent("bot", ""), l.agent("other", "")
	s := l.shared("owner", secret, "agent", `,"recipient_id":"`+bot.id+`"`)
	one, both := "/v1/share/"+s, "/v1/shares/"+s
	l.run(t, []step{
		{name: "no token", url: one, status: 403, event: "share.access refused not_the_recipient"},
		{name: "its creator", url: one, as: "owner", status: 403},
		{name: "another agent", url: one, as: "other", status: 403, event: "share.access refused not_the_recipient"},
		{name: "a stranger", url: one, as: "stranger", status: 403},
		{name: "not accepted", url: one, as: "bot", status: 403, event: "share.access refused share_not_accepted", has: []string{"accept"}},
		{name: "accepting for another", method: post, url: both + "/accept", as: "other", status: 403},
		{name: "accepting for an agent", method: post, url: both + "/accept", as: "owner", status: 403},
		{name: "R6: accepting", method: post, url: both + "/accept", as: "bot", status: 204, event: "share.accept success"},
		{name: "opened", url: one, as: "bot", status: 200, reveals: true, keys: openedKeys, has: []string{canary}},
		{name: "still not for others", url: one, as: "other", status: 403},
		{name: "R6: declining for another", method: post, url: both + "/decline", as: "other", status: 403},
		{name: "R6: declining", method: post, url: both + "/decline", as: "bot", status: 204, event: "share.decline success"},
		{name: "declined", url: one, as: "bot", status: 404},
		{name: "accepting what was declined", method: post, url: both + "/accept", as: "bot", status: 404},
		{name: "the creator sees it", url: both, as: "owner", status: 200, has: []string{`"status":"declined"`, `"is_accepted":false`}},
		{name: "the recipient does not", url: both, as: "bot", status: 404, event: "share.read refused share_not_found"},
	})
}

func TestR4_GoneAndUnknown(t *testing.T) {
	l := newLive(t)
	v, secret := l.secretToShare()
	once := "/v1/share/" + l.shared("owner", secret, "anyone_with_link", `,"max_access_count":1`)
	short := "/v1/share/" + l.shared("owner", secret, "anyone_with_link", `,"expires_in_hours":1`)
	long := "/v1/share/" + l.shared("owner", secret, "anyone_with_link", "")
	l.want(step{name: "once", url: once, status: 200, reveals: true})
	l.want(step{name: "twice", url: once, status: 410, event: "share.access refused share_exhausted", has: []string{`"code":"share_exhausted"`}})
	l.want(step{name: "in time", url: short, status: 200, reveals: true})
	l.clock.advance(time.Hour)
	l.want(step{name: "late", url: short, status: 410, event: "share.access refused share_expired"})
	l.want(step{name: "a new version", method: put, url: v + "/secrets/api-keys/stripe", as: "owner", body: `{"value":"second","type":"note"}`, status: 201})
	l.want(step{name: "follows", url: long, status: 200, has: []string{`"value":"second"`, `"type":"note"`}})
	l.want(step{name: "deleting", method: remove, url: v + "/secrets/api-keys/stripe", as: "owner", status: 204})
	l.want(step{name: "deleted", url: long, status: 410, event: "share.access refused secret_deleted"})
	l.want(step{name: "R6: not one's own", method: remove, url: long, as: "member", status: 403, event: "share.revoke refused not_the_creator"})
	l.want(step{name: "R6: revoking", method: remove, url: long, as: "owner", status: 204, event: "share.revoke success"})
	l.want(step{name: "revoked", url: long, status: 404})
	l.want(step{name: "R6: twice", method: remove, url: strings.Replace(long, "share/", "shares/", 1), as: "owner", status: 404})
}

func TestR4_ExactlyN(t *testing.T) {
	l := newLive(t)
	_, secret := l.secretToShare()
	url := "/v1/share/" + l.shared("owner", secret, "anyone_with_link", `,"max_access_count":10`)
	var opened, gone atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			switch a := l.send(step{url: url}); a.Code {
			case 200:
				opened.Add(1)
			case 410:
				gone.Add(1)
			default:
				t.Errorf("%d %s", a.Code, a.Body)
			}
		})
	}
	wg.Wait()
	if opened.Load() != 10 || gone.Load() != 54 {
		t.Errorf("%d opened, %d refused", opened.Load(), gone.Load())
	}
	l.restart()
	l.want(step{name: "after a restart", url: url, status: 410})
}

func TestR5_PassphraseAndAddress(t *testing.T) {
	l := newLive(t)
	_, secret := l.secretToShare()
	const phrase = canary + " pass phrase"
	s := l.shared("owner", secret, "anyone_with_link", `,"passphrase":"`+phrase+`","ip_allowlist":["192.0.2.0/24"]`)
	one, access := "/v1/share/"+s, "/v1/shares/"+s+"/access"
	with := func(p string) map[string]string { return map[string]string{"X-Share-Passphrase": p} }
	l.run(t, []step{
		{name: "missing", url: one, status: 403, event: "share.access refused wrong_passphrase", has: []string{"passphrase"}},
		{name: "missing in the body", method: post, url: access, body: `{}`, status: 403},
		{name: "wrong", url: one, header: with(canary), status: 403, event: "share.access refused wrong_passphrase"},
		{name: "wrong in the body", method: post, url: access, body: `{"passphrase":"` + canary + `"}`, status: 403},
		{name: "from elsewhere", url: one, header: with(phrase), from: "198.51.100.1", status: 403, event: "share.access refused share_address"},
		{name: "right", url: one, header: with(phrase), status: 200, reveals: true, has: []string{canary}},
		{name: "right in the body", method: post, url: access, body: `{"passphrase":"` + phrase + `"}`, status: 200, reveals: true},
		{name: "right in the header of that", method: post, url: access, header: with(phrase), status: 200, reveals: true},
	})
	for range 3 {
		l.want(step{name: "wrong", url: one, header: with("x"), status: 403})
	}
	a := l.want(step{name: "too many", url: one, header: with(phrase), status: 429, event: "share.access refused too_many_guesses"})
	if a.Header().Get("Retry-After") != "1" {
		t.Errorf("wait %s", a.Header().Get("Retry-After"))
	}
	l.restart()
	l.clock.advance(time.Second)
	l.want(step{name: "in time", url: one, header: with(phrase), status: 200, reveals: true})
}

func TestR7_ListsSayWhatClientsRead(t *testing.T) {
	l := newLive(t)
	_, secret := l.secretToShare()
	bot := l.agent("bot", "")
	for _, as := range []string{"owner", "bot", "stranger"} {
		for _, url := range []string{"/v1/shares", "/v1/shares?direction=inbound", "/v1/shares/outbound", "/v1/shares/inbound"} {
			l.want(step{name: as + " " + url, url: url, as: as, status: 200, has: []string{`{"shares":[]}`}})
		}
	}
	first := l.shared("owner", secret, "agent", `,"recipient_id":"`+bot.id+`","max_access_count":4`)
	second := l.shared("owner", secret, "external_email", `,"email":"Someone@example.com"`)
	third := l.shared("owner", secret, "anyone_with_link", `,"expires_in_hours":1`)
	l.want(step{name: "accept", method: post, url: "/v1/shares/" + first + "/accept", as: "bot", status: 204})
	l.want(step{name: "open", url: "/v1/share/" + first, as: "bot", status: 200, reveals: true})
	l.clock.advance(59 * time.Minute)
	l.clock.advance(time.Minute)
	l.renew("bot", bot)
	for _, url := range []string{"/v1/shares", "/v1/shares?direction=outbound", "/v1/shares/outbound"} {
		a := l.want(step{name: url, url: url, as: "owner", status: 200, keys: shareItemKeys + " recipient_id max_access_count", at: "shares.0",
			has: []string{`"secret_path":"api-keys/stripe"`, `"recipient_email":"Someone@example.com"`, `"recipient_id":"` + bot.id + `"`, `"max_access_count":4`}})
		if ids := a.list("shares", "id"); fmt.Sprint(ids) != fmt.Sprint([]string{first, second, third}) {
			t.Errorf("%s: %v", url, ids)
		}
		if got := fmt.Sprint(a.list("shares", "status"), a.value("shares.0.is_accepted"), a.value("shares.0.access_count"), a.value("shares.1.is_accepted"), a.value("shares.1.is_expired"), a.value("shares.2.is_expired")); got != "[accepted pending expired] true 1 false false true" {
			t.Errorf("%s: %s", url, got)
		}
		if got := strings.Join(a.keys("shares.1"), " "); strings.Contains(got, "recipient_id") {
			t.Errorf("whose an address is: %s", got)
		}
	}
	for _, url := range []string{"/v1/shares/inbound", "/v1/shares?direction=inbound"} {
		l.want(step{name: url, url: url, as: "bot", status: 200, keys: shareItemKeys + " recipient_id max_access_count", at: "shares.0",
			has: []string{`"secret_id":"` + secret + `"`, `"share_url":"https://vault.example/v1/share/` + first + `"`}, lacks: []string{second, third}})
	}
	l.want(step{name: "one", url: "/v1/shares/" + first, as: "bot", status: 200, keys: shareItemKeys + " recipient_id max_access_count"})
	l.want(step{name: "not of others", url: "/v1/shares/" + first, as: "member", status: 404, event: "share.read refused share_not_found"})
	l.want(step{name: "an unknown direction", url: "/v1/shares?direction=both", as: "owner", status: 400})
}

func TestR8_ClaimAtSignIn(t *testing.T) {
	l := newLive(t)
	_, secret := l.secretToShare()
	s := l.shared("owner", secret, "external_email", `,"email":"New@example.com"`)
	u := identity.User{ID: id.New(), Org: l.other, Email: "new@example.com", EmailVerified: true, CreatedAt: l.clock.Now()}
	key := identity.NewKey(identity.UserKeyPrefix)
	k := identity.APIKey{ID: id.New(), User: u.ID, Active: true, KeyHash: l.people.HashKey(key)}
	l.ok(store.Runner[share.Tx](l.db).Update(l.Context(), func(tx share.Tx) error {
		if err := tx.PutUser(u); err != nil {
			return err
		}
		if err := tx.PutAPIKey(k); err != nil {
			return err
		}
		if err := tx.PutCredential(k.KeyHash, identity.Credential{Kind: identity.KindUser, Org: u.Org, ID: u.ID, Key: k.ID}); err != nil {
			return err
		}
		return share.ClaimHook(tx, u)
	}))
	l.run(t, []step{
		{name: "listed", url: "/v1/shares/inbound", as: key, status: 200, has: []string{s, `"status":"pending"`}, lacks: []string{"recipient_email", "New@"}},
		{name: "not accepted", url: "/v1/share/" + s, as: key, status: 403},
		{name: "accepting", method: post, url: "/v1/shares/" + s + "/accept", as: key, status: 204},
		{name: "opened", url: "/v1/share/" + s, as: key, status: 200, reveals: true, has: []string{canary}},
		{name: "not by another of that organisation", url: "/v1/share/" + s, as: "stranger", status: 403},
	})
	for _, leaf := range l.leaves() {
		if strings.Contains(strings.ToLower(string(leaf)), "new@example.com") {
			t.Errorf("the address is in the audit log: %s", leaf)
		}
	}
}

func TestR9_SigningKeysByShare(t *testing.T) {
	l := newLive(t)
	v, secret := l.secretToShare()
	l.want(step{name: "a key", method: put, url: v + "/secrets/api-keys/stripe", as: "owner", body: `{"value":"` + canary + `","type":"ssh_key"}`, status: 201})
	bot := l.agent("bot", `,"intents_api_enabled":true`)
	s := l.shared("owner", secret, "agent", `,"recipient_id":"`+bot.id+`"`)
	link := "/v1/share/" + l.shared("owner", secret, "anyone_with_link", "")
	l.grant("owner", v, bot, "**", `["read"]`, "")
	l.renew("bot", bot)
	l.run(t, []step{
		{name: "accepting", method: post, url: "/v1/shares/" + s + "/accept", as: "bot", status: 204},
		{name: "for it", url: "/v1/share/" + s, as: "bot", status: 403, event: "share.access refused signing_key_protected"},
		{name: "by a link", url: link, as: "bot", status: 403, event: "share.access refused signing_key_protected"},
		{name: "by a link, without its token", url: link, status: 403, event: "share.access refused share_needs_token"},
		{name: "sharing it on", method: post, url: "/v1/secrets/" + secret + "/share", as: "bot", body: `{"recipient_type":"creator"}`, status: 403, event: "share.create refused signing_key_protected"},
		{name: "a person, by a link", url: link, as: "member", status: 200, reveals: true},
	})
}

func TestSharesTakeOneSpellingOfAnID(t *testing.T) {
	l := newLive(t)
	for _, bad := range []string{canary, "0190d6f0000070008000000000000001", "%7B0190d6f0-0000-7000-8000-000000000001%7D"} {
		for _, s := range []step{
			{url: "/v1/share/" + bad}, {url: "/v1/shares/" + bad}, {method: remove, url: "/v1/share/" + bad}, {method: remove, url: "/v1/shares/" + bad},
			{method: post, url: "/v1/shares/" + bad + "/accept"}, {method: post, url: "/v1/shares/" + bad + "/decline"},
			{method: post, url: "/v1/shares/" + bad + "/access"}, {method: post, url: "/v1/secrets/" + bad + "/share", body: `{"recipient_type":"anyone_with_link"}`},
		} {
			s.as, s.status = "owner", 400
			l.want(s)
		}
	}
}
