package pii

import (
	"strings"
	"testing"
)

// TestNationalNumbers has a published number of each kind, which must be found
// after what announces it, and which must not once its last sign is another.
func TestNationalNumbers(t *testing.T) {
	for _, c := range []struct{ typ, lead, number string }{
		{"us_itin", "ITIN", "912-70-1234"},
		{"us_npi", "NPI", "1245319599"},
		{"us_routing", "routing number", "111000025"},
		{"uk_nhs", "NHS number", "943 476 5919"},
		{"ie_pps", "social insurance", "6433435F"},
		{"de_tax_id", "Steuer-ID", "36574261809"},
		{"de_health_insurance", "Krankenkasse", "A123456780"},
		{"at_svnr", "SVNR", "1237 010180"},
		{"ch_ahv", "AHV", "756.9217.0769.85"},
		{"fr_nir", "sécurité sociale", "2 55 08 14 168 025 38"},
		{"es_dni", "DNI", "54362315K"},
		{"es_nie", "NIE", "X5253868R"},
		{"it_codice_fiscale", "codice fiscale", "RCCMNL83S18D969H"},
		{"it_vat", "partita IVA", "00743110157"},
		{"pt_nif", "NIF", "501964843"},
		{"nl_bsn", "BSN", "111222333"},
		{"be_rrn", "rijksregisternummer", "85.07.30-033.28"},
		{"pl_pesel", "PESEL", "44051401458"},
		{"pl_nip", "NIP", "856-734-62-15"},
		{"se_personnummer", "personnummer", "811228-9874"},
		{"fi_hetu", "henkilötunnus", "131052-308T"},
		{"no_fnr", "fødselsnummer", "15108695088"},
		{"is_kennitala", "kennitala", "120174-3399"},
		{"ee_isikukood", "isikukood", "36805280109"},
		{"cz_rc", "id", "710319/2745"},
		{"ro_cnp", "CNP", "1630615123457"},
		{"bg_egn", "EGN", "7523169263"},
		{"hr_oib", "OIB", "33392005961"},
		{"gr_amka", "AMKA", "01013099997"},
		{"tr_tckn", "kimlik", "17291716060"},
		{"ru_inn", "ИНН", "7707083893"},
		{"ru_snils", "СНИЛС", "112-233-445 95"},
		{"in_aadhaar", "Aadhaar", "2341 2341 2346"},
		{"cn_id", "身份证", "11010519491231002X"},
		{"tw_id", "id", "A123456789"},
		{"hk_id", "id", "A123456(3)"},
		{"sg_nric", "NRIC", "S1234567D"},
		{"th_id", "id", "3-1006-00445-63-5"},
		{"au_tfn", "TFN", "123 456 782"},
		{"au_abn", "ABN", "83 914 571 673"},
		{"au_medicare", "medicare", "2123 45670 1"},
		{"nz_ird", "IRD", "49-098-576"},
		{"br_cpf", "CPF", "390.533.447-05"},
		{"br_cnpj", "CNPJ", "16.727.230/0001-97"},
		{"ar_cuit", "CUIT", "20-05536168-2"},
		{"cl_rut", "RUT", "12.531.909-2"},
		{"mx_curp", "CURP", "BOXW310820HNERXN09"},
		{"za_id", "id", "7503305044089"},
		{"ca_sin", "SIN", "130 692 544"},
	} {
		if !finds(c.typ, c.lead+": "+c.number+".", c.number) {
			t.Errorf("%s: %s was not found", c.typ, c.number)
		}
		if c.typ == "au_medicare" || c.typ == "us_itin" || c.typ == "is_kennitala" {
			continue // their last sign is no check
		}
		broken := breakLast(c.number)
		if finds(c.typ, c.lead+": "+broken+".", broken) {
			t.Errorf("%s: %s was found", c.typ, broken)
		}
	}
}

func finds(typ, text, number string) bool {
	for _, m := range Find(text, Options{Structured: true}) {
		if m.Type == typ && text[m.Start:m.End] == number {
			return true
		}
	}
	return false
}

// breakLast puts another sign of the same sort in the place of the last one.
func breakLast(s string) string {
	i := strings.LastIndexFunc(s, func(r rune) bool { return r != ')' })
	c := s[i] + 1
	if s[i] == '9' || s[i] == 'Z' || s[i] == 'X' {
		c = s[i] - 1
	}
	return s[:i] + string(rune(c)) + s[i+1:]
}

func TestNumbersThatNothingAnnouncesNeedProof(t *testing.T) {
	for _, text := range []string{
		"commit 123456789 fixed it", "took 111222333 ns", "id=943476591", "at 1700000000123 it ended", "order 7523169263 is late",
		"sha 4012888888881882", "$54,362,315", "0.123456789", "x_123-45-6789_y", "port 8080 8443 9090", "the SNP rs1800497", "v12.531.909-2b",
	} {
		if got := Find(text, Options{Structured: true}); len(got) > 0 {
			t.Errorf("%q: found %+v", text, got)
		}
	}
}

func TestHostileTextsAreDoneWith(t *testing.T) {
	for name, text := range hostile(60_000) {
		at := 0
		for _, m := range Find(text, Options{}) {
			if m.Start < at {
				t.Fatalf("%s: %+v overlaps", name, m)
			}
			at = m.End
		}
	}
}

// A number that its label says is another one is no phone, even where its check digit is
// wrong; and a phone is found whole.
func TestLabelsOfOtherNumbersRuleOutPhones(t *testing.T) {
	for _, text := range []string{"SIN 630 757 360, ok.", "TFN: 317 830 329.", "NHS number 089 435 7054, ok.", "ISBN 0-306-40615-2", "CNPJ 05.821.572/0001-52, ok.", "NIF 127501420, ok."} {
		for _, m := range Find(text, Options{}) {
			if m.Type == Phone || m.Type == PhoneUS {
				t.Errorf("%q: %s %q", text, m.Type, text[m.Start:m.End])
			}
		}
	}
	for _, c := range [][2]string{{"Tel. 030 / 901820-12", "030 / 901820-12"}, {"call SIN on 030 901820", "030 901820"}, {"phone for order: 030 901820-12", "030 901820-12"}} {
		if !finds(Phone, c[0], c[1]) {
			t.Errorf("%q: no phone %q", c[0], c[1])
		}
	}
}
