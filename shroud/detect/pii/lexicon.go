package pii

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// role is a set of things that a word can be.
type role uint32

// lexiconOf maps words in small letters to what they can be.
type lexiconOf map[string]meaning

type meaning struct {
	roles  role
	topics topic
}

// lexicon is built once, from tables and embedded lists, and never changes.
var lexicon = sync.OnceValue(func() lexiconOf {
	lex := lexiconOf{}
	for t, words := range topicWords {
		for w := range strings.FieldsSeq(words) {
			m := lex[w]
			m.topics |= t
			lex[w] = m
		}
	}
	return lex
})

const maxWord = 48

// describe looks a word up.
func (lex lexiconOf) describe(text string, t *token) {
	if t.len() > maxWord {
		return
	}
	var buf [maxWord + utf8.UTFMax]byte
	n := 0
	for _, r := range text[t.start:t.end] {
		switch {
		case r >= 'A' && r <= 'Z':
			r += 'a' - 'A'
		case r >= utf8.RuneSelf:
			r = unicode.ToLower(r)
		}
		n += utf8.EncodeRune(buf[n:], r)
		if n > maxWord {
			return
		}
	}
	m := lex[string(buf[:n])]
	t.roles, t.topics = m.roles, m.topics
}
