package httpapi

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// partsOf splits a JWT into header, payload and signature.
func partsOf(t testing.TB, token string) (header, claims map[string]any, sig []byte) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWT: %s", token)
	}
	for i, into := range []any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	return header, claims, sig
}

func claimsOf(t testing.TB, token string) map[string]any {
	_, claims, _ := partsOf(t, token)
	return claims
}

// hs256 signs with a public key as if it were a shared one, the oldest trick.
func hs256(text string, key []byte) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func TestJ1TokensVerifyUnderThePublishedKey(t *testing.T) {
	l := newLive(t)
	l.agent("bot", "")
	a := l.want(step{url: "/v1/auth/jwt-public-key", status: 200, keys: "alg public_key_base64", has: []string{`"alg":"EdDSA"`}, event: "none"})
	key, err := base64.StdEncoding.DecodeString(a.text("public_key_base64"))
	if err != nil || len(key) != ed25519.PublicKeySize {
		t.Fatalf("%v %v", key, err)
	}
	set := l.want(step{url: "/.well-known/jwks.json", status: 200, at: "keys.0", keys: "kty crv x kid use alg",
		has: []string{`"kty":"OKP"`, `"crv":"Ed25519"`, `"use":"sig"`, `"alg":"EdDSA"`}})
	if x, err := base64.RawURLEncoding.DecodeString(set.text("keys.0.x")); err != nil || !slices.Equal(x, key) {
		t.Errorf("jwks has another key: %v %v", x, err)
	}
	for _, who := range []string{"owner", "bot"} {
		header, _, sig := partsOf(t, l.tokens[who])
		if header["alg"] != "EdDSA" || header["typ"] != "JWT" || header["kid"] != set.text("keys.0.kid") {
			t.Errorf("%s: header %v", who, header)
		}
		signed := l.tokens[who][:strings.LastIndexByte(l.tokens[who], '.')]
		if !ed25519.Verify(key, []byte(signed), sig) {
			t.Errorf("%s: the signature does not verify", who)
		}
	}
}

func TestJ2Claims(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	vid := strings.TrimPrefix(v, "/v1/vaults/")
	bot := l.agent("bot", `,"vault_ids":["`+vid+`"],"intents_api_enabled":true`)
	names := func(c map[string]any) string { return strings.Join(slices.Sorted(maps.Keys(c)), " ") }
	user, agent := claimsOf(t, l.tokens["owner"]), claimsOf(t, l.tokens["bot"])
	if got := names(user); got != "exp iat jti org sub" {
		t.Errorf("a user's claims: %s", got)
	}
	if got := names(agent); got != "exp iat intents_api_enabled jti org scopes sub vault_ids" {
		t.Errorf("an agent's claims: %s", got)
	}
	if user["sub"] != "user:"+l.ownerID.String() || user["org"] != l.org.String() {
		t.Errorf("%v", user)
	}
	if agent["sub"] != "agent:"+bot.id || agent["org"] != l.org.String() || agent["intents_api_enabled"] != true {
		t.Errorf("%v", agent)
	}
	if ids := agent["vault_ids"].([]any); len(ids) != 1 || ids[0] != vid {
		t.Errorf("%v", ids)
	}
	l.agent("plain", "")
	if c := claimsOf(t, l.tokens["plain"]); c["vault_ids"] == nil || c["scopes"] == nil || c["intents_api_enabled"] != false {
		t.Errorf("what is empty is left out: %v", c)
	}
}

func TestJ3Lifetimes(t *testing.T) {
	l := newLive(t)
	lifetime := func(token string) float64 {
		c := claimsOf(t, token)
		return c["exp"].(float64) - c["iat"].(float64)
	}
	l.agent("plain", "")
	l.agent("short", `,"token_ttl_seconds":300`)
	l.agent("shorter", `,"token_ttl_seconds":30`)
	l.agent("dying", fmt.Sprintf(`,"expires_at":%q`, l.clock.Now().Add(10*time.Minute).Format(time.RFC3339)))
	for who, want := range map[string]float64{"owner": 900, "plain": 3600, "short": 300, "shorter": 30} {
		if got := lifetime(l.tokens[who]); got != want {
			t.Errorf("%s: %v s, want %v", who, got, want)
		}
	}
	if got := lifetime(l.tokens["dying"]); got > 600 || got < 590 {
		t.Errorf("a token outlives its agent: %v s", got)
	}
	authed := step{url: "/v1/vaults", as: "short", status: 200}
	l.want(authed)
	l.clock.advance(301 * time.Second)
	authed.status, authed.has, authed.event = 401, []string{"Invalid or expired token"}, "auth.failure refused invalid_token"
	l.want(authed)
}

