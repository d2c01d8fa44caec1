// Command train makes the weights of the injection scorer from a collection of
// labelled texts and from its own grammar. The same input gives the same bytes.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/oneclaw/oneclawd/shroud/detect/internal/corpus"
)

func main() {
	out := flag.String("o", "", "where the weights go")
	loso := flag.Bool("loso", false, "leave sources out in turn and print how they fare")
	scripts := flag.Bool("scripts", false, "leave out all texts in a script, for each in turn, and print how those fare")
	flag.Parse()
	if err := run(flag.Arg(0), *out, *loso, *scripts); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func run(data, out string, loso, scripts bool) error {
	f, err := os.Open(data)
	if err != nil {
		return err
	}
	defer f.Close()
	items, err := corpus.Read(f)
	if err != nil {
		return err
	}
	start := time.Now()
	bags, err := gather(items)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "features", time.Since(start))
	seen := outOfFold(bags)
	fmt.Fprintln(os.Stderr, "left out", time.Since(start))
	if loso {
		leaveOut(bags, seen)
	}
	if scripts {
		leaveOutScripts(bags, seen)
	}
	if out == "" {
		return nil
	}
	unseen := make([]float64, len(bags))
	for i := range seen {
		unseen[i] = worst(seen[i].both())
	}
	return os.WriteFile(out, final(bags, unseen).Encode(), 0o644) //nolint:gosec // not secret
}
