package pii

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

const (
	leastDigits = 7
	mostDigits  = 15   // ITU E.164
	maxParsed   = 4096 // numbers of one text that the phone library is asked about
)

// usualRegions are tried where nobody said which country a text is from: the
// larger ones of each shape of number.
var usualRegions = []string{"US", "GB", "DE", "FR", "ES", "IT", "NL", "BR", "IN", "AU", "JP", "CN", "PL", "SE", "CH", "TR", "MX", "ZA", "RU", "KR"}

// candidate is a run of digits and the signs that phone numbers are written
// with.
type candidate struct {
	start, end int
	digits     int
	groups     []int // digits of each group
	plus       bool
	paren      bool
	seps       [128]bool
	extension  bool
	first      int // token
	last       int
}

// phones finds phone numbers.
func (f *finder) phones() {
	for i := 0; i < len(f.tokens); i++ {
		if f.tokens[i].class != number || !f.startsPhone(i) {
			continue
		}
		c := f.readPhone(i, f.continues(i))
		if c.digits > mostDigits {
			c = f.readPhone(i, true)
		}
		if f.continues(i) && len(c.groups) == 1 {
			continue
		}
		if c.digits >= leastDigits && c.digits <= mostDigits && f.endsPhone(c.end) {
			f.balance(&c)
			f.extend(&c)
			f.judge(&c)
		}
		i = max(i, c.last)
	}
}

// continues reports whether token i follows digits after a mere space, and so
// may be of what those began.
func (f *finder) continues(i int) bool {
	return i > 0 && (f.tokens[i-1].class == number || f.tokens[i-1].class == mixed) && f.between(i-1) == " "
}

// startsPhone refuses digits that continue something: a decimal, a path, a
// price.
func (f *finder) startsPhone(i int) bool {
	at := int(f.tokens[i].start)
	if at == 0 {
		return true
	}
	switch c := f.text[at-1]; c {
	case '.', '-', '/', '_', '$', '#', '@', '=', '%', ',':
		return at > 1 && isSpace(f.text[at-2]) && (c == '-' || c == '/') || at == 1 || c == '=' || c == '/' && isLetterByte(f.text[at-2]) || c == ',' && (!isAlnumDigit(f.text[at-2]) || f.text[at] == '0' && f.tokens[i].len() > 3) || c == '.' && isLetterByte(f.text[at-2])
	case ':':
		return at < 2 || !isAlnumDigit(f.text[at-2])
	}
	return true
}

func isLetterByte(c byte) bool { return isAlpha(c) || c >= 0x80 }

// readPhone takes in tokens as long as they may be of one number. A strict
// reading ends at spaces.
func (f *finder) readPhone(i int, strict bool) candidate {
	t := f.tokens[i]
	c := candidate{start: int(t.start), end: int(t.end), digits: t.len(), groups: []int{t.len()}, first: i, last: i}
	c.plus, c.paren = f.introduced(&c)
	for j := i + 1; j < len(f.tokens) && f.tokens[j].class == number && len(c.groups) < 8; j++ {
		sep := f.between(j - 1)
		if !c.takes(sep, strict) {
			break
		}
		for k := range len(sep) {
			c.seps[sep[k]&127] = true
		}
		c.paren = c.paren || strings.ContainsAny(sep, "()")
		c.groups = append(c.groups, f.tokens[j].len())
		c.digits += f.tokens[j].len()
		c.end, c.last = int(f.tokens[j].end), j
	}
	return c
}

// introduced takes in a plus and an opening parenthesis before the first digit.
func (f *finder) introduced(c *candidate) (plus, paren bool) {
	if c.start > 0 && f.text[c.start-1] == '(' {
		c.start--
		paren = true
	}
	if c.start > 0 && f.text[c.start-1] == '+' {
		c.start--
		plus = true
		if c.start > 0 && f.text[c.start-1] == '(' {
			c.start--
			paren = true
		}
	}
	return plus, paren
}

// balance gives back an opening parenthesis that is not closed.
func (f *finder) balance(c *candidate) {
	raw := f.text[c.start:c.end]
	if c.paren && !strings.Contains(raw, ")") {
		c.start += len(raw) - len(strings.TrimLeft(raw, "("))
		c.paren = strings.ContainsAny(f.text[c.start:c.end], "()")
	}
}

// takes reports whether a number goes on after sep.
func (c *candidate) takes(sep string, strict bool) bool {
	switch sep {
	case "-", ".", "/", "\u00a0", "\u2011", "\u2013":
		return true
	case " ", ") ", ")", " (", "(", ")-", "-(", ").", " - ", " / ", "\u202f":
		return !strict || sep[0] != ' '
	}
	return false
}

