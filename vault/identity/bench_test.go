package identity_test

import (
	"fmt"
	"testing"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// benchmark runs fn with 1, 16 and 64 goroutines per core, on a service
// without the wrappers of the other tests.
func benchmark(b *testing.B, fn func(w *world, key, token string) error) {
	for _, p := range []int{1, 16, 64} {
		b.Run(fmt.Sprint("parallelism=", p), func(b *testing.B) {
			w := newWorld(b)
			w.Service = identity.New(identity.Config{DB: store.Runner[identity.Tx](w.Store), Signer: w.gate, Key: w.key, Pepper: w.pepper})
			a, key := w.agent(nil)
			for range 4 {
				w.grant(a, id.New(), "svc/**", nil)
			}
			token := w.exchange(key).JWT
			b.SetParallelism(p)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := fn(w, key, token); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
		})
	}
}

// BenchmarkExchange buys tokens for one agent's key.
func BenchmarkExchange(b *testing.B) {
	benchmark(b, func(w *world, key, _ string) error {
		_, err := w.ExchangeAgentKey(w.Ctx, id.ID{}, key, peer)
		return err
	})
}

// BenchmarkAuthenticate checks one token that was seen before.
func BenchmarkAuthenticate(b *testing.B) {
	benchmark(b, func(w *world, _, token string) error {
		_, err := w.Authenticate(w.Ctx, token, peer)
		return err
	})
}
