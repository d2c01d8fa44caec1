package model

import (
	"bytes"
	_ "embed" // the lexicon
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
)

//go:embed lexicon.txt
var lexiconText string

// Idea is what a word stands for. Zero is none.
type Idea uint8

// lexicon finds ideas in folded text: a trie over bytes. It is built of nodes
// that are easy to add to, and searched in arrays that are small.
type lexicon struct {
	names  []string // by Idea
	first  [256]int32
	second [26 * 26]int32               // where two small letters lead
	third  [26*26*26/64 + 1]uint64      // whether three lead on, or to a word
	fourth [1 << fourthBits / 64]uint64 // of four, hashed: whether they or less may
	nodes  []node                       // those that a node leads to are beside each other
	labels []byte                       // of edges that are no small letters, node by node
}

// node is a quarter of a line of the processor's caches: what a search costs is how many
// of those it looks at.
type node struct {
	first   int32  // of the nodes that it leads to, in the order of their labels
	letters uint32 // which small letters have an edge
	others  int32  // the first of the other edges, in labels
	count   uint8  // of the other edges
	before  uint8  // of them, how many come before letters
	idea    Idea   // of a word that begins like this
	whole   Idea   // of a word that is this
}

// newLexicon reads the lexicon and gives the signs of the tokeniser the ideas
// after those of words.
func newLexicon(text string, signs []string) *lexicon {
	l := &lexicon{names: []string{""}}
	root := &branch{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		id := slices.Index(l.names, words[0])
		if id < 0 {
			id = len(l.names)
			l.names = append(l.names, words[0])
		}
		for _, w := range words[1:] {
			stem, whole := strings.CutSuffix(w, "$")
			root.add(foldText(strings.ReplaceAll(stem, "_", " ")), whole, Idea(id))
		}
	}
	l.names = append(l.names, signs...)
	l.nodes = make([]node, 1)
	l.freeze(0, root)
	for b := range l.first {
		l.first[b] = l.step(0, byte(b))
	}
	for i := range l.second {
		l.second[i] = -1
		if at := l.first['a'+i/26]; at >= 0 {
			l.second[i] = l.step(at, byte('a'+i%26))
		}
	}
	l.mark(0, 0, 0, false)
	return l
}

// fourthBits are for a table that fits into the nearest cache.
const fourthBits = 16

func fourthHash(letters uint32) uint32 { return letters * 0x9E3779B1 >> (32 - fourthBits) }

// mark fills third and fourth, for most words to be refused by them. Letters are those
// that lead to a node, which is deep in the trie; short is whether a word ends on the way.
func (l *lexicon) mark(at int32, deep int, letters uint32, short bool) {
	n := &l.nodes[at]
	short = short || n.idea != 0 || n.whole != 0
	if l.markOne(deep, letters) {
		return
	}
	for c := range uint32(26) {
		next := l.step(at, byte('a'+c))
		if next >= 0 {
			l.mark(next, deep+1, letters*26+c, short)
		} else if short {
			l.markAll(deep+1, letters*26+c)
		}
	}
}

// markOne marks the letters themselves, where they are three or four, and says whether
// they are as many as are looked at.
func (l *lexicon) markOne(deep int, letters uint32) (last bool) {
	switch deep {
	case 3:
		l.third[letters/64] |= 1 << (letters % 64)
	case 4:
		h := fourthHash(letters)
		l.fourth[h/64] |= 1 << (h % 64)
	}
	return deep == 4
}

// markAll marks whatever follows letters: a word ends before.
func (l *lexicon) markAll(deep int, letters uint32) {
	if l.markOne(deep, letters) {
		return
	}
	for c := range uint32(26) {
		l.markAll(deep+1, letters*26+c)
	}
}

// refuses reports whether no word of the lexicon begins like text, as far as three or
// four small letters tell.
func (l *lexicon) refuses(text []byte) bool {
	if len(text) < 4 {
		return false
	}
	a, b, c, d := text[0]-'a', text[1]-'a', text[2]-'a', text[3]-'a'
	if a >= 26 || b >= 26 || c >= 26 {
		return false
	}
	letters := (uint32(a)*26+uint32(b))*26 + uint32(c)
	if l.third[letters/64]>>(letters%64)&1 == 0 {
		return true
	}
	if d >= 26 {
		return false
	}
	h := fourthHash(letters*26 + uint32(d))
	return l.fourth[h/64]>>(h%64)&1 == 0
}

// branch is a node while the trie grows.
type branch struct {
	labels      []byte // sorted
	next        []*branch
	idea, whole Idea
}

func (b *branch) add(word string, whole bool, id Idea) {
	for i := range len(word) {
		where, found := slices.BinarySearch(b.labels, word[i])
		if !found {
			b.labels = slices.Insert(b.labels, where, word[i])
			b.next = slices.Insert(b.next, where, &branch{})
		}
		b = b.next[where]
	}
	switch {
	case whole && b.whole == 0:
		b.whole = id
	case !whole && b.idea == 0:
		b.idea = id
	}
}

// freeze lays out a trie: branches one after the other, so that what follows a node is
// near it.
func (l *lexicon) freeze(at int32, b *branch) {
	n := node{first: int32(len(l.nodes)), others: int32(len(l.labels)), idea: b.idea, whole: b.whole}
	for _, c := range b.labels {
		if c-'a' < 26 {
			n.letters |= 1 << (c - 'a')
			continue
		}
		l.labels = append(l.labels, c)
		if n.count++; c < 'a' {
			n.before++
		}
	}
	l.nodes[at] = n
	l.nodes = append(l.nodes, make([]node, len(b.next))...)
	for i, next := range b.next {
		l.freeze(n.first+int32(i), next)
	}
}

func (l *lexicon) step(at int32, b byte) int32 {
	n := &l.nodes[at]
	if c := b - 'a'; c < 26 {
		if n.letters>>c&1 == 0 {
			return -1
		}
		return n.first + int32(n.before) + int32(bits.OnesCount32(n.letters&(1<<c-1)))
	}
	if n.count == 0 {
		return -1
	}
	i := int32(bytes.IndexByte(l.labels[n.others:n.others+int32(n.count)], b))
	switch {
	case i < 0:
		return -1
	case i >= int32(n.before):
		i += int32(bits.OnesCount32(n.letters))
	}
	return n.first + i
}

// match is the longest word of the lexicon at the beginning of text, and its
// length.
func (l *lexicon) match(text []byte) (id Idea, size int) {
	if len(text) == 0 || l.refuses(text) {
		return 0, 0
	}
	at, i := l.first[text[0]], 1
	if len(text) > 1 {
		if a, b := text[0]-'a', text[1]-'a'; a < 26 && b < 26 {
			at, i = l.second[int(a)*26+int(b)], 2
		}
	}
	for ; at >= 0; i++ {
		n := &l.nodes[at]
		if n.idea != 0 {
			id, size = n.idea, i
		}
		if n.whole != 0 && (i == len(text) || text[i] < utf8.RuneSelf && asciiWord[text[i]] == 0) {
			id, size = n.whole, i
		}
		if i == len(text) {
			break
		}
		at = l.step(at, text[i])
	}
	return id, size
}