func TestJ4ScopesAreFrozenAndTheRefusalSaysSo(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	l.put(v, "prod/db", canary)
	l.put(v, "dev/db", canary)
	bot := l.agent("bot", "")
	read := func(path, as string) step { return step{url: v + "/secrets/" + path, as: as} }
	refused := func(name string, s step, phrase, event string) {
		t.Helper()
		s.name, s.status, s.event = name, 403, event
		a := l.want(s)
		if !strings.Contains(strings.ToLower(a.text("detail")), phrase) {
			t.Errorf("%s: %s", name, a.text("detail"))
		}
	}
	refused("nothing granted", read("prod/db", "bot"), "no scopes", "secret.read refused no_scopes")
	l.grant("owner", v, bot, "prod/*", `["read"]`, "")
	refused("granted after the exchange", read("prod/db", "bot"), "no scopes", "secret.read refused no_scopes")
	refused("its list too", step{url: v + "/secrets", as: "bot"}, "no scopes", "secret.list refused no_scopes")
	l.renew("bot", bot)
	l.want(step{name: "after another", url: v + "/secrets/prod/db", as: "bot", status: 200, has: []string{canary}, reveals: true, event: "secret.read success"})
	dev := l.grant("owner", v, bot, "dev/*", `["read"]`, "")
	refused("a further pattern", read("dev/db", "bot"), "scopes do not cover", "secret.read refused scopes_do_not_cover")
	l.renew("bot", bot)
	l.want(step{name: "covered", url: v + "/secrets/dev/db", as: "bot", status: 200, reveals: true})
	l.want(step{method: remove, url: v + "/policies/" + dev, as: "owner", status: 204})
	l.want(step{name: "a policy is evaluated live", url: v + "/secrets/dev/db", as: "bot", status: 403, has: []string{"Insufficient permissions"}})
	l.want(step{method: remove, url: "/v1/auth/token", as: "bot", status: 200})
	a := l.want(step{url: v + "/secrets/prod/db", as: "bot", status: 401, event: "auth.failure refused token_revoked"})
	if !strings.Contains(strings.ToLower(a.text("detail")), "token has been revoked") {
		t.Error(a.Body)
	}
}

