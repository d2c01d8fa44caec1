package model

import (
	"slices"
	"strings"
)

// Extractor turns texts into blocks. It is not safe for concurrent use.
type Extractor struct {
	scan   scan
	places *[256][]place
	out    []Block
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

// Blocks extracts the features of a text, which is a document or what a user
// wrote. They hold until the next call. The sentences of a document are shown to each,
// and hold no longer: there can be very many.
func (e *Extractor) Blocks(text string, document bool, each func(*Sentence)) ([]Block, []Hit) {
	e.scan.document = document
	e.out, e.scan.hits = e.out[:0], e.scan.hits[:0]
	for offset := 0; offset < len(text); {
		n := chunk(text[offset:])
		e.scan.fold(text[offset : offset+n])
		e.scan.label()
		e.scan.rules.reset(len(Ruleset))
		e.out = e.scan.blocks(e.out, offset, e.places)
		if document && each != nil {
			e.said = e.scan.sentences(e.said[:0], offset)
			for i := range e.said {
				each(&e.said[i])
			}
		}
		offset += n
	}
	return e.out, e.scan.hits
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
