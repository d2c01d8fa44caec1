package hsmtest

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
)

// operation is a call that is measured.
type operation struct {
	name string
	call func(context.Context) error
}

// Benchmark measures the calls of a module at several widths. Beside ns/op it
// reports cpu-ns/op, the time of this process alone: what a broker costs its
// daemon.
func Benchmark(b *testing.B, m hsm.Module) {
	ctx := b.Context()
	if err := m.Init(ctx); err != nil {
		b.Fatal(err)
	}
	kek, key, aad := newKEK(b, m), random(32), []byte("vault 7, secret 12, version 3")
	wrapped, signer, message := wrap(b, m, kek, key, aad), newSigningKey(b, m), random(220)
	ops := []operation{
		{"Unwrap", func(ctx context.Context) error { _, err := m.Unwrap(ctx, kek, wrapped, aad); return err }},
		{"Wrap", func(ctx context.Context) error { _, err := m.Wrap(ctx, kek, key, aad); return err }},
		{"Sign", func(ctx context.Context) error { _, err := m.Sign(ctx, signer, message); return err }},
		{"NewKEK", func(ctx context.Context) error { _, err := m.NewKEK(ctx); return err }},
		{"Check", m.Check},
	}
	if m.Describe().Accounts != "" {
		account := newAccount(b, m)
		ops = append(ops, operation{"SignDigest", func(ctx context.Context) error {
			_, err := hsm.Accounts(m).SignDigest(ctx, account, [32]byte{1})
			return err
		}})
	}
	for _, op := range ops {
		for _, width := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("%s/%d", op.name, width), func(b *testing.B) { wide(b, width, op.call) })
		}
	}
}

// wide shares b.N calls between width goroutines.
func wide(b *testing.B, width int, call func(context.Context) error) {
	b.ReportAllocs()
	ctx, before := b.Context(), cpu()
	b.ResetTimer()
	var wg sync.WaitGroup
	for g := range width {
		wg.Go(func() {
			for i := g; i < b.N; i += width {
				if err := call(ctx); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
}

// cpu is the processor time this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
