package model

// The model of moods looks at the sentences of documents, one by one. An order is told
// from a statement by its mood: it begins with a verb, or with what leads to one. Where it
// stands and what stands around it matters too: manuals give orders one after another,
// and whoever plants an order has but one.

// Sentence is what the model of moods sees of a sentence.
type Sentence struct {
	From, To int // in the text
	Moods    []uint32
	order    bool
	spot     uint32
	words    uint32
}

// plainVerb is the idea of verbs that stand for nothing else.
const plainVerb = "VERB"

// ideaVerbs are the ideas with which orders begin, for the model of ideas.
var ideaVerbs = []string{"DO", "ACT", "SEND", "DELETE", "REVEAL", "EXEC", "PLEASE", "ORDER"}

// moodVerbs are those for the model of moods.
var moodVerbs = append([]string{plainVerb, "SAY", "PRINT", "WRITE", "SUMM", "XLATE", "ENABLE", "MEMORY", "HIDE", "BYPASS", "OVERRIDE", "IGNORE", "REFUSE", "CONFIRM", "MAIL"}, ideaVerbs...)

// orderReach is how many words of a sentence count.
const orderReach = 28

// Spots of sentences.
const (
	spotRunning uint32 = iota // after another sentence
	spotLine                  // first of a line
	spotQuoted                // first of a quotation, or of a value in JSON
	spotMarked                // after a mark of a list, a heading, a number
	spotTagged                // first of an element of a page
	spotComma                 // after another clause
)

// Features of moods, before they are hashed: the kind above, what it is of below.
const (
	moodIdea  = (iota + 1) << 24 // an idea
	moodNear                     // two, one after the other
	moodSpot                     // an order at a spot
	moodVerb                     // its verb, at a spot
	moodWhat                     // an idea in it, at a spot
	moodPair                     // its verb and an idea
	moodThing                    // a name or a number in it
	moodRun                      // an order beside another
	moodSmall                    // its small words: "the", "my"
	moodLong                     // how long it is
	moodFirst                    // the words that a sentence begins with
	moodWord                     // the words of an order
)

// mood is what is known of the sentence that is being read.
type mood struct {
	words uint32 // so far
	order uint32 // where its order began, or 0
	verb  uint32 // the idea with which it began
	word  uint32 // and the word
	prev  uint32 // the word before
	idea  uint32 // the last idea
}

// sentences appends the sentences of the tokens.
func (s *scan) sentences(out []Sentence, offset int) []Sentence {
	var m mood
	var at *Sentence
	for i := range s.tokens {
		t := &s.tokens[i]
		if t.kind == punct && t.idea == 0 {
			continue
		}
		if at == nil || s.opens(i) {
			out = growSentences(out)
			at = &out[len(out)-1]
			at.From, at.spot, m = offset+int(t.at), s.spotOf(i), mood{}
		}
		at.To = offset + int(t.end)
		at.words++
		if m.words++; m.words <= orderReach {
			s.mood(at, &m, i)
		}
	}
	besides(out)
	return out
}

func growSentences(out []Sentence) []Sentence {
	if len(out) < cap(out) {
		out = out[:len(out)+1]
	} else {
		out = append(out, Sentence{})
	}
	at := &out[len(out)-1]
	*at = Sentence{Moods: at.Moods[:0]}
	return out
}

// opens reports whether a sentence begins with token i. What stands after a sign in the
// middle of a word, a number or a name does not.
func (s *scan) opens(i int) bool {
	t := &s.tokens[i]
	if t.flags&lineStart != 0 {
		return true
	}
	if t.flags&sentenceStart == 0 || i < 2 {
		return t.flags&sentenceStart != 0
	}
	sign, before := &s.tokens[i-1], &s.tokens[i-2]
	if sign.kind != punct || sign.to != t.from || before.to != sign.from || before.kind == punct || t.kind == dense {
		return true
	}
	switch s.buf[sign.from] {
	case '.', ':', '-', '\'', '#', '*':
		return false
	}
	return true
}

