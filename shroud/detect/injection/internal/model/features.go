package model

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// Sizes of the tables of weights, as powers of two.
const (
	wordBits = 20
	ideaBits = 17
	moodBits = 17
	wordMask = 1<<wordBits - 1
	ideaMask = 1<<ideaBits - 1
	moodMask = 1<<moodBits - 1

	MoodSize  = 1 << moodBits // of the table of moods
	MoodWords = MoodSize / 2  // where in it words are, apart from what there is less of
)

// Blocks end with a sentence or a line once they are long enough, and else where
// they are too long. Windows are runs of blocks: short ones find a sentence in a
// long document, long ones see what belongs together.
const (
	blockLeast = 40
	blockMost  = 160
)

// Block is what the models see of a piece of text.
type Block struct {
	From, To int      // in the text
	Words    []uint32 // features, as indices into the table of weights
	Ideas    []uint32
	Rules    uint64 // which fired, by index
}

// blocks cuts the tokens into blocks, extracts their features and shows each. A block is
// the same one again: it holds until visit returns, and stays in the nearest cache.
func (s *scan) blocks(b *Block, offset int, places *[256][]place, visit func(*Block)) {
	var st state
	first := 0
	for i := range s.tokens {
		last := i == len(s.tokens)-1
		size := s.tokens[i].to - s.tokens[first].from
		if !last && size < blockMost && (size < blockLeast || !s.pauses(i)) && !s.quotes(i) {
			continue
		}
		from, to := s.tokens[first], s.tokens[i]
		*b = Block{From: offset + int(from.at), To: offset + int(to.end), Words: b.Words[:0], Ideas: b.Ideas[:0]}
		s.words(b, first, i+1)
		s.ideas(b, &st, first, i+1, offset, places)
		b.chars(s.buf[from.from:to.to])
		visit(b)
		first = i + 1
	}
}

// quotes reports whether a longer quotation, a value in JSON, or the text of an
// element begins after token i. It is judged apart from what it stands in.
func (s *scan) quotes(i int) bool {
	t, rest := &s.tokens[i], s.buf[s.tokens[i].to:]
	if t.kind != punct || len(rest) < quotation || t.to-t.from != 1 || i == 0 {
		return false
	}
	end := s.buf[t.from]
	switch end {
	case '"', '\'':
		before := s.tokens[i-1]
		if before.kind != punct {
			return false
		}
	case '>':
		end = '<'
	default:
		return false
	}
	return bytes.IndexByte(rest[:quotation], end) < 0
}

// quotation is how long a quotation is at least, to be judged apart.
const quotation = 24

// pauses reports whether a line or a sentence ends with token i.
func (s *scan) pauses(i int) bool {
	if s.tokens[i+1].flags&lineStart != 0 {
		return true
	}
	t := &s.tokens[i]
	if t.kind != punct || s.tokens[i+1].from == t.to {
		return false
	}
	switch s.buf[t.from] {
	case '.', '!', '?', ';', ':', '"', '>', '|', 0xE3, 0xEF:
		return true
	}
	return false
}

// words appends the features of words: one, two and three in a row, and two
// with one between. Words of scripts that the model has not learned are left
// to the ideas.
func (s *scan) words(b *Block, first, end int) {
	var h1, h2 uint32 // the words before
	for i := first; i < end; i++ {
		t := &s.tokens[i]
		h := t.hash
		if t.kind == dense || s.buf[t.from] >= 0x80 && t.kind != punct {
			h1, h2 = 0, 0
			continue
		}
		if t.kind == digit {
			h = 0x27D4EB2F + (t.to - t.from)
		}
		b.Words = append(b.Words, h>>4&wordMask)
		if h1 != 0 {
			p := (h1*0x9E3779B1 ^ h) * 0x85EBCA77
			b.Words = append(b.Words, p>>(32-wordBits))
			if h2 != 0 {
				b.Words = append(b.Words, ((h2*0xC2B2AE3D^p)*0x27D4EB2F)>>(32-wordBits), ((h2*0x165667B1^h)*0x9E3779B1)>>(32-wordBits))
			}
		}
		h1, h2 = h, h1
	}
}

// chars appends runs of four and of six characters that are ASCII.
func (b *Block) chars(buf []byte) {
	n := len(b.Words)
	words := slices.Grow(b.Words, 2*len(buf))
	words = words[:n+2*len(buf)]
	var run uint64
	good, ascii := 0, true
	for _, c := range buf {
		run = run<<8 | uint64(c)
		if c >= utf8.RuneSelf {
			good, ascii = 0, false
			continue
		}
		good++
		if good >= 4 {
			words[n] = (uint32(run) * 0x9E3779B1) >> (32 - wordBits)
			n++
			if good >= 6 {
				words[n] = uint32((run << 16) * 0x9E3779B97F4A7C15 >> (64 - wordBits))
				n++
			}
		}
	}
	b.Words = words[:n]
	if !ascii {
		b.runes(buf)
	}
}

// runes appends runs of two, three and four characters that are not ASCII, or follow one
// that is not: the words of scripts that cannot be cut into words, or that inflect them.
func (b *Block) runes(buf []byte) {
	var r1, r2, r3 uint32 // the characters before
	for len(buf) > 0 {
		c, n := utf8.DecodeRune(buf)
		buf = buf[n:]
		r := uint32(c)
		if r >= utf8.RuneSelf || r1 >= utf8.RuneSelf {
			h := (r1*0x9E3779B1 ^ r) * 0x85EBCA77
			b.Words = append(b.Words, h>>(32-wordBits))
			if r2 != 0 {
				h = (r2*0xC2B2AE3D ^ h) * 0x27D4EB2F
				b.Words = append(b.Words, h>>(32-wordBits))
			}
			if r3 != 0 && r2 >= utf8.RuneSelf {
				h = (r3*0x165667B1 ^ h) * 0x9E3779B1
				b.Words = append(b.Words, h>>(32-wordBits))
			}
		}
		r1, r2, r3 = r, r1, r2
	}
}
