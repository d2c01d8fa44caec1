package redact

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/maphash"
	"slices"

	"github.com/oneclaw/oneclawd/internal/plain"
)

const (
	// piece is the length to which longer forms are cut: what a stream may have to
	// hold back.
	piece = 512

	// encoded is how much of a long value is looked for in its escaped and
	// encoded forms. It is looked for whole as it is.
	encoded = 16 << 10

	// room is how much text a matcher may look for. Values beyond it are uncovered.
	room = 1 << 30
)

// wraps are the line lengths of programs that break base64 into lines, whose lines are
// looked for by themselves.
var wraps = [...]int{64, 76}

// builder collects the patterns of a manifest. All that is derived from values is in its
// two buffers, so that it can be wiped.
type builder struct {
	arena    []byte
	scratch  []byte
	patterns []pattern
	longest  int
	seed     maphash.Seed
	seen     map[uint64]struct{} // hashes of the patterns; two with one hash are one too few in 2^64
}

func newBuilder() *builder {
	return &builder{seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}}
}

// enter adds the forms of a value. It reports false if the value is too short, or
// one too many.
func (b *builder) enter(entry uint32, value plain.Bytes) bool {
	v := bytes.TrimSpace(value.Reveal())
	if len(v) < Shortest || len(b.arena)+len(v) > room {
		return false
	}
	b.add(entry, Plain, v)
	head := v[:min(len(v), encoded)]
	if slices.ContainsFunc(v, reserved) {
		b.escaped(entry, head)
	}
	b.cases(entry, head)
	b.hex(entry, head)
	b.base64(entry, head)
	parts(v, func(part []byte) { b.add(entry, Part, part) })
	clear(b.scratch)
	return true
}

// escaped adds what encoders of text make of a value that they change.
func (b *builder) escaped(entry uint32, head []byte) {
	for _, way := range jsonWays {
		b.add(entry, JSON, b.made(way.append, head))
	}
	for _, way := range urlWays {
		b.add(entry, URL, b.made(way.append, head))
	}
	for _, way := range htmlWays {
		b.add(entry, HTML, b.made(way.append, head))
	}
}

// made is what escape makes of v, in the scratch buffer.
func (b *builder) made(escape func(dst, v []byte) []byte, v []byte) []byte {
	b.reserve(len(v) * mostEscaped)
	b.scratch = escape(b.scratch[:0], v)
	return b.scratch
}

// reserve makes room in the scratch buffer, so that nothing that is appended to it is
// left behind in one that was too small.
func (b *builder) reserve(n int) {
	if cap(b.scratch) < n {
		clear(b.scratch[:cap(b.scratch)])
		b.scratch = make([]byte, 0, n)
	}
}

// cases adds hex digits that a value consists of in the case that it is not in, and
// without what surrounds or divides them: keys and UUIDs.
func (b *builder) cases(entry uint32, v []byte) {
	digits := bytes.TrimPrefix(v, []byte("0x"))
	if !isHex(digits) {
		return
	}
	b.reserve(len(v))
	for _, change := range []func(byte) byte{same, lower, upper} {
		b.scratch = b.scratch[:0]
		for _, c := range digits {
			b.scratch = append(b.scratch, change(c))
		}
		b.add(entry, Plain, b.scratch)
		b.add(entry, Plain, undivided(b.scratch))
	}
}

func (b *builder) hex(entry uint32, v []byte) {
	b.reserve(2 * len(v))
	b.scratch = hex.AppendEncode(b.scratch[:0], v)
	b.add(entry, Hex, b.scratch)
	for i, c := range b.scratch {
		b.scratch[i] = upper(c)
	}
	b.add(entry, Hex, b.scratch)
}

