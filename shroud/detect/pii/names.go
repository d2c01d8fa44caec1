package pii

import "strings"

// run is a sequence of tokens that may be one name: tokens first to last.
type run struct{ first, last int }

func (f *finder) is(i int, r role) bool {
	return i >= 0 && i < len(f.tokens) && f.tokens[i].roles&r != 0
}

// capital reports whether token i is a word that begins with a capital.
func (f *finder) capital(i int) bool {
	return i >= 0 && i < len(f.tokens) && f.tokens[i].class == word && f.tokens[i].upper
}

// bears reports whether token i could be of a name: not a frequent word.
func (f *finder) bears(i int) bool {
	return f.is(i, given|surname) && !f.is(i, common) || !f.is(i, common|preposition|pronoun|greeting|title|saying|month|unit|function)
}

const maxNameTokens = 6

// runs cuts the text into runs of capitalised words and calls fn for each.
func (f *finder) runs(fn func(run)) {
	for i := 0; i < len(f.tokens); {
		if !f.capital(i) || !f.plainBefore(i) {
			i++
			continue
		}
		r := run{i, i}
		for r.last-r.first < maxNameTokens {
			next := f.nextOfName(r.last)
			if next < 0 {
				break
			}
			r.last = next
		}
		i = r.last + 1
		fn(r)
	}
}

// nextOfName is the token that carries the name on that token i is of, or -1.
// Small words such as "van" are stepped over.
func (f *finder) nextOfName(i int) int {
	for j := i + 1; j <= i+3 && j < len(f.tokens); j++ {
		sep := f.between(j - 1)
		initial := f.tokens[j-1].len() == 1 && f.tokens[j-1].upper
		if sep != " " && sep != "\u00a0" && sep != " \ufeff" && sep != "-" && sep != "'" && sep != "’" && (!initial || sep != ". " && sep != ".") {
			return -1
		}
		if (sep == "'" || sep == "’") && f.tokens[j-1].len() > 2 {
			return -1 // the s of a genitive
		}
		if f.capital(j) {
			return j
		}
		if !f.is(j, particle) || f.tokens[j].class != word {
			return -1
		}
	}
	return -1
}

// plainBefore reports whether what stands before token i is prose: not a path,
// a variable, a tag.
func (f *finder) plainBefore(i int) bool {
	at := int(f.tokens[i].start)
	return at == 0 || !codeBefore[f.text[at-1]]
}

// codeBefore are the bytes that words in code and markup follow.
var codeBefore = func() (t [256]bool) {
	for _, c := range []byte("._$/\\<=#@`{&%") {
		t[c] = true
	}
	return t
}()

func (f *finder) plainAfter(i int) bool {
	rest := f.text[f.tokens[i].end:]
	if len(rest) < 2 {
		return true
	}
	switch rest[0] {
	case '(', '=', '_', '/', '\\', '`', '[', '{', '<', '>':
		return false
	case '.', ':', '-':
		return !isAlnum(rest[1]) && rest[1] != ':'
	}
	return true
}

// people finds the names of persons.
func (f *finder) people() {
	var full []run
	f.runs(func(r run) {
		r, ok := f.trimName(r)
		if !ok || !f.plainAfter(r.last) {
			return
		}
		score, why := f.personScore(r)
		if score < f.opts.MinScore {
			return
		}
		f.addRun(Person, r, score, why)
		full = append(full, r)
		if f.is(r.first-1, title) && f.capital(r.first-1) {
			f.addTitle(r.first - 1)
		}
	})
	f.mentionsAgain(full)
	f.lists(full)
	f.smallNames()
}

func (f *finder) addRun(typ string, r run, score float64, why string) {
	f.add(Match{Type: typ, Start: int(f.tokens[r.first].start), End: int(f.tokens[r.last].end), Score: min(score, 0.95), Why: why})
}

