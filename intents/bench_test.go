package intents_test

import (
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/oneclaw/oneclawd/intents"
)

// BenchmarkSign is a transaction signed with a key that is a secret, by 64 callers
// at once, on a real store and without a node, beside vaults that have nothing to do
// with it.
func BenchmarkSign(b *testing.B) {
	for _, vaults := range []int{1, 1000} {
		b.Run("vaults="+strconv.Itoa(vaults), func(b *testing.B) { benchSign(b, vaults) })
	}
}

func benchSign(b *testing.B, vaults int) {
	w := newWorld(b)
	for range vaults - 1 {
		_, err := w.vaults.Create(w.ctx, w.owner, "another", "")
		w.ok(err)
	}
	b.ResetTimer()
	w.putKey("keys/base-signer", testKey)
	gas := uint64(21000)
	r := intents.Request{To: somebody, Value: "0.000001", Chain: "base", GasLimit: &gas, MaxFee: "3000000000", Tip: "1000000000"}
	var n atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := r
			r.IdempotencyKey = strconv.FormatInt(n.Add(1), 10)
			if _, err := w.Sign(w.ctx, w.agent, w.agent.ID, r); err != nil {
				b.Error(err)
			}
		}
	})
}
