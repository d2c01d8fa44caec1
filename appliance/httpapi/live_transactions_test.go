package httpapi

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	txKeys     = "id agent_id chain chain_id to value_wei status tx_hash created_at signed_at max_fee_per_gas max_priority_fee_per_gas"
	signedKeys = "signed_tx tx_hash from to chain chain_id nonce value_wei status max_fee_per_gas max_priority_fee_per_gas"
)

func TestI1Values(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", "")
	for value, wei := range map[string]string{
		"1.0": "1000000000000000000", "1": "1000000000000000000", "0": "0", "0.0": "0", "0.000000000000000001": "1", "0.5": "500000000000000000",
		"0.100000000000000000": "100000000000000000", "123456789.123456789123456789": "123456789123456789123456789",
		"115792089237316195423570985008687907853269984665640564039456.999999999999999999": "115792089237316195423570985008687907853269984665640564039456999999999999999999",
	} {
		a := l.want(step{name: value, method: post, url: p.url, as: "payer", body: pay(somebody1, value, ""), status: 201, has: []string{`"value_wei":"` + wei + `"`}})
		if tx, _ := signedTx(t, a.text("signed_tx")); tx.Value.String() != wei {
			t.Errorf("%s: %s is signed", value, tx.Value)
		}
	}
	for _, value := range []string{
		"", "-1", "-0", "+1", "0x1", "0xde0b6b3a7640000", "1e18", "1E1", "1.", ".5", "1.0.0", "1,5", "1_000", " 1", "1 ", "01", "00.1", "0.0000000000000000001", "NaN", "Infinity", "١", "1/2", "½",
		"115792089237316195423570985008687907853269984665640564039457.584007913129639936", strings.Repeat("9", 100), strings.Repeat("9", 60_000), "0." + strings.Repeat("0", 60_000) + "1", canary,
	} {
		l.want(step{name: fmt.Sprintf("%.40s", value), method: post, url: p.url, as: "payer", body: pay(somebody1, value, ""), status: 400, event: "none",
			has: []string{`"code":"invalid_transaction"`, `value must be a decimal number`}})
	}
	for _, value := range []string{`1`, `0.5`, `null`, `true`, `{}`, `["1"]`} {
		l.want(step{name: value, method: post, url: p.url, as: "payer", body: `{"to":"` + somebody1 + `","chain":"ethereum","value":` + value + fees + `}`, status: 400, has: []string{`"value":"`}})
	}
	l.want(step{name: "left out", method: post, url: p.url, as: "payer", body: `{"to":"` + somebody1 + `","chain":"ethereum"` + fees + `}`, status: 400, has: []string{`"value":"is required"`}})
}

