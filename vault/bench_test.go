package vault_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// benchmark runs fn with 1, 16 and 64 goroutines per core, each call with a
// number of its own, on a service without the wrappers of the other tests.
func benchmark(b *testing.B, fn func(w *world, n uint64) error) {
	for _, p := range []int{1, 16, 64} {
		b.Run(fmt.Sprint("parallelism=", p), func(b *testing.B) {
			w := newWorld(b)
			w.Service = vault.New(store.Runner[vault.Tx](w.Store), w.gate, nil)
			for i := range 64 {
				w.put(fmt.Sprint("svc/", i, "/key"), strings.Repeat("k", 64))
			}
			w.grantBench()
			var n atomic.Uint64
			b.SetParallelism(p)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := fn(w, n.Add(1)); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
		})
	}
}

// grantBench makes the owner an ordinary reader and writer of alice's vault.
func (w *world) grantBench() {
	w.grant(w.owner, "svc/**", policy.Read, policy.Write)
}

// BenchmarkRead reads 64 paths through a policy.
func BenchmarkRead(b *testing.B) {
	benchmark(b, func(w *world, n uint64) error {
		path, err := vault.ParseSecretPath(fmt.Sprint("svc/", n%64, "/key"))
		if err != nil {
			return err
		}
		_, _, err = w.Read(w.Ctx, w.owner, w.v.ID, path)
		return err
	})
}

// BenchmarkPut writes new versions of 64 paths.
func BenchmarkPut(b *testing.B) {
	benchmark(b, func(w *world, n uint64) error {
		path, err := vault.ParseSecretPath(fmt.Sprint("svc/", n%64, "/key"))
		if err != nil {
			return err
		}
		_, err = w.Put(w.Ctx, w.owner, w.v.ID, path, vault.NewVersion{Value: plain.FromString("a value of some length, as keys are")})
		return err
	})
}
