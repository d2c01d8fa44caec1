package main

import (
	"math"
	"slices"

	"github.com/oneclaw/oneclawd/shroud/detect/injection/internal/model"
	"github.com/oneclaw/oneclawd/shroud/detect/internal/corpus"
)

// trained are the linear models and what the rules are worth.
type trained struct {
	words, ideas *linear
	moods        *moods
	votes        []float64
}

func wordsOf(b *model.Block) []uint32 { return b.Words }
func ideasOf(b *model.Block) []uint32 { return b.Ideas }

// train fits the models. Plain orders are for the model of moods alone: from a user they
// are no attack.
func train(all []*bag) trained {
	var bags, documents []*bag
	for _, b := range all {
		if b.item.Source != moodSource {
			bags = append(bags, b)
		}
		if b.document {
			documents = append(documents, b)
		}
	}
	w := newLinear(1<<20, 0.15, 1e-4, wordsOf)
	w.size, w.damping = func(b *model.Block) int { return len(b.Words) }, model.WordDamping
	w.unseen = 307
	w.fit(bags, 8)
	i := newLinear(1<<17, 0.1, 1e-3, ideasOf)
	i.size, i.damping = func(b *model.Block) int { return len(b.Ideas) }, model.IdeaDamping
	i.unseen = 205
	i.fit(bags, 8)
	return trained{w, i, fitMoods(documents), votes(bags)}
}

// votes gives each rule what its precision is worth, each family of sources
// counting as much as it does in training. In sixteenths: logarithms differ in
// the last bit between processors.
func votes(bags []*bag) []float64 {
	out := make([]float64, len(model.Ruleset))
	var sum [2]float64
	fired := make([][2]float64, len(out))
	for _, b := range bags {
		var rules uint64
		for i := range b.blocks {
			rules |= b.blocks[i].Rules
		}
		w := float64(b.weight)
		if b.made {
			w /= 4
		}
		sum[side(b)] += w
		for r := range fired {
			if rules&(1<<r) != 0 {
				fired[r][side(b)] += w
			}
		}
	}
	for r, f := range fired {
		odds := (f[1]/sum[1] + 0.003) / (f[0]/sum[0] + 0.003)
		out[r] = min(max(math.Round(16*0.7*math.Log(odds))/16, 0), 2.5)
	}
	return out
}

// quantise rounds a table to bytes. What is larger than nearly all of it is cut.
func quantise(weights []float32) (table []int8, scale float64) {
	var sizes []float32
	for _, w := range weights {
		if w != 0 {
			sizes = append(sizes, max(w, -w))
		}
	}
	slices.Sort(sizes)
	if len(sizes) == 0 {
		return make([]int8, len(weights)), 1
	}
	scale = float64(sizes[len(sizes)-1-len(sizes)/2000]) / 127
	table = make([]int8, len(weights))
	for i, w := range weights {
		table[i] = int8(min(max(math.Round(float64(w)/scale), -127), 127))
	}
	return table, scale
}

// final trains on everything and calibrates by what models said of texts whose
// sources they had not seen.
func final(bags []*bag, unseen []float64) *model.Weights {
	t := train(bags)
	w := &model.Weights{WordBias: t.words.bias, IdeaBias: t.ideas.bias, MoodBias: t.moods.bias, Rules: t.votes}
	w.Words, w.WordScale = quantise(t.words.weights)
	w.Ideas, w.IdeaScale = quantise(t.ideas.weights)
	w.Moods, w.MoodScale = quantise(t.moods.weights)
	var harmless []float64
	for i, b := range bags {
		if !b.attack && !b.made {
			harmless = append(harmless, unseen[i])
		}
	}
	w.Centre, w.Slope = calibrate(harmless)
	return w
}

// calibrate puts 0.7 where one harmless text in a hundred is above and 0.9 where
// one in a thousand is.
func calibrate(harmless []float64) (centre, slope float64) {
	const at70, at90 = 0.8472978603872037, 2.1972245773362196 // logits
	low, high := corpus.Threshold(harmless, 0.01), corpus.Threshold(harmless, 0.001)
	slope = (at90 - at70) / max(high-low, 0.5)
	return low - at70/slope, slope
}