func TestI1OtherTexts(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", "")
	bad := func(name, body, detail string) step {
		return step{name: name, method: post, url: p.url, as: "payer", body: body, status: 400, event: "none", has: []string{detail}}
	}
	tall := func(member string) string { return pay(somebody1, "1", member) }
	legacy := func(member string) string {
		return `{"to":"` + somebody1 + `","value":"1","chain":"ethereum"` + member + `}`
	}
	l.run(t, []step{
		bad("no address", pay(canary, "1", ""), "to must be an address"),
		bad("too short", pay(somebody1[:41], "1", ""), "to must be an address"),
		bad("without 0x", pay(somebody1[2:], "1", ""), "to must be an address"),
		bad("a wrong checksum", pay(strings.Replace(somebody1, "C51", "c51", 1), "1", ""), "to must be an address"),
		bad("nobody", pay("", "1", ""), "to is needed"),
		bad("data that is not hex", tall(`,"data":"0x`+canary+`"`), "data must be hex"),
		bad("half a byte", tall(`,"data":"0xabc"`), "data must be hex"),
		bad("data without 0x", tall(`,"data":"a9059cbb"`), "data must be hex"),
		bad("too much data", tall(`,"gas_limit":30000000,"data":"0x`+strings.Repeat("00", 128<<10+1)+`"`), "data must be hex"),
		bad("an access list of no address", tall(`,"access_list":[{"address":"`+canary+`"}]`), "access_list[0].address must be an address"),
		bad("a short storage key", tall(`,"access_list":[{"address":"`+somebody1+`","storage_keys":["0x07"]}]`), "access_list[0].storageKeys must be hex"),
		bad("an access list without gas", tall(`,"access_list":[{"address":"`+somebody1+`"}]`), "gas_needed"),
		bad("data without gas", tall(`,"data":"0x00"`), "gas_needed"),
		bad("no gas", tall(`,"gas_limit":0`), "gas_limit must be 1 to"),
		bad("negative gas", tall(`,"gas_limit":-1`), `"gas_limit":"`),
		bad("gas as a text", tall(`,"gas_limit":"21000"`), `"gas_limit":"`),
		bad("all gas there is", tall(`,"gas_limit":18446744073709551615`), "gas_limit must be 1 to"),
		bad("gas beyond 64 bits", tall(`,"gas_limit":18446744073709551616`), `"gas_limit":"`),
		bad("a negative nonce", tall(`,"nonce":-1`), `"nonce":"`),
		bad("half a nonce", tall(`,"nonce":0.5`), `"nonce":"`),
		bad("a fee in hex", legacy(`,"gas_price":"0x1"`), "gas_price must be a whole number of wei"),
		bad("a fee in ether", legacy(`,"gas_price":"0.1"`), "gas_price must be a whole number of wei"),
		bad("a negative fee", legacy(`,"max_fee_per_gas":"-1","max_priority_fee_per_gas":"1"`), "max_fee_per_gas must be a whole number of wei"),
		bad("a path that is none", tall(`,"signing_key_path":"../`+canary+`"`), `"code":"invalid_secret_path"`),
		bad("simulate as a text", tall(`,"simulate_first":"true"`), `"simulate_first":"`),
		{name: "lower case", method: post, url: p.url, as: "payer", body: pay(strings.ToLower(somebody1), "1", ""), status: 201, has: []string{`"to":"` + somebody1 + `"`}},
		{name: "an access list", method: post, url: p.url, as: "payer", status: 201,
			body: tall(`,"gas_limit":30000,"access_list":[{"address":"` + somebody1 + `","storageKeys":["0x` + strings.Repeat("07", 32) + `"]},{"address":"` + somebody1 + `","storage_keys":["0x` + strings.Repeat("08", 32) + `"]}]`)},
		{name: "a contract is made", method: post, url: p.url, as: "payer", body: pay("", "0", `,"data":"0x6000","gas_limit":100000`), status: 201, has: []string{`"to":""`}},
		{name: "nulls are as if left out", method: post, url: p.url, as: "payer", body: tall(`,"nonce":null,"gas_limit":null`), status: 201},
		{name: "an agent id that is none", method: post, url: "/v1/agents/" + canary + "/transactions", as: "payer", body: tall(""), status: 400},
	})
}

func TestI2Chains(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", "")
	on := func(chain string) step {
		return step{name: chain, method: post, url: p.url, as: "payer", status: 201, has: []string{`"chain":"ethereum"`, `"chain_id":1,`},
			body: `{"to":"` + somebody1 + `","value":"0","chain":"` + chain + `"` + fees + `}`}
	}
	unknown := func(chain string) step {
		s := on(chain)
		s.status, s.has = 400, []string{`"code":"unknown_chain"`, "Unknown or disabled chain"}
		return s
	}
	l.run(t, []step{on("ethereum"), on("1"), on("Ethereum"), on("ETHEREUM")})
	for _, chain := range []string{"", "0", "2", "01", "0x1", "-1", "1.0", " 1", "ethereum ", "eip155:1", "mainnet", "99999999999999999999999", strings.Repeat("1", 10_000), canary} {
		l.want(unknown(chain))
	}
	row := l.want(step{url: "/v1/chains/ethereum", status: 200}).text("id")
	l.want(step{method: put, url: "/v1/admin/chains/" + row, as: "owner", body: `{"is_enabled":false}`, status: 200})
	l.run(t, []step{unknown("ethereum"), unknown("1")})
	l.want(step{method: put, url: "/v1/admin/chains/" + row, as: "owner", body: `{"is_enabled":true}`, status: 200})
	l.want(on("ethereum"))
}