// endsPhone refuses what goes on in letters or decimals.
func (f *finder) endsPhone(end int) bool {
	rest := f.text[end:]
	if len(rest) < 2 {
		return true
	}
	switch rest[0] {
	case '-', '/', '_', '@', ':':
		return !isAlnumDigit(rest[1]) && rest[1] != '_'
	case ',':
		return !isAlnumDigit(rest[1]) || digitsBefore(f.text, end) >= longNumber
	case '.':
		return !isAlnumDigit(rest[1])
	case '%':
		return false
	}
	return true
}

// digitsBefore counts the digits that end at end.
func digitsBefore(s string, end int) (n int) {
	for n < end && isAlnumDigit(s[end-1-n]) {
		n++
	}
	return n
}

// extend takes in an extension: x12, ext. 12.
func (f *finder) extend(c *candidate) {
	rest := f.text[c.end:min(len(f.text), c.end+24)]
	s := strings.TrimLeft(rest, " ,;")
	for _, mark := range []string{"extension", "ext.", "ext", "x.", "x", "X", "Ext.", "#"} {
		after, ok := strings.CutPrefix(s, mark)
		if !ok {
			continue
		}
		after = strings.TrimLeft(after, " :")
		n := 0
		for n < len(after) && isAlnumDigit(after[n]) {
			n++
		}
		if n >= 1 && n <= 6 && (n == len(after) || !isAlnum(after[n])) {
			c.end += len(rest) - len(after) + n
			c.extension = true
			for c.last+1 < len(f.tokens) && int(f.tokens[c.last+1].start) < c.end {
				c.last++
			}
		}
		return
	}
}

// judge adds a candidate if it is a number, and says how sure that is.
func (f *finder) judge(c *candidate) {
	if f.looksElse(c) {
		return
	}
	raw := f.text[c.start:c.end]
	announced := f.topics(c.first, c.last)&aPhone != 0
	score, why, region := 0.0, "", ""
	switch {
	case c.plus || strings.HasPrefix(raw, "00") && len(c.groups) > 1 && c.digits >= 10:
		score, why, region = f.international(c, raw)
	case c.isNANP():
		score, why, region = 0.72, "the form of North American numbers", "US"
	default:
		if announced || !f.labelledElse(c) {
			score, why = f.national(c, raw)
		}
	}
	if announced && c.digits >= leastDigits && score < 0.85 {
		score, why = max(score, 0.75)+0.1, "what stands before it"
	}
	if score == 0 {
		return
	}
	typ := Phone
	if region == "US" {
		typ = PhoneUS
	}
	f.add(Match{Type: typ, Start: c.start, End: c.end, Score: score, Why: why})
}

// international judges a number with a country code.
func (f *finder) international(c *candidate, raw string) (float64, string, string) {
	if !c.plus {
		raw = "+" + strings.TrimPrefix(raw, "00")
	}
	if n, ok := f.parse(raw, "ZZ"); ok {
		region := ""
		if n.GetCountryCode() == 1 {
			region = "US"
		}
		switch {
		case phonenumbers.IsValidNumber(n):
			return 0.95, "a number of a country's plan", region
		case phonenumbers.IsPossibleNumber(n):
			return 0.65, "a country code, and as many digits as the country has", region
		}
	}
	if c.plus && c.digits >= 9 && len(c.groups) > 1 {
		return 0.55, "a plus and groups of digits", ""
	}
	return 0, "", ""
}

// isNANP reports whether the groups are those of North America: 3-3-4, with or
// without a 1 before them.
func (c *candidate) isNANP() bool {
	g := c.groups
	if len(g) == 4 && g[0] == 1 {
		g = g[1:]
	}
	if len(g) != 3 || g[0] != 3 || g[1] != 3 || g[2] != 4 {
		return false
	}
	if c.seps['.'] && c.seps['-'] && !c.paren {
		return false
	}
	return c.seps['-'] || c.seps['.'] || c.paren || c.extension || len(c.groups) == 4
}

// national judges a number without a country code: it must be one somewhere,
// and begin with the zero of an area code, or be grouped as that country does.
func (f *finder) national(c *candidate, raw string) (float64, string) {
	zero := c.zero(f.text)
	switch {
	case len(f.opts.Regions) > 0, f.bare:
	case len(c.groups) > 1 && c.digits >= 9 && (zero || c.paren || c.extension):
	default:
		return 0, ""
	}
	if f.bare && f.provenBefore(c) {
		return 0, ""
	}
	if score, why := f.inSomePlan(c, raw, zero); score > 0 {
		return score, why
	}
	if f.bare && c.digits >= 10 && !zero {
		if n, ok := f.parse("+"+raw, "ZZ"); ok && n.GetCountryCode() != 1 && phonenumbers.IsValidNumber(n) {
			return 0.72, "a country code without its plus"
		}
	}
	if len(c.groups) > 1 && c.digits >= 9 && (zero || c.paren) {
		return 0.55, "grouped as a number with an area code"
	}
	return 0, ""
}

