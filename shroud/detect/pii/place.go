package pii

import "strings"

// places finds countries, large cities, and what follows "lives in".
func (f *finder) places() {
	lex := lexicon()
	for i := 0; i < len(f.tokens); i++ {
		if f.tokens[i].class != word || !f.plainBefore(i) {
			continue
		}
		if n := f.placePhrase(lex, i); n > 0 {
			f.addRun(Location, run{i, i + n - 1}, 0.8, "a country or a large city")
			i += n - 1
			continue
		}
		switch {
		case f.is(i, demonym) && f.plainAfter(i):
			if f.describes(i) {
				f.addRun(Nationality, run{i, i}, 0.55, "a nationality")
			}
		case f.is(i, given) && f.is(i, country|city) && !f.is(i-1, preposition): // Florence
		case f.is(i, country) && f.plainAfter(i) && (f.tokens[i].upper && !f.tokens[i].shout || f.tokens[i].len() > 4 && !f.is(i, common|given|surname)):
			f.addRun(Location, run{i, i}, 0.75, "a country")
		case f.is(i, city) && f.tokens[i].upper && f.plainAfter(i):
			f.addRun(Location, run{i, i}, 0.55, "a large city")
		}
	}
	f.namedPlaces()
}

// describes reports whether the nationality at token i is said of something or
// somebody, rather than being a language.
func (f *finder) describes(i int) bool {
	next := i + 1
	if next < len(f.tokens) && f.between(i) == " " && f.tokens[next].class == word && !f.tokens[next].upper && !f.is(next, function|preposition|particle) {
		return true
	}
	return f.wordIs(i-1, "is") || f.wordIs(i-1, "am") || f.wordIs(i-1, "m")
}

// placePhrase is how many tokens the name of a country or city takes that begins with
// token i, if it takes more than one.
func (f *finder) placePhrase(lex *lexiconOf, i int) int {
	if !f.is(i, phrase) {
		return 0
	}
	var buf [maxWord + 4]byte
	names := lex.phrases[string(lower(buf[:0], f.str(i)))]
	best := 0
	for _, name := range names {
		end := int(f.tokens[i].start) + len(name)
		if end > len(f.text) || !strings.EqualFold(f.text[f.tokens[i].start:end], name) {
			continue
		}
		for j := i; j < len(f.tokens) && int(f.tokens[j].end) <= end; j++ {
			if int(f.tokens[j].end) == end {
				best = max(best, j-i+1)
			}
		}
	}
	return best
}

// namedPlaces finds unknown names that a preposition of place leads to, more so
// where somebody lives, moves or was born there.
func (f *finder) namedPlaces() {
	for i := 1; i < len(f.tokens); i++ {
		if !f.is(i-1, preposition) || f.between(i-1) != " " || f.tokens[i].class != word || !f.plainBefore(i) {
			continue
		}
		lead := f.livingBefore(i-1) || f.is(i-2, street) && f.wordIs(i-1, "in")
		r := run{i, i}
		if !f.tokens[i].upper {
			if lead && (f.wordIs(i-1, "in") || f.wordIs(i-1, "from") || f.wordIs(i-1, "to") || f.wordIs(i-1, "at")) && f.small(i) && !f.is(i, common|preposition|pronoun|relation|month|given|function) && f.tokens[i].len() > 2 && f.plainAfter(i) {
				f.addRun(Location, r, 0.52, "where somebody lives or goes")
			}
			continue
		}
		for next := f.nextOfName(r.last); next >= 0 && r.last-r.first < 4; next = f.nextOfName(r.last) {
			r.last = next
		}
		if !f.plainAfter(r.last) || f.is(r.first, month|pronoun|title|demonym) || f.is(r.last, company) || f.tokens[i].len() < 3 {
			continue
		}
		score := 0.0
		switch {
		case lead && !(f.is(i, common) && r.first == r.last):
			score = 0.62
			if f.is(i, given) && !f.is(i, city|country) {
				score = 0.5
			}
		case f.followedByPostcode(r.last):
			score = 0.7
		}
		f.addRun(Location, r, score, "where somebody lives or goes")
	}
}

// livingBefore reports whether one of the words before token i is of living or
// going somewhere.
func (f *finder) livingBefore(i int) bool {
	for j := i - 1; j >= 0 && j > i-5; j-- {
		if strings.ContainsAny(f.between(j), ".!?\n;") {
			return false
		}
		if f.is(j, living) {
			return true
		}
	}
	return false
}

// followedByPostcode adds the postcode after a place and reports whether there
// is one.
func (f *finder) followedByPostcode(i int) bool {
	j := i + 1
	if j >= len(f.tokens) || f.between(i) != " " || f.tokens[j].class != number || f.tokens[j].len() < 4 || f.tokens[j].len() > 6 {
		return false
	}
	if f.tokens[j].len() == 4 && years(f.str(j)) || !f.endsClean(j) {
		return false
	}
	f.addRun(Postcode, run{j, j}, 0.6, "after a place")
	return true
}

// postcodes finds what is called a postcode.
func (f *finder) postcodes() {
	for i := range f.tokens {
		lead := f.is(i, mailing) && (f.wordIs(i, "zip") || f.wordIs(i, "zipcode") || f.wordIs(i, "postcode") || f.wordIs(i, "plz") || f.wordIs(i, "cep") || f.wordIs(i, "postleitzahl") ||
			(f.wordIs(i, "postal") || f.wordIs(i, "code")) && (f.wordIs(i+1, "code") || f.wordIs(i+1, "postal")))
		if !lead {
			continue
		}
		for j := i + 1; j < len(f.tokens) && j < i+5; j++ {
			t := f.tokens[j]
			if (t.class == number || t.class == mixed) && t.len() >= 3 && t.len() <= 8 {
				f.addRun(Postcode, f.postcodeRun(j), 0.75, "called a postcode")
				break
			}
		}
	}
}

// postcodeRun takes in the second half of a postcode: 90010-170, SW1A 1AA.
func (f *finder) postcodeRun(j int) run {
	if j+1 >= len(f.tokens) || f.tokens[j+1].class == word || f.tokens[j+1].len() > 4 {
		return run{j, j}
	}
	if sep := f.between(j); sep == "-" || sep == " " && (f.tokens[j].class == mixed || f.tokens[j].len() <= 4) {
		return run{j, j + 1}
	}
	return run{j, j}
}
