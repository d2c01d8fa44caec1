package httpapi

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	agentKeys = "id name description auth_method scopes is_active intents_api_enabled tx_to_allowlist tx_allowed_chains " +
		"vault_ids ssh_public_key ecdh_public_key shroud_enabled created_at"
	fingerprint = "AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89"
)

func TestA1RegisteringAgents(t *testing.T) {
	l := newLive(t)
	create := func(name, body string, status int, has ...string) step {
		return step{name: name, method: post, url: "/v1/agents", as: "owner", body: body, status: status, has: has}
	}
	plain := create("with a key", `{"name":"bot"}`, 201, `"auth_method":"api_key"`, `"api_key":"ocv_`, `"is_active":true`, `"scopes":[]`, `"vault_ids":[]`)
	plain.keys, plain.event = "agent api_key", "agent.register success"
	inner := create("its members", `{"name":"bot"}`, 201)
	inner.at, inner.keys = "agent", agentKeys
	mtls := create("mtls", `{"name":"m","auth_method":"mtls","client_cert_fingerprint":"`+fingerprint+`"}`, 201, `"client_cert_fingerprint":"abcdef0123456789`)
	mtls.keys = "agent"
	oidc := create("oidc", `{"name":"o","auth_method":"oidc_client_credentials","oidc_issuer":"https://issuer.example","oidc_client_id":"c"}`, 201, `"oidc_issuer":"https://issuer.example"`, `"oidc_client_id":"c"`)
	oidc.keys = "agent"
	byAgent := create("by an agent", `{"name":"x"}`, 403, "Access denied")
	byAgent.as, byAgent.event = "first", "agent.register refused users_only"
	byMember := create("by any member", `{"name":"x"}`, 201)
	byMember.as = "member"
	l.agent("first", "")
	l.run(t, []step{
		plain, inner, mtls, oidc, byAgent, byMember,
		create("mtls without a fingerprint", `{"name":"m","auth_method":"mtls"}`, 400, "invalid_auth_method"),
		create("with a wrong one", `{"name":"m","auth_method":"mtls","client_cert_fingerprint":"`+canary+`"}`, 400, "invalid_fingerprint"),
		create("oidc without a client", `{"name":"o","auth_method":"oidc_client_credentials","oidc_issuer":"x"}`, 400, "invalid_auth_method"),
		create("oidc without an issuer", `{"name":"o","auth_method":"oidc_client_credentials","oidc_client_id":"x"}`, 400),
		create("another way in", `{"name":"o","auth_method":"`+canary+`"}`, 400, `"auth_method":"must be one of`),
		create("no name", `{}`, 400, `"name":"is required"`),
		create("an empty name", `{"name":""}`, 400, "invalid_agent_name"),
		create("a vault that is not there", `{"name":"x","vault_ids":["0190d6f0-0000-7000-8000-000000000001"]}`, 400, "unknown_vault"),
		create("a vault id that is none", `{"name":"x","vault_ids":["`+canary+`"]}`, 400, `"vault_ids":"`),
		create("an expiry in the past", `{"name":"x","expires_at":"2020-01-01T00:00:00Z"}`, 400, "expiry_in_past"),
		create("a negative ttl", `{"name":"x","token_ttl_seconds":-1}`, 400, "invalid_token_ttl"),
		create("a ttl of months", `{"name":"x","token_ttl_seconds":2592001}`, 400, "invalid_token_ttl"),
		create("null for a ttl", `{"name":"x","token_ttl_seconds":null}`, 201),
	})
}

func TestA2IdentityKeys(t *testing.T) {
	l := newLive(t)
	for _, more := range []string{"", `,"auth_method":"mtls","client_cert_fingerprint":"` + fingerprint + `"`} {
		a := l.want(step{method: post, url: "/v1/agents", as: "owner", body: `{"name":"x"` + more + `}`, status: 201})
		ssh, ecdh := a.text("agent.ssh_public_key"), a.text("agent.ecdh_public_key")
		if len(ssh) != 44 || len(ecdh) != 88 {
			t.Errorf("%d and %d characters", len(ssh), len(ecdh))
		}
		raw, err := base64.StdEncoding.DecodeString(ecdh)
		if err != nil || len(raw) != 65 || raw[0] != 4 {
			t.Errorf("not an uncompressed point: %v", err)
		}
	}
}

