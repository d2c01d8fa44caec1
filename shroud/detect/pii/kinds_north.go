package pii

import "strings"

// northKinds are numbers of the Nordic and Baltic countries.
var northKinds = []kind{
	{typ: "se_personnummer", shapes: "999999-9999|999999+9999|99999999-9999|99999999+9999", valid: personnummer, topics: aPersonnummer | anIdentity, near: 0.97, alone: 0.82},
	{typ: "se_personnummer", shapes: "999999999999|9999999999", valid: personnummer, topics: aPersonnummer | anIdentity, near: 0.93, bare: 0.78},
	{typ: "fi_hetu", shapes: "999999-999*|999999+999*|999999A999*", valid: hetu, topics: aPersonnummer | anIdentity, near: 0.97, alone: 0.85},
	{typ: "dk_cpr", shapes: "999999-9999", valid: dayFirst, topics: aCPR | anIdentity | aPersonnummer, near: 0.9, alone: 0.5},
	{typ: "dk_cpr", shapes: "9999999999|999999 9999", valid: dayFirst, topics: aCPR, near: 0.85},
	{typ: "no_fnr", shapes: "99999999999|999999 99999", valid: fodselsnummer, topics: aPersonnummer | anIdentity, near: 0.96, bare: 0.85, alone: 0.55},
	{typ: "is_kennitala", shapes: "999999-9999|9999999999", valid: kennitala, topics: aPersonnummer | anIdentity, near: 0.92, bare: 0.6},
	{typ: "lv_pk", shapes: "999999-99999", valid: func(s string) bool { return s[:2] == "32" || monthDay(two(s, 2), two(s, 0)) }, topics: anIdentity, near: 0.9, alone: 0.55},
	{typ: "ee_isikukood", shapes: "99999999999", valid: isikukood, topics: anIdentity | aPersonnummer, near: 0.93, bare: 0.7},
}

// personnummer is Sweden's: a date, of which the day may have 60 added, and
// Luhn over the last ten digits.
func personnummer(s string) bool {
	if len(s) == 12 {
		if c := s[:2]; c != "18" && c != "19" && c != "20" {
			return false
		}
		s = s[2:]
	}
	day := two(s, 4)
	if day > 60 {
		day -= 60
	}
	return monthDay(two(s, 2), day) && luhn(s)
}

// hetu is Finland's. The sign in the middle is left out of what it gets, unless
// it is a letter.
func hetu(s string) bool {
	flat := s[:6] + s[len(s)-4:len(s)-1]
	left := mod(flat, 31)
	if len(s) == 11 && strings.IndexByte("ABCDEFYXWVU", s[6]) < 0 {
		return false
	}
	return left >= 0 && monthDay(two(s, 2), two(s, 0)) && "0123456789ABCDEFHJKLMNPRSTUVWXY"[left] == s[len(s)-1]
}

func dayFirst(s string) bool { return monthDay(two(s, 2), two(s, 0)) }

// fodselsnummer is Norway's, with two checks. Days may have 40 added, months 40
// or 80.
func fodselsnummer(s string) bool {
	a := weighted(s, 3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
	b := weighted(s, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
	return a%11 == 0 && b%11 == 0 && monthDay(two(s, 2)%40, two(s, 0)%40)
}

func kennitala(s string) bool {
	sum := weighted(s, 3, 2, 7, 6, 5, 4, 3, 2, 1)
	return sum%11 == 0 && monthDay(two(s, 2), two(s, 0)%40) && (s[9] == '9' || s[9] == '0')
}

// isikukood is Estonia's and Lithuania's.
func isikukood(s string) bool {
	if s[0] < '1' || s[0] > '6' || !monthDay(two(s, 3), two(s, 5)) {
		return false
	}
	check := weighted(s, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1) % 11
	if check == 10 {
		check = weighted(s, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3) % 11 % 10
	}
	return check == digit(s, 10)
}
