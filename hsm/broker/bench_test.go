//go:build cgo

package broker_test

import (
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