func TestJ5ScopesThatAreNoPaths(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	l.put(v, "a/b", "x")
	for name, tt := range map[string]struct {
		scopes string
		want   []string
		status int
	}{
		"labels":      {`["vaults:read","tx:sign"]`, []string{"a/**"}, 200},
		"dotted":      {`["vault.read","vault.write"]`, []string{"a/**"}, 200},
		"paths":       {`["other/**"]`, []string{"other/**"}, 403},
		"both":        {`["vault:read","a/*"]`, []string{"a/*"}, 200},
		"one segment": {`["*"]`, []string{"*"}, 403},
		"none":        {`[]`, []string{"a/**"}, 200},
	} {
		bot := l.agent("bot", `,"scopes":`+tt.scopes)
		l.grant("owner", v, bot, "a/**", `["read"]`, "")
		l.renew("bot", bot)
		got := []string{}
		for _, s := range claimsOf(t, l.tokens["bot"])["scopes"].([]any) {
			got = append(got, s.(string))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
		l.want(step{name: name, url: v + "/secrets/a/b", as: "bot", status: tt.status})
	}
}

func TestJ6J7Binding(t *testing.T) {
	l := newLive(t)
	in, out := l.vault("owner", "in"), l.vault("owner", "out")
	l.put(in, "a", "x")
	l.put(out, "a", "x")
	bot := l.agent("bot", `,"vault_ids":["`+strings.TrimPrefix(in, "/v1/vaults/")+`"]`)
	l.grant("owner", in, bot, "**", `["read","write","delete"]`, "")
	l.grant("owner", out, bot, "**", `["read","write","delete"]`, "")
	l.renew("bot", bot)
	l.want(step{name: "within", url: in + "/secrets/a", as: "bot", status: 200})
	body := `{"value":"x"}`
	for _, s := range []step{
		{method: get, url: out, event: "vault.read refused vault_not_bound"},
		{method: get, url: out + "/secrets", event: "secret.list refused vault_not_bound"},
		{method: get, url: out + "/secrets/a", event: "secret.read refused vault_not_bound"},
		{method: put, url: out + "/secrets/a", body: body, event: "secret.write refused vault_not_bound"},
		{method: remove, url: out + "/secrets/a", event: "secret.delete refused vault_not_bound"},
		{method: get, url: out + "/secret-versions/a", event: "secret.list refused vault_not_bound"},
		{method: get, url: out + "/secret-version/a/1", event: "secret.read refused vault_not_bound"},
		{method: post, url: out + "/secret-version-disable/a/1", event: "secret.disable_version refused vault_not_bound"},
		{method: post, url: out + "/secret-rotate/a", event: "secret.rotate refused vault_not_bound"},
		{method: get, url: out + "/policies", event: "policy.list refused vault_not_bound"},
		{method: remove, url: out, event: "vault.delete refused vault_not_bound"},
	} {
		s.name, s.as, s.status = s.method+" beyond the binding", "bot", 403
		l.want(s)
	}
}

func TestJ9ExistenceIsNotTold(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	l.put(v, "there", "x")
	bot := l.agent("bot", `,"scopes":["**"]`)
	l.grant("owner", v, bot, "other/**", `["read"]`, "")
	l.renew("bot", bot)
	same := func(name string, a, b step) {
		t.Helper()
		one, two := l.want(a).Body.String(), l.want(b).Body.String()
		if one != two {
			t.Errorf("%s: %s\nand %s", name, one, two)
		}
	}
	same("a path without the right to read it",
		step{url: v + "/secrets/there", as: "bot", status: 403}, step{url: v + "/secrets/nowhere", as: "bot", status: 403})
	same("a vault of another organisation",
		step{url: v + "/secrets/there", as: "stranger", status: 404},
		step{url: "/v1/vaults/0190d6f0-0000-7000-8000-000000000001/secrets/there", as: "stranger", status: 404})
	l.run(t, []step{
		{name: "no policy, existing", method: put, url: v + "/secrets/there", as: "bot", body: `{"value":"x"}`, status: 403, event: "secret.write refused insufficient_permissions"},
		{name: "no policy, new", method: put, url: v + "/secrets/nowhere", as: "bot", body: `{"value":"x"}`, status: 403},
	})
}

func TestJ10PeopleNeedAPolicyToo(t *testing.T) {
	l := newLive(t)
	theirs := l.vault("member", "theirs")
	l.want(step{method: put, url: theirs + "/secrets/a", as: "member", body: `{"value":"` + canary + `"}`, status: 201})
	l.run(t, []step{
		{name: "an owner does not read", url: theirs + "/secrets/a", as: "owner", status: 403, event: "secret.read refused insufficient_permissions"},
		{name: "nor write", method: put, url: theirs + "/secrets/a", as: "owner", body: `{"value":"x"}`, status: 403},
		{name: "the list is empty", url: theirs + "/secrets", as: "owner", status: 200, has: []string{`{"secrets":[]}`}},
		{name: "but manages policies", method: post, url: theirs + "/policies", as: "owner", status: 201, event: "policy.create success",
			body: `{"secret_path_pattern":"a","principal_type":"user","principal_id":"` + l.ownerID.String() + `","permissions":["read"]}`},
		{name: "and then reads", url: theirs + "/secrets/a", as: "owner", status: 200, reveals: true, has: []string{canary}},
	})
}
