package pii

import "strings"

// germanKinds are numbers of Germany, Austria and Switzerland.
var germanKinds = []kind{
	{
		typ: "de_tax_id", shapes: "99999999999|99 999 999 999|99/999/999/999",
		valid: steuerID, topics: aSteuerID | aTax, near: 0.93, bare: 0.8,
	},
	{typ: "de_tax_id", shapes: "99 999 999 999", valid: steuerID, alone: 0.65},
	{typ: "de_tax_number", shapes: "99/999/99999|999/999/99999|999/9999/9999|9999999999999", topics: aSteuerID | aTax, near: 0.8},
	{typ: "de_health_insurance", shapes: "A999999999", valid: kvnr, topics: aHealth | anAHV, near: 0.95, alone: 0.55, bare: 0.8},
	{typ: "de_pension", shapes: "99999999A999|99 999999 A 999", valid: rentenversicherung, topics: anAHV | anIdentity, near: 0.9, alone: 0.75},
	{typ: Passport, shapes: "A********|A*********", valid: dePassport, topics: aPassport | anIdentity, near: 0.93, bare: 0.75},
	{typ: "de_bsnr", shapes: "999999999", valid: func(s string) bool { return !same(s) && two(s, 0) <= 99 }, topics: aBSNR, near: 0.85},
	{typ: "at_svnr", shapes: "9999999999|9999 999999", valid: svnr, topics: anAHV | anIdentity | aSSN, near: 0.9, bare: 0.6},
	{typ: "at_tax_id", shapes: "999999999|99-999/9999", valid: luhn, topics: aSteuerID | aTax, near: 0.7},
	{typ: "ch_ahv", shapes: "999.9999.9999.99|9999999999999", valid: ahv, topics: anAHV | anIdentity, near: 0.97, alone: 0.8},
	{typ: "ch_uid", shapes: "AAA-999.999.999|AAA999999999", valid: chUID, near: 0.9, alone: 0.8, topics: aVAT | aTax},
}

// steuerID has its check, begins with no zero, and among its first ten digits
// exactly one comes twice or three times.
func steuerID(s string) bool {
	if s[0] == '0' || !mod1110(s) {
		return false
	}
	var count [10]int
	for i := range 10 {
		count[s[i]-'0']++
	}
	twice, thrice := 0, 0
	for _, n := range count {
		switch {
		case n == 2:
			twice++
		case n == 3:
			thrice++
		case n > 3:
			return false
		}
	}
	return twice+thrice == 1
}

// kvnr is a German health insurance number: the letter counts as two digits,
// and digits are doubled in turn.
func kvnr(s string) bool {
	n := int(s[0]-'A') + 1
	all := []int{n / 10, n % 10}
	for i := 1; i < 9; i++ {
		all = append(all, digit(s, i))
	}
	sum := 0
	for i, d := range all {
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum%10 == digit(s, 9)
}

func rentenversicherung(s string) bool {
	n := int(s[8]-'A') + 1
	flat := s[:8] + string(rune('0'+n/10)) + string(rune('0'+n%10)) + s[9:11]
	sum := 0
	for i, w := range []int{2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1} {
		d := digit(flat, i) * w
		sum += d/10 + d%10
	}
	day := two(s, 2)
	return sum%10 == digit(s, 11) && day >= 1 && two(s, 4) >= 1 && two(s, 4) <= 12
}

// dePassport is the serial number of a German passport or identity card:
// letters that are no vowels, and a check of weights 7, 3, 1.
func dePassport(s string) bool {
	if strings.IndexByte("CFGHJKLMNPRTVWXYZ", s[0]) < 0 {
		return false
	}
	digits := 0
	for i := range len(s) {
		if strings.IndexByte("ABDEIOQSU", s[i]) >= 0 {
			return false
		}
		if isAlnumDigit(s[i]) {
			digits++
		}
	}
	if digits < 4 {
		return false
	}
	last := len(s) - 1
	return icao(s[:last]) == digit(s, last)
}

// icao is the check of machine-readable travel documents.
func icao(s string) int {
	sum := 0
	for i := range len(s) {
		sum += base36(s[i]) * [...]int{7, 3, 1}[i%3]
	}
	return sum % 10
}

func svnr(s string) bool {
	sum := weighted(s[:3], 3, 7, 9) + weighted(s[4:], 5, 8, 4, 2, 1, 6)
	return s[0] != '0' && sum%11 == digit(s, 3) && two(s, 6) >= 1 && two(s, 6) <= 12 && two(s, 4) >= 1 && two(s, 4) <= 31
}

// ahv is an EAN-13 that begins with Switzerland's country code.
func ahv(s string) bool {
	sum := weighted(s, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1)
	return len(s) == 13 && s[:3] == "756" && sum%10 == 0
}

func chUID(s string) bool {
	sum := weighted(s[3:], 5, 4, 3, 2, 7, 6, 5, 4)
	return s[:3] == "CHE" && (11-sum%11)%11 == digit(s, 11)
}
