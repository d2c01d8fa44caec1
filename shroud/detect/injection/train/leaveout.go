package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/oneclaw/oneclawd/shroud/detect/injection/internal/model"
	"github.com/oneclaw/oneclawd/shroud/detect/internal/corpus"
)

// sight is a bag through the eyes of models that were trained without it.
type sight struct {
	words, ideas, all []float64 // by window
	moods             []float64 // by sentence
}

// see judges the windows of a bag.
func (t trained) see(b *bag, sums []float64) sight {
	n := len(b.blocks)
	words, ideas := sums[:n], sums[n:2*n]
	t.words.sums(b, words)
	t.ideas.sums(b, ideas)
	var s sight
	for i, v := range b.views {
		c := model.Context{Tricks: b.tricks, Disguised: i == 0 && b.disguised, Chain: v.chain}
		windows := v.windows[1] - v.windows[0]
		for _, w := range b.windows[v.windows[0]:v.windows[1]] {
			var rules uint64
			for k := w.from; k < w.to; k++ {
				rules |= b.blocks[k].Rules
			}
			r := model.Reading{Words: t.words.score(b, words, w), Ideas: t.ideas.score(b, ideas, w), Windows: windows}
			r.Logit = model.Combine(r.Words, r.Ideas, rules, t.votes)
			s.words, s.ideas = append(s.words, r.Words), append(s.ideas, r.Ideas)
			s.all = append(s.all, c.Logit(r))
		}
		for _, said := range b.said[v.said[0]:v.said[1]] {
			r := model.Reading{Logit: t.moods.order(said) + model.MoodShift, Windows: windows}
			s.moods = append(s.moods, c.Logit(r))
		}
	}
	return s
}

// both are the opinions of all models.
func (s sight) both() []float64 { return append(slices.Clone(s.all), s.moods...) }

// worst is the score of a bag, which is that of its worst window.
func worst(windows []float64) float64 {
	if len(windows) == 0 {
		return -10
	}
	return slices.Max(windows)
}

// outOfFold shows each bag to models that were trained without its fold.
func outOfFold(bags []*bag) []sight {
	seen := make([]sight, len(bags))
	var wg sync.WaitGroup
	turn := make(chan bool, 2) // folds do not depend on each other
	for f := range folds {
		wg.Go(func() {
			turn <- true
			defer func() { <-turn }()
			var in []*bag
			most := 0
			for _, b := range bags {
				most = max(most, len(b.blocks))
				if b.group != f && b.related&(1<<f) == 0 {
					in = append(in, b)
				}
			}
			t := train(in)
			sums := make([]float64, 2*most)
			for i, b := range bags {
				if b.group == f {
					seen[i] = t.see(b, sums)
				}
			}
		})
	}
	wg.Wait()
	return seen
}

// leaveOut prints how the models do on sources that they have not seen.
func leaveOut(bags []*bag, seen []sight) {
	for _, o := range []struct {
		name string
		of   func(sight) []float64
		full bool
	}{
		{"words", func(s sight) []float64 { return s.words }, false},
		{"ideas", func(s sight) []float64 { return s.ideas }, false},
		{"no moods", func(s sight) []float64 { return s.all }, false},
		{"all", sight.both, true},
	} {
		scores := make([]float64, len(bags))
		for i := range bags {
			scores[i] = worst(o.of(seen[i]))
		}
		report(o.name, bags, scores, o.full)
	}
}

// report prints what scores are worth.
func report(name string, bags []*bag, scores []float64, full bool) {
	var pos, neg []float64
	by := map[string][]float64{}
	for i, b := range bags {
		if b.made {
			continue
		}
		key := b.item.Label + " " + b.item.Source
		by[key] = append(by[key], scores[i])
		by["= "+b.item.Label+" "+b.item.Category] = append(by["= "+b.item.Label+" "+b.item.Category], scores[i])
		switch {
		case !b.attack:
			neg = append(neg, scores[i])
		case b.item.OnModels():
			pos = append(pos, scores[i])
		}
	}
	t := corpus.Threshold(neg, 0.01)
	var avg float64
	n := 0
	for k, s := range by {
		if k[:6] == "attack" && len(s) >= 10 && k != "attack PayloadsAllTheThings" && k != "attack BIPIA-email-train" && k != "attack CyberSecEval-interpreter" {
			avg += corpus.Above(s, t)
			n++
		}
	}
	fmt.Printf("%-8s AUC %.4f  recall@1%% %.3f  source average %.3f  recall@0.3%% %.3f @3%% %.3f\n", name, corpus.AUC(pos, neg), corpus.Above(pos, t), avg/float64(n),
		corpus.Above(pos, corpus.Threshold(neg, 0.003)), corpus.Above(pos, corpus.Threshold(neg, 0.03)))
	if !full {
		return
	}
	keys := slices.SortedFunc(maps.Keys(by), func(a, b string) int { return cmp.Compare(a, b) })
	for _, k := range keys {
		fmt.Printf("   %-50s %5d  above %.3f  AUC %.3f\n", k, len(by[k]), corpus.Above(by[k], t), corpus.AUC(by[k], neg))
	}
}
