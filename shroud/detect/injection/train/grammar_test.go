package main

import (
	"strings"
	"testing"
)

func TestGrammarMakesTheSameTwice(t *testing.T) {
	first, err := makeItems()
	if err != nil {
		t.Fatal(err)
	}
	second, err := makeItems()
	if err != nil {
		t.Fatal(err)
	}
	if len(first) == 0 || len(first) != len(second) {
		t.Fatalf("%d texts, then %d", len(first), len(second))
	}
	for i := range first {
		if first[i].Text != second[i].Text {
			t.Fatalf("text %d: %q, then %q", i, first[i].Text, second[i].Text)
		}
	}
}

// TestGrammarNamesAreThere finds what a typing mistake in a grammar file leaves
// in the texts: the name of a rule that there is not.
func TestGrammarNamesAreThere(t *testing.T) {
	g, err := newGrammar(1)
	if err != nil {
		t.Fatal(err)
	}
	for name, options := range g.rules {
		for _, o := range options {
			for _, part := range strings.Split(o, "{")[1:] {
				ref, _, closed := strings.Cut(part, "}")
				ref = strings.TrimSuffix(ref, "~")
				if closed && ref != "" && !strings.ContainsAny(ref, " \"':,{[|$%\n") && g.rules[ref] == nil && ref != "X" && ref != "Xbody" {
					t.Errorf("%s: there is no %q, in %q", name, ref, o)
				}
			}
		}
	}
}

func TestTrainingIsReproducible(t *testing.T) {
	items, err := makeItems()
	if err != nil {
		t.Fatal(err)
	}
	var few []*bag
	for i := 0; i < len(items); i += 60 {
		few = append(few, bagOf(items[i], 0, true))
	}
	weigh(few)
	scores := make([]float64, len(few))
	first, second := final(few, scores).Encode(), final(few, scores).Encode()
	if string(first) != string(second) {
		t.Error("the same texts made other weights")
	}
}
