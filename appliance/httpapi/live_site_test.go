package httpapi

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"
)

// testKey is a customer's key that consists of one byte.
func testKey(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func keyPrint(key []byte) string { sum := sha256.Sum256(key); return hex.EncodeToString(sum[:]) }

func keyText(key []byte) string { return base64.StdEncoding.EncodeToString(key) }

// blobUnder is a value as the official client encrypts it.
func blobUnder(key []byte, text string) string {
	block, _ := aes.NewCipher(key)
	a, _ := cipher.NewGCMWithRandomNonce(block)
	return keyText(append([]byte{1}, a.Seal(nil, nil, []byte(text), nil)...))
}

func openUnder(key []byte, blob string) string {
	raw, err := base64.StdEncoding.DecodeString(blob)
	if err != nil || len(raw) < 29 {
		return "no blob"
	}
	block, _ := aes.NewCipher(key)
	a, _ := cipher.NewGCMWithRandomNonce(block)
	out, err := a.Open(nil, nil, raw[1:], nil)
	if err != nil {
		return "under another key"
	}
	return string(out)
}

func keyHeaders(from, to string) map[string]string {
	return map[string]string{"x-cmek-old-key": from, "x-cmek-new-key": to}
}

// headersOf are those that an operation's scenario needs.
var headersOf = map[string]map[string]string{"rotateCmek": keyHeaders(keyText(testKey(1)), keyText(testKey(2)))}

// siteLifecycle is the operations of one vault's CMEK and of the appliance.
func siteLifecycle(l *live) []operation {
	var vault, job, rule string
	text := func(s string) func() string { return func() string { return s } }
	return []operation{
		{"enableCmek", post, func() string {
			if vault == "" {
				vault = l.vault("owner", "cmek")
			}
			return vault + "/cmek"
		}, "owner", text(`{"fingerprint":"` + keyPrint(testKey(1)) + `"}`), 200, "cmek.enable success", nil, "any"},
		{"rotateCmek", post, func() string { return vault + "/cmek-rotate" }, "owner", text(`{"new_fingerprint":"` + keyPrint(testKey(2)) + `"}`), 202, "cmek.rotate success",
			func(a answered) { job = a.text("id") }, "any"},
		{"getCmekRotationJob", get, func() string { return vault + "/cmek-rotate/" + job }, "owner", nil, 200, "none", nil, "any"},
		{"disableCmek", remove, func() string { return vault + "/cmek" }, "owner", nil, 200, "cmek.disable success", nil, "any"},
		{"createIpRule", post, text("/v1/security/ip-rules"), "owner", text(`{"rule_type":"deny","cidr":"198.51.100.0/24"}`), 201, "security.ip_rule_create success",
			func(a answered) { rule = a.text("id") }, "user"},
		{"listIpRules", get, text("/v1/security/ip-rules"), "owner", nil, 200, "none", nil, "user"},
		{"deleteIpRule", remove, func() string { return "/v1/security/ip-rules/" + rule }, "owner", nil, 204, "security.ip_rule_delete success", nil, "user"},
		{"adminUpdateSetting", put, text("/v1/admin/settings/signup_mode"), "owner", text(`{"value":"invite"}`), 200, "setting.update success", nil, "user"},
		{"adminListSettings", get, text("/v1/admin/settings"), "owner", nil, 200, "none", nil, "user"},
		{"adminGetSetting", get, text("/v1/admin/settings/signup_mode"), "owner", nil, 200, "none", nil, "user"},
		{"adminReplaceLlmPrices", put, text("/v1/admin/llm-prices"), "owner", text(`{"prices":[{"provider":"local","model":"*","input":1,"output":2}]}`), 200, "llm_prices.update success", nil, "user"},
		{"adminListLlmPrices", get, text("/v1/admin/llm-prices"), "owner", nil, 200, "none", nil, "user"},
		{"adminDeleteSetting", remove, text("/v1/admin/settings/signup_mode"), "owner", nil, 204, "setting.delete success", nil, "user"},
	}
}

func TestK5OverHTTP(t *testing.T) {
	l := newLive(t)
	t.Cleanup(l.vaults.StopRotations)
	v := l.vault("owner", "v")
	from, to := testKey('A'), testKey('B')
	enable := func(fingerprint string, status int, has string) step {
		return step{name: "enable", method: post, url: v + "/cmek", as: "owner", body: `{"fingerprint":"` + fingerprint + `"}`, status: status, has: []string{has}}
	}
	rotate := func(name, old, fresh, fingerprint string, status int, has string) step {
		return step{name: name, method: post, url: v + "/cmek-rotate", as: "owner", header: keyHeaders(old, fresh),
			body: `{"new_fingerprint":"` + fingerprint + `"}`, status: status, has: []string{has}, lacks: []string{keyText(from), keyText(to)}}
	}
	l.run(t, []step{
		{name: "disable what is off", method: remove, url: v + "/cmek", as: "owner", status: 400, has: []string{`"code":"cmek_not_enabled"`}},
		enable("abc", 400, "invalid_cmek_fingerprint"),
		rotate("off", keyText(from), keyText(to), keyPrint(to), 400, "cmek_not_enabled"),
		enable(keyPrint(from), 200, `"cmek_enabled":true,"cmek_fingerprint":"`+keyPrint(from)+`"`),
		{name: "a member may not", method: remove, url: v + "/cmek", as: "member", status: 403, event: "cmek.disable refused access_denied"},
		rotate("no base64", "%%"+keyText(from), keyText(to), keyPrint(to), 400, `"x-cmek-old-key":"must be base64 of 32 bytes"`),
		rotate("too short", keyText(from), keyText(to[:31]), keyPrint(to), 400, `"x-cmek-new-key":"must be base64 of 32 bytes"`),
		rotate("none", "", keyText(to), keyPrint(to), 400, `"x-cmek-old-key":"is required"`),
		rotate("another old key", keyText(testKey('C')), keyText(to), keyPrint(to), 400, "cmek_old_key_mismatch"),
		rotate("another fingerprint", keyText(from), keyText(to), keyPrint(from), 400, "cmek_new_key_mismatch"),
		{name: "no such job", url: v + "/cmek-rotate/0190d6f0-0000-7000-8000-000000000001", as: "owner", status: 404, has: []string{"cmek_job_not_found"}},
	})
	l.put(v, "a/b", blobUnder(from, canary))
	l.want(step{name: "K4", url: v + "/secrets/a/b", as: "owner", status: 200, has: []string{`"cmek_encrypted":true`}})
	a := l.want(rotate("all right", keyText(from), keyText(to), keyPrint(to), 202, `"status":"running","total_secrets":1`))
	at := v + "/cmek-rotate/" + a.text("id")
	status := "running"
	for end := time.Now().Add(10 * time.Second); status == "running" && time.Now().Before(end); time.Sleep(time.Millisecond) {
		status = l.want(step{url: at, as: "owner", status: 200}).text("status")
	}
	l.want(step{name: "the job", url: at, as: "owner", status: 200, has: []string{`"status":"completed","total_secrets":1,"processed":1`},
		keys: "id vault_id old_fingerprint new_fingerprint status total_secrets processed started_at completed_at created_at"})
	l.want(step{name: "not for a member", url: at, as: "member", status: 403})
	got := l.want(step{url: v + "/secrets/a/b", as: "owner", status: 200, has: []string{`"version":1`, `"cmek_encrypted":true`}}).text("value")
	if text := openUnder(to, got); text != canary {
		t.Error(text)
	}
	l.want(step{name: "the vault", url: v, as: "owner", status: 200, has: []string{keyPrint(to)}})
	l.want(step{name: "off", method: remove, url: v + "/cmek", as: "owner", status: 200, has: []string{`"cmek_enabled":false`}})
	l.want(step{name: "and still marked", url: v + "/secrets/a/b", as: "owner", status: 200, has: []string{`"cmek_encrypted":true`}})
	for _, k := range [][]byte{from, to} {
		for _, form := range []string{string(k), keyText(k), hex.EncodeToString(k)} {
			if strings.Contains(l.log.String(), form) || bytes.Contains(bytes.Join(l.leaves(), nil), []byte(form)) {
				t.Error("a key is in the log")
			}
		}
	}
}

const (
	here      = "192.0.2.7"
	elsewhere = "198.51.100.9"
)

func TestG2IPRules(t *testing.T) {
	l := newLive(t)
	l.agent("bot", "")
	v := l.vault("owner", "v")
	l.put(v, "a", "x")
	rule := func(name, body string, status int, has string) step {
		return step{name: name, method: post, url: "/v1/security/ip-rules", as: "owner", from: here, body: body, status: status, has: []string{has}}
	}
	ask := func(name, as, from string, status int, event string) step {
		s := step{name: name, url: "/v1/vaults", as: as, from: from, status: status, event: event}
		if status == 403 {
			s.has = []string{"IP rules", from}
		}
		return s
	}
	l.run(t, []step{
		rule("another type", `{"rule_type":"maybe","cidr":"10.0.0.0/8"}`, 400, "invalid_rule_type"),
		rule("no network", `{"rule_type":"deny","cidr":"10.0.0.0/99"}`, 400, "invalid_cidr"),
		rule("for whom", `{"rule_type":"deny","cidr":"10.0.0.0/8","applies_to":"api"}`, 400, "invalid_applies_to"),
		{name: "a member may not", method: post, url: "/v1/security/ip-rules", as: "member", body: `{"rule_type":"deny","cidr":"10.0.0.0/8"}`, status: 403, event: "security.ip_rule_create refused access_denied"},
		{name: "nor look", url: "/v1/security/ip-rules", as: "member", status: 403, event: "security.ip_rule_list refused access_denied"},
		{name: "none yet", url: "/v1/security/ip-rules", as: "owner", status: 200, has: []string{`{"rules":[]}`}},
		rule("allowing others only", `{"rule_type":"allow","cidr":"10.0.0.0/8"}`, 409, "ip_rule_locks_out"),
		rule("denying oneself", `{"rule_type":"block","cidr":"`+here+`"}`, 409, "ip_rule_locks_out"),
		rule("denying agents here", `{"rule_type":"block","cidr":"`+here+`/24","description":"agents","applies_to":"agents"}`, 201, `"rule_type":"deny","cidr":"192.0.2.0/24","label":"agents","applies_to":"agents"`),
		ask("an agent", "bot", here, 403, "security.ip_denied refused ip_denied"),
		ask("once a minute", "bot", here, 403, "none"),
		ask("from elsewhere", "bot", elsewhere, 200, "none"),
		ask("a person", "member", here, 200, "none"),
		ask("a reader of another organisation", "stranger", elsewhere, 200, "none"),
	})
	allowed := l.want(rule("allowing where I am", `{"rule_type":"allow","cidr":"192.0.0.0/8","label":"office"}`, 201, `"applies_to":"all"`)).text("id")
	l.run(t, []step{
		ask("a person from elsewhere", "member", elsewhere, 403, "security.ip_denied refused ip_denied"),
		ask("with a key", "key", elsewhere, 403, "security.ip_denied refused ip_denied"),
		ask("an agent from elsewhere", "bot", elsewhere, 403, "security.ip_denied refused ip_denied"),
		{name: "before what else is wrong", method: post, url: "/v1/agents", as: "bot", from: elsewhere, body: `{}`, status: 403, has: []string{"ip_denied"}},
		ask("another organisation", "stranger", elsewhere, 200, "none"),
		{name: "a token that is none", url: "/v1/vaults", as: "x.y.z", from: elsewhere, status: 401},
		{name: "what is public", url: "/v1/health", from: elsewhere, status: 200},
	})
	l.clock.advance(2 * time.Minute)
	if e := l.logged(l.want(ask("later", "bot", here, 403, "security.ip_denied refused ip_denied"))); string(e.Details["not_recorded"]) != "1" {
		t.Errorf("details: %v", e.Details)
	}
	l.want(rule("a second", `{"rule_type":"allow","cidr":"203.0.113.0/24"}`, 201, `"cidr":"203.0.113.0/24"`))
	l.run(t, []step{
		{name: "not the one that lets me in", method: remove, url: "/v1/security/ip-rules/" + allowed, as: "owner", from: here, status: 409, event: "security.ip_rule_delete refused ip_rule_locks_out"},
		{name: "but from the other place", method: remove, url: "/v1/security/ip-rules/" + allowed, as: "owner", from: "203.0.113.5", status: 204},
		{name: "at once", url: "/v1/vaults", as: "owner", from: here, status: 403},
		{name: "twice", method: remove, url: "/v1/security/ip-rules/" + allowed, as: "owner", from: "203.0.113.5", status: 404},
		{name: "not another's", method: remove, url: "/v1/security/ip-rules/" + allowed, as: "stranger", status: 404},
	})
	l.restart()
	l.want(step{name: "and after a restart", url: "/v1/vaults", as: "key", from: here, status: 403})
}

func TestG3Settings(t *testing.T) {
	l := newLive(t)
	set := func(as, key, value string, status int, has ...string) step {
		return step{name: key + "=" + value, method: put, url: "/v1/admin/settings/" + key, as: as, body: fmt.Sprintf(`{"value":%q}`, value), status: status, has: has}
	}
	l.run(t, []step{
		{name: "none", url: "/v1/admin/settings", as: "owner", status: 200, has: []string{`{"settings":[]}`}},
		set("member", "maintenance_mode", "true", 403, "access_denied"),
		set("stranger", "maintenance_mode", "true", 403, "access_denied"),
		{name: "nor look", url: "/v1/admin/settings", as: "stranger", status: 403, event: "setting.read refused access_denied"},
		set("owner", "no.such", "1", 400, "maintenance_mode", "signup_mode", "x402.*"),
		set("owner", "maintenance_mode", "yes", 400, "true, false"),
		set("owner", "signup_mode", "sometimes", 400, "open, invite, closed"),
		set("owner", "signup_mode", "closed", 200, `"key":"signup_mode","value":"closed","updated_by":"user:`+l.ownerID.String()),
		set("owner", "x402.asset", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", 200, "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"),
		set("owner", "intents_api.require_simulation", "TRUE", 200, `"value":"true"`),
		{name: "not set", url: "/v1/admin/settings/maintenance_mode", as: "owner", status: 404},
		{name: "no such", method: remove, url: "/v1/admin/settings/no.such", as: "owner", status: 400},
		{name: "to the default", method: remove, url: "/v1/admin/settings/signup_mode", as: "owner", status: 204, event: "setting.delete success"},
		{name: "which it is", method: remove, url: "/v1/admin/settings/signup_mode", as: "owner", status: 204},
	})
	if keys := l.want(step{url: "/v1/admin/settings", as: "owner", status: 200}).list("settings", "key"); fmt.Sprint(keys) != "[intents_api.require_simulation x402.asset]" {
		t.Error(keys)
	}
	now, err := l.site.Current(t.Context())
	l.ok(err)
	if !now.RequireSimulation || now.Maintenance || now.Signup != "open" || now.X402["asset"] == "" {
		t.Errorf("%+v", now)
	}
}

func TestG3Maintenance(t *testing.T) {
	l := newLive(t)
	bot := l.agent("bot", "")
	v := l.vault("owner", "v")
	l.put(v, "a", canary)
	l.grant("owner", v, bot, "**", `["read","write"]`, "")
	l.renew("bot", bot)
	l.tokens["old"] = l.exchange("/v1/auth/api-key-token", l.tokens["member"])
	turn := func(value string) {
		l.want(step{method: put, url: "/v1/admin/settings/maintenance_mode", as: "owner", body: `{"value":"` + value + `"}`, status: 200})
	}
	turn("true")
	closed := func(name, method, url, as, body string) step {
		return step{name: name, method: method, url: url, as: as, body: body, status: 503, has: []string{`"code":"maintenance"`}, want: map[string]string{"Retry-After": "60"}, event: "none"}
	}
	l.run(t, []step{
		{name: "an agent reads", url: v + "/secrets/a", as: "bot", status: 200, has: []string{canary}, reveals: true},
		closed("and does not write", put, v+"/secrets/a", "bot", `{"value":"x"}`),
		closed("a member", post, "/v1/vaults", "member", `{"name":"x"}`),
		closed("another organisation", post, "/v1/vaults", "stranger", `{"name":"x"}`),
		closed("deleting", remove, v+"/secrets/a", "bot", ""),
		closed("changing", patch, "/v1/agents/"+bot.id, "member", `{}`),
		{name: "listing", url: "/v1/vaults", as: "member", status: 200},
		{name: "signing in", method: post, url: "/v1/auth/token", body: `{"email":"` + ownerEmail + `","password":"` + ownerPassword + `"}`, status: 200},
		{name: "exchanging a key", method: post, url: "/v1/auth/agent-token", body: `{"api_key":"` + bot.key + `"}`, status: 200},
		{name: "exchanging another", method: post, url: "/v1/auth/api-key-token", body: `{"api_key":"` + l.tokens["member"] + `"}`, status: 200},
		{name: "signing out", method: remove, url: "/v1/auth/token", as: "old", status: 200},
		{name: "health", url: "/v1/health", status: 200},
		{name: "who runs the appliance writes", method: put, url: v + "/secrets/b", as: "owner", body: `{"value":"x"}`, status: 201},
		{name: "no token comes first", method: post, url: "/v1/vaults", body: `{"name":"x"}`, status: 401},
	})
	l.restart()
	l.want(closed("after a restart", post, "/v1/vaults", "member", `{"name":"x"}`))
	turn("false")
	l.want(step{name: "over", method: put, url: v + "/secrets/a", as: "bot", body: `{"value":"x"}`, status: 201})
}

func TestPricesOfModels(t *testing.T) {
	l := newLive(t)
	const at = "/v1/admin/llm-prices"
	l.run(t, []step{
		{name: "the built-in ones", url: at, as: "owner", status: 200, has: []string{`{"prices":[],"builtin":[{"provider":"openai"`}},
		{name: "not a member", method: put, url: at, as: "member", body: `{"prices":[]}`, status: 403, event: "llm_prices.update refused access_denied"},
		{name: "nor another organisation", url: at, as: "stranger", status: 403, event: "llm_prices.read refused access_denied"},
		{name: "below nothing", method: put, url: at, as: "owner", body: `{"prices":[{"provider":"a","model":"*","input":-1,"output":0}]}`, status: 400},
		{name: "no pattern", method: put, url: at, as: "owner", body: `{"prices":[{"provider":"a","model":"[","input":1,"output":0}]}`, status: 400,
			has: []string{`"code":"invalid_llm_prices"`, "Price 1 "}, event: "llm_prices.update refused invalid_llm_prices"},
		{name: "none there", method: put, url: at, as: "owner", body: `{}`, status: 400},
		{name: "one's own", method: put, url: at, as: "owner", body: `{"prices":[{"provider":"local","model":"llama*","input":0.5,"output":2}]}`, status: 200,
			has: []string{`{"prices":[{"provider":"local","model":"llama*","input":0.5,"output":2}],"builtin":[`}, event: "llm_prices.update success"},
		{name: "stay", url: at, as: "owner", status: 200, has: []string{`{"prices":[{"provider":"local","model":"llama*","input":0.5,"output":2}]`}},
		{name: "back", method: put, url: at, as: "owner", body: `{"prices":[]}`, status: 200, has: []string{`{"prices":[],"builtin":[`}, event: "llm_prices.update success"},
		{name: "to the built-in ones", url: at, as: "owner", status: 200, has: []string{`{"prices":[],`}},
	})
}
