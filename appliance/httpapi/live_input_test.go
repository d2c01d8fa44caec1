package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// bodies are the operations that take one, with a good one of each.
func (l *live) bodies() []step {
	v := l.vault("owner", "bodies")
	bot := l.agent("of bodies", "")
	l.put(v, "a", "x")
	policy := l.grant("owner", v, bot, "**", `["read"]`, "")
	payer := l.payer("of transactions", "")
	p := "/v1/agents/" + payer.id
	row := l.want(step{url: "/v1/chains/polygon", status: 200}).text("id")
	const tx = `"to":"` + somebody1 + `","value":"0","chain":"ethereum","data":"0x","signing_key_path":"keys/ethereum-signer","nonce":0,"gas_limit":21000,"gas_price":"1",` +
		`"max_fee_per_gas":"1","max_priority_fee_per_gas":"1"`
	secret := l.want(step{url: v + "/secrets/a", as: "owner", status: 200}).text("id")
	const offer = `"recipient_type":"user","recipient_id":"0190d6f0-0000-7000-8000-000000000001","email":"e@example.com","recipient_email":"e@example.com","permissions":["read"],` +
		`"max_access_count":3,"max_views":3,"expires_at":"2100-01-01T00:00:00Z","expires_in_hours":3,"passphrase":"p","ip_allowlist":["10.0.0.0/8"]`
	return []step{
		{method: post, url: "/v1/vaults", body: `{"name":"v","description":"d"}`},
		{method: put, url: v + "/secrets/a", body: `{"value":"v","type":"note","secret_type":"note","metadata":{"a":1},"rotation_policy":{},"expires_at":"2100-01-01T00:00:00Z","max_access_count":3}`},
		{method: post, url: v + "/secret-rotate/a", body: `{"length":12,"charset":"hex"}`},
		{method: post, url: v + "/policies", body: `{"secret_path_pattern":"**","path_pattern":"**","principal_type":"agent","principal_id":"` + bot.id + `","permissions":["read"],"conditions":{},"expires_at":"2100-01-01T00:00:00Z","policy_schema_version":1,"effect":"allow","priority":0}`},
		{method: put, url: v + "/policies/" + policy, body: `{"permissions":["read"],"conditions":{},"expires_at":"2100-01-01T00:00:00Z"}`},
		{method: post, url: "/v1/agents", body: `{"name":"n","description":"d","auth_method":"api_key","scopes":["a"],"expires_at":"2100-01-01T00:00:00Z","intents_api_enabled":true,"crypto_proxy_enabled":true,` +
			`"tx_to_allowlist":["0x70997970c51812dc3a010c7d01b50e0d17dc79c8"],"tx_max_value_eth":"1","tx_daily_limit_eth":"1","tx_allowed_chains":["base"],"token_ttl_seconds":300,"vault_ids":[],"shroud_enabled":true,"shroud_config":{}}`},
		{method: patch, url: "/v1/agents/" + bot.id, body: `{"name":"n","description":"d","scopes":["a"],"is_active":true,"expires_at":"2100-01-01T00:00:00Z","intents_api_enabled":false,"crypto_proxy_enabled":false,` +
			`"tx_to_allowlist":["0x70997970c51812dc3a010c7d01b50e0d17dc79c8"],"tx_max_value_eth":"1","tx_daily_limit_eth":"1","tx_allowed_chains":["base"],"token_ttl_seconds":300,"vault_ids":[],"shroud_enabled":true,"shroud_config":{}}`},
		{method: post, url: "/v1/auth/api-keys", body: `{"name":"n","scopes":["a"],"expires_at":"2100-01-01T00:00:00Z"}`},
		{method: post, url: "/v1/auth/token", body: `{"email":"e@example.com","password":"p"}`},
		{method: post, url: "/v1/auth/agent-token", body: `{"agent_id":"` + bot.id + `","api_key":"k"}`},
		{method: post, url: "/v1/auth/api-key-token", body: `{"api_key":"k"}`},
		{method: post, url: "/v1/auth/refresh", body: `{"refresh_token":"r"}`},
		{method: post, url: "/v1/secrets/" + secret + "/share", body: `{` + offer + `}`},
		{method: post, url: "/v1/shares", body: `{"secret_id":"` + secret + `",` + offer + `,"secret_path":"a","vault_id":"` + secret + `"}`},
		{method: post, url: "/v1/shares/" + secret + "/access", body: `{"passphrase":"p"}`},
		{method: post, url: p + "/transactions", body: `{` + tx + `,"simulate_first":false}`},
		{method: post, url: p + "/transactions/sign", body: `{` + tx + `,"simulate_first":false}`},
		{method: post, url: p + "/transactions/simulate-bundle", body: `{"transactions":[{` + tx + `}]}`},
		{method: post, url: p + "/sign", body: `{"intent_type":"typed_data","message":"m","hash":"0x","typed_data":{},` + tx + `}`},
		{method: put, url: p + "/guardrails", body: `{"tx_per_day":1,"allowed_methods":["0xa9059cbb"],"token_limits":[{"chain_id":1,"token":"` + tokenUSD + `","max_amount":"1","daily_limit":"1"}],"allow_unlimited_approvals":true,` +
			`"no_personal_sign":true,"no_typed_data":true,"allowed_domains":["` + tokenUSD + `"],"approval":{"approvers":1,"above_eth":"1"},"raw_digests":true}`},
		{method: post, url: p + "/signing-keys", body: `{"chain":"base"}`},
		{method: post, url: p + "/signing-keys/base/import", body: `{"private_key":"k","password":"p"}`},
		{method: post, url: "/v1/approvals/" + payer.id + "/decide", body: `{"decision":"denied","reason":"r"}`},
		{method: post, url: "/v1/approvals/" + payer.id + "/deny", body: `{"reason":"r"}`},
		{method: put, url: "/v1/org/signing-freeze", body: `{"reason":"r"}`},
		{method: post, url: "/v1/admin/chains", body: `{"name":"n","display_name":"d","chain_id":5,"rpc_url":"https://node.example","ws_url":"wss://node.example","explorer_url":"https://node.example","native_currency":"N","is_testnet":true,"is_enabled":true}`},
		{method: put, url: "/v1/admin/chains/" + row, body: `{"display_name":"d","rpc_url":"https://node.example","ws_url":"wss://node.example","explorer_url":"https://node.example","native_currency":"N","is_testnet":true,"is_enabled":true}`},
	}
}

