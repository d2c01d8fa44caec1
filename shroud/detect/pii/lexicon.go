package pii

import (
	_ "embed" // the word lists
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// role is a set of things that a word can be.
type role uint32

const (
	given role = 1 << iota
	surname
	common   // a frequent word: a capital does not make it a name
	country  // or the first word of one
	city     // a large one
	demonym  // of a nation
	title    // before a name
	honour   // after a name
	particle // within a name: de, van, bin
	greeting // before a name
	saying   // a verb whose subject is a person
	relation // a noun that a person's name follows
	pronoun  // of a person
	preposition
	living     // what leads to a place: lives, moved, born
	street     // a kind of street, before or after its name
	unit       // of a building: apartment, suite
	company    // what ends the name of an organisation
	month      // in words
	employment // what leads to an organisation
	yearly     // what leads to a year
)

//go:embed data/given.txt
var givenList string

//go:embed data/surnames.txt
var surnameList string

//go:embed data/common.txt
var commonList string

//go:embed data/countries.txt
var countryList string

// lexiconOf maps words in small letters to what they can be.
type lexiconOf struct {
	words map[string]meaning
	// phrases are the names of countries that are more than a word, by the first.
	phrases map[string][]string
}

type meaning struct {
	roles  role
	topics topic
}

// lexicon is built once, from tables and embedded lists, and never changes.
var lexicon = sync.OnceValue(func() *lexiconOf {
	lex := &lexiconOf{words: make(map[string]meaning, 1<<16), phrases: map[string][]string{}}
	for list, r := range map[string]role{givenList: given, surnameList: surname, commonList: common} {
		for w := range strings.FieldsSeq(list) {
			lex.add(w, r, 0)
		}
	}
	for t, words := range topicWords {
		for w := range strings.FieldsSeq(words) {
			lex.add(w, 0, t)
		}
	}
	for r, words := range roleWords {
		for w := range strings.FieldsSeq(words) {
			lex.add(w, r, 0)
		}
	}
	for name := range strings.Lines(countryList) {
		name = strings.TrimSpace(name)
		first, _, more := strings.Cut(name, " ")
		lex.add(first, 0, 0)
		if more {
			lex.phrases[first] = append(lex.phrases[first], name)
		} else {
			lex.add(name, country, 0)
		}
	}
	return lex
})

func (lex *lexiconOf) add(w string, r role, t topic) {
	m := lex.words[w]
	lex.words[w] = meaning{m.roles | r, m.topics | t}
}

const maxWord = 48

// describe looks a word up.
func (lex *lexiconOf) describe(text string, t *token) {
	if t.len() > maxWord {
		return
	}
	var buf [maxWord + utf8.UTFMax]byte
	m := lex.words[string(lower(buf[:0], text[t.start:t.end]))]
	t.roles, t.topics = m.roles, m.topics
}

// lower appends s in small letters, up to the length of a word.
func lower(buf []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r >= 'A' && r <= 'Z':
			r += 'a' - 'A'
		case r >= utf8.RuneSelf:
			r = unicode.ToLower(r)
		}
		if buf = utf8.AppendRune(buf, r); len(buf) > maxWord {
			break
		}
	}
	return buf
}
