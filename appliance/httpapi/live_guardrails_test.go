package httpapi

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// word is a call's argument of 32 bytes.
func word(hex string) string { return strings.Repeat("0", 64-len(hex)) + hex }

// called is a transaction that calls the contract at to.
func called(to, data string) string {
	return pay(to, "0", `,"gas_limit":100000,"data":"`+data+`"`)
}

// transferOf and approvalOf are what ERC-20 contracts are told.
func transferOf(to string, amount int) string {
	return "0xa9059cbb" + word(strings.ToLower(to[2:])) + word(fmt.Sprintf("%x", amount))
}

func approvalOf(to, amount string) string {
	return "0x095ea7b3" + word(strings.ToLower(to[2:])) + word(amount)
}

// TestI10Guardrails breaks each guardrail, once with all the others as they are
// by default. The code names it, and what it would have allowed is signed.
func TestI10Guardrails(t *testing.T) {
	l := newLive(t)
	endless := strings.Repeat("f", 64)
	// A call within a call: Multicall3's aggregate3 of one call.
	within := func(to, data string) string {
		n := (len(data) - 2) / 2
		return "0x82ad56cb" + word("20") + word("1") + word("20") + word(strings.ToLower(to[2:])) + word("0") + word("60") + word(fmt.Sprintf("%x", n)) +
			data[2:] + strings.Repeat("0", (64-(len(data)-2)%64)%64)
	}
	taken := "0x23b872dd" + word(strings.ToLower(signer[2:])) + word(strings.ToLower(somebody1[2:])) + word("b") // transferFrom
	const multicall = "0xcA11bde05977b3631167028862bE2a173976CA11"
	for _, tt := range []struct {
		name, agent, guardrails string
		good, bad               []string
		code                    string
	}{
		{"chains", `,"tx_allowed_chains":["polygon","base"]`, "", nil, []string{pay(somebody1, "0", "")}, "tx_allowed_chains"},
		{"chains, listed", `,"tx_allowed_chains":["ethereum"]`, "", []string{pay(somebody1, "0", "")}, nil, ""},
		{"recipients", `,"tx_to_allowlist":["` + strings.ToLower(somebody1) + `"]`, "",
			[]string{pay(somebody1, "0", ""), pay(strings.ToLower(somebody1), "0", "")},
			[]string{
				pay(somebody2, "0", ""), called(tokenUSD, transferOf(somebody1, 5)), called(tokenUSD, transferOf(somebody2, 5)),
				pay("", "0", `,"data":"0x6000","gas_limit":100000`), called(multicall, within(somebody2, "0x")),
			}, "tx_to_allowlist"},
		{"recipients and a token", `,"tx_to_allowlist":["` + somebody1 + `"]`, `"token_limits":[{"chain_id":1,"token":"` + tokenUSD + `","max_amount":"10"}]`,
			[]string{called(tokenUSD, transferOf(somebody1, 5))}, []string{called(tokenUSD, transferOf(somebody2, 5)), called(tokenUSD, approvalOf(somebody2, "5"))}, "tx_to_allowlist"},
		{"value", `,"tx_max_value_eth":"0.5"`, "", []string{pay(somebody1, "0.5", "")}, []string{pay(somebody1, "0.500000000000000001", ""), pay(somebody1, "9999999999", "")}, "tx_max_value_eth"},
		{"a value of nothing", `,"tx_max_value_eth":"0"`, "", []string{pay(somebody1, "0", "")}, []string{pay(somebody1, "0.000000000000000001", "")}, "tx_max_value_eth"},
		{"a day's value", `,"tx_daily_limit_eth":"1"`, "", []string{pay(somebody1, "0.6", ""), pay(somebody1, "0.4", "")}, []string{pay(somebody1, "0.000000000000000001", "")}, "tx_daily_limit_eth"},
		{"a day's number", "", `"tx_per_day":2`, []string{pay(somebody1, "0", ""), pay(somebody1, "0", "")}, []string{pay(somebody1, "0", "")}, "tx_per_day"},
		{"methods", "", `"allowed_methods":["0xA9059CBB"]`, []string{pay(somebody1, "1", ""), called(tokenUSD, transferOf(somebody1, 5))},
			[]string{called(tokenUSD, approvalOf(somebody1, "5")), called(tokenUSD, "0x01"), pay("", "0", `,"data":"0x6000","gas_limit":100000`)}, "allowed_methods"},
		{"methods within calls", "", `"allowed_methods":["0x82ad56cb","0xa9059cbb"]`, []string{called(multicall, within(tokenUSD, transferOf(somebody1, 5)))},
			[]string{called(multicall, within(tokenUSD, approvalOf(somebody1, "5")))}, "allowed_methods"},
		{"tokens", "", `"token_limits":[{"chain_id":1,"token":"` + tokenUSD + `","max_amount":"10"}]`,
			[]string{called(tokenUSD, transferOf(somebody1, 10)), called(tokenUSD, approvalOf(somebody1, "a"))},
			[]string{called(tokenUSD, transferOf(somebody1, 11)), called(tokenUSD, approvalOf(somebody1, "b")), called(multicall, within(tokenUSD, taken))}, "token_limits"},
		{"a day's tokens", "", `"token_limits":[{"chain_id":1,"token":"` + tokenUSD + `","daily_limit":"10"}]`,
			[]string{called(tokenUSD, transferOf(somebody1, 6)), called(tokenUSD, approvalOf(somebody1, "4"))}, []string{called(tokenUSD, transferOf(somebody1, 1))}, "token_limits"},
		{"an approval without end", "", "", []string{called(tokenUSD, approvalOf(somebody1, "5"))}, []string{called(tokenUSD, approvalOf(somebody1, endless))}, "unlimited_approval"},
		{"an approval without end, allowed", "", `"allow_unlimited_approvals":true`, []string{called(tokenUSD, approvalOf(somebody1, endless))}, nil, ""},
		{"damaged", "", "", nil, []string{called(tokenUSD, "0xa9059cbb00"), called(tokenUSD, transferOf(somebody1, 5)[:70])}, "undecodable_call"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l.TB = t
			p := l.payer("payer", tt.agent)
			if tt.guardrails != "" {
				l.want(step{method: put, url: "/v1/agents/" + p.id + "/guardrails", as: "owner", body: "{" + tt.guardrails + "}", status: 200})
			}
			for _, body := range tt.good {
				l.want(step{name: "good", method: post, url: p.url + "/explain", as: "payer", body: body, status: 200, has: []string{`"allowed":true,"from"`}})
				l.want(step{name: "good", method: post, url: p.url, as: "payer", body: body, status: 201})
			}
			for _, body := range tt.bad {
				l.want(step{name: "explained", method: post, url: p.url + "/explain", as: "payer", body: body, status: 200, event: "none",
					has: []string{`"allowed":false,"from"`, `{"rule":"` + tt.code + `","allowed":false,"detail":"`}})
				for _, url := range []string{p.url, p.url + "/sign"} {
					l.want(step{name: "bad", method: post, url: url, as: "payer", body: body, status: 403, has: []string{`"code":"` + tt.code + `"`, "denied"},
						event: "transaction.submit refused " + tt.code})
				}
			}
			before := len(tt.good)
			if n := len(l.want(step{url: p.url, as: "owner", status: 200}).list("transactions", "id")); n != before {
				t.Errorf("%d transactions, want %d", n, before)
			}
		})
	}
}

