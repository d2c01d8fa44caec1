//go:build cgo

package pkcs11_test

import (
	"testing"

	"github.com/oneclaw/oneclawd/hsm/hsmtest"
)

func BenchmarkSoftHSM(b *testing.B) {
	m := open(b, config(hsmtest.SoftHSM(b)))
	b.Cleanup(func() { _ = m.Close() })
	hsmtest.Benchmark(b, m)
}

func BenchmarkP11Kit(b *testing.B) {
	m := open(b, config(hsmtest.P11Kit(b).Token))
	b.Cleanup(func() { _ = m.Close() })
	hsmtest.Benchmark(b, m)
}
