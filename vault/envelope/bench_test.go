package envelope

import (
	"context"
	"slices"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/plain"
)

func BenchmarkSeal1KiB(b *testing.B) {
	value := plain.New(make([]byte, 1024))
	keys := stillKeys{}
	b.SetBytes(1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Seal(b.Context(), keys, kek, binding, value); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen1KiB(b *testing.B) {
	sealed, err := Seal(b.Context(), stillKeys{}, kek, binding, plain.New(make([]byte, 1024)))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Open(b.Context(), stillKeys{}, kek, binding, sealed); err != nil {
			b.Fatal(err)
		}
	}
}

// stillKeys wraps by copying, so that benchmarks measure this package alone.
type stillKeys struct{}

func (stillKeys) Wrap(_ context.Context, _ hsm.KEK, key, _ []byte) ([]byte, error) {
	return slices.Clone(key), nil
}

func (stillKeys) Unwrap(_ context.Context, _ hsm.KEK, wrapped, _ []byte) ([]byte, error) {
	return slices.Clone(wrapped), nil
}
