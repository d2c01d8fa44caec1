package model

import (
	"encoding/binary"
	"errors"
	"math"
)

// Weights are what training makes. All else of the model is code and lexicon.
type Weights struct {
	Words     []int8 // by feature
	Ideas     []int8
	Moods     []int8
	WordScale float64 // what one step of a weight is worth
	IdeaScale float64
	MoodScale float64
	WordBias  float64
	IdeaBias  float64
	MoodBias  float64
	Rules     []float64 // what each rule adds, in the order of Ruleset

	// The sum of all opinions becomes a score by a line through two points.
	Centre float64 // where the score is one half
	Slope  float64
}

// magic is the format's name and version, and the sizes that it is for.
var magic = [8]byte{'i', 'n', 'j', 'w', 2, wordBits, ideaBits, moodBits}

var errFormat = errors.New("model: weights of another format")

// Encode writes the weights as bytes: the same weights, the same bytes.
func (w *Weights) Encode() []byte {
	out := append([]byte(nil), magic[:]...)
	for _, f := range w.numbers() {
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(*f))
	}
	for _, table := range [][]int8{w.Words, w.Ideas, w.Moods} {
		for _, v := range table {
			out = append(out, byte(v))
		}
	}
	return out
}

// numbers are all but the tables.
func (w *Weights) numbers() []*float64 {
	out := []*float64{&w.WordScale, &w.IdeaScale, &w.MoodScale, &w.WordBias, &w.IdeaBias, &w.MoodBias, &w.Centre, &w.Slope}
	for i := range w.Rules {
		out = append(out, &w.Rules[i])
	}
	return out
}

// Decode reads what Encode wrote.
func Decode(in []byte) (*Weights, error) {
	w := &Weights{Rules: make([]float64, len(Ruleset))}
	numbers := w.numbers()
	size := len(magic) + 8*len(numbers)
	if len(in) != size+1<<wordBits+1<<ideaBits+1<<moodBits || [8]byte(in) != magic {
		return nil, errFormat
	}
	for i, f := range numbers {
		*f = math.Float64frombits(binary.LittleEndian.Uint64(in[len(magic)+8*i:]))
	}
	table := func(from, n int) []int8 {
		out := make([]int8, n)
		for i, b := range in[from : from+n] {
			out[i] = int8(b)
		}
		return out
	}
	w.Words = table(size, 1<<wordBits)
	w.Ideas = table(size+1<<wordBits, 1<<ideaBits)
	w.Moods = table(size+1<<wordBits+1<<ideaBits, 1<<moodBits)
	return w, nil
}
