package pii

import "strings"

const maxAddressTokens = 22

// addresses finds street addresses: a number and a street, a box, or whatever
// follows "my address is" and begins with a number.
func (f *finder) addresses() {
	for i := 0; i < len(f.tokens); i++ {
		last, score, why := f.addressAt(i)
		if last < 0 {
			continue
		}
		last = f.addressTail(last)
		f.headline(i)
		f.add(Match{Type: Address, Start: int(f.tokens[i].start), End: int(f.tokens[last].end), Score: score, Why: why})
		i = last
	}
}

// addressAt is the last token of the core of an address that begins at token
// i, or -1.
func (f *finder) addressAt(i int) (int, float64, string) {
	if f.is(i, mailing) {
		if last := f.box(i); last >= 0 {
			return last, 0.9, "a post office box or unit"
		}
	}
	if f.is(i+1, mailing) {
		if last := f.corner(i); last >= 0 {
			return last, 0.9, "a corner of streets"
		}
	}
	if !f.plainBefore(i) {
		return -1, 0, ""
	}
	if f.tokens[i].class == number && f.is(i+1, mailing) && f.joined(i) {
		if last := f.box(i + 1); last >= 0 {
			return last, 0.9, "a post office box or unit"
		}
	}
	if last := f.numberFirst(i); last >= 0 {
		return last, 0.88, "a number and a street"
	}
	if last := f.streetFirst(i); last >= 0 {
		return last, 0.87, "a street and a number"
	}
	if f.capital(i) && !f.is(i, common) && f.fullStreet(i+1) && f.between(i) == " " {
		return i + 1, 0.62, "a name and a kind of street"
	}
	if f.tokens[i].class == number && f.tokens[i].len() <= 5 && f.addressLead(i) {
		if j := f.addressWord(i); j >= 0 {
			return j, 0.86, "what is called an address"
		}
	}
	return -1, 0, ""
}

// joined reports whether an address may go on from token i to the next.
func (f *finder) joined(i int) bool {
	switch f.between(i) {
	case " ", ", ", ". ", "-", "'", "’", " - ":
		return true
	}
	return false
}

// addressWord is the capitalised word of a street that follows the number at
// token i, or a second number, or -1.
func (f *finder) addressWord(i int) int {
	j := i + 1
	for j < len(f.tokens) && j <= i+2 && f.joined(j-1) && (f.tokens[j].class == number && f.tokens[j].len() <= 5 || f.tokens[j].class == mixed && f.tokens[j].len() <= 4) {
		j++
	}
	if f.capital(j) && f.joined(j-1) && !f.is(j, month) {
		return j
	}
	return -1
}

// numberFirst finds 12 Main Street, 12 rue de la Paix.
func (f *finder) numberFirst(i int) int {
	if c := f.tokens[i].class; c != number && c != mixed || f.tokens[i].len() > 5 || !f.startsClean(i) || f.continues(i) { // no end of a longer number
		return -1
	}
	j := i + 1
	for n := 0; j < len(f.tokens) && n < 7 && f.joined(j-1); j, n = j+1, n+1 {
		t := f.tokens[j]
		switch {
		case t.class == number && t.len() <= 5 && n < 2, t.class == mixed && t.len() <= 5 && n < 2:
		case f.streetWord(j) && (t.upper && (n > 0 || endsAs(f.str(j), streetEnds[:], 2)) || n <= 1 && f.capital(j+1) || n <= 2 && f.is(j+1, particle) && f.streetPrefix(j)):
			return f.afterStreet(j)
		case f.capital(j) && !f.is(j, month):
		case f.is(j, particle) && n > 0:
		default:
			return -1
		}
	}
	return -1
}

// streetWord reports whether token j names a kind of street, as a word or as
// the end of one.
func (f *finder) streetWord(j int) bool { return f.is(j, street) }

// streetPrefix reports whether token j stands before the street's name.
func (f *finder) streetPrefix(j int) bool {
	if !f.is(j, street) {
		return false
	}
	switch strings.ToLower(f.str(j)) {
	case "rue", "via", "viale", "calle", "avenida", "avda", "piazza", "plaza", "rua", "travessa", "corso", "largo", "allée", "chemin", "quai", "impasse", "ul", "ulica", "al", "avenue", "boulevard", "place", "paseo", "colonia", "vicolo", "улица", "ул", "проспект", "пр", "вулиця", "вул":
		return true
	}
	return false
}

