package pii

import "strings"

// ukKinds are numbers of the United Kingdom and of Ireland.
var ukKinds = []kind{
	{
		typ: "uk_nino", shapes: "AA999999A|AA 99 99 99 A|AA 999999A|AA 999999 A|AA-99-99-99-A|AA999999 A",
		valid: nino, topics: aNINO | aSSN | anIdentity, near: 0.95, alone: 0.85,
	},
	{
		typ: "uk_nhs", shapes: "9999999999|999 999 9999|999-999-9999",
		valid: nhs, topics: anNHS | aHealth, near: 0.93, bare: 0.74,
	},
	{typ: "uk_utr", shapes: "9999999999|99999 99999", valid: utr, topics: aTax, near: 0.7},
	{typ: Licence, shapes: "*****9999999**AA|*****999999***AA|*****999999A9*AA", valid: ukLicence, topics: aLicence, near: 0.97, alone: 0.9},
	{
		typ: Plate, shapes: "AA99AAA|AA99 AAA|AA99-AAA|A9AAA|A99AAA|A999AAA|A9 AAA|A99 AAA|A999 AAA|AAA9A|AAA99A|AAA999A|AAA 9A|AAA 99A|AAA 999A",
		valid: ukPlate, topics: aPlate, near: 0.85, bare: 0.7,
	},
	{typ: "ie_pps", shapes: "9999999A|9999999AA", valid: pps, topics: anIdentity | aSSN | aTax, near: 0.85, bare: 0.75},
}

func nino(s string) bool {
	if strings.IndexByte("DFIQUV", s[0]) >= 0 || strings.IndexByte("DFIOQUV", s[1]) >= 0 || s[8] > 'D' {
		return false
	}
	switch s[:2] {
	case "BG", "GB", "KN", "NK", "NT", "TN", "ZZ":
		return false
	}
	return true
}

func nhs(s string) bool {
	sum := weighted(s, 10, 9, 8, 7, 6, 5, 4, 3, 2)
	return sum >= 0 && (11-sum%11)%11 == digit(s, 9) && !same(s)
}

func utr(s string) bool {
	sum := weighted(s[1:], 6, 7, 8, 9, 10, 5, 4, 3, 2)
	return sum >= 0 && "21987654321"[sum%11] == s[0] && !same(s)
}

// ukLicence is five letters of a surname, filled with nines, then the date of
// birth with five added to the month of women, two initials, and three more.
func ukLicence(s string) bool {
	if len(s) != 16 || isAlnumDigit(s[0]) {
		return false
	}
	filled := false
	for i := range 5 {
		if filled = filled || s[i] == '9'; filled && s[i] != '9' || isAlnumDigit(s[i]) && s[i] != '9' {
			return false
		}
	}
	month := two(s, 6)
	if month > 50 {
		month -= 50
	}
	return monthDay(month, two(s, 8)) && initial(s[11]) && initial(s[12])
}

func isAlnumDigit(c byte) bool { return c >= '0' && c <= '9' }

func initial(c byte) bool { return c == '9' || !isAlnumDigit(c) }

// ukPlate leaves out the letters that plates leave out.
func ukPlate(s string) bool {
	if len(s) == 7 && isAlpha(s[1]) && !isAlpha(s[2]) && !isAlpha(s[3]) {
		year := two(s, 2)
		return s[0] != 'I' && s[0] != 'Q' && s[0] != 'Z' && s[1] != 'I' && s[1] != 'Q' && s[1] != 'Z' && !strings.ContainsAny(s[4:], "IQ") &&
			(year >= 2 && year <= 29 || year >= 51 && year <= 79)
	}
	return !strings.ContainsAny(s[:1], "IQZO") && !strings.ContainsAny(s[len(s)-1:], "IQZO")
}

func pps(s string) bool {
	sum := weighted(s, 8, 7, 6, 5, 4, 3, 2)
	if sum < 0 {
		return false
	}
	if len(s) == 9 && s[8] != 'W' {
		sum += int(s[8]-'A'+1) * 9
	}
	return "WABCDEFGHIJKLMNOPQRSTUV"[sum%23] == s[7]
}
