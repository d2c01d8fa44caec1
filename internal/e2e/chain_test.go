package e2e

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/intents/node/anviltest"
)

// payer is an agent of the Intents API beside a running chain.
type payer struct {
	t     testing.TB
	d     *daemon
	chain *anviltest.Chain
	vault string
	id    string
	key   string
	path  string // of its transactions
}

// newPayer gives a running daemon's registry a node, and makes an agent that may
// use the key of anvil's first account.
func newPayer(t testing.TB, d *daemon, limits map[string]any) *payer {
	t.Helper()
	p := &payer{t: t, d: d, chain: anviltest.Start(t, anviltest.Options{})}
	h := d.human()
	p.connect("base-sepolia")
	p.vault = h.vault(t, "keys")
	h.do("PUT", secretPath(p.vault, "keys/base-sepolia-signer"), api.PutSecretRequest{Value: anviltest.Keys[0], Type: "private_key"}).is(t, 201)
	body := map[string]any{"name": "payer", "intents_api_enabled": true}
	for k, v := range limits {
		body[k] = v
	}
	made := into[api.AgentCreatedResponse](t, h.do("POST", "/v1/agents", body).is(t, 201))
	p.id, p.key = made.Agent.ID, made.APIKey
	p.path = "/v1/agents/" + p.id + "/transactions"
	h.policy(p.vault, p.id, "keys/**", "read").is(t, 201)
	return p
}

// connect names the chain's node in the registry.
func (p *payer) connect(chain string) {
	p.t.Helper()
	h := p.d.human()
	all := into[api.ChainListResponse](p.t, h.do("GET", "/v1/admin/chains", nil).is(p.t, 200))
	for _, c := range all.Chains {
		if c.Name == chain {
			h.do("PUT", "/v1/admin/chains/"+c.ID, map[string]any{"rpc_url": p.chain.URL}).is(p.t, 200)
		}
	}
}

func (p *payer) agent() *client { return p.d.as(p.d.human().token(p.t, p.key)) }

