package pii

import "strings"

// ibanLengths is the registry of IBANs: a country's length, everything counted.
var ibanLengths = map[string]int{
	"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29, "BY": 28,
	"CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "DZ": 26, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
	"FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28,
	"IE": 22, "IL": 23, "IQ": 23, "IR": 26, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21,
	"LT": 20, "LU": 20, "LV": 21, "LY": 25, "MA": 28, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31,
	"MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
	"RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SN": 28, "SO": 23, "ST": 25, "SV": 28,
	"TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}

// iban tries the IBAN that may begin with token i: two letters, two digits, and
// as many characters as the country has, in one piece or in groups.
func (f *finder) iban(i int) {
	at := int(f.tokens[i].start)
	s := f.text[at:]
	if len(s) < 15 || !isAlpha(s[0]) || !isAlpha(s[1]) {
		return
	}
	want := ibanLengths[strings.ToUpper(s[:2])]
	if want == 0 {
		return
	}
	compact := make([]byte, 0, 34)
	j := 0
	for ; j < len(s) && len(compact) < want; j++ {
		switch c := s[j]; {
		case isAlnum(c):
			compact = append(compact, upper(c))
		case c != ' ' && c != '-' || j == 0 || !isAlnum(s[j-1]):
			return
		}
	}
	if len(compact) < want || j < len(s) && (isAlnum(s[j]) || s[j] == '_') || compact[2] > '9' || compact[3] > '9' {
		return
	}
	if alnum97(string(compact[4:])+string(compact[:4])) == 1 {
		f.add(Match{Type: IBAN, Start: at, End: at + j, Score: 0.98, Why: "the country's length and the check digits"})
	}
}

func isAlpha(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// bic finds the code of a bank behind token i, which announces one: of letters alone
// as often as not.
func (f *finder) bic(i int) {
	for j := i + 1; j < len(f.tokens) && j <= i+3; j++ {
		t, s := f.tokens[j], f.str(j)
		if t.len() != 8 && t.len() != 11 || !f.inCapitals(j, int(t.end)) || t.class != word && t.class != mixed {
			continue
		}
		if _, ok := ibanLengths[s[4:6]]; (ok || strings.Contains(bicCountries, s[4:6])) && onlyLetters(s[:6]) {
			f.addRun(BIC, run{j, j}, 0.85, "a bank's code, and its label")
			return
		}
	}
}

// bicCountries are larger countries without IBAN.
const bicCountries = "US CA AU NZ JP CN HK SG IN KR TH MY ID PH VN ZA NG KE MX AR CL CO PE TW"

func onlyLetters(s string) bool {
	for i := range len(s) {
		if !isAlpha(s[i]) {
			return false
		}
	}
	return true
}
