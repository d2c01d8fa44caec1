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
// table of hashes, in which two words of one hash are one, and small: most of what
// a look at it costs is memory that is not in the processor's caches.
type lexiconOf struct {
	entries [1 << lexiconBits]uint32 // bits of a word's hash, and below them an index into kinds
	kinds   []kindOf                 // the first is that of unknown words
	// phrases are the names of countries that are more than a word, by the first.
	phrases map[string][]string
}

// kindOf is what some words can be.
type kindOf struct {
	roles  role
	topics topic
}

// lexiconBits leave the table half empty, and kindBits of an entry are for its kind.
const (
	lexiconBits = 17
	kindBits    = 12
)

// lexicon is built once, from tables and embedded lists, and never changes.
var lexicon = sync.OnceValue(func() *lexiconOf {
	words, lex := map[string]kindOf{}, &lexiconOf{kinds: make([]kindOf, 1), phrases: map[string][]string{}}
	add := func(list string, k kindOf) {
		for w := range strings.FieldsSeq(list) {
			old := words[w]
			words[w] = kindOf{old.roles | k.roles, old.topics | k.topics}
		}
	}
	for list, r := range map[string]role{givenList: given, surnameList: surname, commonList: common} {
		add(list, kindOf{roles: r})
	}
	for r, list := range roleWords {
		add(list, kindOf{roles: r})
	}
	for t, list := range topicWords {
		add(list, kindOf{topics: t})
	}
	places := strings.Split(citiesOfWords, "|")
	for name := range strings.Lines(countryList) {
		places = append(places, strings.TrimSpace(name))
	}
	for _, name := range places {
		first, _, more := strings.Cut(name, " ")
		if !more {
			add(name, kindOf{roles: country})
			continue
		}
		add(first, kindOf{roles: phrase})
		lex.phrases[first] = append(lex.phrases[first], name)
	}
	lex.fill(words)
	return lex
})

// fill enters the words.
func (lex *lexiconOf) fill(words map[string]kindOf) {
	index := map[kindOf]uint32{}
	for w, k := range words {
		if index[k] == 0 {
			index[k] = uint32(len(lex.kinds))
			lex.kinds = append(lex.kinds, k)
		}
		hash := hashOf(w, 0)
		e := lex.find(hash)
		*e = tagOf(hash)<<kindBits | index[k]
	}
}

// find is the entry of a hash, or the empty one where it would be.
func (lex *lexiconOf) find(hash uint64) *uint32 {
	tag := tagOf(hash)
	for i := hash >> (64 - lexiconBits); ; i = (i + 1) % (1 << lexiconBits) {
		if e := &lex.entries[i]; *e == 0 || *e>>kindBits == tag {
			return e
		}
	}
}

// tagOf is what an entry keeps of a hash: bits that do not say where it is. One in
// a million unknown words is taken for a known one.
func tagOf(hash uint64) uint32 {
	return uint32(hash>>(64-lexiconBits-32+kindBits)) & (1<<(32-kindBits) - 1)
}

// hashOf hashes a word by eight bytes at once, each with the bits of fold set: those
// of small letters, if it is in ASCII.
func hashOf(s string, fold uint64) uint64 {
	h := uint64(len(s)) * hashSpread
	for ; len(s) >= 8; s = s[8:] {
		h = hashWord(h, (uint64(s[0])|uint64(s[1])<<8|uint64(s[2])<<16|uint64(s[3])<<24|uint64(s[4])<<32|uint64(s[5])<<40|uint64(s[6])<<48|uint64(s[7])<<56)|fold)
	}
	var rest uint64
	for i := range len(s) {
		rest |= uint64(s[i]) << (8 * i)
	}
	return hashWord(h, rest|fold&(1<<(8*len(s))-1))
}

func hashWord(h, word uint64) uint64 {
	h = (h ^ word) * hashSpread
	return (h ^ h>>29) * hashPrime
}

// Odd multipliers that spread bits well.
const (
	hashSpread = 0x9E3779B97F4A7C15
	hashPrime  = 0xBF58476D1CE4E5B9
	smallASCII = 0x2020202020202020
)

const maxWord = 48

// describe looks a word up.
func (lex *lexiconOf) describe(text string, t *token) {
	if t.len() > maxWord {
		return
	}
	s := text[t.start:t.end]
	var hash uint64
	if t.ascii {
		hash = hashOf(s, smallASCII)
	} else {
		var buf [maxWord + utf8.UTFMax]byte
		hash = hashOf(string(lower(buf[:0], s)), 0)
	}
	k := lex.kinds[*lex.find(hash)&(1<<kindBits-1)]
	t.roles, t.topics = k.roles, k.topics
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
