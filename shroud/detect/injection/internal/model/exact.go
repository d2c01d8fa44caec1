package model

import "math"

// Sigmoid is 1/(1+e^-x), with an exponential that is the same on all
// processors: those of package math are written in assembly for some.
func Sigmoid(x float64) float64 {
	if x < 0 {
		e := exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + exp(-x))
}

// exp is e^x for x of at most zero. The conversions keep the compiler from
// fusing multiplication and addition.
func exp(x float64) float64 {
	if x < -40 {
		return 0
	}
	k := math.Floor(float64(x*math.Log2E) + 0.5)
	r := x - float64(k*math.Ln2)
	sum, term := 1.0, 1.0
	for i := 1; i < 14; i++ {
		term = float64(term*r) / float64(i)
		sum += term
	}
	return math.Ldexp(sum, int(k))
}