func TestA3PrivateHalvesAreInTheirVault(t *testing.T) {
	l := newLive(t)
	bot := l.agent("bot", "")
	list := l.want(step{url: "/v1/vaults", as: "owner", status: 200, has: []string{`"name":"__agent-keys"`}})
	v := "/v1/vaults/" + list.text("vaults.0.id")
	a := l.want(step{url: "/v1/agents/" + bot.id, as: "owner", status: 200})
	read := func(kind string) []byte {
		got := l.want(step{url: v + "/secrets/agents/" + bot.id + "/" + kind + "/private_key", as: "owner", status: 200, has: []string{`"type":"generic"`}}) // A4
		raw, err := base64.StdEncoding.DecodeString(got.text("value"))
		if err != nil || len(raw) != 32 || len(got.text("value")) != 44 {
			t.Fatalf("%s: %d bytes, %v", kind, len(raw), err)
		}
		return raw
	}
	if pub := ed25519.NewKeyFromSeed(read("ssh")).Public().(ed25519.PublicKey); base64.StdEncoding.EncodeToString(pub) != a.text("ssh_public_key") {
		t.Error("the Ed25519 halves do not belong together")
	}
	key, err := ecdh.P256().NewPrivateKey(read("ecdh"))
	if err != nil || base64.StdEncoding.EncodeToString(key.PublicKey().Bytes()) != a.text("ecdh_public_key") {
		t.Errorf("the P-256 halves do not belong together: %v", err)
	}
	own := v + "/secrets/agents/" + bot.id + "/ssh/private_key"
	l.want(step{name: "an agent has no right to its own keys", url: own, as: "bot", status: 403})
	l.grant("owner", v, bot, "agents/"+bot.id+"/**", `["read"]`, "")
	l.renew("bot", bot)
	l.want(step{name: "but can be given it", url: own, as: "bot", status: 200})
	l.agent("another", "")
	if n := strings.Count(l.want(step{url: "/v1/vaults", as: "owner", status: 200}).Body.String(), "__agent-keys"); n != 1 {
		t.Errorf("%d vaults for keys", n)
	}
}

func TestA5RotatingIdentityKeys(t *testing.T) {
	l := newLive(t)
	bot := l.agent("bot", "")
	url := "/v1/agents/" + bot.id + "/rotate-identity-keys"
	before := l.want(step{url: "/v1/agents/" + bot.id, as: "owner", status: 200})
	v := "/v1/vaults/" + l.want(step{url: "/v1/vaults", as: "owner", status: 200}).text("vaults.0.id")
	after := l.want(step{name: "by its owner", method: post, url: url, as: "owner", status: 200, keys: agentKeys + " last_active_at", event: "agent.rotate_identity_keys success"})
	if before.text("ssh_public_key") == after.text("ssh_public_key") || before.text("ecdh_public_key") == after.text("ecdh_public_key") {
		t.Error("a key stayed")
	}
	l.run(t, []step{
		{name: "a new version at the same path", url: v + "/secrets/agents/" + bot.id + "/ssh/private_key", as: "owner", status: 200, has: []string{`"version":2`}},
		{name: "by the agent", method: post, url: url, as: "bot", status: 403, event: "agent.rotate_identity_keys refused users_only"},
		{name: "by another member", method: post, url: url, as: "member", status: 403, event: "agent.rotate_identity_keys refused access_denied"},
		{name: "by another organisation", method: post, url: url, as: "stranger", status: 404, event: "agent.rotate_identity_keys refused agent_not_found"},
	})
}

func TestA6RotatingTheKey(t *testing.T) {
	l := newLive(t)
	bot := l.agent("bot", "")
	url := "/v1/agents/" + bot.id + "/rotate-key"
	fresh := l.want(step{name: "rotate", method: post, url: url, as: "owner", status: 200, keys: "api_key", event: "agent.rotate_key success"}).text("api_key")
	l.run(t, []step{
		{name: "the old key fails", method: post, url: "/v1/auth/agent-token", body: `{"api_key":"` + bot.key + `"}`, status: 401, has: []string{"Invalid credentials"}},
		{name: "the new one works", method: post, url: "/v1/auth/agent-token", body: `{"api_key":"` + fresh + `"}`, status: 200},
		{name: "an issued token works on", url: "/v1/agents/me", as: "bot", status: 200},
		{name: "by the agent", method: post, url: url, as: "bot", status: 403, event: "agent.rotate_key refused users_only"},
		{name: "by another member", method: post, url: url, as: "member", status: 403},
		{name: "of nobody", method: post, url: "/v1/agents/0190d6f0-0000-7000-8000-000000000001/rotate-key", as: "owner", status: 404},
		{name: "one that has none", method: post, as: "owner", status: 409, has: []string{"agent_has_no_key"},
			url: "/v1/agents/" + l.want(step{method: post, url: "/v1/agents", as: "owner", status: 201,
				body: `{"name":"m","auth_method":"mtls","client_cert_fingerprint":"` + fingerprint + `"}`}).text("agent.id") + "/rotate-key"},
	})
}

