package pii

import "strings"

// americanKinds are numbers of Latin America and Canada.
var americanKinds = []kind{
	{typ: "br_cpf", shapes: "999.999.999-99", valid: cpf, topics: aCPF | anIdentity | aTax, near: 0.98, alone: 0.93},
	{typ: "br_cpf", shapes: "99999999999|999999999-99|999 999 999 99", valid: cpf, topics: aCPF | anIdentity | aTax, near: 0.95, bare: 0.85, alone: 0.5},
	{typ: "br_cnpj", shapes: "99.999.999/9999-99", valid: cnpj, topics: aCNPJ, near: 0.98, alone: 0.93},
	{typ: "br_cnpj", shapes: "99999999999999|99999999/9999-99", valid: cnpj, topics: aCNPJ | aTax, near: 0.95, bare: 0.8, alone: 0.5},
	{typ: "mx_curp", shapes: "AAAA999999AAAAAA*9", valid: curp, topics: aCURP | anIdentity, near: 0.98, alone: 0.95},
	{typ: "mx_rfc", shapes: "AAAA999999***|AAA999999***|AAAA-999999-***", valid: rfc, topics: aCURP | aTax, near: 0.95, alone: 0.6, bare: 0.75},
	{typ: "ar_cuit", shapes: "99-99999999-9", valid: cuit, topics: aCUIT | anIdentity | aTax, near: 0.97, alone: 0.88},
	{typ: "ar_cuit", shapes: "99999999999", valid: cuit, topics: aCUIT | aTax, near: 0.95, bare: 0.72},
	{typ: "ar_dni", shapes: "99.999.999|99999999", topics: aDNI, near: 0.8},
	{typ: "cl_rut", shapes: "99.999.999-*|9.999.999-*", valid: rut, topics: aRUT | anIdentity | aTax, near: 0.97, alone: 0.88},
	{typ: "cl_rut", shapes: "99999999-*|9999999-*", valid: rut, topics: aRUT | anIdentity | aTax, near: 0.95, alone: 0.5, bare: 0.72},
	{typ: "co_nit", shapes: "999.999.999-9|999999999-9", valid: nit, topics: aTax | anNIF | anIdentity, near: 0.93, alone: 0.6},
	{typ: "co_cedula", shapes: "9.999.999.999|99.999.999|9999999999", topics: aDNI, near: 0.7},
	{typ: "uy_ci", shapes: "9.999.999-9", valid: uyCI, topics: anIdentity | aDNI, near: 0.95, alone: 0.8},
	{typ: "ec_cedula", shapes: "9999999999", valid: ecCedula, topics: anIdentity | aDNI, near: 0.9, bare: 0.55},
	{typ: "ca_sin", shapes: "999-999-999|999 999 999|999999999", valid: caSIN, topics: anSIN | aSSN, near: 0.93, bare: 0.55},
}

func cpf(s string) bool {
	a := weighted(s, 10, 9, 8, 7, 6, 5, 4, 3, 2) * 10 % 11 % 10
	b := weighted(s, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2) * 10 % 11 % 10
	return !same(s) && a == digit(s, 9) && b == digit(s, 10)
}

func cnpj(s string) bool {
	check := func(sum int) int {
		if sum%11 < 2 {
			return 0
		}
		return 11 - sum%11
	}
	return !same(s) &&
		check(weighted(s, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) == digit(s, 12) &&
		check(weighted(s, 6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) == digit(s, 13)
}

func curp(s string) bool {
	sum := 0
	for i := range 17 { // digits, and letters with an Ñ among them
		v := int(s[i] - '0')
		if s[i] >= 'A' {
			if v = int(s[i]-'A') + 10; s[i] > 'N' {
				v++
			}
		}
		sum += v * (18 - i)
	}
	return (10-sum%10)%10 == digit(s, 17) && monthDay(two(s, 6), two(s, 8)) && (s[10] == 'H' || s[10] == 'M' || s[10] == 'X') &&
		strings.Contains("AS BC BS CC CL CM CS CH DF DG GT GR HG JC MC MN MS NT NL OC PL QT QR SP SL SR TC TS TL VZ YN ZS NE", s[11:13])
}

func rfc(s string) bool {
	at := len(s) - 9
	return monthDay(two(s, at+2), two(s, at+4)) && s[at+8] <= 'A'
}

func cuit(s string) bool {
	switch two(s, 0) {
	case 20, 23, 24, 25, 26, 27, 30, 33, 34:
	default:
		return false
	}
	check := (11 - weighted(s, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
	return check == digit(s, 10)
}

func rut(s string) bool {
	n, sum := len(s)-1, 0
	for i := range n {
		sum += digit(s, n-1-i) * (2 + i%6)
	}
	return "0K987654321"[sum%11] == s[n] && !same(s[:n])
}

func nit(s string) bool {
	left := weighted(s, 41, 37, 29, 23, 19, 17, 13, 7, 3) % 11
	if left > 1 {
		left = 11 - left
	}
	return left == digit(s, 9)
}

func uyCI(s string) bool {
	return (10-weighted(s, 2, 9, 8, 7, 6, 3, 4)%10)%10 == digit(s, 7)
}

func ecCedula(s string) bool {
	p := two(s, 0)
	return (p >= 1 && p <= 24 || p == 30) && s[2] < '6' && luhn(s)
}

func caSIN(s string) bool { return s[0] != '0' && s[0] != '8' && luhn(s) && !same(s) }
