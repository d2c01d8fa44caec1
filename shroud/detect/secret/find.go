package secret

import (
	"cmp"
	"slices"
	"sync"
	"unicode/utf8"
)

// Match is a credential in a text.
type Match struct {
	// Rule names what it was found by, such as "github-pat" or "password-assignment".
	Rule string
	// Start and End are bytes of the text.
	Start, End int
	// Severity is critical for what opens something by itself, high for what needs
	// an account beside it, medium for what only looks like a credential.
	Severity string
	// Score is how likely it is one, from 0 to 1.
	Score float64
	// Why says in a sentence what was recognised. It shows nothing of the text.
	Why string
}

// The severities of matches.
const (
	Critical = "critical"
	High     = "high"
	Medium   = "medium"
)

// mostMatches is how many matches are looked for in one text. Whoever has that
// many needs no more to know what they have.
const mostMatches = 2000

// Find returns the credentials in text, in order, without overlaps.
func Find(text string) []Match {
	found, _ := Search(text)
	return found
}

// Search is Find, and says whether it gave up: a text in which nearly every byte
// begins something is not looked at to the end, so that nobody can keep us busy with it. It takes
// time in proportion to the text, whatever it is.
func Search(text string) (found []Match, cut bool) {
	s := scan{text: text, engine: rules(), left: work*len(text) + 1<<16}
	s.engine.literals.find(text, s.at)
	s.discord()
	s.facebook()
	s.wif()
	s.phrases()
	s.alone()
	return settle(text, s.out), s.cut
}

// work is how many bytes are looked at closely, as a multiple of the text. Ordinary text
// takes a fraction of one.
const work = 8

// rules is the engine, made at the first text. It holds no state of any text.
var rules = sync.OnceValue(newEngine)

// engine is the literals and what is done where one is found.
type engine struct {
	literals literals
	actions  []action
}

// action looks at the place of a literal.
type action func(s *scan, at int)

// on has do called at every place of a literal.
func (e *engine) on(literal string, do action) {
	e.actions = append(e.actions, do)
	e.literals.add(literal, uint16(len(e.actions)-1))
}

// scan is one search.
type scan struct {
	text   string
	engine *engine
	out    []Match
	done   int // places before it are of an assignment that was looked at
	left   int // bytes that may still be looked at closely
	cut    bool
}

// spend takes n bytes from what is left, or reports that there are none.
func (s *scan) spend(n int) bool {
	if s.left -= n; s.left < 0 {
		s.cut = true
	}
	return !s.cut
}

func (s *scan) at(id uint16, at int) {
	if len(s.out) >= mostMatches {
		s.cut = true
	}
	if !s.cut {
		s.engine.actions[id](s, at)
	}
}

func (s *scan) report(m Match) { s.out = append(s.out, m) }

// settle orders matches and keeps the best of those that overlap: the likeliest, of these the
// longest.
func settle(text string, found []Match) []Match {
	slices.SortFunc(found, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.End-b.Start, a.End-a.Start),
			cmp.Compare(a.Start, b.Start), cmp.Compare(a.Rule, b.Rule))
	})
	var kept []Match // in order of their beginning
	for _, m := range found {
		for m.Start > 0 && m.Start < len(text) && !utf8.RuneStart(text[m.Start]) {
			m.Start--
		}
		for m.End < len(text) && !utf8.RuneStart(text[m.End]) {
			m.End++
		}
		at, _ := slices.BinarySearchFunc(kept, m.Start, func(k Match, start int) int { return cmp.Compare(k.Start, start) })
		if at > 0 && kept[at-1].End > m.Start || at < len(kept) && kept[at].Start < m.End {
			continue
		}
		kept = slices.Insert(kept, at, m)
	}
	return kept
}
