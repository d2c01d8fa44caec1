package model

import "math/bits"

// Limits of what one opinion counts: beyond, it is sure and no surer.
const (
	leastWords = -5
	leastIdeas = -2
	mostLogit  = 5
	mostRules  = 3.5
	ideasWorth = 0.7 // of a logit of words
)

// MoodShift is what the model of moods counts more than the sum of the others, before the
// higher of the two is taken: it is one opinion, and they are three.
const MoodShift = 0.75

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

// Context is what the ensemble knows of a view besides what it says.
type Context struct {
	Tricks    uint32   // kinds of tricks, by bit
	Disguised bool     // tricks cover most of the text that the view is of
	Chain     []string // what the view was encoded in
}

// What the way in which a text came adds to a view that says something by itself.
const (
	bonusDecoded = 1.25
	bonusHidden  = 1.25
	bonusTricks  = 3
	bonusFrom    = -3.5 // a logit, below which nothing is added

	disguise = 3 // a logit: who disguises all of a text means no good, whatever it says
)

// Logit is a reading in its context.
func (c Context) Logit(r Reading) float64 {
	z := r.Logit + c.bonus(r) - chance(r.Windows)
	if c.Disguised {
		return max(z, disguise)
	}
	return z
}

// bonus is what the context adds to a reading.
func (c Context) bonus(r Reading) float64 {
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

// What the worst of many windows is worse by than that of few, by chance alone. It grows
// with the logarithm of their number, up to what padding may take from an attack.
const (
	chanceEach = 0.5 // for each doubling
	chanceFrom = 6   // windows, which are a sentence or two
	chanceMost = 28
)

func chance(windows int) float64 {
	return float64(chanceEach * (log2(min(windows, chanceMost)+chanceFrom) - log2(chanceFrom)))
}

// log2 is the logarithm, but for a line between powers of two: the same on all processors.
func log2(n int) float64 {
	whole := bits.Len(uint(n)) - 1
	return float64(whole) + float64(n-1<<whole)/float64(int(1)<<whole)
}
