package httpapi

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestH1Login(t *testing.T) {
	l := newLive(t)
	login := func(name, email, password string, status int) step {
		s := step{name: name, method: post, url: "/v1/auth/token", body: fmt.Sprintf(`{"email":%q,"password":%q}`, email, password), status: status}
		if status == 401 {
			s.has, s.event = []string{`"detail":"Invalid credentials"`}, "auth.failure refused invalid_credentials"
		}
		return s
	}
	good := login("right", ownerEmail, ownerPassword, 200)
	good.keys, good.has, good.event = "access_token token_type expires_in", []string{`"token_type":"Bearer"`, `"expires_in":900`}, "auth.success success"
	l.tokens["fresh"] = l.want(good).text("access_token")
	l.run(t, []step{
		login("any case", strings.ToUpper(ownerEmail), ownerPassword, 200),
		login("a wrong password", ownerEmail, canary, 401),
		login("nobody", canary+"@example.com", ownerPassword, 401),
		login("no address", canary, ownerPassword, 401),
		login("nothing", "", "", 401),
		{name: "the token works", url: "/v1/auth/me", as: "fresh", status: 200},
		{name: "no password", method: post, url: "/v1/auth/token", body: `{"email":"x"}`, status: 400, has: []string{`"password":"is required"`}},
		{name: "too long a password", method: post, url: "/v1/auth/token", body: `{"email":"x","password":"` + strings.Repeat("p", 1025) + `"}`, status: 400},
	})
	one, two := l.send(login("", ownerEmail, "x", 401)).Body.String(), l.send(login("", "nobody@example.com", "x", 401)).Body.String()
	if one != two {
		t.Errorf("an unknown address answers differently:\n%s%s", one, two)
	}
}

func TestH3UserKeys(t *testing.T) {
	l := newLive(t)
	key := l.tokens["key"]
	for _, s := range []step{
		{url: "/v1/auth/me"}, {url: "/v1/vaults"}, {url: "/v1/agents"}, {url: "/v1/auth/api-keys"}, {url: "/v1/audit/events"},
	} {
		s.name, s.as, s.status = "as a bearer: "+s.url, "key", 200
		l.want(s)
	}
	exchanged := l.want(step{name: "exchanged", method: post, url: "/v1/auth/api-key-token", body: `{"api_key":"` + key + `"}`, status: 200,
		keys: "access_token token_type expires_in", has: []string{`"expires_in":900`}, event: "auth.success success"})
	l.tokens["exchanged"] = exchanged.text("access_token")
	const failure = "auth.failure refused invalid_token"
	l.run(t, []step{
		{name: "the token works", url: "/v1/auth/me", as: "exchanged", status: 200},
		{name: "a wrong key to exchange", method: post, url: "/v1/auth/api-key-token", body: `{"api_key":"1ck_` + canary + `"}`, status: 401, has: []string{"Invalid credentials"}},
		{name: "a wrong key as a bearer", url: "/v1/auth/me", as: key[:46] + flipped(key[46]), status: 401, has: []string{"Invalid or expired token"}, event: failure},
		{name: "the beginning of one", url: "/v1/auth/me", as: key[:12], status: 401, event: failure},
		{name: "one more character", url: "/v1/auth/me", as: key + "A", status: 401, event: failure},
		{name: "without a token", url: "/v1/vaults", status: 401, event: "none"},
	})
}

func TestH3UserKeyTTLCanBeLonger(t *testing.T) {
	// The lifetime is identity.Config.UserKeyTTL's; the API shows what it gets.
	l := newLive(t)
	a := l.want(step{method: post, url: "/v1/auth/api-key-token", body: `{"api_key":"` + l.tokens["key"] + `"}`, status: 200})
	c := claimsOf(t, a.text("access_token"))
	if a.value("expires_in") != c["exp"].(float64)-c["iat"].(float64) {
		t.Errorf("expires_in is not what the token says: %s", a.Body)
	}
}

