package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/oneclaw/oneclawd/shroud/detect"
	"github.com/oneclaw/oneclawd/shroud/detect/internal/corpus"
)

// judgement is what the engine made of an item.
type judgement struct {
	item   corpus.Item
	report *detect.Report
	score  float64 // of an injection, in what the item came as
}

// threshold is the default of injection_threshold.
const threshold = 0.7

// judge inspects every item as what its category says it came as.
func judge(items []corpus.Item) []judgement {
	out := make([]judgement, len(items))
	for i, it := range items {
		r := inspect(it)
		out[i] = judgement{it, r, max(r.InjectionScore, r.ContextInjectionScore)}
	}
	return out
}

// printScores prints how well scores tell attacks on models from all else.
func printScores(w io.Writer, judged []judgement, rate float64) {
	var attacks, harmless []float64
	for _, j := range judged {
		switch {
		case j.item.Label != corpus.Attack:
			harmless = append(harmless, j.score)
		case j.item.OnModels():
			attacks = append(attacks, j.score)
		}
	}
	at := corpus.Threshold(harmless, rate)
	fmt.Fprintf(w, "injection: %d attacks, %d harmless texts (what is for the other detectors, and weak indirect ones, are left out of the sums)\n", len(attacks), len(harmless))
	fmt.Fprintf(w, "  AUC %.4f\n", corpus.AUC(attacks, harmless))
	for _, t := range []struct {
		what string
		at   float64
	}{{"at the default threshold", threshold}, {fmt.Sprintf("at %.2g %% false positives", 100*rate), at}} {
		tp, fp := corpus.Above(attacks, t.at)*float64(len(attacks)), corpus.Above(harmless, t.at)*float64(len(harmless))
		fmt.Fprintf(w, "  %-28s (score above %.3f)  recall %.3f  precision %.3f  false positives %.4f\n",
			t.what, t.at, tp/float64(len(attacks)), tp/max(tp+fp, 1), fp/float64(len(harmless)))
	}
	printGroups(w, "category", judged, harmless, at, func(it corpus.Item) string { return it.Category })
	printGroups(w, "source", judged, harmless, at, func(it corpus.Item) string { return it.Source })
}

// printGroups prints, by group, the share above the thresholds: recall of attacks,
// false positives of all else.
func printGroups(w io.Writer, what string, judged []judgement, harmless []float64, at float64, of func(corpus.Item) string) {
	type key struct{ label, name string }
	groups := map[key][]float64{}
	for _, j := range judged {
		k := key{j.item.Label, of(j.item)}
		groups[k] = append(groups[k], j.score)
	}
	keys := slices.SortedFunc(maps.Keys(groups), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.label, b.label), cmp.Compare(a.name, b.name))
	})
	fmt.Fprintf(w, "\n  %-8s %-36s %6s %9s %9s %7s\n", "label", what, "texts", "> default", "> rate", "AUC")
	for _, k := range keys {
		auc := ""
		if k.label == corpus.Attack {
			auc = fmt.Sprintf("%.3f", corpus.AUC(groups[k], harmless))
		}
		fmt.Fprintf(w, "  %-8s %-36s %6d %9.3f %9.3f %7s\n", k.label, k.name, len(groups[k]),
			corpus.Above(groups[k], threshold), corpus.Above(groups[k], at), auc)
	}
}
