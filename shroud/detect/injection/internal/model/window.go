package model

import "math"

// runs are how many blocks windows have, and how far apart they begin.
var runs = [...]struct{ length, step int }{{1, 1}, {3, 1}, {8, 4}}

// Windows calls visit for each run of blocks out of n.
func Windows(n int, visit func(from, to int)) {
	for i, run := range runs {
		if n == 0 || i > 0 && n <= runs[i-1].length {
			return
		}
		for from := 0; ; from += run.step {
			to := min(from+run.length, n)
			visit(from, to)
			if to == n {
				break
			}
		}
	}
}

// Damping keeps a few strong features from deciding alone: what is added to
// their number.
const (
	WordDamping = 24
	IdeaDamping = 8
	MoodDamping = 8
)

// Norm scales a sum of n weights to a logit.
func Norm(sum float64, n, damping int) float64 {
	return sum / math.Sqrt(float64(n+damping))
}