func TestI3Keys(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", "")
	submit := func(name, member string, status int, has ...string) step {
		return step{name: name, method: post, url: p.url, as: "payer", body: pay(somebody1, "0", member), status: status, has: has}
	}
	elsewhere := func(name, chain string, status int, has ...string) step {
		s := submit(name, "", status, has...)
		s.body = strings.Replace(s.body, "ethereum", chain, 1)
		return s
	}
	l.want(submit("the default path", "", 201))
	l.want(submit("the same, by its name", `,"signing_key_path":"keys/ethereum-signer"`, 201))
	l.run(t, []step{
		elsewhere("the default of another chain", "polygon", 403, `"code":"signing_key_denied"`, "denied", "keys/polygon-signer"),
		elsewhere("by its number too", "137", 403, "denied"),
		submit("a path without a policy", `,"signing_key_path":"other/signer"`, 403, `"code":"signing_key_denied"`),
	})
	l.putKey(p.vault, "other/signer")
	l.want(submit("a key without a policy", `,"signing_key_path":"other/signer"`, 403, `"code":"signing_key_denied"`))
	l.putKey(p.vault, "keys/polygon-signer")
	l.want(elsewhere("once it is there", "137", 201))

	write := func(path, body string) {
		l.want(step{method: put, url: p.vault + "/secrets/keys/" + path, as: "owner", body: body, status: 201})
	}
	write("note", `{"value":"0x`+signingKey+`","type":"note"}`)
	write("few", `{"value":"0x`+signingKey+`","type":"private_key","max_access_count":3}`)
	write("short", `{"value":"0x`+signingKey[:62]+`","type":"private_key"}`)
	write("zero", `{"value":"`+strings.Repeat("0", 64)+`","type":"private_key"}`)
	write("order", `{"value":"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141","type":"private_key"}`)
	write("text", `{"value":"`+canary+`","type":"private_key"}`)
	write("gone", `{"value":"`+signingKey+`","type":"private_key"}`)
	l.want(step{method: remove, url: p.vault + "/secrets/keys/gone", as: "owner", status: 204})
	write("plain", `{"value":"`+signingKey+`","type":"private_key"}`)
	write("upper", `{"value":"0x`+strings.ToUpper(signingKey)+`","type":"private_key"}`)
	at := func(path string, status int, has ...string) step {
		return submit(path, `,"signing_key_path":"keys/`+path+`"`, status, has...)
	}
	l.run(t, []step{
		at("note", 400, `"code":"not_a_signing_key"`),
		at("few", 400, `"code":"not_a_signing_key"`),
		at("short", 400, `"code":"invalid_signing_key"`),
		at("zero", 400, `"code":"invalid_signing_key"`),
		at("order", 400, `"code":"invalid_signing_key"`),
		at("text", 400, `"code":"invalid_signing_key"`),
		at("gone", 410),
		at("nothing", 403, `"code":"signing_key_denied"`),
		at("plain", 201),
		at("upper", 201),
	})
	l.want(step{name: "S10", url: p.vault + "/secrets/keys/ethereum-signer", as: "payer", status: 403, has: []string{`"code":"signing_key_protected"`}})
	l.want(step{name: "S10: nor its versions", url: p.vault + "/secret-version/keys/ethereum-signer/1", as: "payer", status: 403})
}

// TestI3APolicyToUse: who may use a key may sign with it, and it alone lets
// nobody read it.
func TestI3APolicyToUse(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "keys")
	l.putKey(v, "keys/ethereum-signer")
	bot := l.agent("bot", `,"intents_api_enabled":true`)
	url := "/v1/agents/" + bot.id + "/transactions"
	submit := step{name: "submit", method: post, url: url, as: "bot", body: pay(somebody1, "0", ""), status: 403, has: []string{"signing_key_denied"}}
	l.want(submit)
	policy := l.grant("owner", v, bot, "keys/*", `["use"]`, "")
	l.renew("bot", bot)
	submit.status, submit.has = 201, nil
	l.want(submit)
	l.want(step{name: "reading is another right", url: v + "/secrets/keys/ethereum-signer", as: "bot", status: 403})
	l.want(step{method: remove, url: v + "/policies/" + policy, as: "owner", status: 204})
	submit.status, submit.has = 403, []string{"signing_key_denied"}
	l.want(submit)
	l.grant("owner", v, bot, "keys/*", `["use"]`, `,"conditions":{"ip_allowlist":["10.0.0.1"]}`)
	l.want(submit)
	submit.from, submit.status, submit.has = "10.0.0.1", 201, nil
	l.want(submit)
}