func TestA7Updates(t *testing.T) {
	l := newLive(t)
	bot := l.agent("bot", `,"description":"d","scopes":["a/**"],"tx_to_allowlist":["0x70997970c51812dc3a010c7d01b50e0d17dc79c8"],"tx_max_value_eth":"1","tx_daily_limit_eth":"2","tx_allowed_chains":["base"],`+
		`"token_ttl_seconds":300,"expires_at":"2100-01-01T00:00:00Z","shroud_config":{"strictness":1}`)
	url := "/v1/agents/" + bot.id
	full := agentKeys + " tx_max_value_eth tx_daily_limit_eth token_ttl_seconds expires_at shroud_config last_active_at"
	change := func(name, method, body, keys string, has ...string) step {
		return step{name: name, method: method, url: url, as: "owner", body: body, status: 200, keys: keys, has: has, event: "agent.update success"}
	}
	refused := func(name, body string, has ...string) step {
		return step{name: name, method: patch, url: url, as: "owner", body: body, status: 400, has: has}
	}
	l.run(t, []step{
		change("absent is unchanged", patch, `{}`, full, `"description":"d"`, `"scopes":["a/**"]`, `"token_ttl_seconds":300`, `"tx_max_value_eth":"1"`, `"tx_allowed_chains":["base"]`),
		change("PUT is the same", put, `{"description":"e"}`, full, `"description":"e"`, `"name":"bot"`),
		change("a description", patch, `{"description":"","name":"robot"}`, full, `"description":""`, `"name":"robot"`),
		change("null where it clears nothing", patch, `{"name":null,"scopes":null,"is_active":null,"shroud_enabled":null}`, full, `"name":"robot"`, `"scopes":["a/**"]`, `"is_active":true`),
		change("null clears", patch, `{"tx_max_value_eth":null,"tx_daily_limit_eth":null,"expires_at":null,"token_ttl_seconds":null,"shroud_config":null}`, agentKeys+" last_active_at"),
		change("[] clears", patch, `{"scopes":[],"tx_to_allowlist":[],"tx_allowed_chains":[],"vault_ids":[]}`, agentKeys+" last_active_at",
			`"scopes":[]`, `"tx_to_allowlist":[]`, `"tx_allowed_chains":[]`, `"vault_ids":[]`),
		change("set again", patch, `{"tx_max_value_eth":"0.5","token_ttl_seconds":600,"shroud_enabled":true,"intents_api_enabled":true}`, agentKeys+" last_active_at tx_max_value_eth token_ttl_seconds",
			`"shroud_enabled":true`, `"intents_api_enabled":true`),
		change("the former name", patch, `{"crypto_proxy_enabled":false}`, "", `"intents_api_enabled":false`),
		change("unknown fields", patch, `{"guardian":{"x":1},"smart_accounts":[]}`, ""),
		refused("an empty name", `{"name":""}`, "invalid_agent_name"),
		refused("a past expiry", `{"expires_at":"2020-01-01T00:00:00Z"}`, "expiry_in_past"),
		refused("an expiry that looks like none", `{"expires_at":"0001-01-01T00:00:00Z"}`, `"expires_at":"is out of range`),
		refused("a vault that is not there", `{"vault_ids":["0190d6f0-0000-7000-8000-000000000001"]}`, "unknown_vault"),
		refused("a number that is none", `{"token_ttl_seconds":"`+canary+`"}`, `"token_ttl_seconds":"must be an integer"`),
		{name: "by the agent itself", method: patch, url: url, as: "bot", body: `{"scopes":["**"]}`, status: 403, event: "agent.update refused users_only"},
		{name: "by another member", method: patch, url: url, as: "member", body: `{}`, status: 403, event: "agent.update refused access_denied"},
		{name: "by another organisation", method: patch, url: url, as: "stranger", body: `{}`, status: 404, event: "agent.update refused agent_not_found"},
	})
	if got := l.want(step{url: url, as: "owner", status: 200}).text("name"); got != "robot" {
		t.Errorf("a refused change was made: %s", got)
	}
}

