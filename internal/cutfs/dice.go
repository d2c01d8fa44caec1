package cutfs

// Dice decides what survives a cut. The same rolls give the same disk. A
// *rand.Rand of math/rand/v2 is one.
type Dice interface {
	IntN(n int) int // in [0, n)
}

// NewDice returns dice that always roll the same for one seed.
func NewDice(seed uint64) Dice { return &splitMix{seed} }

// splitMix is SplitMix64: for what must be repeatable and need not be secret.
type splitMix struct{ state uint64 }

func (s *splitMix) IntN(n int) int {
	s.state += 0x9e3779b97f4a7c15
	z := s.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(n))
}
