package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/oneclaw/oneclawd/shroud/detect/injection"
	"github.com/oneclaw/oneclawd/shroud/detect/internal/corpus"
	"github.com/oneclaw/oneclawd/shroud/detect/pii"
	"github.com/oneclaw/oneclawd/shroud/detect/secret"
	"github.com/oneclaw/oneclawd/shroud/detect/view"
)

// printSpeed times the engine on the items as they are, and on texts of fixed
// sizes that are made of them, on one core. All is by the processor's time: what
// other processes took does not count.
func printSpeed(w io.Writer, items []corpus.Item) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	fmt.Fprintf(w, "\nspeed, one core, by the processor's time\n  %-10s %6s %10s %10s %8s\n", "size", "texts", "p50", "p99", "MB/s")
	printTimes(w, "as it is", items)
	for _, size := range []int{256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20} {
		printTimes(w, fmt.Sprintf("%d B", size), joined(items, size))
	}
	fmt.Fprintf(w, "\nwhat the stages take, texts of 16 KiB\n  %-6s %-10s %8s %8s\n", "texts", "stage", "ms/MB", "MB/s")
	for _, kind := range []string{"prose", "code"} {
		printStages(w, kind, joined(slices.DeleteFunc(slices.Clone(items), func(it corpus.Item) bool { return kinds[it.Category] != kind }), 16<<10))
	}
}

// kinds are the categories of harmless texts that speed is given for.
var kinds = map[string]string{
	"code": "code", "config": "code", "diff": "code",
	"assistant_answer": "prose", "document": "prose", "instruction": "prose", "roleplay_benign": "prose", "security_education": "prose", "shell_doc": "prose",
}

// printStages times each stage by itself.
func printStages(w io.Writer, kind string, items []corpus.Item) {
	size := 0
	normals, views := make([]view.Normal, len(items)), make([][]view.View, len(items))
	for _, it := range items {
		size += len(it.Text)
	}
	for _, stage := range []struct {
		name string
		run  func(i int)
	}{
		{"normalise", func(i int) { normals[i] = view.Normalise(items[i].Text) }},
		{"views", func(i int) { views[i], _ = view.Views(normals[i], view.Budget{}) }},
		{"injection", func(i int) { injection.Score(views[i], normals[i].Tricks, injection.User) }},
		{"secret", func(i int) {
			for _, v := range views[i] {
				secret.Search(v.Text)
			}
		}},
		{"pii", func(i int) { pii.Find(normals[i].Text, pii.Options{}) }},
		{"all", func(i int) { inspect(items[i]) }},
	} {
		start := cpu()
		for i := range items {
			stage.run(i)
		}
		if spent := (cpu() - start).Seconds(); size > 0 {
			fmt.Fprintf(w, "  %-6s %-10s %8.1f %8.1f\n", kind, stage.name, 1e9*spent/float64(size), float64(size)/1e6/max(spent, 1e-9))
		}
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
		start := cpu()
		inspect(it)
		d := cpu() - start
		times, bytes = append(times, d), bytes+len(it.Text)
	}
	spent := cpu() - before
	slices.Sort(times)
	fmt.Fprintf(w, "  %-10s %6d %10s %10s %8.1f\n", what, len(times), times[len(times)/2].Round(time.Microsecond),
		times[len(times)*99/100].Round(time.Microsecond), float64(bytes)/1e6/max(spent.Seconds(), 1e-9))
}
