package pii

// pacificKinds are numbers of Australia and New Zealand.
var pacificKinds = []kind{
	{typ: "au_tfn", shapes: "999999999|999 999 999|999-999-999", valid: tfn, topics: aTFN | aTax, near: 0.93, bare: 0.7},
	{typ: "au_abn", shapes: "99 999 999 999|99999999999", valid: abn, topics: anABN | aTax, near: 0.96, bare: 0.8},
	{typ: "au_abn", shapes: "99 999 999 999", valid: abn, alone: 0.75},
	{typ: "au_acn", shapes: "999 999 999|999999999", valid: acn, topics: anABN | anACN, near: 0.93, bare: 0.65},
	{typ: "au_medicare", shapes: "9999 99999 9|9999999999|9999 99999 9/9|9999-99999-9", valid: medicare, topics: aMedicare | aHealth, near: 0.95, bare: 0.72},
	{typ: "au_medicare", shapes: "9999 99999 9", valid: medicare, alone: 0.7},
	{typ: "nz_ird", shapes: "99-999-999|999-999-999|99999999|999999999", valid: ird, topics: anIRD | aTax, near: 0.9, bare: 0.52},
}

func tfn(s string) bool {
	return weighted(s, 1, 4, 3, 7, 5, 8, 6, 9, 10)%11 == 0 && !same(s)
}

func abn(s string) bool {
	sum := weighted(s, 10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19) - 10
	return s[0] != '0' && sum%89 == 0
}

func acn(s string) bool {
	return (10-weighted(s, 8, 7, 6, 5, 4, 3, 2, 1)%10)%10 == digit(s, 8) && !same(s)
}

func medicare(s string) bool {
	return s[0] >= '2' && s[0] <= '6' && weighted(s, 1, 3, 7, 9, 1, 3, 7, 9)%10 == digit(s, 8)
}

func ird(s string) bool {
	if len(s) == 8 {
		s = "0" + s
	}
	if n := mod(s, 1_000_000_000); n < 10_000_000 || n > 150_000_000 {
		return false
	}
	check := (11 - weighted(s, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
	if check == 10 {
		check = (11 - weighted(s, 7, 4, 3, 2, 5, 2, 7, 6)%11) % 11
	}
	return check == digit(s, 8)
}
