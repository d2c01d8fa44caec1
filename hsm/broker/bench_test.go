//go:build cgo

package broker_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/oneclaw/oneclawd/hsm/broker"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
)

func BenchmarkSoftHSM(b *testing.B) {
	hsmtest.Benchmark(b, start(b, config(b, onToken(hsmtest.SoftHSM(b)))))
}

// What the process boundary costs: the same on keys that take no time.
func BenchmarkLocal(b *testing.B) {
	hsmtest.Benchmark(b, start(b, config(b, broker.Token{Library: localPrefix + b.TempDir()})))
}

// How long reads take while there is always something to sign.
func BenchmarkUnwrapWhileSigning(b *testing.B) {
	c := start(b, config(b, onToken(hsmtest.SoftHSM(b))))
	s := prepare(b, c)
	key, err := c.NewAccountKey(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, signers := range []int{0, 1, 64} {
		b.Run(fmt.Sprintf("signers=%d", signers), func(b *testing.B) {
			ctx, stop := context.WithCancel(b.Context())
			var wg sync.WaitGroup
			for range signers {
				wg.Go(func() {
					for ctx.Err() == nil {
						_, _ = c.SignDigest(ctx, key, [32]byte{1})
					}
				})
			}
			for b.Loop() {
				if err := s.opens(b, c); err != nil {
					b.Fatal(err)
				}
			}
			stop()
			wg.Wait()
		})
	}
}
