package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/shroud/detect/internal/corpus"
)

// printSpeed times the engine on the items as they are, and on texts of fixed
// sizes that are made of them, on one core.
func printSpeed(w io.Writer, items []corpus.Item) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	fmt.Fprintf(w, "\nspeed, one core; MB/s by the processor's time\n  %-10s %6s %10s %10s %8s\n", "size", "texts", "p50", "p99", "MB/s")
	printTimes(w, "as it is", items)
	for _, size := range []int{256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20} {
		printTimes(w, fmt.Sprintf("%d B", size), joined(items, size))
	}
}

// joined makes texts of one size out of items, in their order.
func joined(items []corpus.Item, size int) (out []corpus.Item) {
	const most = 400
	var b strings.Builder
	for _, it := range items {
		b.WriteString(it.Text)
		b.WriteByte('\n')
		for b.Len() >= size && len(out) < most {
			text := b.String()
			out = append(out, corpus.Item{Text: strings.ToValidUTF8(text[:size], "")})
			b.Reset()
			b.WriteString(text[size:])
		}
	}
	return out
}

func printTimes(w io.Writer, what string, items []corpus.Item) {
	if len(items) == 0 {
		return
	}
	var times []time.Duration
	bytes := 0
	before := cpu()
	for _, it := range items {
		start := time.Now()
		inspect(it)
		d := time.Since(start)
		times, bytes = append(times, d), bytes+len(it.Text)
	}
	spent := cpu() - before
	slices.Sort(times)
	fmt.Fprintf(w, "  %-10s %6d %10s %10s %8.1f\n", what, len(times), times[len(times)/2].Round(time.Microsecond),
		times[len(times)*99/100].Round(time.Microsecond), float64(bytes)/1e6/max(spent.Seconds(), 1e-9))
}
