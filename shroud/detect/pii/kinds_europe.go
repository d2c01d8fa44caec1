package pii

import "strings"

// europeanKinds are numbers that several countries of Europe write alike, and some that
// the tables of countries lack.
var europeanKinds = []kind{
	{
		typ: "eu_vat", shapes: "AA99999999|AA999999999|AA9999999999|AA99999999999|AA999999999999|AAA99999999|AA999999999A99|AAA9999999A|AAA99999999|AA9999999A|AA99999999A|AA9999999AA|" +
			"AA 99999999|AA 999999999|AA 9999999999|AA 99999999999|AA 999 999 999|AA 999 9999 99|AA 9999 999 999|AA 99 999999999|AA-999999999",
		valid: euVAT, topics: aVAT | aTax, near: 0.9,
	},
	{typ: "uk_sort_code", shapes: "99-99-99", topics: aSortCode, near: 0.85},
	{typ: "br_rg", shapes: "99.999.999-*|9.999.999-*", topics: anIdentity, near: 0.85},
	{typ: Plate, shapes: "A-AA 999|A-AA 9999|A-A 999|A-A 9999|AA-AA 99|AA-AA 999|AA-AA 9999|AA-A 999|AA-A 9999|AAA-AA 999|AAA-AA 99|AAA-A 999|A AA 9999|AA AA 999", topics: aPlate, near: 0.85},
	{typ: Plate, shapes: "AA-999-AA|AA 999 AA|AA999AA|9999 AAA|9999AAA|99-AAA-9|9-AAA-99|99-99-AA|AA-99-99|AA 99999|AAA 99999|A999AA99|A999AA999", topics: aPlate, near: 0.8},
}

// euVAT has the mark of a member, and the check of those whose checks are simple.
func euVAT(s string) bool {
	switch number := s[2:]; s[:2] {
	case "DE":
		return len(number) == 9 && mod1110(number)
	case "IT":
		return len(number) == 11 && partitaIVA(number)
	case "BE":
		return len(number) == 10 && 97-mod(number[:8], 97) == two(number, 8)
	case "LU":
		return len(number) == 8 && mod(number[:6], 89) == two(number, 6)
	default:
		return strings.Contains("AT BG CY CZ DK EE EL ES FI FR GB HR HU IE LT LV MT NL NO PL PT RO SE SI SK XI CHE", s[:2])
	}
}
