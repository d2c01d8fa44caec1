package local_test

import (
	"testing"

	"github.com/oneclaw/oneclawd/hsm/hsmtest"
)

func BenchmarkLocal(b *testing.B) { hsmtest.Benchmark(b, open(b, b.TempDir(), "")) }