// TestI10LimitsRoll: what was spent is free again a day later, and a person's
// request counts like the agent's own.
func TestI10LimitsRoll(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", `,"tx_daily_limit_eth":"1","token_ttl_seconds":604800`)
	l.tokens["owner"] = l.tokens["key"]
	submit := func(as, value string, status int) {
		t.Helper()
		l.want(step{name: value, method: post, url: p.url, as: as, body: pay(somebody1, value, ""), status: status})
	}
	submit("payer", "0.6", 201)
	submit("owner", "0.6", 403)
	submit("owner", "0.4", 201)
	submit("payer", "0.1", 403)
	l.clock.advance(24*time.Hour - time.Minute)
	submit("payer", "0.1", 403)
	l.clock.advance(12 * time.Minute)
	submit("payer", "1", 201)
	submit("payer", "0.1", 403)
	l.want(step{name: "a higher limit counts at once", method: patch, url: "/v1/agents/" + p.id, as: "owner", body: `{"tx_daily_limit_eth":"1.1"}`, status: 200})
	submit("payer", "0.1", 201)
}

// TestI10AtOnce: requests at the same time do not jointly exceed a limit, and no
// two have a nonce.
func TestI10AtOnce(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", `,"tx_daily_limit_eth":"1"`)
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		nonces = map[uint64]bool{}
	)
	for range 16 {
		wg.Go(func() {
			a := l.send(step{method: post, url: p.url, as: "payer", body: pay(somebody1, "0.1", "")})
			if a.Code == 403 {
				return
			}
			tx, _ := signedTx(t, a.text("signed_tx"))
			mu.Lock()
			defer mu.Unlock()
			nonces[tx.Nonce] = true
		})
	}
	wg.Wait()
	for n := range uint64(10) {
		if !nonces[n] || len(nonces) != 10 {
			t.Fatalf("the nonces are %v", nonces)
		}
	}
}

