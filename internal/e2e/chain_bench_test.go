package e2e

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/evm/evmtest"
	"github.com/oneclaw/oneclawd/intents/node/anviltest"
)

// signBody is a transaction that needs no node: everything is said.
const signBody = `{"to":"0x70997970C51812dc3A010C7d01b50e0d17dc79C8","value":"0.000001","chain":"base","signing_key_path":"keys/base-sepolia-signer",` +
	`"gas_limit":21000,"max_fee_per_gas":"3000000000","max_priority_fee_per_gas":"1000000000"}`

// BenchmarkE2ESign is an agent that has transactions signed with a key that is a
// secret, each admitted and stored durably; "curve" is the signature alone.
func BenchmarkE2ESign(b *testing.B) {
	needSoftHSM(b)
	d := newDev(b).start()
	p := newPayer(b, d, nil)
	token := d.human().token(b, p.key)
	post := request("POST", p.path+"/sign", token, signBody)
	_, from := anviltest.Key(b, 0)
	wide(b, volley{d.api, 200, always(post), signedBy(from)}, d.processes()...)
	b.Run("keyed/conns=64", func(b *testing.B) {
		keyed := keyedSigning(post)
		defer costs(b, d.processes())()
		b.ReportMetric(volley{d.api, 200, keyed, signedBy(from)}.load(b, 64, b.N), "req/s")
	})
	b.Run("curve", func(b *testing.B) {
		key, _ := anviltest.Key(b, 0)
		for b.Loop() {
			if _, err := key.Sign(evm.Hash{1}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// keyedSigning is a request with another value and an Idempotency-Key of its own each
// time.
func keyedSigning(post []byte) func(i int) []byte {
	key := fmt.Appendf(nil, "Idempotency-Key: %d-@\r\nContent-Type:", time.Now().UnixNano())
	post = bytes.Replace(post, []byte("Content-Type:"), key, 1)
	post = bytes.Replace(post, []byte(`"0.000001"`), []byte(`"0.@"`), 1)
	longer := len(signBody) + digits - len("000001")
	post = bytes.Replace(post, fmt.Appendf(nil, "Length: %d", len(signBody)), fmt.Appendf(nil, "Length: %d", longer), 1)
	return marked(post, "@")
}

// signedBy checks that answers hold transactions which the key of an address has
// signed, no two with one nonce.
func signedBy(from evm.Address) func(body []byte) error {
	var seen sync.Map
	return func(body []byte) error {
		var got api.TransactionResponse
		if err := json.Unmarshal(body, &got); err != nil {
			return err
		}
		raw, err := hex.DecodeString(strings.TrimPrefix(got.SignedTx, "0x"))
		if err != nil {
			return err
		}
		tx, by, err := evmtest.ParseSigned(raw)
		if err != nil || by != from || evm.RawHash(raw).String() != got.TxHash {
			return fmt.Errorf("%s by %s instead of %s, %w", got.TxHash, by, from, err)
		}
		if _, twice := seen.LoadOrStore([2]uint64{tx.ChainID, tx.Nonce}, true); twice {
			return fmt.Errorf("nonce %d was used twice", tx.Nonce)
		}
		return nil
	}
}

// BenchmarkE2EResident is BenchmarkE2ESign with a key that is in the token.
func BenchmarkE2EResident(b *testing.B) {
	needSoftHSM(b)
	d := newDev(b).start()
	p := newPayer(b, d, nil)
	d.human().do("POST", "/v1/agents/"+p.id+"/signing-keys", map[string]any{"chain": "base"}).is(b, 201)
	token := d.human().token(b, p.key)
	post := request("POST", p.path+"/sign", token, `{"to":"0x70997970C51812dc3A010C7d01b50e0d17dc79C8","value":"0","chain":"base",`+
		`"gas_limit":21000,"max_fee_per_gas":"3000000000","max_priority_fee_per_gas":"1000000000"}`)
	wide(b, volley{d.api, 200, always(post), nil}, d.processes()...)
}

// BenchmarkE2ESubmit signs and broadcasts to anvil, which makes a block of each;
// "node" is the same transactions, signed before, sent to an anvil that has the
// machine for itself, and of-node what is left of its rate. An anvil answers before it
// makes the block, which takes the longer the more blocks there are: its time is that
// until all are made, and each row has a new one.
func BenchmarkE2ESubmit(b *testing.B) {
	needSoftHSM(b)
	alone := map[int]float64{}
	for _, width := range widths {
		b.Run(fmt.Sprintf("node/conns=%d", width), func(b *testing.B) {
			chain := anviltest.Start(b, anviltest.Options{})
			sends := payments(b, chain, b.N)
			b.ResetTimer()
			defer costs(b, []busy{{"node", chain.PID}})()
			alone[width] = volley{chain.URL, 200, func(i int) []byte { return sends[i] }, nil}.load(b, width, b.N)
			b.ReportMetric(alone[width], "req/s")
			b.StopTimer()
			inBlocks(b, chain, b.N)
		})
	}
	d := newDev(b, "--set", "intents.confirmations=0").start()
	p := newPayer(b, d, nil)
	token := d.human().token(b, p.key)
	_, from := anviltest.Key(b, 0)
	networks := []struct {
		name string
		id   uint64
	}{{"sepolia", 11155111}, {"base", 8453}, {"optimism", 10}}
	for i, width := range widths {
		network, sent := networks[i], 0
		p.chain = anviltest.Start(b, anviltest.Options{ChainID: network.id})
		p.connect(network.name)
		b.Run(fmt.Sprintf("conns=%d", width), func(b *testing.B) {
			post := request("POST", p.path, token, `{"to":"0x70997970C51812dc3A010C7d01b50e0d17dc79C8","value":"0","chain":"`+network.name+
				`","signing_key_path":"keys/base-sepolia-signer","gas_limit":21000,"max_fee_per_gas":"3000000000","max_priority_fee_per_gas":"1000000000"}`)
			submit := volley{d.api, 201, always(post), signedBy(from)}
			b.ResetTimer()
			defer costs(b, append(d.processes(), busy{"node", p.chain.PID}))()
			rate := submit.load(b, width, b.N)
			b.ReportMetric(rate, "req/s")
			if alone[width] > 0 { // it was measured too
				b.ReportMetric(rate/alone[width], "of-node")
			}
			b.StopTimer()
			sent += b.N
			inBlocks(b, p.chain, sent)
		})
	}
}

// inBlocks waits until n transactions of anvil's first account are. Anvil now and then
// leaves the last one until it is told to make a block.
func inBlocks(b *testing.B, chain *anviltest.Chain, n int) {
	b.Helper()
	_, from := anviltest.Key(b, 0)
	polls := 0
	eventually(b, 2*patience, "all in blocks", func() bool {
		if polls++; polls%200 == 0 {
			chain.Mine(1)
		}
		var nonce string
		chain.RPC(&nonce, "eth_getTransactionCount", from.String(), "latest")
		return nonce == fmt.Sprintf("0x%x", n)
	})
}

// payments are requests to a node to take n transactions of anvil's first account.
func payments(b *testing.B, chain *anviltest.Chain, n int) [][]byte {
	b.Helper()
	key, _ := anviltest.Key(b, 0)
	_, to := anviltest.Key(b, 1)
	out := make([][]byte, n)
	for i := range out {
		tx := evm.Tx{Type: evm.DynamicFee, ChainID: chain.ChainID, Nonce: uint64(i), Gas: 21000, Call: evm.Call{To: &to}, MaxFee: evm.NewAmount(3e9), Tip: evm.NewAmount(1e9)}
		sig, err := key.Sign(tx.Digest())
		if err != nil {
			b.Fatal(err)
		}
		signed, err := tx.Sign(sig)
		if err != nil {
			b.Fatal(err)
		}
		out[i] = request("POST", "/", "", fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x%x"]}`, signed.Raw))
	}
	return out
}

// BenchmarkE2ETransactions shows what it costs to have many: signing and listing
// with as many stored as ONECLAW_BENCH_TRANSACTIONS says, in steps.
func BenchmarkE2ETransactions(b *testing.B) {
	needSoftHSM(b)
	most := number(b, "ONECLAW_BENCH_TRANSACTIONS", 100_000)
	d := newDev(b).start()
	p := newPayer(b, d, nil)
	token := d.human().token(b, p.key)
	post := request("POST", p.path+"/sign", token, signBody)
	get := request("GET", p.path+"?limit=100", token, "")
	sign := volley{d.api, 200, always(post), nil}
	stored := 0
	for _, want := range []int{1000, most / 10, most} {
		sign.load(b, 64, want-stored)
		stored = want
		b.Run(fmt.Sprintf("stored=%d/sign", want), func(b *testing.B) {
			defer costs(b, d.processes())()
			b.ReportMetric(sign.load(b, 16, b.N), "req/s")
			stored += b.N
		})
		b.Run(fmt.Sprintf("stored=%d/list", want), func(b *testing.B) {
			defer costs(b, d.processes())()
			b.ReportMetric(volley{d.api, 200, always(get), nil}.load(b, 4, b.N), "req/s")
		})
	}
}
