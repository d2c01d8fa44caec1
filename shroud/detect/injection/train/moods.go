package main

import (
	"math"

	"github.com/oneclaw/oneclawd/shroud/detect/injection/internal/model"
)

// moods is the model of moods while it is trained, in the same way as the others: on
// each document's worst sentence.
type moods struct {
	weights, squares []float32
	bias, biasSq     float64
}

const (
	moodRounds = 10
	moodRate   = 0.2
	moodDecay  = 4e-4
)

// fitMoods trains on the sentences of documents.
func fitMoods(bags []*bag) *moods {
	m := &moods{weights: make([]float32, model.MoodSize), squares: make([]float32, model.MoodSize), bias: -1, biasSq: 1e-2}
	order, rest := make([]int, len(bags)), make([]int, len(bags))
	for i := range order {
		order[i] = i
	}
	rnd := random{state: 1}
	for range moodRounds {
		rnd.shuffle(order)
		for _, i := range order {
			b := bags[i]
			if len(b.said) == 0 || b.weight == 0 {
				continue
			}
			if rest[i] > 0 {
				rest[i]--
				continue
			}
			at, score := m.worst(b)
			if m.update(b, b.said[at], score) < settled {
				rest[i] = pause
			}
		}
	}
	return m
}

// order is the logit of a sentence.
func (m *moods) order(said []uint32) float64 {
	var sum float64
	for _, f := range said {
		sum += float64(m.weights[f])
	}
	return model.Norm(sum, len(said), model.MoodDamping) + m.bias
}

// worst is the sentence with the highest score.
func (m *moods) worst(b *bag) (best int, score float64) {
	score = math.Inf(-1)
	for i, said := range b.said {
		if s := m.order(said); s > score {
			best, score = i, s
		}
	}
	return best, score
}

// update takes one step on one sentence, and returns how wrong it was.
func (m *moods) update(b *bag, said []uint32, logit float64) float64 {
	y := 0.0
	if b.attack {
		y = 1
	}
	wrong := sigmoid(logit) - y
	g := float64(wrong * float64(b.weight))
	each := model.Norm(g, len(said), model.MoodDamping)
	for _, f := range said {
		d := each + float64(moodDecay*float64(m.weights[f]))
		q := float64(m.squares[f]) + float64(d*d)
		m.squares[f] = float32(q)
		m.weights[f] -= float32(moodRate * d / math.Sqrt(q+1e-6))
	}
	m.biasSq += float64(g * g)
	m.bias -= float64(0.5 * moodRate * g / math.Sqrt(m.biasSq))
	return math.Abs(wrong)
}