func TestH4H5UserKeysAreShownOnce(t *testing.T) {
	l := newLive(t)
	made := l.want(step{name: "create", method: post, url: "/v1/auth/api-keys", as: "owner", body: `{"name":"ci","scopes":["a"],"expires_at":"2100-01-01T00:00:00Z"}`, status: 201,
		keys: "key api_key", event: "api_key.create success", has: []string{`"scopes":["a"]`, `"expires_at":"2100-01-01T00:00:00Z"`}})
	key, id := made.text("api_key"), made.text("key.id")
	if len(key) != 47 || !strings.HasPrefix(key, "1ck_") || made.text("key.key_prefix") != key[:12] {
		t.Errorf("%s", made.Body)
	}
	l.tokens["ci"] = key
	l.run(t, []step{
		{name: "its members", url: "/v1/auth/api-keys", as: "owner", status: 200, at: "keys.1", keys: "id name key_prefix scopes is_active created_at expires_at", lacks: []string{key}},
		{name: "it works", url: "/v1/auth/me", as: "ci", status: 200},
		{name: "was seen", url: "/v1/auth/api-keys", as: "owner", status: 200, at: "keys.1", keys: "id name key_prefix scopes is_active created_at expires_at last_used_at"},
		{name: "not another's", method: remove, url: "/v1/auth/api-keys/" + id, as: "member", status: 404, event: "api_key.revoke refused api_key_not_found"},
		{name: "revoke", method: remove, url: "/v1/auth/api-keys/" + id, as: "owner", status: 204, event: "api_key.revoke success"},
		{name: "it fails at once", url: "/v1/auth/me", as: "ci", status: 401},
		{name: "it is not exchanged", method: post, url: "/v1/auth/api-key-token", body: `{"api_key":"` + key + `"}`, status: 401},
		{name: "still listed", url: "/v1/auth/api-keys", as: "owner", status: 200, has: []string{`"is_active":false`}},
		{name: "revoke twice", method: remove, url: "/v1/auth/api-keys/" + id, as: "owner", status: 404},
		{name: "no name", method: post, url: "/v1/auth/api-keys", as: "owner", body: `{"name":""}`, status: 400, has: []string{"invalid_api_key_name"}},
		{name: "past expiry", method: post, url: "/v1/auth/api-keys", as: "owner", body: `{"name":"x","expires_at":"2020-01-01T00:00:00Z"}`, status: 400, has: []string{"expiry_in_past"}},
	})
	l.agent("bot", "")
	l.run(t, []step{
		{name: "agents make none", method: post, url: "/v1/auth/api-keys", as: "bot", body: `{"name":"x"}`, status: 403, event: "api_key.create refused users_only"},
		{name: "agents list none", url: "/v1/auth/api-keys", as: "bot", status: 403},
		{name: "agents revoke none", method: remove, url: "/v1/auth/api-keys/" + id, as: "bot", status: 403},
	})
	l.want(step{method: post, url: "/v1/auth/api-keys", as: "owner", body: fmt.Sprintf(`{"name":"short","expires_at":%q}`, l.clock.Now().Add(time.Hour).Format(time.RFC3339)), status: 201})
}

func TestH6AgentKeysAreTakenThereToo(t *testing.T) {
	l := newLive(t)
	bot := l.agent("bot", "")
	a := l.want(step{method: post, url: "/v1/auth/api-key-token", body: `{"api_key":"` + bot.key + `"}`, status: 200, keys: "access_token token_type expires_in", event: "auth.success success"})
	l.tokens["bot"] = a.text("access_token")
	l.want(step{name: "it is the agent", url: "/v1/agents/me", as: "bot", status: 200, has: []string{bot.id}})
	l.want(step{name: "a wrong one", method: post, url: "/v1/auth/api-key-token", body: `{"api_key":"ocv_` + canary + `"}`, status: 401, has: []string{"Invalid credentials"}})
	l.want(step{name: "an agent's key is no bearer", url: "/v1/agents/me", as: bot.key, status: 401, has: []string{"Invalid or expired token"}})
}

func TestH7NoRefreshTokens(t *testing.T) {
	l := newLive(t)
	l.agent("bot", "")
	for _, body := range []string{"", "{}", `{"refresh_token":"` + canary + `"}`} {
		l.want(step{name: body, method: post, url: "/v1/auth/refresh", body: body, status: 400, has: []string{"refresh_not_supported"}, event: "none"})
	}
	for _, s := range []step{
		{method: post, url: "/v1/auth/token", body: fmt.Sprintf(`{"email":%q,"password":%q}`, ownerEmail, ownerPassword)},
		{method: post, url: "/v1/auth/api-key-token", body: `{"api_key":"` + l.tokens["key"] + `"}`},
	} {
		s.name, s.status, s.lacks = s.url, 200, []string{"refresh_token"}
		l.want(s)
	}
}

func TestH8RevokedTokensStayRevoked(t *testing.T) {
	l := newLive(t)
	bot := l.agent("bot", "")
	for _, who := range []string{"owner", "bot"} {
		l.run(t, []step{
			{name: who + " works", url: "/v1/vaults", as: who, status: 200},
			{name: who + " revokes", method: remove, url: "/v1/auth/token", as: who, status: 200, keys: "revoked", has: []string{`{"revoked":true}`}, event: "auth.revoke success"},
			{name: who + " is refused", url: "/v1/vaults", as: who, status: 401, event: "auth.failure refused token_revoked"},
			{name: who + " everywhere", url: "/v1/audit/events", as: who, status: 401},
			{name: who + " twice", method: remove, url: "/v1/auth/token", as: who, status: 401},
		})
	}
	l.renew("bot", bot)
	l.run(t, []step{
		{name: "another of the same agent works", url: "/v1/vaults", as: "bot", status: 200},
		{name: "a key is no token", method: remove, url: "/v1/auth/token", as: "key", status: 200, has: []string{`{"revoked":true}`}},
		{name: "and still works", url: "/v1/vaults", as: "key", status: 200},
		{name: "nobody", method: remove, url: "/v1/auth/token", status: 401},
	})
}