const guardrailKeys = "tx_per_day allowed_methods token_limits allow_unlimited_approvals no_personal_sign no_typed_data allowed_domains raw_digests"

func TestGuardrailsAreKept(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", "")
	url := "/v1/agents/" + p.id + "/guardrails"
	const all = `{"tx_per_day":5,"allowed_methods":["0xA9059CBB"],"token_limits":[{"chain_id":1,"token":"` + tokenUSD + `","max_amount":"10","daily_limit":"100"}],` +
		`"allow_unlimited_approvals":true,"no_personal_sign":true,"no_typed_data":true,"allowed_domains":["` + tokenUSD + `"],"raw_digests":true,` +
		`"approval":{"above_eth":"0.50","methods":["0x095EA7B3"],"new_recipients":true,"approvers":2,"within_seconds":60}}`
	const shown = `{"tx_per_day":5,"allowed_methods":["0xa9059cbb"],"token_limits":[{"chain_id":1,"token":"` + tokenUSD + `","max_amount":"10","daily_limit":"100"}],` +
		`"allow_unlimited_approvals":true,"no_personal_sign":true,"no_typed_data":true,"allowed_domains":["` + tokenUSD + `"],` +
		`"approval":{"above_eth":"0.5","methods":["0x095ea7b3"],"new_recipients":true,"approvers":2,"within_seconds":60},"raw_digests":true}`
	l.run(t, []step{
		{name: "none at first", url: url, as: "payer", status: 200, keys: guardrailKeys, has: []string{`"tx_per_day":0`, `"allowed_methods":[]`, `"token_limits":[]`, `"allowed_domains":[]`, `"raw_digests":false`}},
		{name: "set", method: put, url: url, as: "owner", body: all, status: 200, has: []string{shown}, event: "agent.update success"},
		{name: "kept", url: url, as: "member", status: 200, has: []string{shown}},
		{name: "what is left out is no limit", method: put, url: url, as: "owner", body: `{}`, status: 200, keys: guardrailKeys, lacks: []string{tokenUSD}},
		{name: "not by the agent", method: put, url: url, as: "payer", body: `{}`, status: 403},
		{name: "not by a member", method: put, url: url, as: "member", body: `{}`, status: 403, event: "agent.update refused access_denied"},
		{name: "not of another organisation", method: put, url: url, as: "stranger", body: `{}`, status: 404, event: "agent.update refused agent_not_found"},
	})
	for _, bad := range []string{
		`{"tx_per_day":-1}`, `{"tx_per_day":1.5}`, `{"tx_per_day":"1"}`, `{"allowed_methods":["transfer"]}`, `{"allowed_methods":["0xa9059cb"]}`, `{"allowed_methods":["` + canary + `"]}`,
		`{"allowed_methods":"0xa9059cbb"}`, `{"token_limits":[{}]}`, `{"token_limits":[{"chain_id":1,"token":"` + tokenUSD + `"}]}`, `{"token_limits":[{"chain_id":0,"token":"` + tokenUSD + `","max_amount":"1"}]}`,
		`{"token_limits":[{"chain_id":1,"token":"` + canary + `","max_amount":"1"}]}`, `{"token_limits":[{"chain_id":1,"token":"` + tokenUSD + `","max_amount":"1.5"}]}`,
		`{"token_limits":[{"chain_id":1,"token":"` + tokenUSD + `","daily_limit":"-1"}]}`, `{"allowed_domains":["` + canary + `"]}`, `{"raw_digests":"yes"}`,
		`{"approval":{}}`, `{"approval":{"approvers":1}}`, `{"approval":{"approvers":0,"above_eth":"1"}}`, `{"approval":{"approvers":17,"above_eth":"1"}}`, `{"approval":{"approvers":1,"above_eth":"1e3"}}`,
		`{"approval":{"approvers":1,"methods":["x"]}}`, `{"approval":{"approvers":1,"above_eth":"1","within_seconds":2592001}}`, `{"approval":{"approvers":1,"above_eth":"1","within_seconds":-1}}`,
		`{"allowed_methods":[` + strings.Repeat(`"0xa9059cbb",`, 100) + `"0xa9059cbb"]}`,
	} {
		l.want(step{name: fmt.Sprintf("%.80s", bad), method: put, url: url, as: "owner", body: bad, status: 400, event: "none"})
	}
	for _, bad := range []string{`"tx_max_value_eth":"1e3"`, `"tx_daily_limit_eth":"-1"`, `"tx_to_allowlist":["0xabc"]`, `"tx_to_allowlist":["` + canary + `"]`} {
		l.want(step{name: bad, method: patch, url: "/v1/agents/" + p.id, as: "owner", body: "{" + bad + "}", status: 400})
	}
}