// base64 adds what base64 makes of v wherever v is in what is encoded: the digits
// that depend on v alone, for each of the three offsets, and by itself up to its
// last digit and padding.
func (b *builder) base64(entry uint32, v []byte) {
	padded := make([]byte, 2+len(v))
	defer clear(padded)
	copy(padded[2:], v)
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		b.reserve(enc.EncodedLen(len(padded)))
		for offset := range 3 {
			b.scratch = enc.AppendEncode(b.scratch[:0], padded[2-offset:])
			from, to := (offset*8+5)/6, (offset+len(v))*8/6
			b.add(entry, Base64, b.scratch[from:to])
			if offset > 0 {
				continue
			}
			b.add(entry, Base64, b.scratch[:(len(v)*8+5)/6])
			b.add(entry, Base64, b.scratch)
			for _, n := range wraps {
				for line := b.scratch; len(b.scratch) > n && len(line) >= Shortest; line = line[min(n, len(line)):] {
					b.add(entry, Base64, line[:min(n, len(line))])
				}
			}
		}
	}
}

// add enters a form, in pieces of about one length if it is long.
func (b *builder) add(entry uint32, form Form, text []byte) {
	if len(text) < Shortest {
		return
	}
	count := (len(text) + piece - 1) / piece
	for i := range count {
		b.addPiece(entry, form, text[len(text)*i/count:len(text)*(i+1)/count])
	}
}

func (b *builder) addPiece(entry uint32, form Form, text []byte) {
	h := maphash.Bytes(b.seed, text)
	if _, ok := b.seen[h]; ok {
		return
	}
	b.seen[h] = struct{}{}
	if need := len(b.arena) + len(text); need > cap(b.arena) {
		bigger := append(make([]byte, 0, 2*need), b.arena...)
		clear(b.arena)
		b.arena = bigger
	}
	b.patterns = append(b.patterns, pattern{at: uint32(len(b.arena)), n: uint32(len(text)), entry: entry, form: form})
	b.arena = append(b.arena, text...)
	b.longest = max(b.longest, len(text))
}

// sort puts the patterns in the order of their bytes. Their first eight nearly always
// decide.
func (b *builder) sort() {
	type keyed struct {
		key uint64
		pattern
	}
	all := make([]keyed, len(b.patterns))
	for i, p := range b.patterns {
		all[i] = keyed{binary.BigEndian.Uint64(b.arena[p.at:]), p}
	}
	slices.SortFunc(all, func(x, y keyed) int {
		if x.key != y.key {
			return cmp.Compare(x.key, y.key)
		}
		return bytes.Compare(b.arena[x.at:x.at+x.n], b.arena[y.at:y.at+y.n])
	})
	for i := range all {
		b.patterns[i] = all[i].pattern
	}
	clear(all)
}

// choosePlaces decides which eight bytes of each pattern it is entered under: of some that are
// spread over it those that fewest others have, and of these the most varied. What is
// common shows in a sample.
func (b *builder) choosePlaces() {
	const log, sampled, tried = 18, 1 << 13, 16
	counts := make([]uint32, 1<<log)
	factor := maphash.String(b.seed, "places") | 1
	count := func(x uint64) *uint32 { return &counts[x*factor>>(64-log)] }
	for i := 0; i < len(b.patterns); i += len(b.patterns)/sampled + 1 {
		p := b.patterns[i]
		for at := range p.n - gram + 1 {
			*count(load(b.arena, int(p.at+at)))++
		}
	}
	for i := range b.patterns {
		p := &b.patterns[i]
		best := ^uint32(0)
		last := p.n - gram
		for at := uint32(0); at <= last; at += last/tried + 1 {
			x := load(b.arena, int(p.at+at))
			if cost := *count(x)<<4 | sameness(x); cost < best {
				best, p.place = cost, at
			}
		}
	}
}

// sameness counts the neighbours among eight bytes that are of one class: letters
// beside letters are as words are.
func sameness(x uint64) (n uint32) {
	for ; x > 0xff; x >>= 8 {
		a, b := byte(x), byte(x>>8)
		if class(a) == class(b) {
			n++
		}
	}
	return n
}

func class(c byte) int {
	switch {
	case c >= 'a' && c <= 'z' || c == ' ':
		return 0
	case c >= 'A' && c <= 'Z':
		return 1
	case c >= '0' && c <= '9':
		return 2
	}
	return 3
}