func TestI4WhoMaySubmit(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", "")
	other := l.payer("other", "")
	plain := l.agent("plain", `,"scopes":["**"]`)
	l.grant("owner", p.vault, plain, "keys/**", `["read"]`, "")
	submit := func(as, of string, status int, event string, has ...string) step {
		return step{name: as + " for " + of, method: post, url: "/v1/agents/" + of + "/transactions", as: as, body: pay(somebody1, "0", ""), status: status, event: event, has: has}
	}
	const nobody = "0190d6f0-0000-7000-8000-000000000001"
	l.run(t, []step{
		submit("payer", p.id, 201, "transaction.sign success"),
		submit("owner", p.id, 201, "transaction.sign success"),
		submit("key", p.id, 201, "transaction.sign success"),
		submit("member", p.id, 403, "transaction.submit refused access_denied", "denied"),
		submit("stranger", p.id, 404, "transaction.submit refused agent_not_found"),
		submit("other", p.id, 403, "transaction.submit refused not_this_agent", "denied"),
		submit("payer", nobody, 403, "transaction.submit refused not_this_agent", "denied"),
		submit("owner", nobody, 404, "transaction.submit refused agent_not_found"),
		submit("plain", plain.id, 403, "transaction.submit refused intents_not_enabled", "not enabled"),
		submit("owner", plain.id, 403, "transaction.submit refused intents_not_enabled", "not enabled"),
	})
	l.want(step{method: patch, url: "/v1/agents/" + plain.id, as: "owner", body: `{"intents_api_enabled":true}`, status: 200})
	l.want(submit("plain", plain.id, 403, "transaction.submit refused intents_not_enabled", "get a new one"))
	l.renew("plain", plain)
	l.want(submit("plain", plain.id, 201, ""))
	l.want(step{method: patch, url: "/v1/agents/" + plain.id, as: "owner", body: `{"intents_api_enabled":false}`, status: 200})
	l.want(submit("plain", plain.id, 403, "transaction.submit refused intents_not_enabled")) // whatever its token says
	l.want(step{method: remove, url: "/v1/agents/" + other.id, as: "owner", status: 204})
	l.want(submit("owner", other.id, 403, "transaction.submit refused agent_inactive"))

	a := l.want(submit("owner", p.id, 201, ""))
	if e := l.logged(a); e.Actor.Type != "user" || string(e.Details["agent_id"]) != `"`+p.id+`"` {
		t.Errorf("the event of what a person submits: %+v", e)
	}
	l.want(step{name: "all there are", url: p.url, as: "member", status: 200, has: []string{`"transactions":[`, a.text("id")}, lacks: []string{"signed_tx"}})
	l.want(step{name: "for another organisation", url: p.url, as: "stranger", status: 404, event: "transaction.read refused agent_not_found"})
	l.want(step{name: "for another agent", url: p.url + "/" + a.text("id"), as: "plain", status: 403, event: "transaction.read refused not_this_agent"})
	l.want(step{name: "one that is not there", url: p.url + "/" + p.id, as: "payer", status: 404, event: "transaction.read refused transaction_not_found"})
	l.want(step{name: "of another agent", url: "/v1/agents/" + plain.id + "/transactions/" + a.text("id"), as: "owner", status: 404})
}

func TestI5Fees(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", "")
	with := func(name, members string, status int, keys string, has ...string) step {
		return step{name: name, method: post, url: p.url, as: "payer", body: `{"to":"` + somebody1 + `","value":"0","chain":"ethereum"` + members + `}`, status: status, keys: keys, has: has}
	}
	const legacyKeys = "id agent_id chain chain_id to value_wei status signed_tx tx_hash created_at signed_at"
	dynamic := l.want(with("EIP-1559", `,"max_fee_per_gas":"2000000000","max_priority_fee_per_gas":"1000000000"`, 201, txKeys+" signed_tx", `"max_fee_per_gas":"2000000000"`, `"max_priority_fee_per_gas":"1000000000"`))
	if text := dynamic.text("signed_tx"); !strings.HasPrefix(text, "0x02") {
		t.Errorf("not of type 2: %.8s", text)
	}
	legacy := l.want(with("EIP-155", `,"gas_price":"3000000000"`, 201, legacyKeys))
	tx, _ := signedTx(t, legacy.text("signed_tx"))
	if legacy.text("signed_tx")[:4] < "0xc0" || tx.GasPrice.String() != "3000000000" || tx.ChainID != 1 || tx.Gas != 21000 {
		t.Errorf("not EIP-155: %+v", tx)
	}
	l.run(t, []step{
		with("neither, and no node", "", 400, "", `"code":"fees_needed"`, "gas_price"),
		with("both", `,"gas_price":"1"`+fees, 400, "", "gas_price does not go with"),
		with("half", `,"max_fee_per_gas":"1"`, 400, "", "go together"),
		with("the other half", `,"max_priority_fee_per_gas":"1"`, 400, "", "go together"),
		with("a tip above the whole", `,"max_fee_per_gas":"1","max_priority_fee_per_gas":"2"`, 400, "", "is more than max_fee_per_gas"),
		with("above the cap", `,"gas_price":"1000000000001"`, 403, "", `"code":"fee_cap"`, "denied"),
		with("at the cap", `,"gas_price":"1000000000000"`, 201, legacyKeys),
	})
	above := with("above the cap", `,"gas_price":"1000000000001"`, 403, "")
	above.event = "transaction.submit refused fee_cap"
	l.want(above)
	l.node(1)
	l.want(with("neither, and a node", "", 201, txKeys+" signed_tx", `"status":"broadcast"`, `"max_fee_per_gas":"15000000000"`, `"max_priority_fee_per_gas":"1000000000"`))
}

