package pii

// usKinds are numbers of the United States.
var usKinds = []kind{
	{typ: SSN, shapes: "999-99-9999|999 99 9999|999.99.9999", valid: ssn, topics: aSSN | aTax, near: 0.97, alone: 0.85},
	{typ: SSN, shapes: "999999999", valid: ssn, topics: aSSN, near: 0.85},
	{typ: "us_itin", shapes: "999-99-9999|999 99 9999", valid: itin, topics: anITIN | aTax | aSSN, near: 0.95, alone: 0.8},
	{typ: "us_itin", shapes: "999999999", valid: itin, topics: anITIN, near: 0.85},
	{typ: "us_ein", shapes: "99-9999999", valid: ein, topics: anEIN | aTax, near: 0.85, bare: 0.62},
	{typ: "us_npi", shapes: "9999999999|9999-999-999|9999 999 999", valid: npi, topics: anNPI, near: 0.9, bare: 0.6},
	{typ: "us_mbi", shapes: "9A*9A*9AA99|9A*9-A*9-AA99", valid: mbi, topics: aMedicare | aHealth, near: 0.95, alone: 0.7},
	{typ: "us_routing", shapes: "999999999", valid: aba, topics: aRouting, near: 0.9},
	{typ: Passport, shapes: "A99999999|999999999", topics: aPassport, near: 0.7},
	// What passports of many countries look like.
	{typ: Passport, shapes: "A999999|A9999999|A99999999|AA999999|AA9999999|AA99999|99AA99999", topics: aPassport, near: 0.8, bare: 0.52},
}

// ssn knows the areas that were never given out, and the number that was
// printed on a wallet.
func ssn(s string) bool {
	area := mod(s[:3], 1000)
	return area != 0 && area != 666 && area < 900 && s[3:5] != "00" && s[5:] != "0000" && s != "078051120" && s != "123456789"
}

func itin(s string) bool {
	group := two(s, 3)
	return s[0] == '9' && (group >= 50 && group <= 65 || group >= 70 && group <= 88 || group >= 90 && group != 93)
}

func ein(s string) bool {
	switch two(s, 0) {
	case 0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97:
		return false
	}
	return !same(s)
}

func npi(s string) bool { return (s[0] == '1' || s[0] == '2') && luhn("80840"+s) && !same(s[1:]) }

// mbi is the number on a Medicare card, which has no check, but letters that it
// leaves out.
func mbi(s string) bool {
	if s[0] == '0' {
		return false
	}
	for i := range len(s) {
		switch s[i] {
		case 'S', 'L', 'O', 'I', 'B', 'Z':
			return false
		}
	}
	return true
}

func aba(s string) bool {
	first := two(s, 0)
	known := first <= 12 || first >= 21 && first <= 32 || first >= 61 && first <= 72 || first == 80
	return known && weighted(s, 3, 7, 1, 3, 7, 1, 3, 7, 1)%10 == 0 && !same(s)
}
