package model

import (
	"math"
	"sync"
)

// Model scores texts. It is safe for concurrent use.
type Model struct {
	weights *Weights
	pool    sync.Pool
}

// New makes a model of encoded weights.
func New(encoded []byte) (*Model, error) {
	w, err := Decode(encoded)
	if err != nil {
		return nil, err
	}
	m := &Model{weights: w}
	first := NewExtractor()
	m.pool.New = func() any { return first.fork() }
	return m, nil
}

// Reading is what the model makes of one view.
type Reading struct {
	Logit        float64 // of the worst window, without what the context adds
	Words, Ideas float64 // its parts
	From, To     int     // the window, in the text
	Windows      int     // how many it is the worst of
	Order        bool    // it is a sentence that gives an order, in a document
	Hits         []Hit   // of the whole text
}

// Read judges one view, of a document or of what a user wrote.
func (m *Model) Read(text string, document bool) Reading {
	r := Reading{Logit: m.weights.WordBias + m.weights.IdeaBias, Words: m.weights.WordBias, Ideas: m.weights.IdeaBias}
	if alone(text) {
		return r
	}
	e := m.pool.Get().(*Extractor) //nolint:forcetypeassert // the pool's own
	defer m.pool.Put(e)
	order := Reading{Logit: math.Inf(-1)}
	e.sums = e.sums[:0]
	hits := e.Read(text, document, func(b *Block) { e.sums = append(e.sums, m.sum(b)) }, func(at *Sentence) {
		if z := m.order(at) + MoodShift; z > order.Logit {
			order.Logit, order.From, order.To = z, at.From, at.To
		}
	})
	Windows(len(e.sums), func(from, to int) {
		w, i, z := m.window(e.sums[from:to])
		if r.Windows++; r.Windows == 1 || z > r.Logit {
			r.Logit, r.Words, r.Ideas = z, w, i
			r.From, r.To = e.sums[from].from, e.sums[to-1].to
		}
	})
	if order.Logit > r.Logit {
		r.Logit, r.From, r.To, r.Order = order.Logit, order.From, order.To, true
	}
	r.Hits = append(r.Hits, hits...)
	return r
}

// alone reports whether text is one short word: it gives no orders, and names what is in
// a field as well as what an attack would be about.
func alone(text string) bool {
	const short = 16
	if len(text) > short {
		return false
	}
	for i := range len(text) {
		if c := text[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

// blockSum is what the tables say of one block.
type blockSum struct {
	from, to       int // in the text
	words, ideas   int32
	nWords, nIdeas int
	rules          uint64
}

func (m *Model) sum(b *Block) blockSum {
	return blockSum{
		from: b.From, to: b.To,
		words: total(m.weights.Words[:1<<wordBits], b.Words), nWords: len(b.Words),
		ideas: total(m.weights.Ideas[:1<<ideaBits], b.Ideas), nIdeas: len(b.Ideas),
		rules: b.Rules,
	}
}

// total adds up the weights of features. The length of a table is a power of two.
func total(table []int8, features []uint32) (sum int32) {
	mask := uint32(len(table) - 1)
	for _, f := range features {
		sum += int32(table[f&mask])
	}
	return sum
}

func (m *Model) window(sums []blockSum) (words, ideas, z float64) {
	var w, i int32
	var nw, ni int
	var rules uint64
	for _, s := range sums {
		w, i = w+s.words, i+s.ideas
		nw, ni = nw+s.nWords, ni+s.nIdeas
		rules |= s.rules
	}
	words = Norm(float64(float64(w)*m.weights.WordScale), nw, WordDamping) + m.weights.WordBias
	ideas = Norm(float64(float64(i)*m.weights.IdeaScale), ni, IdeaDamping) + m.weights.IdeaBias
	return words, ideas, Combine(words, ideas, rules, m.weights.Rules)
}

// order is the logit of a sentence of a document.
func (m *Model) order(at *Sentence) float64 {
	moods := m.weights.Moods[:1<<moodBits]
	var sum int32
	for _, f := range at.Moods {
		sum += int32(moods[f&moodMask])
	}
	return Norm(float64(float64(sum)*m.weights.MoodScale), len(at.Moods), MoodDamping) + m.weights.MoodBias
}

// Score turns a logit into a score from 0 to 1.
func (m *Model) Score(logit float64) float64 {
	return Sigmoid(float64((logit - m.weights.Centre) * m.weights.Slope))
}

// Vote is what a rule adds to a logit.
func (m *Model) Vote(rule int) float64 { return m.weights.Rules[rule] }
