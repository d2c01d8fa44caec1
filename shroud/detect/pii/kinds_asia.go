package pii

import "strings"

// asianKinds are numbers of Asia and the Middle East.
var asianKinds = []kind{
	{typ: "in_aadhaar", shapes: "9999 9999 9999|9999-9999-9999|9999:9999:9999", valid: aadhaar, topics: anAadhaar | anIdentity, near: 0.96, alone: 0.75},
	{typ: "in_aadhaar", shapes: "999999999999", valid: aadhaar, topics: anAadhaar | anIdentity, near: 0.93, bare: 0.72},
	{typ: "in_pan", shapes: "AAAAA9999A", valid: pan, topics: aPAN | aTax, near: 0.96, alone: 0.75},
	{typ: "in_gstin", shapes: "99AAAAA9999A*A*", valid: gstin, topics: aTax | aVAT, near: 0.96, alone: 0.92},
	{typ: "in_voter_id", shapes: "AAA9999999", topics: anIdentity, near: 0.75},
	{typ: Plate, shapes: "AA99AA9999|AA99A9999|AA9AA9999|AA9AAA9999|AA-99-AA-9999|AA 99 AA 9999|AA 99 A 9999", valid: inPlate, topics: aPlate, near: 0.9, alone: 0.6, bare: 0.75},
	{typ: "cn_id", shapes: "999999999999999999|99999999999999999A", valid: residentID, topics: anIdentity, near: 0.97, alone: 0.88},
	{typ: "hk_id", shapes: "A999999(9)|AA999999(9)", valid: hkid, topics: anIdentity, near: 0.95, alone: 0.6, bare: 0.7},
	{typ: "hk_id", shapes: "A999999*", valid: hkid, topics: anIdentity, near: 0.95, bare: 0.7},
	{typ: "tw_id", shapes: "A999999999", valid: twID, topics: anIdentity, near: 0.95, alone: 0.55, bare: 0.75},
	{typ: "jp_my_number", shapes: "999999999999|9999 9999 9999|9999-9999-9999", valid: myNumber, topics: aMyNumber | anIdentity, near: 0.95, bare: 0.55},
	{typ: "kr_rrn", shapes: "999999-9999999", valid: rrn, topics: anRRN | anIdentity, near: 0.96, alone: 0.82},
	{typ: "kr_rrn", shapes: "9999999999999", valid: rrnChecked, topics: anRRN | anIdentity, near: 0.9, bare: 0.6},
	{typ: Licence, shapes: "99-99-999999-99|99 99 999999 99", valid: krLicence, topics: aLicence, near: 0.95, alone: 0.75},
	{typ: Licence, shapes: "999999999999", valid: krLicence, topics: aLicence, near: 0.8, bare: 0.52},
	{typ: "sg_nric", shapes: "A9999999A", valid: nric, topics: anNRIC | anIdentity, near: 0.97, alone: 0.82},
	{typ: "my_nric", shapes: "999999-99-9999", valid: func(s string) bool { return monthDay(two(s, 2), two(s, 4)) }, topics: anIdentity, near: 0.93, alone: 0.75},
	{typ: "th_id", shapes: "9-9999-99999-99-9|9 9999 99999 99 9", valid: thID, topics: anIdentity, near: 0.97, alone: 0.88},
	{typ: "th_id", shapes: "9999999999999", valid: thID, topics: anIdentity, near: 0.9, bare: 0.55},
	{typ: "id_nik", shapes: "9999999999999999", valid: nik, topics: anIdentity, near: 0.85, bare: 0.55},
	{typ: "pk_cnic", shapes: "99999-9999999-9", topics: anIdentity, near: 0.95, alone: 0.75},
	{typ: "lk_nic", shapes: "999999999A", valid: func(s string) bool { return s[9] == 'V' || s[9] == 'X' }, topics: anIdentity, near: 0.93, alone: 0.6},
	{typ: "ae_emirates_id", shapes: "999-9999-9999999-9|999999999999999", valid: func(s string) bool { return s[:3] == "784" && luhn(s) }, topics: anIdentity, near: 0.96, alone: 0.8},
	{typ: "sa_id", shapes: "9999999999", valid: func(s string) bool { return (s[0] == '1' || s[0] == '2') && luhn(s) }, topics: anIdentity, near: 0.85, bare: 0.55},
	{typ: "il_id", shapes: "999999999|99999999-9", valid: func(s string) bool { return luhn(s) && !same(s) }, topics: anIdentity, near: 0.8, bare: 0.52},
	{typ: "ir_id", shapes: "9999999999", valid: irID, topics: anIdentity, near: 0.85, bare: 0.55},
}

