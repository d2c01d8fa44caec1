package tokens

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/dlclark/regexp2/v2"
	_ "github.com/tiktoken-go/tokenizer/codec" // its init has the expression below as code
)

// packed is made by `make vocabulary`: the tokens in the order of their ranks, each
// behind its length. The module that it is made from has them as Go's code, which is
// six megabytes of the binary for one of these.
//
//go:embed vocabulary.bin
var packed []byte

// words is how OpenAI takes a text apart, before any token is looked for.
const words = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`

// encoding is what a text's tokens are found with.
type encoding struct {
	words *regexp2.Regexp
	ranks map[string]uint32
}

func load() encoding {
	var all strings.Builder
	all.Grow(1_600_000)
	if _, err := io.Copy(&all, flate.NewReader(bytes.NewReader(packed))); err != nil {
		panic("tokens: the embedded vocabulary is wrong: " + err.Error())
	}
	e := encoding{regexp2.MustCompile(words, regexp2.None), make(map[string]uint32, 200_000)}
	for rest := all.String(); rest != ""; {
		end := 1 + int(rest[0])
		e.ranks[rest[1:end]] = uint32(len(e.ranks))
		rest = rest[end:]
	}
	return e
}

// count is how many tokens a text has.
func (e encoding) count(text string) (n int, err error) {
	m, err := e.words.FindStringMatch(text)
	for ; m != nil && err == nil; m, err = e.words.FindNextMatch(m) {
		word := m.String()
		if _, whole := e.ranks[word]; whole {
			n++
		} else {
			n += e.merged(word)
		}
	}
	return n, err
}

const (
	none  = math.MaxUint32 // the rank of what is no token
	block = 64
)

// lows are ranks, and the lowest of each block of them, so that the lowest of all is
// found without a look at each.
type lows struct{ ranks, lowest []uint32 }

func (l lows) set(i int, rank uint32) {
	l.ranks[i] = rank
	b := i / block
	l.lowest[b] = slices.Min(l.ranks[b*block : min((b+1)*block, len(l.ranks))])
}

// first is where the lowest rank is first.
func (l lows) first() (at int, rank uint32) {
	rank = slices.Min(l.lowest)
	from := slices.Index(l.lowest, rank) * block
	return from + slices.Index(l.ranks[from:], rank), rank
}

// merged is how many tokens a word becomes that is none itself (byte-pair encoding):
// of neighbours that are a token together those of the lowest rank become one, the
// first of them first, until there are none.
func (e encoding) merged(word string) int {
	n := len(word)
	prev, next := make([]int, n+1), make([]int, n) // of the parts, by where they begin
	for i := range n {
		prev[i+1], next[i] = i, i+1
	}
	// together is the rank of a part and the next.
	together := func(i int) uint32 {
		if next[i] < n {
			if rank, ok := e.ranks[word[i:next[next[i]]]]; ok {
				return rank
			}
		}
		return none
	}
	l := lows{make([]uint32, n), make([]uint32, (n+block-1)/block)}
	for i := range n {
		l.ranks[i] = none
	}
	for i := range n {
		l.set(i, together(i))
	}
	for parts := n; ; parts-- {
		at, rank := l.first()
		if rank == none {
			return parts
		}
		gone := next[at]
		next[at] = next[gone]
		prev[next[at]] = at
		l.set(gone, none)
		l.set(at, together(at))
		if at > 0 {
			l.set(prev[at], together(prev[at]))
		}
	}
}