// fullStreet reports whether token j is a capitalised kind of street that is
// seldom anything else.
func (f *finder) fullStreet(j int) bool {
	if !f.is(j, street) || !f.capital(j) {
		return false
	}
	switch strings.ToLower(f.str(j)) {
	case "street", "avenue", "road", "boulevard", "lane", "crescent", "terrace", "parkway", "highway":
		return true
	}
	return false
}

// afterStreet takes in the name that follows a kind of street that stands
// first.
func (f *finder) afterStreet(j int) int {
	if !f.streetPrefix(j) {
		return j
	}
	for n := 0; n < 4 && j+1 < len(f.tokens) && f.between(j) == " " && (f.capital(j+1) || f.is(j+1, particle) && (f.capital(j+2) || f.is(j+2, particle) && f.capital(j+3))); n++ {
		j++
	}
	return j
}

// streetFirst finds Hauptstraße 5, Via Tasso 129, ul. Cicha 86.
func (f *finder) streetFirst(i int) int {
	if f.tokens[i].class != word || !f.tokens[i].upper && !f.streetPrefix(i) || f.is(i, addressing|function) && !f.streetWord(i) {
		return -1
	}
	seen := false
	j := i
	for n := 0; n < 6 && j < len(f.tokens); n++ {
		t := f.tokens[j]
		switch {
		case t.class == word && f.streetWord(j):
			seen = true
		case f.capital(j), f.is(j, particle):
		case (t.class == number || t.class == mixed) && t.len() <= 5 && seen && j > i && !(t.len() == 4 && years(f.str(j))):
			return j
		default:
			return -1
		}
		if number := f.houseNumber(j + 1); seen && number > 0 && f.joined(j) {
			return number
		}
		if !f.joined(j) || !seen && f.between(j) == ", " { // a comma before the street ends something else
			return -1
		}
		j++
	}
	return -1
}

// houseNumber is the number that token j says is one of a house: No:5, д. 5. It is 0 if
// there is none.
func (f *finder) houseNumber(j int) int {
	if j+1 >= len(f.tokens) || f.tokens[j].class != word || f.tokens[j+1].class != number && f.tokens[j+1].class != mixed || f.tokens[j+1].len() > 5 {
		return 0
	}
	switch f.between(j) {
	case ":", ": ", ".", ". ", " ", "° ", "°":
	default:
		return 0
	}
	switch strings.ToLower(f.str(j)) {
	case "no", "nr", "nº", "n", "num", "numero", "número", "numéro", "д", "дом", "буд", "бр", "hs", "casa":
		return j + 1
	}
	return 0
}

// box finds P.O. Box 12, PSC 4574 Box 8393, Unit 12 Box 34, and what mail to
// the armed forces ends in.
func (f *finder) box(i int) int {
	num := func(j int) bool { return j < len(f.tokens) && f.tokens[j].class == number && f.tokens[j].len() <= 6 }
	switch {
	case (f.wordIs(i, "psc") || f.wordIs(i, "unit") || f.wordIs(i, "cmr")) && num(i+1) && f.wordIs(i+2, "box") && num(i+3):
		return i + 3
	case f.wordIs(i, "p") && f.wordIs(i+1, "o") && f.wordIs(i+2, "box") && num(i+3):
		return i + 3
	case f.wordIs(i, "po") && f.wordIs(i+1, "box") && num(i+2):
		return i + 2
	case f.wordIs(i, "postfach") && num(i+1):
		return i + 1
	case (f.wordIs(i, "usns") || f.wordIs(i, "uss") || f.wordIs(i, "usnv") || f.wordIs(i, "uscgc")) && i+4 < len(f.tokens) && (f.wordIs(i+2, "fpo") || f.wordIs(i+2, "apo")) && num(i+4):
		return i + 4
	}
	return -1
}

