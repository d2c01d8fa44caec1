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
	addressing // what leads to an address
	mailing    // a box, a unit, a postcode: what only mail has
	aging      // how old somebody is
	doing      // a verb of what persons do
	business   // a verb of what companies do
	firm       // a noun for companies
	function   // a word that begins sentences and no names
	phrase     // the first word of a country's name
)

//go:embed data/given.txt
var givenList string

//go:embed data/surnames.txt
var surnameList string

//go:embed data/common.txt
var commonList string

//go:embed data/countries.txt
var countryList string

// lexiconOf maps words in small letters to what they can be. It is an open
// table of hashes, which a word is looked up in while it is being read: two
// words of one 64-bit hash are one to it.
type lexiconOf struct {
	entries [1 << lexiconBits]entry
	topics  []topic // sets that words have; the first is empty
	// phrases are the names of countries that are more than a word, by the first.
	phrases map[string][]string
}

type entry struct {
	hash   uint64
	roles  role
	topics uint16
}

// lexiconBits leave the table half empty.
const lexiconBits = 17

// lexicon is built once, from tables and embedded lists, and never changes.
var lexicon = sync.OnceValue(func() *lexiconOf {
	lex := &lexiconOf{topics: []topic{0}, phrases: map[string][]string{}}
	for list, r := range map[string]role{givenList: given, surnameList: surname, commonList: common} {
		for w := range strings.FieldsSeq(list) {
			lex.at(w).roles |= r
		}
	}
	for r, words := range roleWords {
		for w := range strings.FieldsSeq(words) {
			lex.at(w).roles |= r
		}
	}
	for name := range strings.Lines(countryList) {
		name = strings.TrimSpace(name)
		if first, _, more := strings.Cut(name, " "); more {
			lex.phrases[first] = append(lex.phrases[first], name)
			lex.at(first).roles |= phrase
		} else {
			lex.at(name).roles |= country
		}
	}
	for name := range strings.SplitSeq(citiesOfWords, "|") {
		first, _, _ := strings.Cut(name, " ")
		lex.phrases[first] = append(lex.phrases[first], name)
		lex.at(first).roles |= phrase
	}
	lex.addTopics()
	return lex
})

func (lex *lexiconOf) addTopics() {
	sets := map[string]topic{}
	for t, words := range topicWords {
		for w := range strings.FieldsSeq(words) {
			sets[w] |= t
		}
	}
	index := map[topic]uint16{}
	for w, set := range sets {
		if index[set] == 0 {
			index[set] = uint16(len(lex.topics))
			lex.topics = append(lex.topics, set)
		}
		lex.at(w).topics = index[set]
	}
}

// at is the entry of a word in small letters, a new one if need be.
func (lex *lexiconOf) at(w string) *entry {
	hash := uint64(hashSeed)
	for _, c := range []byte(w) {
		hash = hashByte(hash, c)
	}
	e := lex.find(hash)
	e.hash = hash
	return e
}

// find is the entry of a hash, or the empty one where it would be.
func (lex *lexiconOf) find(hash uint64) *entry {
	for i := (hash ^ hash>>32) * hashSpread >> (64 - lexiconBits); ; i = (i + 1) % (1 << lexiconBits) {
		if e := &lex.entries[i]; e.hash == hash || e.hash == 0 {
			return e
		}
	}
}

// FNV-1a, and a multiplier that spreads its bits over the table.
const (
	hashSeed   = 14695981039346656037
	hashPrime  = 1099511628211
	hashSpread = 0x9E3779B97F4A7C15
)

func hashByte(hash uint64, c byte) uint64 { return (hash ^ uint64(c)) * hashPrime }

const maxWord = 48

// describe looks a word up.
func (lex *lexiconOf) describe(text string, t *token) {
	if t.len() > maxWord {
		return
	}
	hash := uint64(hashSeed)
	s := text[t.start:t.end]
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			var buf [maxWord + utf8.UTFMax]byte
			hash = hashSeed
			for _, c := range lower(buf[:0], s) {
				hash = hashByte(hash, c)
			}
			break
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		hash = hashByte(hash, c)
	}
	e := lex.find(hash)
	t.roles, t.topics = e.roles, lex.topics[e.topics]
	if t.roles&common == 0 && len(s) > 5 {
		if endsAs(s, streetEnds[:], 2) {
			t.roles |= street
		}
		if t.roles == 0 && t.upper && endsAs(s, surnameEnds[:], 2) {
			t.roles |= surname
		}
	}
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

// endsAs reports whether a word ends in one of ends, with so many bytes before
// it at the least.
func endsAs(s string, ends []string, least int) bool {
	for _, end := range ends {
		if len(s) > len(end)+least && s[len(s)-1]|0x20 == end[len(end)-1]|0x20 && strings.EqualFold(s[len(s)-len(end):], end) {
			return true
		}
	}
	return false
}

// streetEnds are the kinds of streets that are written in one with the name,
// as in Germanic and Finnic languages.
var streetEnds = [...]string{
	"strasse", "straße", "gasse", "platz", "gatan", "vägen", "vej", "gade", "straat", "laan", "plein", "gracht", "katu", "polku", "tie", "weg", "allee",
	"veien", "gata", "gate", "kuja", "utca",
}

// surnameEnds are what surnames of many languages end in, and few other words.
var surnameEnds = [...]string{
	"sson", "dóttir", "dottir", "sen", "ić", "vić", "vic", "ov", "ova", "ev", "eva", "ski", "ska", "sky", "enko", "yan", "escu", "poulos", "idis", "akis",
	"ez", "berg", "stein", "mann", "dze", "shvili", "oğlu", "nen", "quist", "ová", "czyk", "wicz", "ström", "dahl", "hoff", "inho", "ellini", "elli",
}
