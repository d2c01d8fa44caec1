package corpus

import (
	"math"
	"slices"
)

// Threshold is the lowest score that at most a share rate of the negatives
// exceeds: an item counts as found if its score is above it.
func Threshold(negatives []float64, rate float64) float64 {
	if len(negatives) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(negatives))
	k := int(math.Floor(rate * float64(len(sorted))))
	return sorted[len(sorted)-1-k]
}

// Above is the share of scores above a threshold.
func Above(scores []float64, threshold float64) float64 {
	if len(scores) == 0 {
		return math.NaN()
	}
	n := 0
	for _, s := range scores {
		if s > threshold {
			n++
		}
	}
	return float64(n) / float64(len(scores))
}

// AUC is how often a positive scores above a negative; ties count half.
func AUC(positives, negatives []float64) float64 {
	if len(positives) == 0 || len(negatives) == 0 {
		return math.NaN()
	}
	neg := slices.Sorted(slices.Values(negatives))
	var sum float64
	for _, p := range positives {
		lo, _ := slices.BinarySearch(neg, p)
		hi, _ := slices.BinarySearchFunc(neg, p, func(n, p float64) int {
			if n <= p {
				return -1
			}
			return 1
		})
		sum += float64(lo) + float64(hi-lo)/2
	}
	return sum / float64(len(positives)) / float64(len(negatives))
}