func TestA8DeactivatingIsImmediate(t *testing.T) {
	l := newLive(t)
	bot := l.agent("bot", "")
	url := "/v1/agents/" + bot.id
	l.run(t, []step{
		{name: "by another member", method: remove, url: url, as: "member", status: 403},
		{name: "by the agent", method: remove, url: url, as: "bot", status: 403},
		{name: "its token works", url: "/v1/agents/me", as: "bot", status: 200},
		{name: "deactivate", method: remove, url: url, as: "owner", status: 204, event: "agent.deactivate success"},
		{name: "its token does not", url: "/v1/agents/me", as: "bot", status: 401, has: []string{"Agent is deactivated"}, event: "auth.failure refused agent_deactivated"},
		{name: "nor its key", method: post, url: "/v1/auth/agent-token", body: `{"api_key":"` + bot.key + `"}`, status: 401, has: []string{"Invalid credentials"}},
		{name: "still listed", url: "/v1/agents", as: "owner", status: 200, has: []string{bot.id, `"is_active":false`}},
		{name: "still there", url: url, as: "owner", status: 200},
		{name: "active again", method: patch, url: url, as: "owner", body: `{"is_active":true}`, status: 200, has: []string{`"is_active":true`}},
		{name: "with the same token", url: "/v1/agents/me", as: "bot", status: 200},
		{name: "nobody", method: remove, url: "/v1/agents/0190d6f0-0000-7000-8000-000000000001", as: "owner", status: 404, event: "agent.deactivate refused agent_not_found"},
	})
	dying := l.agent("dying", fmt.Sprintf(`,"token_ttl_seconds":86400,"expires_at":%q`, l.clock.Now().Add(time.Hour).Format(time.RFC3339)))
	l.clock.advance(time.Hour + time.Second)
	l.want(step{name: "expired", url: "/v1/agents/me", as: "dying", status: 401})
	l.want(step{name: "its key too", method: post, url: "/v1/auth/agent-token", body: `{"api_key":"` + dying.key + `"}`, status: 401, has: []string{"Invalid credentials"}})
}

func TestA9Self(t *testing.T) {
	l := newLive(t)
	bot, other := l.agent("bot", ""), l.agent("other", "")
	self := l.want(step{name: "me", url: "/v1/agents/me", as: "bot", status: 200,
		keys: "id name description org_id created_by scopes vault_ids is_active intents_api_enabled ssh_public_key ecdh_public_key shroud_enabled created_at last_active_at"})
	if self.text("id") != bot.id || self.text("org_id") != l.org.String() || self.text("created_by") != l.ownerID.String() {
		t.Errorf("%s", self.Body)
	}
	l.run(t, []step{
		{name: "a person", url: "/v1/agents/me", as: "owner", status: 403, event: "agent.read refused agents_only"},
		{name: "by its own id", url: "/v1/agents/" + bot.id, as: "bot", status: 200},
		{name: "another's", url: "/v1/agents/" + other.id, as: "bot", status: 403, event: "agent.read refused access_denied"},
		{name: "the list", url: "/v1/agents", as: "bot", status: 403, event: "agent.read refused users_only"},
		{name: "vaults", url: "/v1/vaults", as: "bot", status: 200, has: []string{`{"vaults":[]}`}},
		{name: "of another organisation", url: "/v1/agents/" + bot.id, as: "stranger", status: 404},
		{name: "whose list is empty", url: "/v1/agents", as: "stranger", status: 200, has: []string{`{"agents":[]}`}},
		{name: "any member looks", url: "/v1/agents/" + bot.id, as: "member", status: 200},
	})
}

func TestA10Activity(t *testing.T) {
	l := newLive(t)
	a := l.want(step{method: post, url: "/v1/agents", as: "owner", body: `{"name":"x"}`, status: 201})
	url := "/v1/agents/" + a.text("agent.id")
	l.want(step{name: "never seen", url: url, as: "owner", status: 200, lacks: []string{"last_active_at"}})
	l.tokens["bot"] = l.exchange("/v1/auth/agent-token", a.text("api_key"))
	first := l.want(step{name: "seen at the exchange", url: url, as: "owner", status: 200}).text("last_active_at")
	l.clock.advance(time.Minute)
	l.want(step{url: "/v1/agents/me", as: "bot", status: 200})
	if second := l.want(step{url: url, as: "owner", status: 200}).text("last_active_at"); second <= first || !strings.HasSuffix(second, "Z") {
		t.Errorf("seen at %s, then at %s", first, second)
	}
}

