// Command evaluate measures the inspection engine on a collection of labelled
// texts: what it finds, what it cries wolf over, and how long it takes.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/oneclaw/oneclawd/shroud/detect/internal/corpus"
)

func main() {
	rate := flag.Float64("rate", 0.01, "the share of harmless texts that may be found, for the tables")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: evaluate [-rate 0.01] FILE.jsonl")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *rate, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "evaluate:", err)
		os.Exit(1)
	}
}

func run(file string, rate float64, out io.Writer) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	items, err := corpus.Read(f)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	w := bufio.NewWriter(out)
	judged := judge(items)
	printScores(w, judged, rate)
	printSpans(w, judged)
	printSpeed(w, items)
	return w.Flush()
}
