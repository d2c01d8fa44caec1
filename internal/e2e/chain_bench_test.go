package e2e

import (
	"fmt"
	"testing"

	"github.com/oneclaw/oneclawd/intents/evm"
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
	wide(b, d.api, 200, func(int) []byte { return post }, d.processes()...)
	b.Run("curve", func(b *testing.B) {
		key, _ := anviltest.Key(b, 0)
		for b.Loop() {
			if _, err := key.Sign(evm.Hash{1}); err != nil {
				b.Fatal(err)
			}
		}
	})
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
	wide(b, d.api, 200, func(int) []byte { return post }, d.processes()...)
}

// BenchmarkE2ESubmit signs and broadcasts to anvil, which makes a block of each;
// "node" is the same transactions, signed before, sent to an anvil that has the
// machine for itself, and of-node what is left of its rate.
func BenchmarkE2ESubmit(b *testing.B) {
	needSoftHSM(b)
	alone := map[int]float64{}
	for _, width := range widths {
		b.Run(fmt.Sprintf("node/conns=%d", width), func(b *testing.B) {
			chain := anviltest.Start(b, anviltest.Options{})
			sends := payments(b, chain, b.N)
			b.ResetTimer()
			defer costs(b, []busy{{"node", chain.PID}})()
			alone[width] = load(b, chain.URL, width, b.N, 200, func(i int) []byte { return sends[i] })
			b.ReportMetric(alone[width], "req/s")
		})
	}
	d := newDev(b, "--set", "intents.confirmations=0").start()
	p := newPayer(b, d, nil)
	token := d.human().token(b, p.key)
	post := request("POST", p.path, token, `{"to":"0x70997970C51812dc3A010C7d01b50e0d17dc79C8","value":"0","chain":"base-sepolia",`+
		`"gas_limit":21000,"max_fee_per_gas":"3000000000","max_priority_fee_per_gas":"1000000000"}`)
	all := append(d.processes(), busy{"node", p.chain.PID})
	for _, width := range widths {
		b.Run(fmt.Sprintf("conns=%d", width), func(b *testing.B) {
			defer costs(b, all)()
			rate := load(b, d.api, width, b.N, 201, func(int) []byte { return post })
			b.ReportMetric(rate, "req/s")
			if alone[width] > 0 { // it was measured too
				b.ReportMetric(rate/alone[width], "of-node")
			}
		})
	}
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
	stored := 0
	for _, want := range []int{1000, most / 10, most} {
		load(b, d.api, 64, want-stored, 200, func(int) []byte { return post })
		stored = want
		b.Run(fmt.Sprintf("stored=%d/sign", want), func(b *testing.B) {
			b.ReportMetric(load(b, d.api, 16, b.N, 200, func(int) []byte { return post }), "req/s")
			stored += b.N
		})
		b.Run(fmt.Sprintf("stored=%d/list", want), func(b *testing.B) {
			b.ReportMetric(load(b, d.api, 4, b.N, 200, func(int) []byte { return get }), "req/s")
		})
	}
}