// TestBadTypesInEveryField puts a value of every JSON type into every field of
// every body. What is refused is a 400 that names the field; nothing is a 500,
// and no refusal repeats the value.
func TestBadTypesInEveryField(t *testing.T) {
	l := newLive(t)
	values := []string{`"` + canary + `"`, `["` + canary + `"]`, `[["` + canary + `"]]`, `{"` + canary + `":"` + canary + `"}`, `[{"` + canary + `":1}]`, `1`, `-1`, `1.5`, `1e400`, `99999999999999999999`, `true`, `null`, `""`, `[]`, `{}`}
	n := 0
	for _, s := range l.bodies() {
		var good map[string]json.RawMessage
		l.ok(json.Unmarshal([]byte(s.body), &good))
		for field := range good {
			for _, value := range values {
				bad := map[string]json.RawMessage{}
				for k, v := range good {
					if k != field {
						bad[k] = v
					}
				}
				body, err := json.Marshal(bad)
				l.ok(err)
				text := string(body[:len(body)-1])
				if len(bad) > 0 {
					text += ","
				}
				req := step{name: field + " " + value, method: s.method, url: s.url, as: "owner", body: text + `"` + field + `":` + value + `}`}
				a := l.send(req)
				n++
				if a.Code >= 500 {
					t.Errorf("%s %s %s: %d %s", s.method, s.url, req.body, a.Code, a.Body)
				}
				a.wellFormed(req)
				if a.Code >= 400 && (strings.Contains(a.Body.String(), canary) || strings.Contains(fmt.Sprint(a.Header()), canary)) {
					t.Errorf("%s %s: %s came back: %s", s.method, s.url, req.body, a.Body)
				}
				if a.Code == 400 && strings.Contains(a.Body.String(), `"code":"invalid_request"`) && value != `1e400` && !strings.Contains(a.Body.String(), `"`+field+`":`) {
					t.Errorf("%s %s does not name %s: %s", s.method, req.body, field, a.Body)
				}
			}
		}
	}
	l.forget()
	t.Logf("%d requests", n)
}