// corner finds "the corner of A and B".
func (f *finder) corner(i int) int {
	if !f.wordIs(i, "the") || !f.wordIs(i+1, "corner") || !f.wordIs(i+2, "of") {
		return -1
	}
	and := -1
	for j := i + 3; j < len(f.tokens) && j < i+16; j++ {
		if sep := f.between(j - 1); strings.ContainsAny(sep, "\n?!;:") {
			break
		}
		if f.wordIs(j, "and") {
			and = j
			continue
		}
		t := f.tokens[j]
		if and >= 0 && !f.capital(j) && t.class != number && t.class != mixed && !f.is(j, street|particle) {
			if j-1 > and {
				return j - 1
			}
			return -1
		}
		if and >= 0 && (j == len(f.tokens)-1 || strings.ContainsAny(f.between(j), "\n?!;") || strings.HasPrefix(f.between(j), ". ") && f.tokens[j].len() > 2) {
			return j
		}
	}
	return -1
}

// addressLead reports whether what stands before token i says that an address
// comes: "located at", "my address is".
func (f *finder) addressLead(i int) bool {
	if i == 0 {
		return false
	}
	at := f.tokens[i-1].class == word && (f.is(i-1, preposition) || f.wordIs(i-1, "is") || f.wordIs(i-1, "are") || f.is(i-1, addressing))
	if !at && strings.IndexByte(f.between(i-1), ':') < 0 {
		return false
	}
	for j := i - 1; j >= 0 && j > i-8; j-- {
		if f.is(j, addressing) {
			return f.tokens[j].topics&anAddress == 0 || !f.wordIs(j-1, "ip") && !f.wordIs(j-1, "mail") && !f.wordIs(j-1, "email")
		}
		if strings.ContainsAny(f.between(j-1), ".!") {
			return false
		}
	}
	return false
}

// addressTail follows an address over its house, town, code and country.
func (f *finder) addressTail(last int) int {
	for n := 0; n < maxAddressTokens && last+1 < len(f.tokens); n++ {
		j := last + 1
		if !f.tailJoined(last) || f.labels(j) {
			break
		}
		t := f.tokens[j]
		switch {
		case f.beginsLine(j) && t.class == number && !f.capital(j+1), f.dials(j):
			return last
		case t.class == number && t.len() <= 6, t.class == mixed && t.len() <= 8:
		case f.capital(j) && (t.shout || !f.is(j, pronoun|greeting|saying)) && !(f.is(j, common) && f.endsSentence(last)):
		case f.is(j, unit|country) || f.wordIs(j, "nan"):
		case f.military(j) || f.military(j-1):
		case f.is(j, particle) && f.capital(j+1) && f.between(j) == " ":
		default:
			return last
		}
		last = j
	}
	return last
}

// dials reports whether a number that is dialled begins with token j, rather than a
// postcode: 06-12345678.
func (f *finder) dials(j int) bool {
	t := f.tokens[j]
	if t.class != number || t.len() > 4 || f.text[t.start] != '0' || j+1 >= len(f.tokens) || f.tokens[j+1].class != number || f.between(j) != "-" {
		return false
	}
	more := j+2 < len(f.tokens) && f.tokens[j+2].class == number && f.between(j+1) == " "
	return f.tokens[j+1].len() > 5 || t.len() == 3 && f.tokens[j+1].len() == 3 && more
}

// military reports whether token j is the post of armed forces.
func (f *finder) military(j int) bool {
	return f.wordIs(j, "apo") || f.wordIs(j, "fpo") || f.wordIs(j, "dpo")
}

// beginsLine reports whether a line begins with token j.
func (f *finder) beginsLine(j int) bool { return strings.IndexByte(f.between(j-1), '\n') >= 0 }

// endsSentence reports whether a dot and a space stand after token i.
func (f *finder) endsSentence(i int) bool { return strings.HasPrefix(f.between(i), ". ") }

// tailJoined reports whether what stands after token i keeps an address going.
func (f *finder) tailJoined(i int) bool {
	sep := f.between(i)
	if len(sep) > 5 || strings.Contains(sep, "\n\n") {
		return false
	}
	dotted := f.is(i, unit|street) && f.tokens[i].len() <= 4 || f.tokens[i].len() == 1
	for _, c := range sep {
		switch c {
		case ' ', ',', '\n', '-', '#', '\'', '’', '/':
		case '.':
			if !dotted {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// labels reports whether token j is the label of something else: "Phone:".
func (f *finder) labels(j int) bool {
	rest := f.text[f.tokens[j].end:]
	return strings.HasPrefix(rest, ":") || f.tokens[j].topics&(aPhone|anEmail) != 0 && f.tokens[j].class == word
}
