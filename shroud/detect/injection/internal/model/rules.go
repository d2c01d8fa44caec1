package model

import (
	"slices"
	"strings"
)

// Rule is a combination of ideas that says something by itself, in whatever
// language: each of Sets must be seen within Reach words, in this order if
// Ordered. An idea with ^ counts at the beginning of a sentence only.
type Rule struct {
	Name      string
	Sets      [][]string
	Reach     uint32
	Ordered   bool
	Documents bool // only there: a user may well say such a thing
	Why       string
}

// Hit is a rule that fired, and where.
type Hit struct {
	Rule     int
	From, To int // in the text
}

type place struct {
	rule, set int
	begins    bool
}

// ruleState is where each set of each rule was last seen.
type ruleState struct {
	pos [][4]uint32 // zero is never
	at  [][4]uint32
}

func (r *ruleState) reset(n int) {
	if len(r.pos) != n {
		r.pos, r.at = make([][4]uint32, n), make([][4]uint32, n)
		return
	}
	clear(r.pos)
}

// places lists, for each idea, the sets of rules that it is in.
func (l *lexicon) places(rules []Rule) (out [256][]place) {
	for i, r := range rules {
		for k, set := range r.Sets {
			for _, name := range set {
				name, begins := strings.CutPrefix(name, "^")
				id := slices.Index(l.names, name)
				if id <= 0 {
					panic("model: rule " + r.Name + " names no idea: " + name)
				}
				out[id] = append(out[id], place{i, k, begins})
			}
		}
	}
	return out
}

// set is which ideas have one of names.
func (l *lexicon) set(names []string) *[256]bool {
	var out [256]bool
	for i, name := range l.names {
		out[i] = slices.Contains(names, name)
	}
	return &out
}

// fire notes token t and reports the rules that it completes.
func (s *scan) fire(b *Block, t *token, offset int, rules []Rule, of []place) {
	for _, p := range of {
		r := &rules[p.rule]
		if r.Documents && !s.document || p.begins && t.flags&sentenceStart == 0 {
			continue
		}
		pos, at := &s.rules.pos[p.rule], &s.rules.at[p.rule]
		if r.Ordered && p.set > 0 && (pos[p.set-1] == 0 || t.pos+1-pos[p.set-1] > 2*r.Reach) {
			continue
		}
		pos[p.set], at[p.set] = t.pos+1, t.at
		if r.Ordered && p.set < len(r.Sets)-1 {
			continue
		}
		first := t.at
		ok := true
		for k := range r.Sets {
			if pos[k] == 0 || t.pos+1-pos[k] > 2*r.Reach {
				ok = false
				break
			}
			first = min(first, at[k])
		}
		if !ok || b.Rules&(1<<p.rule) != 0 {
			continue
		}
		b.Rules |= 1 << p.rule
		s.hits = append(s.hits, Hit{p.rule, offset + int(first), offset + int(t.end)})
	}
}