func TestI6Broadcast(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", "")
	submit := func(name, status string) answered {
		return l.want(step{name: name, method: post, url: p.url, as: "payer", body: pay(somebody1, "0.1", ""), status: 201, has: []string{`"status":"` + status + `"`}})
	}
	submit("without a node", "signed")
	n := l.node(1)
	if tx, _ := signedTx(t, submit("with one", "broadcast").text("signed_tx")); tx.Nonce != 1 {
		t.Errorf("the nonce is %d", tx.Nonce)
	}
	n.refuses = true
	a := submit("which refuses", "failed")
	if !strings.Contains(a.text("error_message"), "insufficient funds") {
		t.Errorf("it says %s", a.text("error_message"))
	}
	l.want(step{name: "what the chain made of it", url: p.url + "/" + a.text("id") + "/confirmation", as: "payer", status: 200,
		has: []string{`"state":"rejected"`, `"final":false`, `"nonce":2`, `"tx_hashes":["0x`}})
	n.refuses = false
	if tx, _ := signedTx(t, submit("again", "broadcast").text("signed_tx")); tx.Nonce != 2 {
		t.Errorf("the nonce of what was refused is not used again, but %d", tx.Nonce)
	}
	n.down = true
	l.want(step{name: "which does not answer", method: post, url: p.url, as: "payer", body: pay(somebody1, "0.1", ""), status: 503, has: []string{`"code":"chain_unavailable"`}})
}

func TestI7SignedTx(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", "")
	a := l.want(step{method: post, url: p.url, as: "payer", body: pay(somebody1, "0.1", ""), status: 201, keys: txKeys + " signed_tx"})
	if e := l.logged(a); string(e.Details["tx_hash"]) != `"`+a.text("tx_hash")+`"` {
		t.Errorf("the event names %s", e.Details["tx_hash"])
	}
	one := p.url + "/" + a.text("id")
	for query, shows := range map[string]bool{
		"": false, "?include_signed_tx=false": false, "?include_signed_tx=0": false, "?include_signed_tx=true": true, "?include_signed_tx=1": true,
	} {
		for _, s := range []step{{url: one, keys: txKeys}, {url: p.url, at: "transactions.0", keys: txKeys}} {
			s.name, s.url, s.as, s.status = s.url+query, s.url+query, "payer", 200
			if shows {
				s.keys, s.has = txKeys+" signed_tx", []string{a.text("signed_tx")}
			}
			l.want(s)
		}
	}
	l.run(t, []step{
		{name: "neither", url: one + "?include_signed_tx=" + canary, as: "payer", status: 400, has: []string{`"include_signed_tx":"`}},
		{name: "empty", url: "/v1/agents/" + l.agent("idle", "").id + "/transactions", as: "owner", status: 200, has: []string{`{"transactions":[]}`}},
		{name: "no such limit", url: p.url + "?limit=0", as: "payer", status: 400},
		{name: "an id that is none", url: p.url + "/" + canary, as: "payer", status: 400},
	})
	second := l.want(step{method: post, url: p.url, as: "payer", body: pay(somebody1, "0.1", ""), status: 201}).text("id")
	if ids := l.want(step{url: p.url, as: "payer", status: 200}).list("transactions", "id"); len(ids) != 2 || ids[0] != second {
		t.Errorf("newest first: %v", ids)
	}
	if ids := l.want(step{url: p.url + "?limit=1", as: "payer", status: 200}).list("transactions", "id"); len(ids) != 1 || ids[0] != second {
		t.Errorf("a page: %v", ids)
	}
	if ids := l.want(step{url: p.url + "?before=" + second, as: "payer", status: 200}).list("transactions", "id"); len(ids) != 1 || ids[0] != a.text("id") {
		t.Errorf("the next page: %v", ids)
	}
}

