package pii

// eastKinds are numbers of central and eastern Europe, and of Turkey.
var eastKinds = []kind{
	{typ: "pl_pesel", shapes: "99999999999", valid: pesel, topics: aPESEL | anIdentity, near: 0.95, bare: 0.82},
	{typ: "pl_nip", shapes: "999-999-99-99|999-99-99-999", valid: nip, topics: aNIP | aTax | aVAT, near: 0.93, alone: 0.65},
	{typ: "pl_nip", shapes: "9999999999", valid: nip, topics: aNIP | aTax, near: 0.88},
	{typ: "pl_identity_card", shapes: "AAA999999|AAA 999999", valid: dowod, topics: anIdentity, near: 0.9, bare: 0.6},
	{typ: "cz_rc", shapes: "999999/9999", valid: rodneCislo, topics: anIdentity, near: 0.95, alone: 0.75},
	{typ: "cz_rc", shapes: "999999/999", valid: func(s string) bool { return two(s, 0) < 54 && monthDay(two(s, 2)%50, two(s, 4)) && s[6:] != "000" }, topics: anIdentity, near: 0.9, alone: 0.55},
	{typ: "cz_rc", shapes: "9999999999", valid: rodneCislo, topics: anIdentity, near: 0.8},
	{typ: "ro_cnp", shapes: "9999999999999", valid: cnp, topics: anIdentity, near: 0.95, bare: 0.8, alone: 0.5},
	{typ: "bg_egn", shapes: "9999999999", valid: egn, topics: anIdentity, near: 0.9, bare: 0.6},
	{typ: "hr_oib", shapes: "99999999999", valid: func(s string) bool { return mod1110(s) && !same(s) }, topics: anIdentity | aTax, near: 0.85, bare: 0.6},
	{typ: "yu_jmbg", shapes: "9999999999999", valid: jmbg, topics: anIdentity, near: 0.95, bare: 0.8, alone: 0.5},
	{typ: "gr_amka", shapes: "99999999999", valid: func(s string) bool { return dayFirst(s) && luhn(s) }, topics: anIdentity, near: 0.9, bare: 0.6},
	{typ: "gr_afm", shapes: "999999999", valid: afm, topics: aTax, near: 0.8},
	{typ: "hu_tax_id", shapes: "9999999999", valid: adoazonosito, topics: aTax, near: 0.85},
	{typ: "hu_taj", shapes: "999999999|999 999 999|999-999-999", valid: taj, topics: aHealth | anIdentity, near: 0.8},
	{typ: "tr_tckn", shapes: "99999999999", valid: tckn, topics: aTCKN | anIdentity, near: 0.97, bare: 0.85, alone: 0.5},
	{typ: "ru_inn", shapes: "9999999999|999999999999", valid: inn, topics: anINN | aTax, near: 0.93, bare: 0.6},
	{typ: "ru_snils", shapes: "999-999-999 99|999-999-999-99", valid: snils, topics: aSNILS | anIdentity, near: 0.97, alone: 0.85},
	{typ: "ru_snils", shapes: "99999999999", valid: snils, topics: aSNILS, near: 0.93},
	{typ: Passport, shapes: "9999 999999|99 99 999999|9999999999", topics: aPassport, near: 0.8},
	{typ: "ua_rnokpp", shapes: "9999999999", valid: rnokpp, topics: anIdentity | aTax, near: 0.85},
	{typ: Plate, shapes: "99 A 99|99 A 999|99 A 9999|99 AA 99|99 AA 999|99 AA 9999|99 AAA 99|99 AAA 999|99 AAA 9999|99AAA999|99AAA9999|99AA999|99AA9999|99A9999", valid: trPlate, topics: aPlate, near: 0.88, bare: 0.75},
}

func pesel(s string) bool {
	month := two(s, 2) % 20
	sum := weighted(s, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
	return sum >= 0 && sum%10 == 0 && (monthDay(month, two(s, 4)) || month == 11 && two(s, 4) <= 31)
}

func nip(s string) bool {
	sum := weighted(s, 6, 5, 7, 2, 3, 4, 5, 6, 7)
	return sum > 0 && sum%11 == digit(s, 9) && !same(s)
}

func dowod(s string) bool {
	sum := 0
	for i, w := range []int{7, 3, 1, 0, 7, 3, 1, 7, 3} {
		sum += base36(s[i]) * w
	}
	return sum%10 == digit(s, 3)
}

// rodneCislo is that of Czechs and Slovaks: the month has 50 added for women,
// and 20 where a day ran out of numbers.
func rodneCislo(s string) bool {
	month := two(s, 2) % 50
	if month > 20 {
		month -= 20
	}
	return monthDay(month, two(s, 4)) && (mod(s, 11) == 0 || mod(s[:9], 11) == 10 && s[9] == '0')
}

func cnp(s string) bool {
	check := weighted(s, 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9) % 11
	if check == 10 {
		check = 1
	}
	return s[0] != '0' && monthDay(two(s, 3), two(s, 5)) && check == digit(s, 12)
}

func egn(s string) bool {
	month := two(s, 2)
	if month > 40 {
		month -= 40
	} else if month > 20 {
		month -= 20
	}
	return monthDay(month, two(s, 4)) && weighted(s, 2, 4, 8, 5, 10, 9, 7, 3, 6)%11%10 == digit(s, 9)
}

func jmbg(s string) bool {
	check := 11 - weighted(s, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11
	if check == 11 {
		check = 0
	}
	return dayFirst(s) && (s[4] == '9' || s[4] == '0') && check == digit(s, 12)
}

func afm(s string) bool {
	return weighted(s, 256, 128, 64, 32, 16, 8, 4, 2)%11%10 == digit(s, 8) && !same(s)
}

func adoazonosito(s string) bool {
	return s[0] == '8' && weighted(s, 1, 2, 3, 4, 5, 6, 7, 8, 9)%11 == digit(s, 9)
}

func taj(s string) bool { return weighted(s, 3, 7, 3, 7, 3, 7, 3, 7)%10 == digit(s, 8) && !same(s) }

func tckn(s string) bool {
	odd := weighted(s, 1, 0, 1, 0, 1, 0, 1, 0, 1)
	even := weighted(s, 0, 1, 0, 1, 0, 1, 0, 1)
	sum := weighted(s, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
	return s[0] != '0' && ((odd*7-even)%10+10)%10 == digit(s, 9) && sum%10 == digit(s, 10) && s[1:9] != "00000000"
}

func inn(s string) bool {
	if same(s) || s[:2] == "00" {
		return false
	}
	if len(s) == 10 {
		return weighted(s, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == digit(s, 9)
	}
	return weighted(s, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == digit(s, 10) &&
		weighted(s, 3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == digit(s, 11)
}

func snils(s string) bool {
	check := weighted(s, 9, 8, 7, 6, 5, 4, 3, 2, 1) % 101 % 100
	return check == two(s, 9) && !same(s[:9])
}

func rnokpp(s string) bool {
	sum := 0
	for i, w := range []int{-1, 5, 7, 9, 4, 6, 10, 5, 7} {
		sum += digit(s, i) * w
	}
	return s[0] >= '1' && s[0] <= '4' && (sum%11+11)%11%10 == digit(s, 9)
}

func trPlate(s string) bool { p := two(s, 0); return p >= 1 && p <= 81 }
