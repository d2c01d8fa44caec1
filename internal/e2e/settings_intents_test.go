package e2e

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// The cases of TestEverySettingDoesSomething that are about transactions.

// aNode is a chain's node: whatever is looked up was mined two blocks ago. It is
// as slow as wait makes it when it is asked for the nonce of what is sent next.
func aNode(t *testing.T, nonce int, wait func(*http.Request)) (url string) {
	t.Helper()
	const block = "0x00000000000000000000000000000000000000000000000000000000000000b1"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			ID     json.RawMessage
			Method string
			Params []any
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out := map[string]any{"jsonrpc": "2.0", "id": q.ID}
		switch q.Method {
		case "eth_chainId":
			out["result"] = "0x14a34"
		case "eth_getTransactionCount":
			if q.Params[1] == "pending" {
				wait(r)
			}
			out["result"] = fmt.Sprintf("0x%x", nonce)
		case "eth_blockNumber":
			out["result"] = "0x66"
		case "eth_getBlockByNumber":
			out["result"] = map[string]any{"number": "0x66", "timestamp": "0x1", "hash": block, "baseFeePerGas": "0x1"}
		case "eth_gasPrice", "eth_maxPriorityFeePerGas":
			out["result"] = "0x1"
		case "eth_estimateGas":
			out["result"] = "0x5208"
		case "eth_getTransactionReceipt":
			out["result"] = map[string]any{"transactionHash": q.Params[0], "blockHash": block, "blockNumber": "0x64", "status": "0x1", "gasUsed": "0x5208"}
		case "eth_sendRawTransaction":
			out["error"] = map[string]any{"code": -32000, "message": "already known"}
		default:
			out["error"] = map[string]any{"code": -32601, "message": "no such method"}
		}
		_ = json.NewEncoder(w).Encode(out)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func atOnce(*http.Request) {}

// paying makes an agent with a key of its own, and gives the chain nodes. It
// returns the path of the agent's transactions.
func paying(t *testing.T, d *daemon, nodes string) string {
	t.Helper()
	h := d.human()
	for _, c := range into[api.ChainListResponse](t, h.do("GET", "/v1/admin/chains", nil).is(t, 200)).Chains {
		if c.Name == "base-sepolia" {
			h.do("PUT", "/v1/admin/chains/"+c.ID, map[string]any{"rpc_url": nodes}).is(t, 200)
		}
	}
	key := make([]byte, 31) // one byte less is in the range of the curve
	_, _ = rand.Read(key)
	v := h.vault(t, "keys")
	h.do("PUT", secretPath(v, "keys/base-sepolia-signer"), api.PutSecretRequest{Value: "00" + hex.EncodeToString(key), Type: "private_key"}).is(t, 201)
	made := into[api.AgentCreatedResponse](t, h.do("POST", "/v1/agents", map[string]any{"name": "payer", "intents_api_enabled": true}).is(t, 201))
	h.policy(v, made.Agent.ID, "keys/**", "use").is(t, 201)
	return "/v1/agents/" + made.Agent.ID + "/transactions"
}

func settingMaxFee(t *testing.T, l *lab) {
	dear := pay("0")
	dear["gas_price"] = "2000000001"
	twice(t, l, func(d *daemon) int {
		return d.human().do("POST", paying(t, d, "")+"/sign", dear).status
	}, "intents.max_fee_gwei", [2]string{"2", "2.000000001"}, [2]int{403, 200})
	twice(t, l, func(d *daemon) int {
		return d.human().do("POST", paying(t, d, "")+"/sign", dear).status
	}, "intents.max_fee_gwei", [2]string{"1", ""}, [2]int{403, 200})
	l.refusesSet(t, "intents.max_fee_gwei", "intents.max_fee_gwei=a lot")
}

func settingConfirmations(t *testing.T, l *lab) {
	node := aNode(t, 1, atOnce)
	twice(t, l, func(d *daemon) string {
		path := paying(t, d, node)
		tx := into[api.TransactionResponse](t, d.human().do("POST", path, pay("0")).is(t, 201))
		var c api.ConfirmationResponse
		eventually(t, patience, "seen in a block", func() bool {
			c = into[api.ConfirmationResponse](t, d.human().do("GET", path+"/"+tx.ID+"/confirmation", nil).is(t, 200))
			return c.BlockNumber == 100
		})
		return c.State
	}, "intents.confirmations", [2]string{"2", "3"}, [2]string{"confirmed", "broadcast"})
	l.refusesSet(t, "intents.confirmations", "intents.confirmations=-1")
}

// settingNodeTimeout has a first node that takes four seconds: who waits has its
// nonce, and who does not has that of the second.
func settingNodeTimeout(t *testing.T, l *lab) {
	slow := aNode(t, 5, func(r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(4 * time.Second):
		}
	})
	nodes := slow + "," + aNode(t, 9, atOnce)
	twice(t, l, func(d *daemon) uint64 {
		path := paying(t, d, nodes)
		return into[api.SignTransactionResponse](t, d.human().do("POST", path+"/sign", pay("0")).is(t, 200)).Nonce
	}, "intents.node_timeout", [2]string{"1m", "1s"}, [2]uint64{5, 9})
	l.refusesSet(t, "intents.node_timeout", "intents.node_timeout=1ms")
}