// forget ends the search for the canary where a test put it into names and the
// like, which are no secrets.
func (l *live) forget() { l.orgs = nil }

func TestMalformedBodies(t *testing.T) {
	l := newLive(t)
	deep := strings.Repeat(`{"a":`, 100_000) + strings.Repeat(`}`, 100_000)
	for i, s := range l.bodies() {
		for name, tt := range map[string]struct {
			body   string
			status int
		}{
			"cut off":            {`{"value":"` + canary, 400},
			"not JSON":           {canary, 400},
			"an array":           {`["` + canary + `"]`, 400},
			"a text":             {`"` + canary + `"`, 400},
			"a number":           {`1`, 400},
			"two":                {`{} {"` + canary + `":1}`, 400},
			"a trailing comma":   {`{"value":"` + canary + `",}`, 400},
			"single quotes":      {`{'value':'` + canary + `'}`, 400},
			"no UTF-8":           {"{\"value\":\"" + canary + "\xff\"}", 400},
			"half a surrogate":   {`{"value":"` + canary + `\ud800"}`, 400},
			"a byte order mark":  {"\ufeff{}", 400},
			"the same twice":     {`{"` + canary + `":1,"` + canary + `":2}`, 400},
			"in two cases":       {`{"value":"a","VALUE":"` + canary + `","name":"a","Name":"b","api_key":"k","API_KEY":"l","email":"a","Email":"b","length":9,"Length":10,"permissions":[],"Permissions":[],"refresh_token":"","Refresh_token":""}`, 400},
			"deep":               {`{"metadata":` + deep + `}`, 400},
			"many values":        {`{"metadata":{"a":[` + strings.Repeat("0,", 70_000) + `0]}}`, 400},
			"many fields":        {`{` + manyFields(300) + `}`, 400},
			"a number of digits": {`{"max_access_count":` + strings.Repeat("9", 1000) + `}`, 400},
			"huge":               {`{"value":"` + strings.Repeat("v", 5<<20) + `"}`, 413},
			"huge white space":   {strings.Repeat(" ", 6<<20), 413},
		} {
			if len(tt.body) > 500_000 && i%6 != 0 {
				continue // one reader before all operations refuses these; megabytes for each of them take minutes
			}
			l.want(step{name: name, method: s.method, url: s.url, as: "owner", body: tt.body, status: tt.status, lacks: []string{"vvvv"}})
		}
	}
	s := l.bodies()[1]
	const frame = len(`{"value":""}`)
	l.want(step{name: "T15: exactly 5 MiB", method: put, url: s.url, as: "owner", body: `{"value":"` + strings.Repeat("v", 5<<20-frame) + `"}`, status: 201})
	l.want(step{name: "T15: one more", method: put, url: s.url, as: "owner", body: `{"value":"` + strings.Repeat("v", 5<<20-frame+1) + `"}`, status: 413})
}

func manyFields(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf(`"f%d":0`, i)
	}
	return strings.Join(names, ",")
}

func TestBadIdentifiersInPaths(t *testing.T) {
	l := newLive(t)
	for _, id := range []string{
		canary, "0", "not-a-uuid", "00000000-0000-0000-0000-00000000000", "0190d6f0-0000-7000-8000-0000000000011", "0190d6f0000070008000000000000001",
		"%7B0190d6f0-0000-7000-8000-000000000001%7D", "urn:uuid:0190d6f0-0000-7000-8000-000000000001", "0190d6f0-0000-7000-8000-00000000000g",
		"0190d6f0-0000-7000-8000-000000000001%00", "%20190d6f0-0000-7000-8000-000000000001", "..%2F..", "'%20OR%201=1", "*", "%25",
	} {
		for _, s := range []step{
			{method: get, url: "/v1/vaults/" + id},
			{method: remove, url: "/v1/vaults/" + id},
			{method: get, url: "/v1/vaults/" + id + "/secrets"},
			{method: get, url: "/v1/vaults/" + id + "/secrets/a"},
			{method: get, url: "/v1/vaults/" + id + "/policies"},
			{method: remove, url: "/v1/vaults/" + id + "/policies/" + id},
			{method: get, url: "/v1/agents/" + id},
			{method: remove, url: "/v1/agents/" + id},
			{method: post, url: "/v1/agents/" + id + "/rotate-key"},
			{method: remove, url: "/v1/auth/api-keys/" + id},
			{method: get, url: "/v1/agents/" + id + "/transactions"},
			{method: get, url: "/v1/agents/" + id + "/signing-keys"},
			{method: get, url: "/v1/approvals/" + id},
			{method: post, url: "/v1/approvals/" + id + "/approve"},
			{method: remove, url: "/v1/admin/chains/" + id},
		} {
			a := l.send(step{method: s.method, url: s.url, as: "owner"})
			a.wellFormed(s)
			if a.Code != 400 && (a.Code != 404 || !strings.Contains(id, "%2F")) {
				t.Errorf("%s %s: %d %s", s.method, s.url, a.Code, a.Body)
			}
			if strings.Contains(a.Body.String(), canary) {
				t.Errorf("%s came back: %s", s.url, a.Body)
			}
		}
	}
	l.want(step{name: "the nil UUID is nothing", url: "/v1/vaults/00000000-0000-0000-0000-000000000000", as: "owner", status: 404})
}