func TestH12Me(t *testing.T) {
	l := newLive(t)
	a := l.want(step{url: "/v1/auth/me", as: "owner", status: 200,
		keys: "id org_id email display_name auth_method role email_verified marketing_emails totp_enabled created_at"})
	if a.text("email") != ownerEmail || a.text("org_id") != l.org.String() || a.text("role") != "owner" || a.text("id") != l.ownerID.String() {
		t.Errorf("%s", a.Body)
	}
	l.agent("bot", "")
	l.want(step{name: "an agent", url: "/v1/auth/me", as: "bot", status: 403, has: []string{"Access denied"}})
}

// limited gives a world its limits back.
// limited has the default burst, and a rate that no slow machine sees refill.
func limited(c *Config) { c.Limits = Limits{Auth: Rate{PerSecond: 0.001, Burst: defaultAuth.Burst}} }

func TestP5OnlyWrongKeysAreSlowedDown(t *testing.T) {
	l := newLive(t, limited)
	bot := l.agent("bot", "")
	exchange := func(key, from string) answered {
		return l.send(step{method: post, url: "/v1/auth/agent-token", body: `{"api_key":"` + key + `"}`, from: from})
	}
	for i := range 50 {
		if a := exchange(bot.key, "203.0.113.7"); a.Code != 200 {
			t.Fatalf("a right key is limited: %d after %d", a.Code, i)
		}
	}
	for i := range 5 {
		if a := exchange(bot.key[:46]+flipped(bot.key[46]), "203.0.113.7"); a.Code != 401 {
			t.Fatalf("guess %d: %d", i, a.Code)
		}
	}
	events := len(l.leaves())
	a := exchange("ocv_wrong", "203.0.113.7")
	wait, err := strconv.Atoi(a.Header().Get("Retry-After"))
	if a.Code != 429 || err != nil || wait < 1 || !strings.Contains(a.Body.String(), `"code":"rate_limited"`) {
		t.Errorf("T8: %d, Retry-After %q: %s", a.Code, a.Header().Get("Retry-After"), a.Body)
	}
	if got := len(l.leaves()); got != events {
		t.Errorf("a guess that was not looked at wrote %d events", got-events)
	}
	for range 3 {
		if a := exchange(bot.key, "203.0.113.7"); a.Code != 200 {
			t.Errorf("another's guesses lock out a right key: %d", a.Code)
		}
	}
	if a := exchange(bot.key, "203.0.113.8"); a.Code != 200 {
		t.Errorf("another client pays: %d", a.Code)
	}
	for i := range 6 { // loopback is no exception for guesses
		if a := exchange("ocv_wrong", "127.0.0.1"); (a.Code == 429) != (i == 5) {
			t.Errorf("guess %d from this machine: %d", i, a.Code)
		}
	}
	for i := range 6 { // a login is slow whether or not it is right
		a := l.send(step{method: post, url: "/v1/auth/token", body: fmt.Sprintf(`{"email":%q,"password":%q}`, ownerEmail, ownerPassword), from: "203.0.113.9"})
		if want := map[bool]int{true: 200, false: 429}[i < 5]; a.Code != want {
			t.Errorf("login %d: %d", i, a.Code)
		}
	}
}

func TestP5TheRateLimitComesBeforeAuthentication(t *testing.T) {
	l := newLive(t, func(c *Config) { c.Limits = Limits{Global: Rate{PerSecond: 0.001, Burst: 3}} })
	for range 3 {
		l.want(step{name: "within", url: "/v1/vaults", as: "owner", from: "203.0.113.7", status: 200})
	}
	size := len(l.leaves())
	l.want(step{name: "beyond, with a token", url: "/v1/vaults", as: "owner", from: "203.0.113.7", status: 429, event: "none"})
	l.want(step{name: "with a bad one", url: "/v1/vaults", as: canary, from: "203.0.113.7", status: 429, event: "none"})
	l.want(step{name: "even of a route that is not there", url: "/v1/nothing", from: "203.0.113.7", status: 429})
	if got := len(l.leaves()); got != size {
		t.Errorf("P1: refused requests wrote %d events", got-size)
	}
	for range 10 {
		l.want(step{name: "loopback is exempt", url: "/v1/vaults", as: "owner", from: "127.0.0.1", status: 200})
	}
}