func TestExplain(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", `,"tx_daily_limit_eth":"1"`)
	url := p.url + "/explain"
	a := l.want(step{name: "a transfer", method: post, url: url, as: "payer", body: pay(somebody1, "0.5", ""), status: 200, keys: "allowed from chain rules effects", event: "none",
		has: []string{`"effects":[{"kind":"transfer","standard":"native","amount":"500000000000000000",`, `"to":"` + somebody1 + `"`}})
	if rules := a.list("rules", "rule"); len(rules) < 9 || rules[0] != "signing_frozen" {
		t.Errorf("the rules are %v", rules)
	}
	l.run(t, []step{
		{name: "a token's", method: post, url: url, as: "owner", body: called(tokenUSD, transferOf(somebody1, 5)), status: 200,
			has: []string{`"standard":"erc20","token":"` + tokenUSD + `"`, `"amount":"5"`, `"method":"transfer(address,uint256)"`, `"selector":"0xa9059cbb"`}},
		{name: "damaged", method: post, url: url, as: "payer", body: called(tokenUSD, "0xa9059cbb00"), status: 200, has: []string{`"allowed":false`, `"effects":[]`}},
		{name: "as in a simulation", method: post, url: url, as: "payer", header: map[string]string{"Idempotency-Key": "a"}, body: pay(somebody1, "0.5", ""), status: 200},
		{name: "fees are not asked for", method: post, url: url, as: "payer", body: `{"to":"` + somebody1 + `","value":"0","chain":"ethereum"}`, status: 200},
		{name: "no chain", method: post, url: url, as: "payer", body: `{"to":"` + somebody1 + `","value":"0","chain":"x"}`, status: 400, event: "transaction.explain refused unknown_chain"},
		{name: "no key", method: post, url: url, as: "payer", body: pay(somebody1, "0", `,"signing_key_path":"keys/x"`), status: 403, event: "transaction.explain refused signing_key_denied"},
		{name: "nothing is counted", method: post, url: p.url, as: "payer", body: pay(somebody1, "1", ""), status: 201},
		{name: "and then it is", method: post, url: url, as: "payer", body: pay(somebody1, "0.5", ""), status: 200, has: []string{`"allowed":false`, `"rule":"tx_daily_limit_eth","allowed":false,"detail":"Access denied by`}},
	})
}
