package pii

import "strings"

// labels say that a value of some type follows, whatever its form: "driver's
// license number is F1234567". Each needs one of its words, and some a second.
var labels = []struct {
	typ    string
	topics topic
	also   []string // one of these must be among the words up to the value
	score  float64
}{
	{typ: Licence, topics: aLicence, score: 0.75},
	{typ: Passport, topics: aPassport, score: 0.75},
	{typ: Account, topics: aBank, also: []string{"number", "no", "nr", "num", "numéro", "numero", "número", "nummer", "kontonummer", "acct", "rekeningnummer", "kontonummeret"}, score: 0.72},
	{typ: TaxID, topics: aTax, also: []string{"id", "number", "no", "tin", "identification", "nr", "nummer", "numero", "número"}, score: 0.7},
	{typ: NationalID, topics: anIdentity, also: []string{"national", "identity", "citizen", "resident", "ausweis", "personalausweis", "cédula", "cedula", "identidad", "identité", "nin", "ktp", "nik"}, score: 0.7},
	{typ: Plate, topics: aPlate, also: []string{"plate", "plates", "kennzeichen", "matrícula", "immatriculation", "targa", "kenteken", "registration"}, score: 0.6},
}

const labelTopics = aLicence | aPassport | aBank | aTax | anIdentity | aPlate

// maxLabel is how many words may stand between a label and its value.
const maxLabel = 6

// labelled finds values by their labels.
func (f *finder) labelled() {
	for i := range f.tokens {
		if f.tokens[i].topics&aBIC != 0 {
			f.bic(i)
		}
		if f.tokens[i].topics&labelTopics == 0 || f.tokens[i].class != word {
			continue
		}
		if value, ok := f.labelledValue(i); ok {
			f.addLabelled(i, value)
		}
	}
}

// labelledValue is the value that token i labels: letters and digits after
// nothing but words such as "number" and "is".
func (f *finder) labelledValue(i int) (run, bool) {
	for j := i + 1; j < len(f.tokens) && j <= i+maxLabel; j++ {
		if sep := f.between(j - 1); len(sep) > 4 || strings.ContainsAny(sep, "\n\"{}()<>/;") && strings.Trim(sep, " :\"'") != "" {
			return run{}, false
		}
		t := f.tokens[j]
		if t.class == number || t.class == mixed {
			return f.joinedValue(j), true
		}
		if t.class != word || !f.is(j, function) && t.topics == 0 && !f.wordIs(j, "number") && !f.wordIs(j, "no") && !f.wordIs(j, "nr") && !f.wordIs(j, "s") && !f.wordIs(j, "num") && !f.wordIs(j, "numero") && !f.wordIs(j, "número") && !f.wordIs(j, "numéro") && !f.wordIs(j, "nummer") {
			return run{}, false
		}
	}
	return run{}, false
}

// joinedValue takes in the groups of a value that are joined by dashes.
func (f *finder) joinedValue(j int) run {
	r := run{j, j}
	for r.last+1 < len(f.tokens) && r.last-r.first < 5 && f.between(r.last) == "-" && f.tokens[r.last+1].class != ident && f.tokens[r.last+1].class != wide {
		r.last++
	}
	return r
}

func (f *finder) addLabelled(i int, value run) {
	digits := 0
	s := f.text[f.tokens[value.first].start:f.tokens[value.last].end]
	for _, c := range []byte(s) {
		if isAlnumDigit(c) {
			digits++
		}
	}
	if len(s) < 5 || len(s) > 24 || digits < 4 || !f.endsClean(value.last) || !f.startsClean(value.first) {
		return
	}
	for _, l := range labels {
		if f.tokens[i].topics&l.topics == 0 || !f.labelHas(i, value.first, l.also) {
			continue
		}
		if l.typ != Plate && digits < 5 {
			continue
		}
		f.addRun(l.typ, value, l.score, "labelled as one")
		return
	}
}

// labelHas reports whether one of words is among tokens i to value.
func (f *finder) labelHas(i, value int, words []string) bool {
	if words == nil {
		return true
	}
	for j := max(0, i-1); j < value; j++ {
		for _, w := range words {
			if f.wordIs(j, w) {
				return true
			}
		}
	}
	return false
}
