package main

import (
	"math"

	"github.com/oneclaw/oneclawd/shroud/detect/injection/internal/model"
)

// linear is a model over one kind of feature, while it is trained: AdaGrad on
// the logistic loss of each bag's worst window.
type linear struct {
	weights []float32
	squares []float32
	bias    float64
	biasSq  float64
	of      func(*model.Block) []uint32
	size    func(*model.Block) int
	damping int
	rate    float64
	decay   float64 // L2, applied to what an update touches
	unseen  uint64  // of 1,024 features, how many a step does not see
	rnd     random  // which
	some    []uint32
}

func newLinear(size int, rate, decay float64, of func(*model.Block) []uint32) *linear {
	return &linear{weights: make([]float32, size), squares: make([]float32, size), of: of, rate: rate, decay: decay, biasSq: 1e-2, bias: -1}
}

// sums computes the sum of each block once.
func (l *linear) sums(b *bag, sums []float64) {
	for i := range b.blocks {
		var s float64
		for _, f := range l.of(&b.blocks[i]) {
			s += float64(l.weights[f])
		}
		sums[i] = s
	}
}

// score is the logit of a window.
func (l *linear) score(b *bag, sums []float64, w window) float64 {
	var s float64
	n := 0
	for i := w.from; i < w.to; i++ {
		s += sums[i]
		n += l.size(&b.blocks[i])
	}
	return model.Norm(s, n, l.damping) + l.bias
}

// worst is the window with the highest score.
func (l *linear) worst(b *bag, sums []float64) (best int) {
	l.sums(b, sums)
	score := math.Inf(-1)
	for i, w := range b.windows {
		if s := l.score(b, sums, w); s > score {
			best, score = i, s
		}
	}
	return best
}

// update takes one step on one window, and returns how wrong it was. It sees some of the
// features, so that no few of them learn to decide together: other sources lack them.
func (l *linear) update(b *bag, w window) float64 {
	y := 0.0
	if b.attack {
		y = 1
	}
	some, sum := l.sample(b, w)
	wrong := sigmoid(model.Norm(sum, len(some), l.damping)+l.bias) - y
	g := float64(wrong * float64(b.weight))
	each := model.Norm(g, len(some), l.damping)
	for _, f := range some {
		d := each + float64(l.decay*float64(l.weights[f]))
		q := float64(l.squares[f]) + float64(d*d)
		l.squares[f] = float32(q)
		l.weights[f] -= float32(l.rate * d / math.Sqrt(q+1e-6))
	}
	l.biasSq += float64(g * g)
	l.bias -= float64(0.5 * l.rate * g / math.Sqrt(l.biasSq))
	return math.Abs(wrong)
}

// sample is the features of a window that a step sees, and what they add up to.
func (l *linear) sample(b *bag, w window) (some []uint32, sum float64) {
	some = l.some[:0]
	for i := w.from; i < w.to; i++ {
		for _, f := range l.of(&b.blocks[i]) {
			if l.rnd.next()&1023 < l.unseen {
				continue
			}
			some = append(some, f)
			sum += float64(l.weights[f])
		}
	}
	l.some = some
	return some, sum
}

// fit trains on bags, in an order that depends on nothing but their number.
func (l *linear) fit(bags []*bag, epochs int) {
	most := 0
	for _, b := range bags {
		most = max(most, len(b.blocks))
	}
	sums := make([]float64, most)
	order, rest := make([]int, len(bags)), make([]int, len(bags))
	for i := range order {
		order[i] = i
	}
	rnd := random{state: 1}
	for range epochs {
		rnd.shuffle(order)
		for _, i := range order {
			b := bags[i]
			if len(b.windows) == 0 || b.weight == 0 {
				continue
			}
			if rest[i] > 0 {
				rest[i]--
				continue
			}
			if l.update(b, b.windows[l.worst(b, sums)]) < settled {
				rest[i] = pause
			}
		}
	}
}

// A bag that is judged right to within settled is left alone for so many rounds.
const (
	settled = 0.03
	pause   = 2
)

// sigmoid is 1/(1+e^-x) by means that are the same on all processors.
func sigmoid(x float64) float64 { return model.Sigmoid(x) }
