package pii

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// TestFind has, for each kind, texts that hold one and texts that nearly do.
// What is in ⟦ ⟧ must be found, exactly, and nothing else.
func TestFind(t *testing.T) {
	for _, c := range []struct{ typ, text string }{
		{CreditCard, "card ⟦4111 1111 1111 1111⟧ exp 12/27"},
		{CreditCard, "⟦4111-1111-1111-1111⟧"},
		{Phone, "Keizersgracht 123, 1015 CJ Amsterdam, ⟦06-12345678⟧"},
		{Email, "write to ⟦ann.lee+x@mail.example.org⟧."},
		{Email, "Kontakt: <⟦jürgen@müller.de⟧>"},
		{Email, "no mail: ann@ example.org, @ann, ann@localhost, logo@2x.png"},
		{Email, "git clone git@github.com:golang/go.git and https://user:pw@host.example/x"},
		{CreditCard, "card ⟦4012-8888-8888-1881⟧"},
		{CreditCard, "⟦4012888888881881⟧ and not 4012888888881882"},
		{CreditCard, "order 4012888888881881123456789"},
		{IBAN, "pay DE89 3704 0044 0532 0130 01 or ⟦DE89 3704 0044 0532 0130 00⟧"},
		{IBAN, "⟦gb82west12345698765432⟧, not GB82WEST1234569876543"},
		{SSN, "my SSN is ⟦536-22-1234⟧"},
		{SSN, "not 666-22-1234, not 536-00-1234, not 987-65-4321"},
		{"uk_nino", "NI ⟦AA 12 34 56 B⟧ not BG 12 34 56 B"},
		{"es_dni", "DNI ⟦12345678Z⟧ no 12345678A"},
		{"it_codice_fiscale", "CF ⟦RSSMRA85T10A562S⟧ non RSSMRA85T10A562T"},
		{"br_cpf", "CPF ⟦529.982.247-25⟧ não 529.982.247-26"},
		{"ch_ahv", "AHV ⟦756.9217.0769.85⟧ nicht 756.9217.0769.86"},
		{"in_aadhaar", "aadhaar ⟦3998 7654 3211⟧ not 3998 7654 3212"},
		{"cn_id", "身份证 ⟦11010519491231002X⟧ 不是 110105194912310021"},
		{IP, "from ⟦203.0.113.7⟧ and ⟦2001:db8::1⟧"},
		{IP, "std::cout, version 1.2.3.4, 300.1.1.1, 12:34:56"},
		{MAC, "at ⟦00:1b:44:11:3a:b7⟧"},
		{Wallet, "to ⟦1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2⟧ not 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3"},
		{Wallet, "⟦0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed⟧ not 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed"},
		{Wallet, "⟦bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq⟧"},
		{Phone, "call ⟦+49 30 901820⟧ or ⟦020 7946 0958⟧"},
		{PhoneUS, "call ⟦(212) 555-0123⟧ or ⟦541-714-1388 ext. 12⟧"},
		{Phone, "row 7,⟦0161 496 0123⟧,x and Boston, MA 02110-1301, 1997 - 2001"},
		{Phone, "06 03 55 1d 13 01 01 ff 01 42 68 53 00 30 0e, 0e+12456789, 2:1.4.0+20060710.6"},
		{PhoneUS, "clause 252.227-7013"},
		{Phone, "2015-02-08 03:02:00 +0300 MSK m=+0.000000001"},
		{CreditCard, "paid,⟦4012888888881881⟧,12/27"},
		{CreditCard, "rand 6559392774825876886 and 4576982950128230565"},
		{BIC, "BIC: ⟦DEUTDEFF⟧ or SWIFT ⟦NEDSZAJJXXX⟧"},
		{"eu_vat", "USt-IdNr.: ⟦DE136695976⟧, not DE136695977"},
		{"uk_sort_code", "sort code ⟦20-00-00⟧"},
		{"bg_egn", "ЕГН: ⟦7523169263⟧"},
		{"in_aadhaar", "आधार संख्या ⟦399876543211⟧"},
		{Passport, "номер паспорта ⟦4510 123456⟧"},
		{Plate, "name: F32Sub, reg: gp21nog; vehicle reg ⟦AB12 CDE⟧"},
		{Phone, "on 2012-10-01 at 10.0.0.1 in 1990-2000 for 12.50"},
	} {
		want, plain := marked(c.text)
		var got []string
		for _, m := range Find(plain, Options{Structured: true}) {
			if m.Type == c.typ || len(want) > 0 && m.Type != IP {
				got = append(got, plain[m.Start:m.End])
			}
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%s in %q: found %q, want %q", c.typ, plain, got, want)
		}
	}
}

// marked splits a text with marks into what is between them and itself without.
func marked(text string) (want []string, plain string) {
	for rest := text; ; {
		before, after, ok := strings.Cut(rest, "⟦")
		plain += before
		if !ok {
			return want, plain
		}
		in, after, _ := strings.Cut(after, "⟧")
		want = append(want, in)
		plain += in
		rest = after
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"", "a@b.cd", "\xff@\xff.de", "+1 (", "::1%", "DE89 3704", "[EMAIL_1]", "x12 ext.", "2001:db8::/9999", "電話090-1234-5678", "Dr. Ann Lee lives at 12 Main St."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at := 0
		for _, m := range Find(text, Options{}) {
			if m.Start < at || m.End <= m.Start || m.End > len(text) {
				t.Fatalf("%+v after %d in %q", m, at, text)
			}
			if utf8.ValidString(text) && !utf8.ValidString(text[m.Start:m.End]) {
				t.Fatalf("%+v cuts a rune of %q", m, text)
			}
			if m.Score < 0.5 || m.Score > 1 || m.Type == "" || m.Why == "" || m.Severity == "" {
				t.Fatalf("%+v is not whole", m)
			}
			at = m.End
		}
	})
}

// TestNumbersByPlan: numbers behind the zero of an area code are read without the phone
// library as it would read them.
func TestNumbersByPlan(t *testing.T) {
	seed := uint64(1)
	next := func(n uint64) uint64 {
		seed = seed*6364136223846793005 + 1442695040888963407
		return seed >> 33 % n
	}
	proven := 0
	for i := range 1500 {
		region := usualRegions[i%len(usualRegions)]
		digits := []byte{'0', byte('1' + next(9))}
		for n := 8 + int(next(4)); len(digits) < n; {
			digits = append(digits, byte('0'+next(10)))
		}
		raw := string(digits[:3]) + " " + string(digits[3:])
		f := &finder{}
		fast, ok := f.parseIn(&candidate{}, raw, region)
		fastValid := ok && phonenumbers.IsValidNumberForRegion(fast, region)
		slow, ok := f.parse(raw, region)
		slowValid := ok && phonenumbers.IsValidNumberForRegion(slow, region)
		if fastValid != slowValid || slowValid && phonenumbers.Format(fast, phonenumbers.NATIONAL) != phonenumbers.Format(slow, phonenumbers.NATIONAL) {
			t.Errorf("%s in %s: %v, but %v by the library", raw, region, fastValid, slowValid)
		}
		if slowValid {
			proven++
		}
	}
	if proven < 50 {
		t.Errorf("only %d of the numbers are of a plan", proven)
	}
}
