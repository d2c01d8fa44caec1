package main

// random is splitmix64: the same numbers everywhere, for ever.
type random struct{ state uint64 }

func (r *random) next() uint64 {
	r.state += 0x9E3779B97F4A7C15
	z := r.state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// n is a number below n.
func (r *random) n(n int) int { return int(r.next() % uint64(n)) }

func (r *random) shuffle(order []int) {
	for i := len(order) - 1; i > 0; i-- {
		j := r.n(i + 1)
		order[i], order[j] = order[j], order[i]
	}
}

// pick is one of several.
func pick[T any](r *random, from []T) T { return from[r.n(len(from))] }
