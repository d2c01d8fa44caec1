package pii

import "strings"

// mentionsAgain finds surnames and given names that stood in a full name
// elsewhere in the text.
func (f *finder) mentionsAgain(full []run) {
	known := map[string]bool{}
	for _, r := range full {
		if r.last == r.first {
			continue
		}
		for _, i := range []int{r.first, r.last} {
			if f.tokens[i].len() > 2 && !f.is(i, common|honour) {
				known[f.str(i)] = true
			}
		}
	}
	if len(known) == 0 {
		return
	}
	for i := range f.tokens {
		if f.capital(i) && known[f.str(i)] {
			f.addRun(Person, run{i, i}, 0.6, "part of a name elsewhere in the text")
		}
	}
}

// lists finds names that are enumerated with names: Ann, Bob and Eve.
func (f *finder) lists(full []run) {
	for _, r := range full {
		for i := r.last; ; {
			next := f.nextListed(i)
			if next < 0 {
				break
			}
			end := next
			for n := f.nextOfName(end); n >= 0 && n < next+3; n = f.nextOfName(end) {
				end = n
			}
			f.addRun(Person, run{next, end}, 0.55, "in a list of names")
			i = end
		}
		for i := r.first; ; {
			before := f.listedBefore(i)
			if before < 0 {
				break
			}
			f.addRun(Person, run{before, before}, 0.55, "in a list of names")
			i = before
		}
	}
}

// nextListed is the token after token i in an enumeration, or -1.
func (f *finder) nextListed(i int) int {
	j := i + 1
	switch sep := f.between(i); {
	case sep == ", " && (f.wordIs(j, "and") || f.wordIs(j, "und") || f.wordIs(j, "y") || f.wordIs(j, "et")):
		j++
	case sep == ", ":
	case sep == " " && (f.wordIs(j, "and") || f.wordIs(j, "und") || f.wordIs(j, "y") || f.wordIs(j, "et") || f.wordIs(j, "&")):
		j++
	default:
		return -1
	}
	if f.capital(j) && f.bears(j) && !f.is(j, country|city|company) && f.plainAfter(j) && (j == i+1 || f.between(j-1) == " ") {
		return j
	}
	return -1
}

// listedBefore is the token before token i in an enumeration, or -1.
func (f *finder) listedBefore(i int) int {
	j := i - 1
	if f.wordIs(j, "and") || f.wordIs(j, "und") {
		j--
	} else if j >= 0 && f.between(j) != ", " {
		return -1
	}
	if j < 1 || !f.capital(j) || !f.bears(j) || f.is(j, country|city|company) {
		return -1
	}
	switch f.between(j - 1) {
	case ", ", ": ":
		return j
	}
	return -1
}

// smallNames finds full names in small letters, in texts that have no capitals.
func (f *finder) smallNames() {
	for i := range f.tokens {
		if f.tokens[i].class == word && f.tokens[i].upper {
			return
		}
	}
	for i := 0; i < len(f.tokens); i++ {
		if f.tokens[i].class != word || f.is(i, common|country|demonym) || !f.plainBefore(i) || !f.plainAfter(i) {
			continue
		}
		r := run{i, i}
		score := 0.0
		if f.is(i, given) {
			score = 0.5
		}
		if n := i + 1; n < len(f.tokens) && f.between(i) == " " && f.tokens[n].class == word && !f.is(n, common|country|month|preposition) {
			if f.is(i, given) || f.is(n, surname) {
				r.last, score = n, 0.6
			}
		}
		if lead, _ := f.personLead(r); lead >= 0.3 {
			score += lead
		}
		if score >= 0.5 {
			f.addRun(Person, r, score, "given names and surnames")
			i = r.last
		}
	}
}

// organisations finds names that end as those of companies do, or that follow
// what people say of their employers.
func (f *finder) organisations() {
	f.runs(func(r run) {
		for r.first < r.last && f.is(r.first, common|greeting|preposition) && !f.is(r.first, company) {
			r.first++
		}
		end := r.last
		for end > r.first && !f.is(end, company) {
			end--
		}
		switch {
		case end > r.first && f.plainAfter(end):
			f.addCompany(run{r.first, end})
		case f.plainAfter(r.last) && f.bears(r.first) && f.employerLead(r.first):
			f.addRun(Organisation, r, 0.6, "called an employer")
		}
	})
	f.companySuffix()
}

func (f *finder) addCompany(r run) {
	m := Match{Type: Organisation, Start: int(f.tokens[r.first].start), End: int(f.tokens[r.last].end), Score: 0.86, Why: "ends as companies do"}
	if m.End < len(f.text) && f.text[m.End] == '.' && f.tokens[r.last].len() <= 4 && m.End+1 < len(f.text) && f.text[m.End+1] != '\n' && m.End+2 < len(f.text) && !isUpperByte(f.text[m.End+2]) {
		m.End++
	}
	if r.last-r.first > 0 || !f.is(r.first, common) {
		f.add(m)
	}
}

func isUpperByte(c byte) bool { return c >= 'A' && c <= 'Z' }

// employerLead reports whether "works at", "employed by" and the like stand
// before token i.
func (f *finder) employerLead(i int) bool {
	if !f.wordIs(i-1, "at") && !f.wordIs(i-1, "for") && !f.wordIs(i-1, "by") && !f.wordIs(i-1, "of") && !f.wordIs(i-1, "bei") {
		return false
	}
	return f.is(i-2, employment) || f.wordIs(i-2, "ceo") || f.wordIs(i-2, "founder") || f.wordIs(i-2, "cto")
}

// companySuffix finds firms of partners: Fox, Hill and Lee; Evans-Lee.
func (f *finder) companySuffix() {
	for i := 0; i+3 < len(f.tokens); i++ {
		if f.tokens[i].upper && f.between(i) == ", " && f.surnameAt(i) && f.surnameAt(i+1) && f.between(i+1) == " " && f.wordIs(i+2, "and") && f.surnameAt(i+3) &&
			(i == 0 || strings.IndexByte(f.between(i-1), ',') < 0 && !strings.HasSuffix(f.between(i-1), ": ")) {
			f.addRun(Organisation, run{i, i + 3}, 0.7, "surnames joined as a firm's")
		}
	}
	for i := 0; i+1 < len(f.tokens); i++ {
		if !f.tokens[i].upper || f.between(i) != "-" {
			continue
		}
		alone := (i == 0 || f.nextOfName(i-1) != i) && f.nextOfName(i+1) < 0
		if alone && f.surnameAt(i) && f.surnameAt(i+1) && f.is(i, surname) && f.is(i+1, surname) {
			f.addRun(Organisation, run{i, i + 1}, 0.66, "surnames joined as a firm's")
		}
	}
}

func (f *finder) surnameAt(i int) bool {
	return f.capital(i) && (f.is(i, surname) || f.bears(i) && !f.is(i, given))
}