// spotOf says where token i stands, which begins a sentence.
func (s *scan) spotOf(i int) uint32 {
	if i > 0 && s.tokens[i-1].kind == punct {
		switch s.buf[s.tokens[i-1].from] {
		case '"', '\'', '`':
			return spotQuoted
		case '>':
			return spotTagged
		case '-', '*', '#', '|', ')', ']':
			return spotMarked
		}
		if i > 1 && s.tokens[i-2].kind == digit {
			return spotMarked
		}
	}
	if i == 0 || s.tokens[i].flags&lineStart != 0 {
		return spotLine
	}
	return spotRunning
}

// mood adds what token i says of its sentence.
func (s *scan) mood(at *Sentence, m *mood, i int) {
	t := &s.tokens[i]
	id := uint32(t.idea)
	if id != 0 {
		at.add(moodIdea | id)
		if m.idea != 0 {
			at.add(moodNear | m.idea<<8 | id)
		}
		m.idea = id
	}
	if m.words <= 3 && t.kind != dense {
		at.addWord(moodFirst ^ t.hash)
		at.addWord(moodFirst ^ m.words ^ (m.prev*0xC2B2AE3D ^ t.hash))
	}
	switch {
	case m.order == 0:
		spot := at.spot
		if m.words > 1 {
			spot = spotComma
		}
		if s.moody[t.idea] && (m.words == 1 || s.clause(i)) {
			m.order, m.verb, m.word, at.order, at.spot = m.words, id, t.hash, true, spot
			at.add(moodSpot | spot)
			at.add(moodVerb | spot<<8 | id)
			at.addWord(moodWord ^ t.hash)
		}
	default:
		s.within(at, m, t)
	}
	m.prev = t.hash
}

// clause reports whether token i stands after a comma, or after a word that leads to an
// order: "now", "then".
func (s *scan) clause(i int) bool {
	if i == 0 {
		return true
	}
	before := &s.tokens[i-1]
	if before.kind == punct {
		return s.buf[before.from] == ',' || s.buf[before.from] == ':'
	}
	return leads[string(s.buf[before.from:before.to])]
}

var leads = map[string]bool{"now": true, "then": true, "also": true, "next": true, "first": true, "and": true, "just": true, "instead": true, "finally": true, "must": true, "should": true, "to": true}

// within adds what token t says of the order that it stands in.
func (s *scan) within(at *Sentence, m *mood, t *token) {
	switch {
	case t.kind == digit:
		at.add(moodThing | at.spot)
	case t.flags&titled != 0:
		at.add(moodThing | 0x100 | at.spot)
	}
	if id := uint32(t.idea); id != 0 {
		at.add(moodWhat | at.spot<<8 | id)
		at.add(moodPair | m.verb<<8 | id)
	}
	if t.kind == letter && t.to-t.from <= 4 {
		at.add(moodSmall ^ t.hash)
		at.add(moodSmall ^ (m.verb+1)*0x85EBCA77 ^ t.hash)
	}
	if t.kind == letter {
		at.addWord(moodWord ^ t.hash)
		at.addWord(moodWord ^ (m.word*0x85EBCA77 ^ t.hash))
		at.addWord(moodWord ^ (m.prev*0xC2B2AE3D ^ t.hash))
	}
}

// besides adds to each order whether its neighbours are orders too.
func besides(sentences []Sentence) {
	for i := range sentences {
		at := &sentences[i]
		if !at.order {
			continue
		}
		beside := uint32(0)
		if i > 0 && sentences[i-1].order {
			beside |= 1
		}
		if i+1 < len(sentences) && sentences[i+1].order {
			beside |= 2
		}
		at.add(moodRun | at.spot<<8 | beside)
		at.add(moodLong | at.spot<<8 | min(at.words/4, 6))
	}
}

// add adds a feature of the first half of the table.
func (at *Sentence) add(feature uint32) { at.Moods = append(at.Moods, moodHash(feature)) }

// addWord adds a feature that is a word, of the second half.
func (at *Sentence) addWord(feature uint32) { at.Moods = append(at.Moods, moodHash(feature)|MoodWords) }

func moodHash(feature uint32) uint32 {
	x := feature * 0x9E3779B1
	x ^= x >> 15
	x *= 0x85EBCA77
	return x >> (33 - moodBits)
}
