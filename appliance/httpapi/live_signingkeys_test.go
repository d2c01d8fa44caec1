package httpapi

import (
	"strings"
	"testing"
)

const (
	keyKeys        = "id agent_id chain curve public_key address key_version is_active origin created_at"
	simulationKeys = "simulation_id status gas_used balance_changes simulated_at"
)

func TestKeysInTheHSM(t *testing.T) {
	l := newLive(t)
	bot := l.agent("bot", `,"intents_api_enabled":true`)
	of := "/v1/agents/" + bot.id
	all := of + "/signing-keys"
	key := func(name, method, rest, body string, status int, event string, has ...string) step {
		return step{name: name, method: method, url: all + rest, as: "owner", body: body, status: status, event: event, has: has}
	}
	submit := func(name string, status int, has ...string) step {
		return step{name: name, method: post, url: of + "/transactions", as: "bot", body: pay(somebody1, "0.1", ""), status: status, has: has}
	}
	imported := `{"private_key":"0x` + signingKey + `","password":"` + ownerPassword + `"}`
	l.run(t, []step{
		key("none", get, "", "", 200, "none", `{"keys":[]}`),
		submit("no key", 403, "signing_key_denied"),
		key("no chain", post, "", `{"chain":"`+canary+`"}`, 400, "signing_key.create refused unknown_chain"),
		key("rotate none", post, "/ethereum/rotate", "", 404, "signing_key.rotate refused signing_key_not_found"),
		key("deactivate none", remove, "/ethereum", "", 404, "signing_key.deactivate refused signing_key_not_found"),
	})
	create := key("create", post, "", `{"chain":"1"}`, 201, "signing_key.create success", `"chain":"ethereum"`, `"curve":"secp256k1"`, `"key_version":1`, `"is_active":true`, `"origin":"hsm"`)
	create.keys = keyKeys
	first := l.want(create)
	sent := l.want(submit("by its own key", 201))
	if _, from := signedTx(t, sent.text("signed_tx")); from.String() != first.text("address") {
		t.Errorf("signed by %s", from)
	}
	message := l.want(step{name: "messages too", method: post, url: of + "/sign", as: "bot", body: personal("hello"), status: 200})
	if from := signedBy(t, message.text("message_hash"), message.text("signature")); from != first.text("address") {
		t.Errorf("signed by %s", from)
	}
	l.run(t, []step{
		key("there is one", post, "", `{"chain":"ethereum"}`, 409, "signing_key.create refused signing_key_exists"),
		key("nor can one be imported over it", post, "/ethereum/import", imported, 409, "signing_key.import refused signing_key_exists"),
		key("no node to ask", get, "/ethereum/balance", "", 400, "none", `"code":"no_node"`),
	})
	rotated := l.want(key("rotate", post, "/ETHEREUM/rotate", "", 200, "signing_key.rotate success", `"key_version":2`, `"is_active":true`))
	if rotated.text("address") == first.text("address") {
		t.Error("the address is the same")
	}
	again := l.want(submit("by the new one", 201))
	if tx, from := signedTx(t, again.text("signed_tx")); from.String() != rotated.text("address") || tx.Nonce != 0 {
		t.Errorf("signed by %s with %d", from, tx.Nonce)
	}
	l.node(1)
	l.run(t, []step{
		key("both are there", get, "", "", 200, "none", first.text("address"), rotated.text("address"), `"is_active":false`, `"rotated_at":"`),
		key("balance", get, "/ethereum/balance", "", 200, "none", `"balance":"1.5"`, `"balance_wei":"1500000000000000000"`, rotated.text("address"), `"native_currency":"ETH"`),
		key("deactivate", remove, "/1", "", 204, "signing_key.deactivate success"),
		key("no balance", get, "/ethereum/balance", "", 404, "none", "signing_key_not_found"),
		submit("no key any more", 403, "signing_key_denied"),
		key("a wrong password", post, "/ethereum/import", strings.Replace(imported, ownerPassword, "wrong", 1), 403, ""),
		key("no password", post, "/ethereum/import", `{"private_key":"`+signingKey+`"}`, 400, "none", `"password":"is required"`),
		key("no key", post, "/ethereum/import", strings.Replace(imported, signingKey, canary, 1), 400, "none"),
		key("zero", post, "/ethereum/import", strings.Replace(imported, signingKey, strings.Repeat("0", 64), 1), 400, "none"),
		key("import", post, "/ethereum/import", imported, 201, "signing_key.import success", `"origin":"imported"`, `"address":"`+signer+`"`, `"key_version":3`),
		{name: "by an agent", method: post, url: all, as: "bot", body: `{"chain":"base"}`, status: 403},
		{name: "seen by it", url: all, as: "bot", status: 200, has: []string{signer}},
		{name: "of another organisation", url: all, as: "stranger", status: 404},
	})
	third := l.want(submit("by the imported", 201))
	if _, from := signedTx(t, third.text("signed_tx")); from.String() != signer {
		t.Errorf("signed by %s", from)
	}
	if e := l.logged(l.want(step{name: "which the log says", method: post, url: of + "/transactions/sign", as: "bot", body: pay(somebody1, "0", ""), status: 200})); string(e.Details["key"]) != `"imported"` {
		t.Errorf("the event says %s", e.Details["key"])
	}
}

