package pii

import "strings"

// mentionsAgain finds surnames and given names that stood in a full name
// elsewhere in the text.
func (f *finder) mentionsAgain(full []run) {
	known := map[string]bool{}
	for _, r := range full {
		if r.last == r.first || !f.is(r.first, given) || f.is(r.first, common) {
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

// maxList is how far an enumeration is followed from a name that is known, which
// bounds the work where everything is one.
const maxList = 6

// lists finds names that are enumerated with names: Ann, Bob and Eve.
func (f *finder) lists(full []run) {
	known := make(map[int]bool, len(full)) // by the first token
	for _, r := range full {
		known[r.first] = true
	}
	for _, r := range full {
		for i, n := r.last, 0; n < maxList; n++ {
			next := f.nextListed(i)
			if next < 0 || known[next] || f.isLabel(next) {
				break
			}
			known[next] = true
			end := next
			for n := f.nextOfName(end); n >= 0 && n < next+3; n = f.nextOfName(end) {
				end = n
			}
			f.addRun(Person, run{next, end}, 0.55, "in a list of names")
			i = end
		}
		for i, n := r.first, 0; n < maxList; n++ {
			before := f.listedBefore(i)
			if before < 0 || known[before] {
				break
			}
			known[before] = true
			start := before
			for start > 0 && f.capital(start-1) && f.bears(start-1) && f.nextOfName(start-1) == start {
				start--
			}
			f.addRun(Person, run{start, before}, 0.55, "in a list of names")
			i = start
		}
	}
}

// isLabel reports whether token i is what a number is called, or the street of one: MRN
// 4455, PESEL 44051401359, Hauptstraße 12.
func (f *finder) isLabel(i int) bool {
	return (f.tokens[i].shout || f.is(i, street)) && i+1 < len(f.tokens) && f.tokens[i+1].class == number
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
	if f.capital(j) && f.tokens[j].len() > 1 && f.bears(j) && !f.is(j, function|country|city|company) && f.plainAfter(j) && (j == i+1 || f.between(j-1) == " ") {
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
	if j < 1 || !f.capital(j) || f.tokens[j].len() == 1 || !f.bears(j) || f.is(j, function|country|city|company) {
		return -1
	}
	for k := j; k > 0 && j-k < 3; k-- {
		switch f.between(k - 1) {
		case ", ", ": ":
			return j
		case " ", "-":
		default:
			return -1
		}
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
		if f.tokens[i].class != word || f.is(i, common|country|demonym) || !f.small(i) || !f.plainBefore(i) || !f.plainAfter(i) {
			continue
		}
		r := run{i, i}
		score := 0.0
		if f.is(i, given) && f.tokens[i].topics == 0 {
			score = 0.3 + f.personTail(r)
		}
		if n := i + 1; n < len(f.tokens) && f.between(i) == " " && f.tokens[n].class == word && !f.is(n, common|country|month|preposition) {
			if f.is(i, given) || f.is(n, surname) {
				r.last, score = n, 0.6
				if f.is(n+1, honour) && f.between(n) == " " {
					r.last = n + 1
				}
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

// small reports whether token i has no capital: it is no identifier.
func (f *finder) small(i int) bool {
	s := f.str(i)
	for k := range len(s) {
		if isUpperByte(s[k]) {
			return false
		}
	}
	return true
}

// organisations finds names that end as those of companies do, or that follow
// what people say of their employers.
func (f *finder) organisations() {
	f.runs(func(r run) {
		for r.first < r.last && f.is(r.first, function|greeting) && !f.is(r.first+1, company) {
			r.first++
		}
		end := r.last
		for end > r.first && !f.is(end, company) {
			end--
		}
		switch {
		case end > r.first && f.plainAfter(end) && (f.legal(end) || f.anyRare(r.first, end-1)):
			f.addCompany(run{r.first, end})
		case f.plainAfter(r.last) && f.bears(r.first) && f.employerLead(r.first):
			f.addRun(Organisation, r, 0.6, "called an employer")
		case f.plainAfter(r.last) && f.companyTail(r.last) && !f.is(r.first, function|demonym|country):
			f.addRun(Organisation, r, 0.7, "said of companies")
		}
	})
	f.companySuffix()
}

// legal reports whether token i is a form of company rather than what many
// things are called.
func (f *finder) legal(i int) bool { return f.tokens[i].len() <= 4 || !f.is(i, common) }

// anyRare reports whether one of tokens first to last is no frequent word.
func (f *finder) anyRare(first, last int) bool {
	for i := first; i <= last; i++ {
		if f.capital(i) && !f.is(i, common|demonym|country) {
			return true
		}
	}
	return false
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
	if f.wordIs(i-2, "ceo") || f.wordIs(i-2, "founder") || f.wordIs(i-2, "cto") {
		return true
	}
	for j := i - 2; j >= 0 && j > i-6 && !strings.ContainsAny(f.between(j), ".!?\n"); j-- {
		if f.is(j, employment) {
			return true
		}
	}
	return false
}

// companyTail reports whether what stands after token i is said of companies:
// "invested", "is a Danish bank".
func (f *finder) companyTail(i int) bool {
	if f.between(i) != " " {
		return false
	}
	if f.is(i+1, business) {
		return true
	}
	if !f.wordIs(i+1, "is") && !f.wordIs(i+1, "was") {
		return false
	}
	if !f.wordIs(i+2, "a") && !f.wordIs(i+2, "an") && !f.wordIs(i+2, "the") {
		return false
	}
	for j := i + 3; j < i+7 && j < len(f.tokens) && f.between(j-1) == " "; j++ {
		if f.is(j, firm) {
			return true
		}
	}
	return false
}

// companySuffix finds firms of partners: Fox, Hill and Lee; Evans-Lee.
func (f *finder) companySuffix() {
	for i := 0; i+3 < len(f.tokens); i++ {
		if f.tokens[i].upper && f.between(i) == ", " && f.surnameAt(i) && f.surnameAt(i+1) && f.between(i+1) == " " && f.wordIs(i+2, "and") && f.surnameAt(i+3) && !(f.is(i, given) && f.is(i+1, given)) && !(f.is(i+1, given) && f.is(i+3, given)) &&
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

// headline finds the organisation whose name is the line before the address
// that begins with token i, as on a card.
func (f *finder) headline(i int) {
	if i == 0 || !f.beginsLine(i) {
		return
	}
	first := i - 1
	for first > 0 && i-first < 7 && !f.beginsLine(first) {
		first--
	}
	if i-first >= 7 || first > 0 && !f.beginsLine(first) {
		return
	}
	for j := first; j < i; j++ {
		if !f.capital(j) && !f.is(j, function|particle) || j < i-1 && strings.ContainsAny(f.between(j), ":.!?") {
			return
		}
	}
	if f.is(first, title) || strings.ContainsAny(f.between(i-1), ":.!?,") {
		return
	}
	f.addRun(Organisation, run{first, i - 1}, 0.64, "the line before an address")
}
