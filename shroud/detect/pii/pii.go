package pii

import (
	"cmp"
	"slices"
	"sync"
)

// Severities, as the findings of other detectors have them.
const (
	Low      = "low"
	Medium   = "medium"
	High     = "high"
	Critical = "critical"
)

// Types that callers name. National identity numbers have types of their own,
// a country and a word: uk_nhs, de_tax_id. They are the names under which
// findings are published.
const (
	Email      = "email"
	Phone      = "phone"
	PhoneUS    = "phone_us" // of the North American plan
	CreditCard = "credit_card"
	IBAN       = "iban"
	BIC        = "bic"
	SSN        = "ssn"
	Passport   = "passport"
	Licence    = "driver_licence"
	Account    = "bank_account"
	Plate      = "licence_plate"
	NationalID = "national_id" // by its label, of no country that is known
	TaxID      = "tax_id"      // likewise
	Birth      = "date_of_birth"
	IP         = "ip"
	MAC        = "mac"
	Wallet     = "crypto_address"
	URL        = "url"

	Person       = "person"
	Title        = "title"
	Address      = "address"
	Postcode     = "postcode"
	Location     = "location"
	Nationality  = "nationality"
	Organisation = "organisation"
	Date         = "date"
	Age          = "age"
)

// Match is one piece of personal data: text[Start:End].
type Match struct {
	Type       string
	Start, End int
	Severity   string
	Score      float64 // 0 to 1
	Why        string  // which rule, in words that hold nothing of the text
}

// Options say what is known about a text. The zero value is for a text of
// which nothing is known.
type Options struct {
	// Regions are the countries (ISO 3166, two letters) whose numbers may be
	// written without a country code, most likely first.
	Regions []string
	// MinScore drops matches that are less sure. Zero is 0.5.
	MinScore float64
	// Structured leaves out what Weak says.
	Structured bool
}

const defaultScore = 0.5

// Find returns the personal data in text, in order and without overlaps.
func Find(text string, o Options) []Match {
	found, _ := Search(text, o)
	return found
}

// Search is Find, and says whether it gave up on some of it: numbers are compared with
// the plans of the world's countries so many times in one text and no more.
func Search(text string, o Options) (found []Match, cut bool) {
	if o.MinScore == 0 {
		o.MinScore = defaultScore
	}
	f := &finder{text: text, opts: o}
	memory := tokenMemory.Get().(*[]token) //nolint:forcetypeassert // the pool's own
	f.tokens = tokenise(text, (*memory)[:0])
	f.bare = f.isBare()
	f.structured()
	if !o.Structured {
		f.weak()
	}
	if *memory = f.tokens; cap(*memory) <= maxKept {
		tokenMemory.Put(memory)
	}
	return settle(f.found, o.MinScore), f.parsed > maxParsed
}

// tokenMemory is used again and again: tokens are four times as long as their text.
var tokenMemory = sync.Pool{New: func() any { return new([]token) }}

// maxKept is how many tokens are kept room for.
const maxKept = 1 << 17

// finder is one text being looked through.
type finder struct {
	text   string
	opts   Options
	tokens []token
	bare   bool // the text is a single value, as of a form's field
	parsed int  // how many numbers the phone library was asked about
	found  []Match
}

// structured runs the rules that rest on validators.
func (f *finder) structured() {
	f.emails()
	f.urls()
	f.colons()
	f.shapes()
	f.phones()
	f.labelled()
}

func (f *finder) add(m Match) {
	if m.Severity == "" {
		m.Severity = Severity(m.Type)
	}
	f.found = append(f.found, m)
}

// Weak reports whether matches of a type rest on their surroundings alone.
func Weak(typ string) bool {
	switch typ {
	case Person, Title, Address, Postcode, Location, Nationality, Organisation, Date, Age:
		return true
	}
	return false
}

// Severity is how bad it is if a value of this type gets out.
func Severity(typ string) string {
	switch typ {
	case SSN, CreditCard:
		return Critical
	case IBAN, Account, Passport, Licence, NationalID, TaxID:
		return High
	case Email, Wallet, Birth, IP, MAC, Plate, Address, Person:
		return Medium
	case Phone, PhoneUS, BIC, URL, Title, Postcode, Location, Nationality, Organisation, Date, Age:
		return Low
	}
	return High // identity numbers of a country
}

// settle drops what is not sure enough and decides between overlaps: the surer
// match stays, then the longer one, then the earlier.
func settle(found []Match, least float64) []Match {
	found = slices.DeleteFunc(found, func(m Match) bool { return m.Score < least })
	slices.SortStableFunc(found, func(a, b Match) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
	})
	var kept []Match
	for _, m := range found {
		for len(kept) > 0 && kept[len(kept)-1].End > m.Start && beats(m, kept[len(kept)-1]) {
			kept = kept[:len(kept)-1]
		}
		if len(kept) == 0 || kept[len(kept)-1].End <= m.Start {
			kept = append(kept, m)
		}
	}
	return kept
}

func beats(a, b Match) bool {
	if a.Score != b.Score {
		return a.Score > b.Score
	}
	return a.End-a.Start > b.End-b.Start
}
