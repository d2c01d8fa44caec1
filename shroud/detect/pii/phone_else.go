package pii

import "strings"

// looksElse knows what else is written in groups of digits: dates, times,
// ranges, versions, addresses of networks.
func (f *finder) looksElse(c *candidate) bool {
	g := c.groups
	raw := f.text[c.start:c.end]
	if same(strings.Map(digitsOnly, raw)) {
		return true
	}
	for _, n := range g {
		if n > 12 {
			return true
		}
	}
	if c.plus { // not an exponent, nor the end of a version, nor a difference: no country's code begins with a zero
		return strings.HasPrefix(strings.TrimLeft(raw, "(+"), "0") || c.start > 0 && f.text[c.start] == '+' && isAlnum(f.text[c.start-1])
	}
	if len(g) == 2 && g[0] == 4 && g[1] == 4 && years(raw[:4]) && years(raw[len(raw)-4:]) { // 1990-2000
		return true
	}
	if f.isZIP(c) || f.inDump(c) {
		return true
	}
	if c.holdsDate(strings.Map(digitsOnly, raw)) {
		return true
	}
	if c.seps['.'] && len(g) == 4 && g[0] <= 3 && g[1] <= 3 && g[2] <= 3 && g[3] <= 3 && c.digits <= 12 {
		return true // 10.0.0.1
	}
	return c.seps['.'] && len(g) == 2
}

// isZIP reports whether a candidate is a code of nine digits behind a state of the US.
func (f *finder) isZIP(c *candidate) bool {
	return len(c.groups) == 2 && c.groups[0] == 5 && c.groups[1] == 4 && c.seps['-'] && c.first > 0 &&
		f.tokens[c.first-1].class == word && f.tokens[c.first-1].len() == 2 && f.tokens[c.first-1].shout
}

// inDump reports whether a candidate is of bytes in hexadecimal, with more of them
// beside it.
func (f *finder) inDump(c *candidate) bool {
	for _, n := range c.groups {
		if n != 2 {
			return false
		}
	}
	octets := 0
	for i := c.first - 1; i >= 0 && octets < 3 && f.between(i) == " " && f.isOctet(i); i-- {
		octets++
	}
	for i := c.last + 1; i < len(f.tokens) && octets < 3 && f.between(i-1) == " " && f.isOctet(i); i++ {
		octets++
	}
	return octets >= 2
}

func (f *finder) isOctet(i int) bool {
	s := f.str(i)
	return len(s) == 2 && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

func digitsOnly(r rune) rune {
	if r >= '0' && r <= '9' {
		return r
	}
	return -1
}

// holdsDate reports whether three groups are a year, a month and a day, as in
// 2012-10-01 and 01.10.2012.
func (c *candidate) holdsDate(digits string) bool {
	at := 0
	for i, n := range c.groups {
		if i+2 < len(c.groups) {
			b, d := c.groups[i+1], c.groups[i+2]
			if n == 4 && b <= 2 && d <= 2 && years(digits[at:]) && two(digits, at+4) <= 12 {
				return true
			}
			if n <= 2 && b <= 2 && d == 4 && years(digits[at+n+b:]) {
				return true
			}
		}
		at += n
	}
	return false
}

func years(s string) bool { return s[:2] == "19" || s[:2] == "20" }

// otherNumbers are the topics of numbers with a name of their own, a country's or a thing's.
const otherNumbers = aSSN | anITIN | anEIN | aNINO | anNHS | aSteuerID | aDNI | anNIF | aBSN | aPESEL | aNIP | aPersonnummer | anAHV | aTCKN | anINN |
	aSNILS | anAadhaar | aTFN | anABN | anIRD | aCPF | aCNPJ | aCUIT | aCURP | anSIN | aSIREN | aVAT | anOrder

// labelledElse reports whether the word before a candidate, or the one before "number", says
// that it is another number: one with a wrong check digit is no phone.
func (f *finder) labelledElse(c *candidate) bool {
	i := c.first - 1
	if i >= 0 && (f.wordIs(i, "number") || f.wordIs(i, "no") || f.wordIs(i, "nr")) {
		i--
	}
	if i < 0 || c.start-int(f.tokens[i].end) > 12 || strings.IndexByte(f.text[f.tokens[i].end:c.start], '\n') >= 0 {
		return false
	}
	return f.tokens[i].topics&otherNumbers != 0 && f.tokens[i].topics&aPhone == 0
}