// addTitle adds the title at token i, with its dot.
func (f *finder) addTitle(i int) {
	end := int(f.tokens[i].end)
	if end < len(f.text) && f.text[end] == '.' {
		end++
	}
	f.add(Match{Type: Title, Start: int(f.tokens[i].start), End: end, Score: 0.7, Why: "a title before a name"})
}

// trimName takes titles and the words that begin sentences off the front, and
// what cannot end a name off the back.
func (f *finder) trimName(r run) (run, bool) {
	for r.first < r.last && (f.is(r.first, title|greeting) || !f.bears(r.first) && !f.is(r.first, given)) {
		r.first++
	}
	for r.first < r.last && f.is(r.last, common|month|country|saying) && !f.is(r.last, given|surname|honour) && !f.fictional(r) {
		r.last--
	}
	for r.first < r.last && !f.capital(r.first) {
		r.first++
	}
	for r.first < r.last && !f.capital(r.last) {
		r.last--
	}
	return r, f.tokens[r.first].len() > 1 && !f.is(r.last, company)
}

// fictional reports whether a run is a given name and one more word that can be
// a surname though it is a frequent word: James Bond.
func (f *finder) fictional(r run) bool {
	return r.last == r.first+1 && f.is(r.first, given) && !f.is(r.first, common) && f.between(r.first) == " " &&
		!f.is(r.last, function|month|greeting|pronoun|saying|doing|company|country|demonym|title|preposition|street)
}

// personScore says how likely a run is a person's name.
func (f *finder) personScore(r run) (float64, string) {
	score := f.nameLikeness(r)
	if score == 0 || f.placePhrase(lexicon(), r.first) > 1 {
		return 0, ""
	}
	why := "given names and surnames"
	lead, leadWhy := f.personLead(r)
	if lead > 0 {
		why = leadWhy
	}
	score += lead + f.personTail(r)
	if f.is(r.first, country|city|demonym|month) && r.first == r.last && lead < 0.4 {
		score -= 0.4
	}
	if f.tokens[r.first].shout && r.first == r.last {
		score -= 0.2
	}
	return score, why
}

// nameLikeness judges the words alone.
func (f *finder) nameLikeness(r run) float64 {
	first, last := r.first, r.last
	frequent := f.is(first, common)
	if first == last {
		switch {
		case f.is(first, given) && !frequent:
			return 0.5
		case f.is(first, given|surname):
			if frequent {
				return 0.12
			}
			return 0.34
		case frequent:
			return 0
		}
		return 0.15
	}
	knownLast, frequentLast := f.is(last, surname|given|honour), f.is(last, common)
	switch {
	case f.is(first, given) && !frequent && !frequentLast:
		return 0.8
	case f.is(first, given) && !frequent && knownLast:
		return 0.75
	case f.is(first, given) && knownLast && !frequentLast:
		return 0.65
	case f.is(first, given) && !frequent && f.fictional(r):
		return 0.6
	case f.is(first, given) && !frequent:
		return 0.45
	case !frequent && f.is(last, surname) && !frequentLast:
		return 0.5
	case f.is(first, given) && !frequentLast:
		return 0.42
	case frequent && frequentLast && !(f.is(first, given) && knownLast):
		return 0
	case !frequent && !frequentLast:
		return 0.3
	}
	return 0.15
}

// personLead judges what stands before a run.
func (f *finder) personLead(r run) (float64, string) {
	i := r.first - 1
	if i < 0 {
		return 0, ""
	}
	sep := f.between(i)
	near := len(strings.TrimRight(sep, " ")) <= 2 && strings.IndexByte(sep, '\n') < 0
	switch {
	case f.is(i, title) && (sep == ". " || sep == " " || sep == ".") && f.tokens[i].upper:
		return 0.55, "a title before it"
	case f.tokens[i].topics&aName != 0 && strings.ContainsAny(sep, ":=?"):
		if !f.is(r.first, given|surname) && !f.is(r.last, surname) {
			return 0.25, "labelled as a name"
		}
		return 0.5, "labelled as a name"
	case !near && len(sep) > 6:
		return 0, ""
	case f.is(i, greeting) && f.tokens[i].class == word:
		return 0.35, "a greeting before it"
	case f.is(i, saying) && (sep == " " || sep == ", "):
		return 0.4, "said before it"
	case f.is(i, relation) && strings.IndexByte(sep, ':') >= 0:
		return 0.4, "a list of people"
	case f.wordIs(i, "to") && (f.is(i-1, saying) || f.is(i-2, saying)):
		return 0.3, "said to"
	case f.is(i, relation) && sep != "":
		return 0.3, "what people are called before it"
	case f.introducedByVerb(i):
		return 0.4, "introduced as a name"
	case f.wordIs(i, "by") && near:
		if strings.IndexByte(sep, ':') >= 0 {
			return 0.4, "by before it"
		}
		return 0.2, "by before it"
	}
	return 0, ""
}

