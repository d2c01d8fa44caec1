package model

import "math/bits"

// Limits of what one opinion counts: beyond, it is sure and no surer.
const (
	leastWords = -5
	leastIdeas = -2
	mostLogit  = 5
	mostRules  = 3.5
	ideasWorth = 0.8 // of a logit of words
)

// MoodShift is what the model of moods counts less than the sum of the others, before the
// higher of the two is taken: it is of documents alone.
const MoodShift = -0.25

// Combine is the sum of three opinions. That is all the ensemble there is:
// weights learned for it went by which sources say what, and did worse on
// others.
func Combine(words, ideas float64, rules uint64, votes []float64) float64 {
	var v float64
	for r := rules; r != 0; r &= r - 1 {
		v += votes[bits.TrailingZeros64(r)]
	}
	return min(max(words, leastWords), mostLogit) + float64(ideasWorth*min(max(ideas, leastIdeas), mostLogit)) + min(v, mostRules)
}

// Context is what the ensemble knows of a text besides what it says.
type Context struct {
	Tricks uint32   // kinds of tricks, by bit
	Chain  []string // what the view was encoded in
}

// What the way in which a text came adds to a view that says something by itself.
const (
	bonusDecoded = 1.25
	bonusHidden  = 1.25
	bonusTricks  = 3
	bonusFrom    = -3.5 // a logit, below which nothing is added
)

// Bonus is what the context adds to a reading.
func (c Context) Bonus(r Reading) float64 {
	if r.Logit < bonusFrom {
		return 0
	}
	b := 0.0
	if len(c.Chain) > 0 {
		b += bonusDecoded
	}
	if Hidden(c.Chain) {
		b += bonusHidden
	}
	if c.Tricks != 0 {
		b += bonusTricks
	}
	return b
}
