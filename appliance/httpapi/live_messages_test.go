package httpapi

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// permitOf is typed data of ERC-2612 that lets somebody take of a token.
func permitOf(token, spender, amount string, chain int) string {
	return fmt.Sprintf(`{"types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],`+
		`"Permit":[{"name":"owner","type":"address"},{"name":"spender","type":"address"},{"name":"value","type":"uint256"},{"name":"nonce","type":"uint256"},{"name":"deadline","type":"uint256"}]},`+
		`"primaryType":"Permit","domain":{"name":"USD Coin","chainId":%d,"verifyingContract":%q},`+
		`"message":{"owner":%q,"spender":%q,"value":%q,"nonce":"0","deadline":"9999999999"}}`, chain, token, signer, spender, amount)
}

// orderFor is typed data of which nobody knows what it allows.
func orderFor(contract string) string {
	return `{"types":{"EIP712Domain":[{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],"Order":[{"name":"maker","type":"address"}]},` +
		`"primaryType":"Order","domain":{"chainId":1,"verifyingContract":"` + contract + `"},"message":{"maker":"` + signer + `"}}`
}

func personal(text string) string {
	return fmt.Sprintf(`{"intent_type":"personal_sign","chain":"ethereum","message":%q}`, text)
}

func typedData(data string) string {
	return `{"intent_type":"typed_data","chain":"ethereum","typed_data":` + data + `}`
}

// signedBy is whose signature of a digest it is.
func signedBy(t testing.TB, digest, signature string) string {
	t.Helper()
	h, err := evm.ParseHash(digest)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(strings.TrimPrefix(signature, "0x"))
	if err != nil || len(raw) != 65 || raw[64] != 27 && raw[64] != 28 {
		t.Fatalf("not a signature: %s", signature)
	}
	sig, err := evm.ParseSignature(raw)
	if err != nil {
		t.Fatal(err)
	}
	from, err := sig.Recover(h)
	if err != nil {
		t.Fatal(err)
	}
	return from.String()
}

