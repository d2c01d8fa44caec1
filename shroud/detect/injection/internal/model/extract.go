package model

import (
	"slices"
	"strings"
)

// Extractor turns texts into blocks. It is not safe for concurrent use.
type Extractor struct {
	scan   scan
	places *[256][]place
	block  Block
	said   []Sentence
	sums   []blockSum
}

// NewExtractor reads the lexicon.
func NewExtractor() *Extractor {
	lex := newLexicon(lexiconText, signNames)
	places := lex.places(Ruleset)
	e := &Extractor{places: &places}
	e.scan.lex, e.scan.sign = lex, Idea(len(lex.names)-signs)
	e.scan.verbs, e.scan.moody = lex.set(ideaVerbs), lex.set(moodVerbs)
	e.scan.verb = Idea(slices.Index(lex.names, plainVerb))
	return e
}

// Read extracts the features of a text, which is a document or what a user wrote. It
// shows each block, and the sentences of a document. Neither holds longer than the call:
// there can be very many. The hits hold until the next text.
func (e *Extractor) Read(text string, document bool, block func(*Block), sentence func(*Sentence)) []Hit {
	e.scan.document = document
	e.scan.hits = e.scan.hits[:0]
	for offset := 0; offset < len(text); {
		n := chunk(text[offset:])
		e.scan.fold(text[offset : offset+n])
		e.scan.label()
		e.scan.rules.reset(len(Ruleset))
		e.scan.blocks(&e.block, offset, e.places, block)
		if document {
			e.said = e.scan.sentences(e.said[:0], offset)
			for i := range e.said {
				sentence(&e.said[i])
			}
		}
		offset += n
	}
	return e.scan.hits
}

// chunk is how much of text is taken at once: to the last space within reach.
func chunk(text string) int {
	if len(text) <= maxChunk {
		return len(text)
	}
	if i := strings.LastIndexAny(text[:maxChunk], " \n\t"); i > maxChunk/2 {
		return i + 1
	}
	n := maxChunk
	for n > maxChunk-4 && text[n]&0xC0 == 0x80 {
		n--
	}
	return n
}

// fork is another extractor with the same lexicon.
func (e *Extractor) fork() *Extractor {
	return &Extractor{places: e.places, scan: scan{lex: e.scan.lex, sign: e.scan.sign, verbs: e.scan.verbs, moody: e.scan.moody, verb: e.scan.verb}}
}
