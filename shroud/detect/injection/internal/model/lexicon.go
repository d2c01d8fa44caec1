package model

import (
	_ "embed" // the lexicon
	"slices"
	"strings"
)

//go:embed lexicon.txt
var lexiconText string

// Idea is what a word stands for. Zero is none.
type Idea uint8

// lexicon finds ideas in folded text: a trie over bytes, its nodes' edges in
// one array each, the first byte by table.
type lexicon struct {
	names []string // by Idea
	first [256]int32
	nodes []node
}

type node struct {
	bytes []byte  // edges, sorted
	next  []int32 // where they lead
	idea  Idea    // of a word that begins like this
	whole Idea    // of a word that is this
}

// newLexicon reads the lexicon and gives the signs of the tokeniser the ideas
// after those of words.
func newLexicon(text string, signs []string) *lexicon {
	l := &lexicon{names: []string{""}, nodes: []node{{}}}
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
			l.add(foldText(strings.ReplaceAll(stem, "_", " ")), whole, Idea(id)) //nolint:gosec // some hundred
		}
	}
	l.names = append(l.names, signs...)
	for b := range l.first {
		l.first[b] = l.step(0, byte(b)) //nolint:gosec // of 256
	}
	return l
}

func (l *lexicon) add(word string, whole bool, id Idea) {
	at := int32(0)
	for i := range len(word) {
		next := l.step(at, word[i])
		if next < 0 {
			next = int32(len(l.nodes)) //nolint:gosec // some ten thousand
			l.nodes = append(l.nodes, node{})
			n := &l.nodes[at]
			where, _ := slices.BinarySearch(n.bytes, word[i])
			n.bytes = slices.Insert(n.bytes, where, word[i])
			n.next = slices.Insert(n.next, where, next)
		}
		at = next
	}
	n := &l.nodes[at]
	switch {
	case whole && n.whole == 0:
		n.whole = id
	case !whole && n.idea == 0:
		n.idea = id
	}
}

func (l *lexicon) step(at int32, b byte) int32 {
	n := &l.nodes[at]
	for i, c := range n.bytes {
		if c == b {
			return n.next[i]
		}
		if c > b {
			break
		}
	}
	return -1
}

// match is the longest word of the lexicon at the beginning of text, and its
// length. ends says where words end.
func (l *lexicon) match(text []byte, ends func(byte) bool) (id Idea, size int) {
	if len(text) == 0 {
		return 0, 0
	}
	at := l.first[text[0]]
	for i := 1; at >= 0; i++ {
		n := &l.nodes[at]
		if n.idea != 0 {
			id, size = n.idea, i
		}
		if n.whole != 0 && (i == len(text) || ends(text[i])) {
			id, size = n.whole, i
		}
		if i == len(text) {
			break
		}
		at = l.step(at, text[i])
	}
	return id, size
}