func TestMessages(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", "")
	url := "/v1/agents/" + p.id + "/sign"
	sign := func(name, body string, status int, has ...string) step {
		return step{name: name, method: post, url: url, as: "payer", body: body, status: status, has: has}
	}
	a := l.want(sign("EIP-191", personal("hello"), 200, `"intent_type":"personal_sign"`, `"chain":"ethereum"`, `"from":"`+signer+`"`,
		`"message_hash":"0x50b2c43fd39106bafbba0da34fc430e1f91e3c96ea2acee2bc34119f92b37750"`))
	if from := signedBy(t, a.text("message_hash"), a.text("signature")); from != signer {
		t.Errorf("signed by %s", from)
	}
	if keys := strings.Join(a.keys(""), " "); keys != "chain from intent_type message_hash signature" {
		t.Errorf("members are %s", keys)
	}
	if e := l.logged(a); e.String() != "message.sign success" || string(e.Details["type"]) != `"personal_sign"` || strings.Contains(fmt.Sprint(e), "hello") {
		t.Errorf("the event is %+v", e)
	}
	text, bytes := l.want(sign("a text", personal("hi"), 200)), l.want(sign("the same as bytes", personal("0x6869"), 200))
	if text.text("message_hash") != bytes.text("message_hash") {
		t.Error("hex is not taken for bytes")
	}
	b := l.want(sign("EIP-712", typedData(permitOf(tokenUSD, somebody1, "5", 1)), 200, `"intent_type":"typed_data"`))
	if from := signedBy(t, b.text("typed_data_hash"), b.text("signature")); from != signer {
		t.Errorf("signed by %s", from)
	}
	const digest = `{"intent_type":"eip712_digest","chain":"ethereum","hash":"0x50b2c43fd39106bafbba0da34fc430e1f91e3c96ea2acee2bc34119f92b37750"}`
	l.run(t, []step{
		sign("digests are off by default", digest, 403, `"code":"raw_digests"`, "denied"),
		sign("another type", `{"intent_type":"`+canary+`","chain":"ethereum"}`, 400, `"intent_type":"must be one of`),
		sign("no type", `{"chain":"ethereum","message":"x"}`, 400, `"intent_type":"is required"`),
		sign("no chain", `{"intent_type":"personal_sign","message":"x"}`, 400, `"chain":"is required"`),
		sign("another chain", strings.Replace(personal("x"), "ethereum", canary, 1), 400, "unknown_chain"),
		sign("another's key", strings.Replace(personal("x"), "{", `{"signing_key_path":"keys/other",`, 1), 403, "signing_key_denied"),
		sign("a digest that is none", `{"intent_type":"eip712_digest","chain":"ethereum","hash":"`+canary+`"}`, 400, "hash must be 0x and 64 hex digits"),
		sign("too large", personal(strings.Repeat("m", 256<<10+1)), 400, "invalid_message"),
		sign("for another chain", typedData(permitOf(tokenUSD, somebody1, "5", 137)), 403, `"code":"allowed_domains"`, "denied"),
		sign("not known", typedData(orderFor(tokenUSD)), 403, `"code":"allowed_domains"`, "denied"),
		sign("without end", typedData(permitOf(tokenUSD, somebody1, "115792089237316195423570985008687907853269984665640564039457584007913129639935", 1)), 403, `"code":"unlimited_approval"`, "denied"),
	})
	for _, bad := range []string{`null`, `1`, `"` + canary + `"`, `[]`, `{}`, `{"types":{},"primaryType":"` + canary + `","domain":{},"message":{}}`, `[[[[` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `]]]]`,
		strings.Replace(permitOf(tokenUSD, somebody1, "5", 1), `"value":"5"`, `"value":"-5"`, 1), strings.Replace(permitOf(tokenUSD, somebody1, "5", 1), somebody1, canary, 1),
		strings.Replace(permitOf(tokenUSD, somebody1, "5", 1), `"nonce":"0",`, ``, 1), strings.Replace(permitOf(tokenUSD, somebody1, "5", 1), `"nonce":"0"`, `"nonce":"0","more":"`+canary+`"`, 1),
		strings.Replace(permitOf(tokenUSD, somebody1, "5", 1), `"type":"uint256"`, `"type":"`+canary+`"`, 1), strings.Replace(permitOf(tokenUSD, somebody1, "5", 1), "Permit", canary, 1)} {
		l.want(step{name: fmt.Sprintf("%.60s", bad), method: post, url: url, as: "payer", body: typedData(bad), status: 400, event: "none"})
	}
	long := l.want(sign("a long name", typedData(strings.Replace(permitOf(tokenUSD, somebody1, "5", 1), "USD Coin", strings.Repeat("n", 20_000), 1)), 200))
	if e := l.logged(long); string(e.Details["digest"]) != `"`+long.text("typed_data_hash")+`"` {
		t.Errorf("a long name keeps the log from saying what was signed: %+v", e)
	}
	allow := func(guardrails string) {
		l.want(step{method: put, url: "/v1/agents/" + p.id + "/guardrails", as: "owner", body: guardrails, status: 200})
	}
	allow(`{"raw_digests":true,"no_personal_sign":true,"allowed_domains":["` + tokenUSD + `"]}`)
	c := l.want(sign("digests that are allowed", digest, 200, `"intent_type":"eip712_digest"`))
	if from := signedBy(t, c.text("typed_data_hash"), c.text("signature")); from != signer {
		t.Errorf("signed by %s", from)
	}
	l.run(t, []step{
		sign("no texts", personal("x"), 403, `"code":"message_type"`, "denied"),
		sign("not known, but of a listed contract", typedData(orderFor(tokenUSD)), 200),
		sign("of one that is not", typedData(orderFor(somebody2)), 403, `"code":"allowed_domains"`),
		sign("though it is known", typedData(permitOf(somebody2, somebody1, "5", 1)), 403, `"code":"allowed_domains"`),
	})
	allow(`{"no_typed_data":true}`)
	l.want(sign("no typed data", typedData(permitOf(tokenUSD, somebody1, "5", 1)), 403, `"code":"message_type"`, "denied"))
	allow(`{"tx_per_day":3}`) // two permits count, and nothing else that was signed
	l.run(t, []step{
		{name: "the third of the day", method: post, url: p.url, as: "payer", body: pay(somebody1, "0", ""), status: 201},
		sign("a permit as the fourth", typedData(permitOf(tokenUSD, somebody1, "5", 1)), 403, `"code":"tx_per_day"`, "denied"),
		sign("a text", personal("x"), 200),
	})
}

// TestPermitsCount: a permit holds of its token what may be taken with it, for
// transactions too.
func TestPermitsCount(t *testing.T) {
	l := newLive(t)
	p := l.payer("payer", `,"tx_to_allowlist":["`+somebody1+`"]`)
	of := "/v1/agents/" + p.id
	l.want(step{method: put, url: of + "/guardrails", as: "owner", status: 200, body: `{"token_limits":[{"chain_id":1,"token":"` + tokenUSD + `","max_amount":"60","daily_limit":"100"}]}`})
	permit := func(name, spender, amount string, status int, has ...string) step {
		return step{name: name, method: post, url: of + "/sign", as: "payer", body: typedData(permitOf(tokenUSD, spender, amount, 1)), status: status, has: has}
	}
	l.run(t, []step{
		permit("to a stranger", somebody2, "5", 403, `"code":"tx_to_allowlist"`, "denied"),
		permit("above one's limit", somebody1, "61", 403, `"code":"token_limits"`, "denied"),
		permit("within", somebody1, "60", 200),
		permit("above the day's", somebody1, "41", 403, `"code":"token_limits"`, "denied"),
		{name: "as a transaction", method: post, url: p.url, as: "payer", body: called(tokenUSD, transferOf(somebody1, 41)), status: 403, has: []string{`"code":"token_limits"`}},
		{name: "the rest", method: post, url: p.url, as: "payer", body: called(tokenUSD, transferOf(somebody1, 40)), status: 201},
		permit("then nothing", somebody1, "1", 403, `"code":"token_limits"`),
	})
}