// pay is a transfer to somebody.
func pay(value string) map[string]any {
	return map[string]any{"to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "value": value, "chain": "base-sepolia"}
}

// landed waits until the chain has a transaction for good.
func (p *payer) landed(tx string) (c api.ConfirmationResponse) {
	p.t.Helper()
	eventually(p.t, patience, "confirmed", func() bool {
		p.chain.Mine(1)
		c = into[api.ConfirmationResponse](p.t, p.d.human().do("GET", p.path+"/"+tx+"/confirmation", nil).is(p.t, 200))
		return c.Final
	})
	return c
}

// viem reads what was signed, in a program that nobody here wrote.
func viem(t testing.TB) func(question map[string]any) map[string]any {
	t.Helper()
	ask := npm(t).lines(t, "verify.mjs")
	return func(question map[string]any) map[string]any {
		t.Helper()
		line, err := ask(question)
		if err != nil {
			t.Fatal(err)
		}
		var a map[string]any
		if err := json.Unmarshal(line, &a); err != nil || a["error"] != nil {
			t.Fatalf("viem does not read %v: %s", question, line)
		}
		return a
	}
}

// TestTransactions is an agent that pays, calls, approves and signs messages on a
// real chain without ever seeing its key; and everything that was signed is read
// by viem.
func TestTransactions(t *testing.T) {
	needSoftHSM(t)
	d := newDev(t, "--set", "intents.confirmations=2").start()
	p := newPayer(t, d, map[string]any{"tx_daily_limit_eth": "2.5"})
	agent, read := p.agent(), viem(t)
	agent.get(p.vault, "keys/base-sepolia-signer").problem(t, 403)

	signedBy := func(tx api.TransactionResponse) map[string]any {
		t.Helper()
		got := read(map[string]any{"kind": "transaction", "raw": tx.SignedTx})
		if got["hash"] != tx.TxHash || got["chainId"] != float64(84532) {
			t.Errorf("viem reads %v of %+v", got, tx)
		}
		return got
	}
	var from string
	accessed := []map[string]any{{"address": "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "storageKeys": []string{"0x" + strings.Repeat("07", 32)}}}
	for kind, fees := range map[string]map[string]any{
		"eip1559": {}, "legacy": {"gas_price": "3000000000"}, "eip2930": {"gas_price": "3000000000", "access_list": accessed},
		"eip1559 with an access list": {"access_list": accessed},
		"eip1559 of the agent":        {"max_fee_per_gas": "3000000000", "max_priority_fee_per_gas": "1000000000"},
	} {
		body := pay("0.25")
		for k, v := range fees {
			body[k] = v
		}
		tx := into[api.TransactionResponse](t, agent.do("POST", p.path, body).is(t, 201))
		got := signedBy(tx)
		if tx.Status != "broadcast" || got["value"] != "250000000000000000" || !strings.HasPrefix(kind, got["type"].(string)) {
			t.Errorf("%s: %+v, which viem reads as %v", kind, tx, got)
		}
		if has := strings.Contains(fmt.Sprint(got["accessList"]), strings.Repeat("07", 32)); has != (fees["access_list"] != nil) {
			t.Errorf("%s: viem reads the access list %v", kind, got["accessList"])
		}
		if c := p.landed(tx.ID); c.State != "confirmed" || c.TxHash != tx.TxHash {
			t.Errorf("%s: the chain says %+v", kind, c)
		}
		from = got["from"].(string)
	}
	if _, account := anviltest.Key(t, 0); !strings.EqualFold(from, account.String()) {
		t.Errorf("%s signed", from)
	}

	p.tokens(agent, signedBy)
	p.messages(agent, read, from)

	agent.do("POST", p.path, pay("5")).problem(t, 403)
	listed := into[api.TransactionListResponse](t, d.human().do("GET", p.path, nil).is(t, 200))
	if len(listed.Transactions) != 9 || listed.Transactions[0].SignedTx != "" {
		t.Errorf("%d are listed, the newest with %q", len(listed.Transactions), listed.Transactions[0].SignedTx)
	}
	h := d.human()
	h.do("PUT", "/v1/org/signing-freeze", map[string]any{"reason": "an incident"}).is(t, 200)
	agent.do("POST", p.path, pay("0.1")).problem(t, 403)
	h.do("DELETE", "/v1/org/signing-freeze", nil).is(t, 204)
	agent.do("POST", p.path, pay("0.1")).is(t, 201)
	h.verifyAudit(t)
	d.stop()
}

// tokens creates a token by a transaction, moves it within a limit, and is stopped
// by a simulation; without one, what fails is seen to have failed.
func (p *payer) tokens(agent *client, signedBy func(api.TransactionResponse) map[string]any) {
	t := p.t
	t.Helper()
	call := func(to, data string) map[string]any {
		return map[string]any{"to": to, "value": "0", "chain": "84532", "data": data}
	}
	submit := func(body map[string]any) (c api.ConfirmationResponse) {
		t.Helper()
		tx := into[api.TransactionResponse](t, agent.do("POST", p.path, body).is(t, 201))
		signedBy(tx)
		return p.landed(tx.ID)
	}
	var made struct{ ContractAddress string }
	deployed := submit(call("", calldata(anviltest.USDC().Code(t))))
	p.chain.RPC(&made, "eth_getTransactionReceipt", deployed.TxHash)
	if !strings.EqualFold(made.ContractAddress, deployed.Contract) {
		t.Errorf("the contract is said to be at %q, and is at %s", deployed.Contract, made.ContractAddress)
	}
	token := deployed.Contract
	p.d.human().do("PUT", "/v1/agents/"+p.id+"/guardrails", map[string]any{
		"token_limits": []map[string]any{{"chain_id": 84532, "token": token, "max_amount": "1000"}},
	}).is(t, 200)
	_, to := anviltest.Key(t, 2)
	transfer := func(amount int) map[string]any {
		return call(token, calldata(anviltest.Calldata(t, "transfer(address,uint256)", to, amount)))
	}
	p.d.human().do("POST", p.path+"/explain", transfer(1001)).is(t, 200)
	agent.do("POST", p.path, transfer(1001)).problem(t, 403)
	sim := into[api.SimulationResponse](t, agent.do("POST", p.path+"/simulate", transfer(1)).is(t, 200))
	if sim.Status != "success" || sim.GasUsed == 0 || len(sim.BalanceChanges) != 2 {
		t.Errorf("the simulation says %+v", sim)
	}
	if c := submit(transfer(999)); c.State != "confirmed" {
		t.Errorf("the transfer is %+v", c)
	}
	var has string
	p.chain.RPC(&has, "eth_call", map[string]any{"to": token, "data": calldata(anviltest.Calldata(t, "balanceOf(address)", to))}, "latest")
	if has != fmt.Sprintf("0x%064x", 999) {
		t.Errorf("the recipient has %s", has)
	}
	bad := call(p.chain.DeployReverter().String(), calldata(anviltest.Calldata(t, "text(string)", "too late")))
	for _, first := range []bool{true, false} { // by a simulation, or by the estimate of its gas
		bad["simulate_first"] = first
		if refused := agent.do("POST", p.path, bad); refused.status != 422 || !strings.Contains(string(refused.body), "too late") {
			t.Errorf("what reverts is answered %v", refused)
		}
	}
	bad["simulate_first"], bad["gas_limit"] = false, 100_000
	if c := submit(bad); c.State != "reverted" {
		t.Errorf("what reverts is %+v", c)
	}
}

// calldata is data as the API has it.
func calldata(data []byte) string { return "0x" + hex.EncodeToString(data) }

// messages signs a text and a permit.
func (p *payer) messages(agent *client, read func(map[string]any) map[string]any, from string) {
	t := p.t
	t.Helper()
	sign := func(body map[string]any) api.SignIntentResponse {
		t.Helper()
		body["chain"] = "base-sepolia"
		return into[api.SignIntentResponse](t, agent.do("POST", "/v1/agents/"+p.id+"/sign", body).is(t, 200))
	}
	got := sign(map[string]any{"intent_type": "personal_sign", "message": "I am the payer"})
	if by := read(map[string]any{"kind": "message", "message": "I am the payer", "signature": got.Signature}); by["from"] != from {
		t.Errorf("the message was signed by %v", by)
	}
	typed := map[string]any{
		"types": map[string]any{
			"EIP712Domain": []map[string]string{{"name": "name", "type": "string"}, {"name": "version", "type": "string"}, {"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"}},
			"TransferWithAuthorization": []map[string]string{
				{"name": "from", "type": "address"}, {"name": "to", "type": "address"}, {"name": "value", "type": "uint256"},
				{"name": "validAfter", "type": "uint256"}, {"name": "validBefore", "type": "uint256"}, {"name": "nonce", "type": "bytes32"},
			},
		},
		"primaryType": "TransferWithAuthorization",
		"domain":      map[string]any{"name": "USDC", "version": "2", "chainId": 84532, "verifyingContract": "0x036CbD53842c5426634e7929541eC2318f3dCF7e"},
		"message": map[string]any{
			"from": from, "to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "value": "1500", "validAfter": "0", "validBefore": "1900000000",
			"nonce": "0x" + strings.Repeat("01", 32),
		},
	}
	got = sign(map[string]any{"intent_type": "typed_data", "typed_data": typed})
	if by := read(map[string]any{"kind": "typed", "typed": typed, "signature": got.Signature}); by["from"] != from {
		t.Errorf("the typed data was signed by %v", by)
	}
}

// TestWhatPeopleAgreedToChanges: a payment to an account that has become a
// contract meanwhile, which passes it on, is not what people agreed to.
func TestWhatPeopleAgreedToChanges(t *testing.T) {
	needSoftHSM(t)
	d := newDev(t, "--set", "intents.confirmations=0").start()
	p := newPayer(t, d, nil)
	h, agent := d.human(), p.agent()
	h.do("PUT", "/v1/agents/"+p.id+"/guardrails", map[string]any{"approval": map[string]any{"above_eth": "0.1", "approvers": 1}}).is(t, 200)
	body := pay("0.25")
	body["resimulate"] = true
	agreed := func(change string) {
		t.Helper()
		a := into[api.ApprovalPendingResponse](t, agent.do("POST", p.path, body).is(t, 202))
		seen := into[api.ApprovalResponse](t, h.do("GET", "/v1/approvals/"+a.ApprovalID, nil).is(t, 200))
		if got := fmt.Sprint(seen.Expected); !strings.Contains(got, change) || len(seen.Expected) != 2 {
			t.Errorf("people see %s", got)
		}
		h.do("POST", "/v1/approvals/"+a.ApprovalID+"/approve", nil).is(t, 200)
	}
	agreed(body["to"].(string) + " native 250000000000000000")
	_, elsewhere := anviltest.Key(t, 2)
	if os.Getenv("ONECLAW_GETH") != "" {
		t.Skip("only anvil gives an account code")
	}
	// call(gas, elsewhere, callvalue, 0, 0, 0, 0)
	p.chain.RPC(nil, "anvil_setCode", body["to"], "0x600060006000600034"+"73"+elsewhere.String()[2:]+"5af100")
	refused := agent.do("POST", p.path, body).problem(t, 409)
	if !strings.Contains(refused.Detail, body["to"].(string)+" would change by 0, not 250000000000000000") &&
		!strings.Contains(refused.Detail, elsewhere.String()+" would change by 250000000000000000, not 0") {
		t.Errorf("the refusal says %q", refused.Detail)
	}
	agreed(elsewhere.String() + " native 250000000000000000")
	tx := into[api.TransactionResponse](t, agent.do("POST", p.path, body).is(t, 201))
	if c := p.landed(tx.ID); c.State != "confirmed" {
		t.Errorf("the chain says %+v", c)
	}
	h.verifyAudit(t)
	d.stop()
}

// TestResidentKey: the key is made in the HSM and never leaves it, and what it
// signs is as good on a chain.
func TestResidentKey(t *testing.T) {
	needSoftHSM(t)
	d := newDev(t, "--set", "intents.confirmations=1").start()
	p := newPayer(t, d, nil)
	keys := "/v1/agents/" + p.id + "/signing-keys"
	k := into[api.SigningKeyResponse](t, d.human().do("POST", keys, map[string]any{"chain": "base-sepolia"}).is(t, 201))
	if k.Origin != "hsm" || k.Curve != "secp256k1" || !k.IsActive {
		t.Fatalf("the key is %+v", k)
	}
	p.agent().do("POST", keys, map[string]any{"chain": "base-sepolia"}).problem(t, 403)

	// From the key that is a secret, to the key that is in the HSM.
	fund := pay("1")
	fund["to"], fund["signing_key_path"] = k.Address, "keys/base-sepolia-signer"
	p.landed(into[api.TransactionResponse](t, p.agent().do("POST", p.path, fund).is(t, 201)).ID)
	has := into[api.SigningKeyBalanceResponse](t, d.human().do("GET", keys+"/base-sepolia/balance", nil).is(t, 200))
	if has.Balance != "1" {
		t.Fatalf("its balance is %+v", has)
	}
	read := viem(t)
	d.restart()
	for range 4 {
		tx := into[api.TransactionResponse](t, p.agent().do("POST", p.path, pay("0.1")).is(t, 201))
		if got := read(map[string]any{"kind": "transaction", "raw": tx.SignedTx}); got["from"] != k.Address {
			t.Errorf("%v signed, not %s", got["from"], k.Address)
		}
		if c := p.landed(tx.ID); c.State != "confirmed" {
			t.Errorf("the chain says %+v", c)
		}
	}
	d.stop()
}

// TestTransactionsKilled is kill -9 again and again while agents pay, each payment
// under a key of its own that is repeated until it is answered. However often
// that was, each is made once, and no nonce is missing.
func TestTransactionsKilled(t *testing.T) {
	needSoftHSM(t)
	kills := number(t, "ONECLAW_KILLS", 8)
	d := newDev(t, "--set", "intents.confirmations=1").start()
	p := newPayer(t, d, nil)
	const each = 8 // payments in a round, at once
	var all []string
	for round := range kills {
		all = append(all, p.paysUnderKill(round, each)...)
	}
	hashes := map[string]bool{}
	for _, tx := range all {
		c := p.landed(tx)
		if c.State != "confirmed" {
			t.Errorf("%s is %s: %s", tx, c.State, c.ErrorMessage)
		}
		hashes[c.TxHash] = true
	}
	if len(hashes) != kills*each {
		t.Errorf("%d payments made %d transactions", kills*each, len(hashes))
	}
	_, from := anviltest.Key(t, 0)
	var nonce string
	p.chain.RPC(&nonce, "eth_getTransactionCount", from.String(), "latest")
	if want := fmt.Sprintf("0x%x", kills*each); nonce != want {
		t.Errorf("the account made %s transactions, not %s", nonce, want)
	}
	d.human().verifyAudit(t)
	d.stop()
}

// paysUnderKill has payments made while the daemon is killed, and repeats those
// that got no answer.
func (p *payer) paysUnderKill(round, each int) []string {
	p.t.Helper()
	token := p.d.human().token(p.t, p.key)
	done := make(chan struct{})
	for i := range each {
		go func() {
			p.d.as(token).doWith("POST", p.path, pay("0.001"), http.Header{"Idempotency-Key": {fmt.Sprint("payment-", round, "-", i)}})
			done <- struct{}{}
		}()
	}
	time.Sleep(time.Duration(round*7%60) * time.Millisecond) // anywhere in it
	p.d.kill()
	for range each {
		<-done
	}
	p.d.start()
	token = p.d.human().token(p.t, p.key)
	ids := make([]string, each)
	for i := range each {
		eventually(p.t, patience, "an answer", func() bool {
			a := p.d.as(token).doWith("POST", p.path, pay("0.001"), http.Header{"Idempotency-Key": {fmt.Sprint("payment-", round, "-", i)}})
			if a.status != 200 && a.status != 201 {
				return false
			}
			ids[i] = into[api.TransactionResponse](p.t, a).ID
			return true
		})
	}
	return ids
}
