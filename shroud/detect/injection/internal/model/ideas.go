package model

// reach is how far back, in half words, an idea looks for others.
const reach = 24

// state remembers the ideas last seen, across blocks.
type state struct {
	recent [6]seen // the last first
	order  uint32  // where the last sentence began that begins as orders do, or 0
}

type seen struct {
	idea Idea
	pos  uint32
}

// ideas appends the features of ideas: each alone and at the beginning of a
// sentence, pairs in order by distance, pairs in no order, triples in order.
func (s *scan) ideas(b *Block, st *state, first, end, offset int, places *[256][]place) {
	for i := first; i < end; i++ {
		t := &s.tokens[i]
		if t.idea == 0 || t.idea == s.verb {
			continue
		}
		id := uint32(t.idea)
		b.Ideas = append(b.Ideas, id)
		if t.flags&sentenceStart != 0 {
			b.Ideas = append(b.Ideas, 0x100|id)
		}
		if t.flags&capitals != 0 {
			b.Ideas = append(b.Ideas, 0x200|id)
		}
		s.ordered(b, st, t)
		for k, before := range &st.recent {
			if before.idea == 0 || t.pos-before.pos > reach {
				break
			}
			b.Ideas = append(b.Ideas, pair(uint32(before.idea), id, t.pos-before.pos))
			lo, hi := min(uint32(before.idea), id), max(uint32(before.idea), id)
			b.Ideas = append(b.Ideas, ideaHash(lo<<8|hi|0x30000))
			if k+1 < len(st.recent) && k < 2 {
				if third := st.recent[k+1]; third.idea != 0 && t.pos-third.pos <= reach {
					b.Ideas = append(b.Ideas, ideaHash(uint32(third.idea)<<16|uint32(before.idea)<<8|id|0x40000000))
				}
			}
		}
		copy(st.recent[1:], st.recent[:])
		st.recent[0] = seen{t.idea, t.pos}
		if of := places[t.idea]; of != nil {
			s.fire(b, t, offset, Ruleset, of)
		}
	}
	s.again(b)
}

// ordered appends what stands in a sentence that begins with a verb of doing, or with
// what leads to one: the mood of an order, whatever its verb.
func (s *scan) ordered(b *Block, st *state, t *token) {
	begins := t.flags&sentenceStart != 0
	if st.order != 0 && !begins && t.pos-st.order <= orderReach {
		b.Ideas = append(b.Ideas, ideaHash(uint32(t.idea)|0x60000000))
	}
	if begins {
		st.order = 0
		if s.verbs[t.idea] {
			st.order = t.pos
		}
	}
}

// again appends each feature once more in documents: an order means something
// else there than where a user gives it.
func (s *scan) again(b *Block) {
	if !s.document {
		return
	}
	for _, f := range b.Ideas {
		b.Ideas = append(b.Ideas, ideaHash(f|0x50000000))
	}
}

func pair(before, now, distance uint32) uint32 {
	far := uint32(0)
	if distance > 6 {
		far = 1
	}
	return ideaHash(before<<8 | now | 0x10000 | far<<17)
}

func ideaHash(x uint32) uint32 {
	x *= 0x9E3779B1
	x ^= x >> 15
	x *= 0x85EBCA77
	return x>>(32-ideaBits)&(ideaMask&^0x3FF) | x&0x3FF
}