// provenBefore reports whether a candidate is surely something else: looking for a country
// of which it is a number would be in vain.
func (f *finder) provenBefore(c *candidate) bool {
	for _, m := range f.found {
		if m.Score > bareNumber && m.Start <= c.start && c.end <= m.End {
			return true
		}
	}
	return false
}

// inSomePlan looks for a country that has the number.
func (f *finder) inSomePlan(c *candidate, raw string, zero bool) (float64, string) {
	regions, hinted := f.opts.Regions, len(f.opts.Regions) > 0
	switch {
	case f.bare && !hinted:
		regions = allRegions()
	case !hinted:
		regions = usualRegions
	}
	best, why := 0.0, "a number of a country's plan"
	most := c.mostInPlan(zero, f.bare)
	for _, region := range regions {
		if best == most {
			break
		}
		n, ok := f.parseIn(c, raw, region)
		if !ok || !phonenumbers.IsValidNumberForRegion(n, region) {
			continue
		}
		switch {
		case len(c.groups) > 1 && c.groupedLike(phonenumbers.Format(n, phonenumbers.NATIONAL)):
			return 0.8, "a number of a country's plan, grouped as there"
		case len(c.groups) > 1 && zero:
			best = max(best, 0.7)
		case len(c.groups) > 1:
			best = max(best, 0.45)
		case zero && f.bare:
			best = max(best, bareNumber)
		case f.bare || hinted && c.digits >= 9:
			best = max(best, 0.52)
		}
	}
	return best, why
}

// mostInPlan is the score at which no other country could make it more.
func (c *candidate) mostInPlan(zero, bare bool) float64 {
	switch {
	case len(c.groups) > 1:
		return 1
	case zero && bare:
		return bareNumber
	}
	return 0.52
}

// bareNumber is the score of what is a number in some country and nothing else is known of.
const bareNumber = 0.81

// groupedLike reports whether the groups are those of a formatted number, the
// zero of an area code aside.
func (c *candidate) groupedLike(formatted string) bool {
	var groups []int
	for _, part := range strings.FieldsFunc(formatted, func(r rune) bool { return r < '0' || r > '9' }) {
		groups = append(groups, len(part))
	}
	if len(groups) != len(c.groups) || len(groups) < 2 {
		return false
	}
	if d := groups[0] - c.groups[0]; d < 0 || d > 1 {
		return false
	}
	return slices.Equal(groups[1:], c.groups[1:])
}

// zero reports whether the number begins with the zero of an area code.
func (c *candidate) zero(text string) bool {
	s := strings.TrimLeft(text[c.start:c.end], "(")
	return strings.HasPrefix(s, "0") && !strings.HasPrefix(s, "00")
}

// parseIn reads a number as one of a region. Reading is what the library takes longest
// for, and where a zero and nothing else stands before area codes, there is only that to
// take off.
func (f *finder) parseIn(c *candidate, raw, region string) (*phonenumbers.PhoneNumber, bool) {
	trunk := trunks()[region]
	digits := strings.Map(digitsOnly, raw)
	if trunk.code == 0 || c.extension || len(digits) < 2 || digits[0] != '0' || digits[1] == '0' {
		return f.parse(raw, region)
	}
	if f.parsed++; f.parsed > maxParsed || trunk.none {
		return nil, false
	}
	national, err := strconv.ParseUint(digits[1:], 10, 64)
	return &phonenumbers.PhoneNumber{CountryCode: &trunk.code, NationalNumber: &national}, err == nil
}

// trunk is how a region writes numbers for itself.
type trunk struct {
	code int32 // of the country; 0 if that takes more than this to say
	none bool  // whether no number begins with a zero; else one is before all others
}

// trunks are of the usual regions, by what the library knows.
var trunks = sync.OnceValue(func() map[string]trunk {
	of := map[string]trunk{}
	plans, err := phonenumbers.MetadataCollection()
	if err != nil {
		return of // then all are read by the library
	}
	for _, plan := range plans.GetMetadata() {
		prefix, region := plan.GetNationalPrefixForParsing(), plan.GetId()
		leading := strings.HasPrefix(plan.GetGeneralDesc().GetNationalNumberPattern(), "0") || plan.GetNationalPrefixTransformRule() != ""
		if slices.Contains(usualRegions, region) && !leading && (prefix == "0" || !strings.ContainsAny(prefix, "0(|")) {
			of[region] = trunk{plan.GetCountryCode(), prefix != "0"}
		}
	}
	return of
})

func (f *finder) parse(raw, region string) (*phonenumbers.PhoneNumber, bool) {
	if f.parsed++; f.parsed > maxParsed {
		return nil, false
	}
	n, err := phonenumbers.Parse(raw, region)
	return n, err == nil
}

func allRegions() []string {
	all := phonenumbers.GetSupportedRegions()
	regions := make([]string, 0, len(all))
	for r := range all {
		regions = append(regions, r)
	}
	return regions
}