func aadhaar(s string) bool {
	return s[0] >= '2' && verhoeff(s) && !same(s)
}

func pan(s string) bool { return strings.IndexByte("ABCEFGHJLPTK", s[3]) >= 0 }

// gstin is a state, a PAN, an entity, Z, and a check in base 36.
func gstin(s string) bool {
	state := two(s, 0)
	if state < 1 || state > 38 && state != 97 || s[13] != 'Z' {
		return false
	}
	sum := 0
	for i := range 14 {
		p := base36(s[i]) * (1 + i%2)
		sum += p/36 + p%36
	}
	return (36-sum%36)%36 == base36(s[14])
}

const inStates = "AN AP AR AS BR CG CH DD DL DN GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD OR PB PY RJ SK TG TN TR TS UK UP WB"

func inPlate(s string) bool { return strings.Contains(inStates, s[:2]) }

func residentID(s string) bool {
	if year := mod(s[6:10], 10000); year < 1900 || year > 2100 || !monthDay(two(s, 10), two(s, 12)) {
		return false
	}
	sum := weighted(s, 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
	return "10X98765432"[sum%11] == s[17]
}

func hkid(s string) bool {
	if len(s) == 8 {
		s = " " + s
	}
	sum := 0
	for i := range 9 {
		v := 36
		if s[i] != ' ' {
			v = base36(s[i])
		}
		sum += v * (9 - i)
	}
	if s[8] == 'A' {
		return sum%11 == 0
	}
	return sum%11 == 0 && isAlnumDigit(s[8])
}

func twID(s string) bool {
	n := strings.IndexByte("ABCDEFGHJKLMNPQRSTUVXYWZIO", s[0]) + 10
	sum := n/10 + n%10*9 + weighted(s[1:], 8, 7, 6, 5, 4, 3, 2, 1, 1)
	return (s[1] == '1' || s[1] == '2' || s[1] == '8' || s[1] == '9') && sum%10 == 0
}

func myNumber(s string) bool {
	left := weighted(s, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2) % 11
	check := 0
	if left > 1 {
		check = 11 - left
	}
	return check == digit(s, 11) && !same(s)
}

// rrn is Korea's. Those given since October 2020 have no check.
func rrn(s string) bool { return monthDay(two(s, 2), two(s, 4)) && s[6] != '0' && s[6] != '9' }

func rrnChecked(s string) bool {
	sum := weighted(s, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
	return rrn(s) && (11-sum%11)%10 == digit(s, 12)
}

func krLicence(s string) bool { r := two(s, 0); return r >= 11 && r <= 28 }

func nric(s string) bool {
	sum := weighted(s[1:], 2, 7, 6, 5, 4, 3, 2)
	switch s[0] {
	case 'S':
		return "JZIHGFEDCBA"[sum%11] == s[8]
	case 'T':
		return "JZIHGFEDCBA"[(sum+4)%11] == s[8]
	case 'F':
		return "XWUTRQPNMLK"[sum%11] == s[8]
	case 'G':
		return "XWUTRQPNMLK"[(sum+4)%11] == s[8]
	case 'M':
		return "KLJNPQRTUWX"[10-(sum+3)%11] == s[8]
	}
	return false
}

func thID(s string) bool {
	sum := weighted(s, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)
	return s[0] != '0' && (11-sum%11)%10 == digit(s, 12)
}

// nik holds the day of birth, with 40 added for women.
func nik(s string) bool {
	return s[0] != '0' && monthDay(two(s, 8), two(s, 6)%40) && s[12:] != "0000"
}

func irID(s string) bool {
	left := weighted(s, 10, 9, 8, 7, 6, 5, 4, 3, 2) % 11
	check := left
	if left >= 2 {
		check = 11 - left
	}
	return check == digit(s, 9) && !same(s)
}