func TestA11AgentToken(t *testing.T) {
	l := newLive(t)
	v := strings.TrimPrefix(l.vault("owner", "v"), "/v1/vaults/")
	bot, other := l.agent("bot", `,"vault_ids":["`+v+`"]`), l.agent("other", "")
	exchange := func(name, body string, status int, has ...string) step {
		s := step{name: name, method: post, url: "/v1/auth/agent-token", body: body, status: status, has: has}
		if status == 401 {
			s.has = append(s.has, "Invalid credentials", `"code":"invalid_credentials"`)
			s.want = map[string]string{"Www-Authenticate": "Bearer"}
			s.event = "auth.failure refused invalid_credentials"
		}
		return s
	}
	good := exchange("by the key alone", `{"api_key":"`+bot.key+`"}`, 200, `"token_type":"Bearer"`, `"expires_in":3600`, `"agent_id":"`+bot.id+`"`, `"vault_ids":["`+v+`"]`)
	good.keys, good.event = "access_token token_type expires_in agent_id vault_ids", "auth.success success"
	strict := exchange("for strict readers", `{"agent_id":"`+bot.id+`","api_key":"`+bot.key+`"}`, 200)
	strict.header, strict.keys = map[string]string{"User-Agent": "OpenAPI-Generator/1.0.0/go"}, "access_token token_type expires_in"
	l.run(t, []step{
		good, strict,
		exchange("with the id", `{"agent_id":"`+bot.id+`","api_key":"`+bot.key+`"}`, 200),
		exchange("without a binding", `{"api_key":"`+other.key+`"}`, 200, `"vault_ids":[]`),
		exchange("with another's id", `{"agent_id":"`+other.id+`","api_key":"`+bot.key+`"}`, 401),
		exchange("with an id of nobody", `{"agent_id":"0190d6f0-0000-7000-8000-000000000001","api_key":"`+bot.key+`"}`, 401),
		exchange("with an id that is none", `{"agent_id":"`+canary+`","api_key":"`+bot.key+`"}`, 400, `"agent_id":"is not a UUID"`),
		exchange("a wrong key", `{"api_key":"`+bot.key[:46]+flipped(bot.key[46])+`"}`, 401),
		exchange("the beginning of one", `{"api_key":"`+bot.key[:12]+`"}`, 401),
		exchange("no key", `{"api_key":""}`, 401),
		exchange("nonsense", `{"api_key":"`+canary+`"}`, 401),
		exchange("a person's key", `{"api_key":"`+l.tokens["key"]+`"}`, 401),
		exchange("left out", `{"agent_id":"`+bot.id+`"}`, 400, `"api_key":"is required"`),
		exchange("null", `{"api_key":null}`, 400),
	})
	if e := l.logged(l.want(exchange("a wrong key is nobody's", `{"api_key":"ocv_nonsense"}`, 401))); e.Actor.Type != "anonymous" || e.Actor.ID != "" && !strings.HasPrefix(e.Actor.ID, "00000000") {
		t.Errorf("%+v", e)
	}
}

// flipped is another character of the key's alphabet that changes its bytes.
func flipped(c byte) string {
	if c == 'A' {
		return "Q"
	}
	return "A"
}

func TestA12TheFirstVaultIsOneThatServes(t *testing.T) {
	l := newLive(t)
	bot := l.agent("bot", "") // __agent-keys is the oldest vault
	first := func(as string) string {
		return l.want(step{url: "/v1/vaults", as: as, status: 200}).text("vaults.0.name")
	}
	work := l.vault("owner", "work")
	keys := "/v1/vaults/" + l.want(step{url: "/v1/vaults", as: "owner", status: 200}).text("vaults.1.id")
	l.grant("owner", keys, bot, "**", `["read"]`, "")
	l.grant("owner", work, bot, "**", `["read"]`, "")
	l.renew("bot", bot)
	for _, who := range []string{"bot", "owner"} {
		if got := first(who); got != "work" {
			t.Errorf("%s would take %s", who, got)
		}
	}
}

func TestA15GuardrailsAreKept(t *testing.T) {
	l := newLive(t)
	bot := l.agent("bot", `,"intents_api_enabled":true,"tx_allowed_chains":["base","ethereum"],"tx_to_allowlist":["0x70997970c51812dc3a010c7d01b50e0d17dc79c8"],"tx_max_value_eth":"0.10","tx_daily_limit_eth":"100"`)
	l.want(step{url: "/v1/agents/" + bot.id, as: "owner", status: 200,
		has: []string{`"tx_allowed_chains":["base","ethereum"]`, `"tx_to_allowlist":["0x70997970c51812dc3a010c7d01b50e0d17dc79c8"]`, `"tx_max_value_eth":"0.10"`, `"tx_daily_limit_eth":"100"`}})
}
