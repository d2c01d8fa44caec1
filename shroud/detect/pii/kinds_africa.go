package pii

// africanKinds are numbers of Africa.
var africanKinds = []kind{
	{typ: "za_id", shapes: "9999999999999|999999 9999 99 9|999999 9999 999", valid: zaID, topics: anIdentity, near: 0.96, alone: 0.6, bare: 0.85},
	{typ: "eg_id", shapes: "99999999999999", valid: egID, topics: anIdentity, near: 0.93, bare: 0.6},
	{typ: Plate, shapes: "AAA-999AA|AAA 999AA|AAA999AA|AAA-999-AA", topics: aPlate, near: 0.9, bare: 0.75},
	{typ: "ng_nin", shapes: "99999999999", topics: aNIN, near: 0.75},
}

func zaID(s string) bool {
	return monthDay(two(s, 2), two(s, 4)) && (s[10] == '0' || s[10] == '1') && luhn(s)
}

func egID(s string) bool {
	return (s[0] == '2' || s[0] == '3') && monthDay(two(s, 3), two(s, 5)) && two(s, 7) >= 1
}
