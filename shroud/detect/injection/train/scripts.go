package main

import (
	"fmt"
	"unicode"

	"github.com/oneclaw/oneclawd/shroud/detect/internal/corpus"
)

// alphabets are left out one by one, to see what holds in a language that no text was in.
var alphabets = []struct {
	name string
	of   []*unicode.RangeTable
}{
	{"Arabic", []*unicode.RangeTable{unicode.Arabic}},
	{"Bengali", []*unicode.RangeTable{unicode.Bengali}},
	{"Cyrillic", []*unicode.RangeTable{unicode.Cyrillic}},
	{"Devanagari", []*unicode.RangeTable{unicode.Devanagari}},
	{"Han, kana", []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana}},
	{"Hangul", []*unicode.RangeTable{unicode.Hangul}},
	{"Thai", []*unicode.RangeTable{unicode.Thai}},
}

// written reports whether a fifth or more of the letters of a text are of a script.
func written(text string, of []*unicode.RangeTable) bool {
	letters, own := 0, 0
	for _, r := range text {
		if unicode.IsLetter(r) {
			letters++
			if unicode.In(r, of...) {
				own++
			}
		}
	}
	return own > 0 && own*5 >= letters
}

// leaveOutScripts prints how many attacks in each script are found by models that saw no
// text in it, beside how many are by those that saw all but its source.
func leaveOutScripts(bags []*bag, seen []sight) {
	var harmless []float64
	for i, b := range bags {
		if !b.made && !b.attack {
			harmless = append(harmless, worst(seen[i].both()))
		}
	}
	threshold := corpus.Threshold(harmless, 0.01)
	for _, s := range alphabets {
		var in, out []*bag
		var before [2][]float64
		most := 0
		for i, b := range bags {
			most = max(most, len(b.blocks))
			switch own := written(b.item.Text, s.of); {
			case !own:
				in = append(in, b)
			case !b.made && (!b.attack || b.item.OnModels()):
				out = append(out, b)
				before[side(b)] = append(before[side(b)], worst(seen[i].both()))
			}
		}
		t, sums := train(in), make([]float64, 2*most)
		var after [2][]float64
		for _, b := range out {
			after[side(b)] = append(after[side(b)], worst(t.see(b, sums).both()))
		}
		fmt.Printf("%-10s attacks %3d: source left out %.3f, script left out %.3f; harmless %3d: %.3f, %.3f\n", s.name, len(after[1]),
			corpus.Above(before[1], threshold), corpus.Above(after[1], threshold), len(after[0]), corpus.Above(before[0], threshold), corpus.Above(after[0], threshold))
	}
}