// introducedByVerb reports whether token i ends "my name is", "I am", "this
// is", "call me" and the like.
func (f *finder) introducedByVerb(i int) bool {
	switch {
	case f.wordIs(i, "is"), f.wordIs(i, "ist"), f.wordIs(i, "est"), f.wordIs(i, "es"), f.wordIs(i, "è"), f.wordIs(i, "é"):
		return i > 0 && (f.tokens[i-1].topics&aName != 0 || f.wordIs(i-1, "this") || f.is(i-1, relation))
	case f.wordIs(i, "m"), f.wordIs(i, "am"):
		return f.wordIs(i-1, "i")
	case f.wordIs(i, "me"):
		return f.wordIs(i-1, "call")
	case f.wordIs(i, "llamo"), f.wordIs(i, "heiße"), f.wordIs(i, "appelle"), f.wordIs(i, "chiamo"), f.wordIs(i, "chamo"), f.wordIs(i, "bin"), f.wordIs(i, "soy"), f.wordIs(i, "suis"), f.wordIs(i, "heet"), f.wordIs(i, "nevem"), f.wordIs(i, "numesc"), f.wordIs(i, "jmenuji"), f.wordIs(i, "hedder"), f.wordIs(i, "heter"), f.wordIs(i, "adım"):
		return true
	}
	return false
}

// wordIs compares token i with a word in small letters.
func (f *finder) wordIs(i int, w string) bool {
	return i >= 0 && i < len(f.tokens) && f.tokens[i].len() == len(w) && strings.EqualFold(f.str(i), w)
}

// personTail judges what stands after a run: a verb that people are the
// subject of, a relative, or a pronoun that stands for one.
func (f *finder) personTail(r run) float64 {
	j := r.last + 1
	sep := f.between(r.last)
	switch {
	case f.is(j, saying) && sep == " ":
		return 0.3
	case f.is(j, doing) && sep == " ":
		return 0.36
	case (sep == "'" || sep == "’") && f.wordIs(j, "s") && f.is(j+1, relation):
		return 0.3
	case sep == ", " && f.addressed(r.first, j):
		return 0.36
	}
	const far = 14
	for k := j; k < len(f.tokens) && k < j+far; k++ {
		if f.is(k, pronoun) && !f.tokens[k].shout && k > j {
			switch {
			case f.tokens[k].len() <= 3 && r.first == 0 && (f.wordIs(k, "he") || f.wordIs(k, "she") || f.wordIs(k, "him") || f.wordIs(k, "her") || f.wordIs(k, "his")):
				return 0.36
			case f.is(r.first, given|surname):
				return 0.2
			}
			return 0
		}
		if f.capital(k) && k > j+3 && !f.is(k, common|pronoun) {
			break
		}
	}
	return 0
}

// addressed reports whether a sentence that begins with token first speaks to
// whom it names: "Ann, can you".
func (f *finder) addressed(first, next int) bool {
	if first > 0 && !strings.ContainsAny(f.between(first-1), ".!?\n") {
		return false
	}
	for _, w := range []string{"can", "could", "please", "would", "will", "thanks", "thank", "you", "do", "are", "have"} {
		if f.wordIs(next, w) {
			return true
		}
	}
	return false
}