// TestTokensThatAreNone tries every way to be somebody without being it.
func TestTokensThatAreNone(t *testing.T) {
	l := newLive(t)
	bot := l.agent("bot", "")
	good := l.tokens["owner"]
	parts := strings.Split(good, ".")
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	_, claims, _ := partsOf(t, good)
	payload := func(change map[string]any) string {
		c := map[string]any{}
		for k, v := range claims {
			c[k] = v
		}
		for k, v := range change {
			c[k] = v
		}
		raw, _ := json.Marshal(c)
		return encode(string(raw))
	}
	key, err := base64.StdEncoding.DecodeString(l.want(step{url: "/v1/auth/jwt-public-key", status: 200}).text("public_key_base64"))
	l.ok(err)
	for name, token := range map[string]string{
		"nonsense":                     canary,
		"two parts":                    parts[0] + "." + parts[1],
		"four parts":                   good + "." + parts[2],
		"no signature":                 parts[0] + "." + parts[1] + ".",
		"another's signature":          parts[0] + "." + parts[1] + "." + strings.Split(l.tokens["bot"], ".")[2],
		"another's payload":            parts[0] + "." + strings.Split(l.tokens["bot"], ".")[1] + "." + parts[2],
		"alg none":                     encode(`{"alg":"none","typ":"JWT"}`) + "." + parts[1] + ".",
		"alg None":                     encode(`{"alg":"None"}`) + "." + parts[1] + "." + parts[2],
		"alg HS256 with the key":       hs256(encode(`{"alg":"HS256","typ":"JWT"}`)+"."+parts[1], key),
		"another kid":                  encode(`{"alg":"EdDSA","typ":"JWT","kid":"`+canary+`"}`) + "." + parts[1] + "." + parts[2],
		"a jku of its own":             encode(`{"alg":"EdDSA","jku":"https://`+canary+`"}`) + "." + parts[1] + "." + parts[2],
		"a longer life":                parts[0] + "." + payload(map[string]any{"exp": 99999999999}) + "." + parts[2],
		"another subject":              parts[0] + "." + payload(map[string]any{"sub": "agent:" + bot.id}) + "." + parts[2],
		"padded":                       good + "=",
		"the signature in another way": good[:len(good)-1] + flipped(good[len(good)-1]),
		"a huge one":                   strings.Repeat("a", 17<<10),
		"an agent's key":               bot.key,
		"a share of a user's key":      "1ck_",
	} {
		for _, url := range []string{"/v1/vaults", "/v1/auth/me"} {
			l.want(step{name: name, url: url, as: token, status: 401, want: map[string]string{"Www-Authenticate": "Bearer"}, lacks: []string{token}})
		}
	}
	for name, header := range map[string]string{
		"another scheme": "Basic " + good, "no scheme": good, "two tokens": "Bearer " + good + ", Bearer " + good, "nothing": "Bearer ", "quoted": `Bearer "` + good + `"`,
	} {
		l.want(step{name: name, url: "/v1/vaults", header: map[string]string{"Authorization": header}, status: 401})
	}
	for name, header := range map[string]string{"any case": "bEARER " + good, "spaces": "Bearer   " + good + " "} {
		l.want(step{name: name, url: "/v1/vaults", header: map[string]string{"Authorization": header}, status: 200})
	}
}
