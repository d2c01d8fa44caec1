package pii

import "strings"

// westKinds are numbers of France, the Low Countries, Italy, Spain and
// Portugal.
var westKinds = []kind{
	{typ: "fr_nir", shapes: "999999999999999|9 99 99 99 999 999 99|9 99 99 9A 999 999 99|999999A99999999", valid: nir, topics: aNIR | anIdentity | aSSN, near: 0.97, alone: 0.8},
	{typ: "fr_siren", shapes: "999999999|999 999 999|99999999999999|999 999 999 99999", valid: luhn, topics: aSIREN, near: 0.9},
	{typ: "fr_spi", shapes: "9999999999999|99 99 999 999 999", valid: spi, topics: aTax, near: 0.8, bare: 0.7, alone: 0},
	{typ: "es_dni", shapes: "99999999A|99999999-A|99.999.999-A|99 999 999 A|9999999A", valid: dni, topics: aDNI | anIdentity | aTax, near: 0.95, alone: 0.6, bare: 0.85},
	{typ: "es_nie", shapes: "A9999999A|A-9999999-A|A9999999-A", valid: nie, topics: aDNI | anIdentity | aTax, near: 0.95, alone: 0.7, bare: 0.85},
	{typ: "es_cif", shapes: "A99999999|A9999999A|A-99999999", valid: cif, topics: aDNI | aTax | aVAT, near: 0.85},
	{typ: "it_codice_fiscale", shapes: "AAAAAA**A**A***A", valid: codiceFiscale, topics: aTax | anIdentity, near: 0.97, alone: 0.95},
	{typ: "it_vat", shapes: "99999999999", valid: partitaIVA, topics: aVAT | aTax, near: 0.9, bare: 0.65},
	{typ: "it_identity_card", shapes: "AA9999999|AA99999AA|9999999AA|AA 9999999", topics: anIdentity, near: 0.75, bare: 0.6},
	{typ: "pt_nif", shapes: "999999999|999 999 999", valid: ptNIF, topics: anNIF | aTax, near: 0.9, bare: 0.6},
	{typ: "pt_cc", shapes: "99999999 9 AA9|999999999AA9|99999999 9 A99", valid: cartaoCidadao, topics: anIdentity | aDNI, near: 0.9, alone: 0.8},
	{typ: "nl_bsn", shapes: "999999999|9999.99.999|9999 99 999", valid: bsn, topics: aBSN | anIdentity | aSSN, near: 0.9, bare: 0.6},
	{typ: "be_rrn", shapes: "99.99.99-999.99|99.99.99.999.99|99 99 99 999 99", valid: rijksregister, topics: aRijksregister | anIdentity, near: 0.97, alone: 0.92},
	{typ: "be_rrn", shapes: "99999999999", valid: rijksregister, topics: aRijksregister | anIdentity, near: 0.93, alone: 0.5, bare: 0.85},
	{typ: "lu_id", shapes: "9999999999999", valid: luhnAndBirth, topics: anIdentity | anAHV, near: 0.85, alone: 0},
}

// nir is France's social security number: sex, year, month, place, and what is
// left modulo 97. Corsica has letters.
func nir(s string) bool {
	flat := s[:13]
	switch {
	case flat[5] == '2' && flat[6] == 'A':
		flat = flat[:5] + "19" + flat[7:]
	case flat[5] == '2' && flat[6] == 'B':
		flat = flat[:5] + "18" + flat[7:]
	}
	left := mod(flat, 97)
	month := two(s, 3)
	if left < 0 || strings.IndexByte("123478", s[0]) < 0 || month < 1 || month > 12 && month < 20 {
		return false
	}
	return 97-left == two(s, 13)
}

func spi(s string) bool { return s[0] <= '3' && mod(s[:10], 511) == mod(s[10:], 1000) }

const dniLetters = "TRWAGMYFPDXBNJZSQVHLCKE"

func dni(s string) bool {
	n := len(s) - 1
	return dniLetters[mod(s[:n], 23)] == s[n]
}

func nie(s string) bool {
	i := strings.IndexByte("XYZ", s[0])
	return i >= 0 && dniLetters[mod(string(rune('0'+i))+s[1:8], 23)] == s[8]
}

func cif(s string) bool {
	if strings.IndexByte("ABCDEFGHJNPQRSUVW", s[0]) < 0 {
		return false
	}
	sum := 0
	for i := 1; i < 8; i++ {
		d := digit(s, i)
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	check := (10 - sum%10) % 10
	return digit(s, 8) == check || s[8] == "JABCDEFGHI"[check]
}

// codiceFiscale: six letters of the names, the date of birth, the place, and a
// check. Digits may be letters where two people would share a code.
func codiceFiscale(s string) bool {
	sum, digits := 0, 0
	for i := range 15 {
		v := base36(s[i])
		if i == 6 || i == 7 || i == 9 || i == 10 || i >= 12 {
			if v >= 10 && strings.IndexByte("LMNPQRSTUV", s[i]) < 0 {
				return false
			}
			if v < 10 {
				digits++
			}
		}
		if v >= 10 {
			v -= 10
		}
		if i%2 == 0 {
			v = [26]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}[v]
		}
		sum += v
	}
	return digits >= 3 && strings.IndexByte("ABCDEHLMPRST", s[8]) >= 0 && int(s[15]-'A') == sum%26
}

func partitaIVA(s string) bool { return luhn(s) && !same(s) && s[:7] != "0000000" }

func ptNIF(s string) bool {
	sum := weighted(s, 9, 8, 7, 6, 5, 4, 3, 2)
	check := 11 - sum%11
	if check >= 10 {
		check = 0
	}
	return sum >= 0 && strings.IndexByte("1235689", s[0]) >= 0 && check == digit(s, 8) && s != "123456789"
}

func cartaoCidadao(s string) bool {
	sum := 0
	for i := range 12 {
		v := base36(s[i])
		if i%2 == 0 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}

func bsn(s string) bool {
	sum := weighted(s, 9, 8, 7, 6, 5, 4, 3, 2) - digit(s, 8)
	return sum%11 == 0 && !same(s) && s[:3] != "000"
}

// rijksregister is Belgium's: those born in this century have a 2 put before.
func rijksregister(s string) bool {
	month := two(s, 2) % 20
	if month > 12 || two(s, 4) > 31 {
		return false
	}
	check := two(s, 9)
	return check > 0 && (97-mod(s[:9], 97) == check || 97-mod("2"+s[:9], 97) == check)
}

func luhnAndBirth(s string) bool {
	year := two(s, 0)
	return (year == 19 || year == 20) && monthDay(two(s, 4), two(s, 6)) && luhn(s[:12])
}
