package redact

import "hash/maphash"

// gram is the number of bytes that patterns are found by.
const gram = 8

// text is what is searched: a string, or the buffer of a stream.
type text interface{ ~string | ~[]byte }

// load reads eight bytes of t from i on; the compiler makes one instruction of it.
func load[T text](t T, i int) uint64 {
	_ = t[i+7]
	return uint64(t[i]) | uint64(t[i+1])<<8 | uint64(t[i+2])<<16 | uint64(t[i+3])<<24 |
		uint64(t[i+4])<<32 | uint64(t[i+5])<<40 | uint64(t[i+6])<<48 | uint64(t[i+7])<<56
}

// sieve says of eight bytes that something was entered under them, perhaps, or that
// nothing was: a bitmap, so that nearly all text is done with at the price of one look.
//
// The hash is multiplicative with a factor that nobody outside knows, so that no
// text can be made to pass on purpose.
type sieve struct {
	factor uint64
	bits   []uint64
	shift  uint8
}

// bitsPerKey makes three of a hundred places of ordinary text pass.
const bitsPerKey = 32

func newSieve(keys int) sieve {
	n := uint8(6)
	for 1<<n < keys*bitsPerKey {
		n++
	}
	return sieve{factor: maphash.String(maphash.MakeSeed(), "factor") | 1, bits: make([]uint64, 1<<(n-6)), shift: 64 - n}
}

func (s *sieve) add(key uint64) {
	h := key * s.factor >> s.shift
	s.bits[h>>6] |= 1 << (h & 63)
}

func (s *sieve) may(key uint64) bool {
	h := key * s.factor >> s.shift
	return s.bits[h>>6]>>(h&63)&1 != 0
}

// pass is the first place of t from i on whose eight bytes may be a key, or -1. All the time
// of a search is spent here, so it calls nothing.
func pass[T text](s *sieve, t T, i int) int {
	if i+gram > len(t) {
		return -1
	}
	bits, factor, shift := s.bits, s.factor, s.shift&63
	x := load(t, i) << 8
	for j, rest := 0, t[i+gram-1:]; j < len(rest); j++ {
		x = x>>8 | uint64(rest[j])<<56
		if h := x * factor >> shift; bits[h>>6]>>(h&63)&1 != 0 {
			return i + j
		}
	}
	return -1
}

// table finds the patterns that were entered under eight bytes.
type table struct {
	sieve
	shift uint8
	slots []slot
	next  []uint32 // by pattern: one more than the next under the same bytes
}

type slot struct {
	key  uint64
	head uint32 // one more than the pattern; zero: free
}

func newTable(n int, key func(i int) uint64) table {
	log := uint8(1)
	for 1<<log < n*2 {
		log++
	}
	t := table{sieve: newSieve(n), shift: 64 - log, slots: make([]slot, 1<<log), next: make([]uint32, n)}
	for i := range n {
		k := key(i)
		t.add(k)
		s := t.find(k)
		t.next[i] = s.head
		s.key, s.head = k, uint32(i)+1
	}
	return t
}

// find is the slot of the key: where it is, or where it would be.
func (t *table) find(key uint64) *slot {
	mask := uint64(len(t.slots) - 1)
	for i := key * t.factor >> t.shift; ; i = (i + 1) & mask {
		if s := &t.slots[i]; s.head == 0 || s.key == key {
			return s
		}
	}
}

// starts is a sieve of the beginnings of all patterns: of one byte, of two, up to a gram; and of
// a gram and a half, because many keys of one service have the first eight bytes in common.
type starts struct{ sieve }

const longStart = gram + gram/2

func newStarts(patterns []pattern, arena []byte) starts {
	s := starts{newSieve(len(patterns) * gram / 4)}
	for _, p := range patterns {
		for n := 1; n <= gram; n++ {
			s.add(beginning(arena[p.at:], n))
		}
		if p.n >= longStart {
			s.add(long(arena[p.at:]))
		}
	}
	return s
}

// long is the key of a long start.
func long[T text](t T) uint64 { return load(t, 0)*3 ^ load(t, gram/2) }

// beginning is the first n bytes of t as a key. Those of a gram are the gram itself.
func beginning[T text](t T, n int) uint64 {
	if n == gram {
		return load(t, 0)
	}
	x := uint64(n) << 56
	for i := range n {
		x |= uint64(t[i]) << (8 * i)
	}
	return x
}
