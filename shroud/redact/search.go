package redact

import (
	"cmp"
	"slices"
)

// match is a pattern found at a place.
type match struct {
	start, end int
	pattern    uint32
}

// find appends every occurrence of every pattern in t, in the order in which they
// are to be replaced: by beginning, the longest first.
func find[T text](m *Matcher, t T, found []match) []match {
	if len(m.patterns) == 0 || len(t) < gram {
		return found
	}
	for i := pass(&m.windows.sieve, t, 0); i >= 0; i = pass(&m.windows.sieve, t, i+1) {
		found = verify(m, t, i, found)
	}
	if len(found) > 1 {
		slices.SortFunc(found, func(a, b match) int {
			return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
		})
	}
	return found
}

// verify appends the patterns that have their place at i of t and are there.
func verify[T text](m *Matcher, t T, i int, found []match) []match {
	s := m.windows.find(load(t, i))
	for at := s.head; at != 0; at = m.windows.next[at-1] {
		p := &m.patterns[at-1]
		start := i - int(p.place)
		if end := start + int(p.n); start >= 0 && end <= len(t) && string(t[start:end]) == string(m.arena[p.at:p.at+p.n]) {
			found = append(found, match{start, end, at - 1})
		}
	}
	return found
}

// unfinished is where in t the first pattern may begin that t does not hold whole:
// what is before it is settled. It is len(t) if there is none.
func unfinished[T text](m *Matcher, t T) int {
	if len(m.patterns) == 0 {
		return len(t)
	}
	from := max(0, len(t)-m.longest+1)
	for i := pass(&m.starts.sieve, t, from); i >= 0; i = pass(&m.starts.sieve, t, i+1) {
		if rest := t[i:]; (len(rest) < longStart || m.starts.may(long(rest))) && begins(m, rest) {
			return i
		}
	}
	for i := max(from, len(t)-gram+1); i < len(t); i++ {
		if m.starts.may(beginning(t[i:], len(t)-i)) && begins(m, t[i:]) {
			return i
		}
	}
	return len(t)
}

// begins says whether a longer pattern begins with all of t: it would be the first that
// comes after t in the order of the patterns.
func begins[T text](m *Matcher, t T) bool {
	lo, hi := 0, len(m.patterns)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if string(m.bytes(mid)) <= string(t) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(m.patterns) && int(m.patterns[lo].n) > len(t) && string(m.bytes(lo)[:len(t)]) == string(t)
}