func TestI11I12Simulations(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", `,"tx_max_value_eth":"2"`)
	one := p.url + "/simulate"
	simulate := func(name, value string, status int, has ...string) step {
		return step{name: name, method: post, url: one, as: "payer", body: pay(somebody1, value, ""), status: status, has: has}
	}
	l.want(simulate("no node", "0.5", 400, `"code":"no_simulation"`))
	l.want(step{name: "first, and no node", method: post, url: p.url, as: "payer", body: pay(somebody1, "0.5", `,"simulate_first":true`), status: 400})
	n := l.node(1)
	good := simulate("a transfer", "0.51", 200, `"status":"success"`, `"gas_used":21000`, `"change":"-0.51"`, `"before":"1.5"`, `"after":"0.99"`, `"token":"native"`, `"token_symbol":"ETH"`)
	good.keys, good.event = simulationKeys, "none"
	l.want(good)
	good.header = map[string]string{"Idempotency-Key": "k"}
	l.want(good)
	l.run(t, []step{
		simulate("too much", "1.6", 200, `"status":"error"`, `"balance_changes":[]`, `"gas_used":0`),
		simulate("guardrails apply", "2.1", 403, `"code":"tx_max_value_eth"`, "denied"),
		{name: "bundle", method: post, url: one + "-bundle", as: "payer", body: `{"transactions":[` + pay(somebody1, "1", "") + `,` + pay(somebody1, "1", "") + `]}`, status: 200,
			at: "simulations.0", keys: simulationKeys, has: []string{`"status":"success"`, `"status":"error"`}},
		{name: "an empty bundle", method: post, url: one + "-bundle", as: "payer", body: `{"transactions":[]}`, status: 400},
		{name: "too many", method: post, url: one + "-bundle", as: "payer", body: `{"transactions":[` + strings.Repeat(pay(somebody1, "0", "")+",", 16) + pay(somebody1, "0", "") + `]}`, status: 400},
		{name: "simulated first", method: post, url: p.url, as: "payer", body: pay(somebody1, "0.5", `,"simulate_first":true`), status: 201, keys: txKeys + " signed_tx simulation_id simulation_status",
			has: []string{`"status":"broadcast"`, `"simulation_status":"success"`}},
	})
	n.reverts = true
	l.want(simulate("it reverts", "0.5", 200, `"status":"reverted"`, `"revert_reason":"not today"`, `"balance_changes":[]`))
	refused := step{method: post, url: p.url, as: "payer", header: map[string]string{"Idempotency-Key": "once"}, body: pay(somebody1, "0.5", `,"simulate_first":true`)}
	for range 2 {
		a := l.send(refused)
		if a.Code != 422 || a.text("status") != "simulation_failed" || a.text("detail") == "" || a.text("error_message") != "not today" || a.text("simulation_status") != "reverted" || a.text("type") != "about:blank" {
			t.Errorf("%d %s", a.Code, a.Body)
		}
		if a.value("signed_tx") != nil || a.value("tx_hash") != nil {
			t.Errorf("something is signed: %s", a.Body)
		}
	}
	l.want(step{name: "only signed", method: post, url: p.url + "/sign", as: "payer", body: pay(somebody1, "0.5", `,"simulate_first":true`), status: 422, has: []string{`"code":"simulation_failed"`}})
	n.reverts = false
	a := l.want(step{name: "no nonce was used", method: post, url: p.url, as: "payer", body: pay(somebody1, "0.5", ""), status: 201})
	if tx, _ := signedTx(t, a.text("signed_tx")); tx.Nonce != 1 {
		t.Errorf("the nonce is %d", tx.Nonce)
	}
}
