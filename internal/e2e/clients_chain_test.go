package e2e

import (
	"encoding/json"
	"testing"
)

// TestClientTransactions sends what the published clients send about chains and
// transactions, through the fetch that they use, and finds what they read.
func TestClientTransactions(t *testing.T) {
	needSoftHSM(t)
	d := newDev(t).start()
	p := newPayer(t, d, nil)
	fetch, token := nodeFetch(t), d.human().token(t, p.key)
	send := func(bearer, method, path string, header map[string]string, body any, status int, reads ...string) {
		t.Helper()
		headers := map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + bearer}
		for k, v := range header {
			headers[k] = v
		}
		text := ""
		if body != nil {
			raw, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			text = string(raw)
		}
		a := fetch(t, method, d.api+path, headers, text)
		got := into[map[string]any](t, a.is(t, status))
		for _, field := range reads {
			if got[field] == nil {
				t.Errorf("%v has no %s", a, field)
			}
		}
	}
	tx := pay("0.01")
	key := map[string]string{"Idempotency-Key": "3f0e9c1a-5a57-4d0c-9d7e-0c5a4f1b2c3d"}
	send(token, "POST", p.path, key, tx, 201, "id", "status", "tx_hash", "signed_tx", "chain_id", "value_wei")
	send(token, "POST", p.path, key, tx, 200, "id", "status", "signed_tx")
	send(token, "POST", p.path+"/sign", nil, tx, 200, "signed_tx", "tx_hash", "from", "nonce", "status")
	send(token, "POST", p.path+"/simulate", key, tx, 200, "status", "gas_used", "balance_changes")
	send(token, "POST", p.path+"/simulate-bundle", key, map[string]any{"transactions": []any{tx, tx}}, 200, "simulations")
	send(token, "GET", p.path, nil, nil, 200, "transactions")
	send(token, "GET", p.path+"?include_signed_tx=false", nil, nil, 200, "transactions")
	send(token, "GET", "/v1/chains", nil, nil, 200, "chains")
	send(token, "GET", "/v1/chains/base-sepolia", nil, nil, 200, "id", "name", "chain_id")
	owner := d.owner.APIKey
	send(owner, "GET", "/v1/admin/chains", nil, nil, 200, "chains")
	send(owner, "POST", "/v1/admin/chains", nil, map[string]any{"name": "home", "display_name": "Home", "chain_id": 31337}, 201, "id", "is_enabled")
	send(owner, "POST", "/v1/agents/"+p.id+"/signing-keys", nil, map[string]any{"chain": "base"}, 201, "id", "address", "public_key", "key_version")
	send(owner, "GET", "/v1/approvals?status=pending", nil, nil, 200, "approvals")
	d.stop()
}