func TestSignOnly(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", "")
	n := l.node(1)
	a := l.want(step{method: post, url: p.url + "/sign", as: "payer", body: pay(somebody1, "0.1", ""), status: 200, keys: signedKeys,
		has: []string{`"status":"sign_only"`, `"nonce":0`, `"value_wei":"100000000000000000"`, `"chain_id":1`}})
	tx, from := signedTx(t, a.text("signed_tx"))
	if from.String() != a.text("from") || tx.To.String() != somebody1 || len(n.pool) != 0 {
		t.Errorf("from %s to %s, and the node has %d", from, tx.To, len(n.pool))
	}
	l.want(step{name: "it is listed", url: p.url, as: "payer", status: 200, has: []string{`"status":"signed"`, a.text("tx_hash")}})
	l.want(step{name: "by its other name", method: post, url: "/v1/agents/" + p.id + "/sign", as: "payer", status: 200, keys: "intent_type chain from signed_tx tx_hash",
		body: strings.Replace(pay(somebody1, "0.1", ""), "{", `{"intent_type":"transaction",`, 1)})
	l.want(step{name: "nonces are one row", method: post, url: p.url, as: "payer", body: pay(somebody1, "0.1", `,"nonce":2`), status: 201})
}

func TestI9Nonces(t *testing.T) {
	l := newLive(t)
	p, q := l.payer("payer", ""), l.payer("second", "") // two agents with one key
	submit := func(as, url, member string, status int, want uint64, has ...string) {
		t.Helper()
		a := l.want(step{name: as + member, method: post, url: url, as: as, body: pay(somebody1, "0", member), status: status, has: has})
		if status != 201 {
			return
		}
		if tx, _ := signedTx(t, a.text("signed_tx")); tx.Nonce != want {
			t.Errorf("%s%s: the nonce is %d, want %d", as, member, tx.Nonce, want)
		}
	}
	submit("payer", p.url, "", 201, 0)
	submit("second", q.url, "", 201, 1)
	submit("payer", p.url, `,"nonce":5`, 201, 5)
	submit("second", q.url, "", 201, 2) // what was left out before
	submit("payer", p.url, `,"nonce":5`, 409, 0, `"code":"nonce_in_use"`)
	submit("second", q.url, `,"nonce":4`, 201, 4)
	submit("payer", p.url, "", 201, 3)
	submit("payer", p.url, "", 201, 6)
	submit("payer", p.url, `,"nonce":100000`, 400, 0, `"code":"nonce_too_high"`)
	submit("payer", p.url, `,"nonce":18446744073709551615`, 400, 0, `"code":"nonce_too_high"`)
	n := l.node(1)
	n.pending = 9
	submit("payer", p.url, "", 201, 9) // others use the key too
	submit("payer", p.url, `,"nonce":8`, 400, 0, `"code":"nonce_too_low"`)
}

