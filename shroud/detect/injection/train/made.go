package main

import (
	"strings"

	"github.com/oneclaw/oneclawd/shroud/detect/internal/corpus"
)

// recipe is how many texts of a kind the grammar makes.
type recipe struct {
	source, category, label string
	start                   string
	count                   int
}

var recipes = []recipe{
	{"made-direct", "injection_direct", corpus.Attack, "ATTACK", 3000},
	{"made-languages", "injection_direct", corpus.Attack, "ATTACK_LANG", 1500},
	{"made-asking", "injection_direct", corpus.Attack, "ASKING", 1500},
	{"made-asking-languages", "injection_direct", corpus.Attack, "ASKING_LANG", 900},
	{"made-order", "injection_indirect", corpus.Attack, "docorder", 1200},
	{"made-lookalike", "hard_negative", corpus.Benign, "BENIGN", 4500},
	{"made-languages", "instruction", corpus.Benign, "BENIGN_LANG", 1500},
	{"made-document", "document", corpus.Benign, "body", 1200},
	{"made-asking", "instruction", corpus.Benign, "NOASKING", 1500},
	{"made-guide", "document", corpus.Benign, "GUIDE", 1500},
	{"made-role", "roleplay_benign", corpus.Benign, "LONGROLE", 1500},
}

const carried = 3600

// makeItems makes what the data has too little of.
func makeItems() ([]corpus.Item, error) {
	g, err := newGrammar(7)
	if err != nil {
		return nil, err
	}
	var items []corpus.Item
	add := func(source, category, label, text string) {
		items = append(items, corpus.Item{Source: source, Category: category, Label: label, Text: text, Language: "made"})
	}
	for _, r := range recipes {
		for range r.count {
			text := g.make(r.start)
			if g.rnd.n(5) == 0 {
				text = strings.ToLower(text)
			}
			add(r.source, r.category, r.label, text)
		}
	}
	for i := range carried {
		label, what := corpus.Attack, g.make("docorder")
		if i%2 == 1 {
			label, what = corpus.Benign, g.make("docbenign")
		}
		add("made-carried", "injection_indirect", label, g.carry(what))
	}
	return items, nil
}

// carry puts text into a document.
func (g *grammar) carry(text string) string {
	before, after := "", ""
	if g.rnd.n(2) == 0 {
		before = g.make("docbenign") + " "
	}
	if g.rnd.n(2) == 0 {
		after = " " + g.make("docbenign")
	}
	g.bind = map[string]string{"X": text, "Xbody": before + text + after}
	defer func() { g.bind = map[string]string{} }()
	return g.make("CARRIER")
}