func TestFreeze(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", "")
	const freeze = "/v1/org/signing-freeze"
	submit := step{name: "submit", method: post, url: p.url, as: "payer", body: pay(somebody1, "0", ""), status: 201}
	l.want(submit)
	l.run(t, []step{
		{name: "it is not frozen", url: freeze, as: "payer", status: 200, keys: "frozen", has: []string{`"frozen":false`}},
		{name: "too long a reason", method: put, url: freeze, as: "owner", body: `{"reason":"` + strings.Repeat("é", 501) + `"}`, status: 400},
		{name: "freeze", method: put, url: freeze, as: "owner", body: `{"reason":"` + strings.Repeat("猫", 500) + `"}`, status: 200, keys: "frozen reason frozen_at frozen_by",
			has: []string{`"frozen":true`, `"frozen_by":"user:` + l.ownerID.String()}, lacks: []string{"\ufffd"}},
		{name: "its reason", url: freeze, as: "payer", status: 200, has: []string{`"frozen":true`, "猫猫"}, lacks: []string{"\ufffd"}},
		{name: "others are not", url: freeze, as: "stranger", status: 200, has: []string{`"frozen":false`}},
	})
	submit.status, submit.event, submit.has = 403, "transaction.submit refused signing_frozen", []string{`"code":"signing_frozen"`, "denied"}
	l.want(submit)
	submit.as = "owner"
	l.want(submit)
	submit.as, submit.url = "payer", p.url+"/sign"
	l.want(submit)
	l.want(step{name: "messages", method: post, url: "/v1/agents/" + p.id + "/sign", as: "payer", body: `{"intent_type":"personal_sign","chain":"ethereum","message":"m"}`, status: 403,
		has: []string{"signing_frozen"}, event: "message.sign refused signing_frozen"})
	l.want(step{name: "explained", method: post, url: p.url + "/explain", as: "payer", body: pay(somebody1, "0", ""), status: 200, has: []string{`"allowed":false`, `{"rule":"signing_frozen","allowed":false`}})
	l.want(step{name: "thaw", method: remove, url: freeze, as: "owner", status: 204})
	l.want(step{name: "twice", method: remove, url: freeze, as: "owner", status: 204})
	l.want(step{name: "submit again", method: post, url: p.url, as: "payer", body: pay(somebody1, "0", ""), status: 201})
	l.want(step{name: "no body", method: put, url: freeze, as: "owner", status: 400})
	l.clock.advance(time.Second)
}

func TestSpeedUpAndCancel(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", "")
	replace := func(name, as, tx, how, body string, status int, has ...string) step {
		return step{name: name, method: post, url: p.url + "/" + tx + how, as: as, body: body, status: status, has: has}
	}
	alone := l.want(step{name: "without a node", method: post, url: p.url, as: "payer", body: pay(somebody1, "0.1", ""), status: 201}).text("id")
	l.want(replace("nobody to ask", "payer", alone, "/speed-up", `{}`, 400, `"code":"no_node"`))
	n := l.node(1)
	a := l.want(step{method: post, url: p.url, as: "payer", body: pay(somebody1, "0.1", ""), status: 201})
	one := a.text("id")
	first, _ := signedTx(t, a.text("signed_tx"))
	b := l.want(replace("faster", "payer", one, "/speed-up", `{"max_fee_per_gas":"3000000000","max_priority_fee_per_gas":"1500000000"}`, 200, `"status":"broadcast"`, `"max_fee_per_gas":"3000000000"`))
	second, _ := signedTx(t, b.text("signed_tx"))
	if second.Nonce != first.Nonce || second.Value != first.Value || b.text("tx_hash") == a.text("tx_hash") || b.text("id") != one {
		t.Errorf("the second is %+v", second)
	}
	c := l.want(replace("at least what nodes want", "owner", one, "/speed-up", `{"max_fee_per_gas":"1","max_priority_fee_per_gas":"1"}`, 200, `"max_fee_per_gas":"3360000000"`))
	l.run(t, []step{
		replace("half of the fees", "payer", one, "/speed-up", `{"max_fee_per_gas":"1"}`, 400),
		replace("above the cap", "payer", one, "/speed-up", `{"max_fee_per_gas":"1000000000001","max_priority_fee_per_gas":"1"}`, 403, `"code":"fee_cap"`),
		replace("by a member", "member", one, "/cancel", "", 403),
		replace("one that is not there", "payer", p.id, "/cancel", "", 404),
	})
	d := l.want(replace("cancelled", "payer", one, "/cancel", "", 200, `"status":"broadcast"`))
	last, from := signedTx(t, d.text("signed_tx"))
	if last.Nonce != first.Nonce || !last.Value.IsZero() || *last.To != from {
		t.Errorf("the last is %+v", last)
	}
	l.want(step{name: "all are known", url: p.url + "/" + one + "/confirmation", as: "payer", status: 200, has: []string{
		`"tx_hashes":["` + a.text("tx_hash") + `","` + b.text("tx_hash") + `","` + c.text("tx_hash") + `","` + d.text("tx_hash") + `"]`, `"final":false`, `"nonce":1`,
	}})
	n.down = true
	l.want(replace("it does not answer", "payer", one, "/speed-up", `{}`, 503, `"code":"chain_unavailable"`))
}
