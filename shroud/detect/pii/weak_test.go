package pii

import (
	"strings"
	"testing"
)

// TestWeakKinds has texts whose marked parts must be found as of a type; what
// else is found does not matter here.
func TestWeakKinds(t *testing.T) {
	for _, c := range []struct{ typ, text string }{
		{Person, "My name is ⟦Jildou Brandsma⟧ and I write from home."},
		{Person, "Dear ⟦Maria⟧, thank you"},
		{Person, "Dr. ⟦Okonkwo⟧ will see you"},
		{Person, "Name: ⟦Amélie Lefèvre⟧\nCity: Lyon"},
		{Person, "Ich heiße ⟦Jürgen Schmidt⟧."},
		{Person, "Me llamo ⟦María García⟧."},
		{Person, "we met ⟦Anna⟧, ⟦Peter⟧ and ⟦Xanthe⟧ there"},
		{Person, "my brother ⟦Tom⟧ is late"},
		{Person, "मेरा नाम ⟦राहुल शर्मा⟧ है।"},
		{Person, "اسمي ⟦محمد علي حسن⟧ وأسكن هنا"},
		{Person, "שמי ⟦דוד כהן⟧ ואני גר כאן"},
		{Person, "ชื่อ: ⟦สมชาย ใจดี⟧"},
		{Birth, "生年月日：⟦1985年3月12日⟧生まれ"},
		{Date, "⟦1985년 3월 12일⟧에"},
		{Person, "Patient: ⟦Olumide Adeyemi⟧, MRN 4455"},
		{Location, "Ich wohne in der Hauptstraße 12."},
		{Address, "I live at ⟦12 Main Street, Springfield, IL 62704⟧."},
		{Address, "Wohnhaft ⟦Hauptstraße 5, 10115 Berlin⟧."},
		{Address, "Send it to ⟦P.O. Box 255⟧!"},
		{Address, "chez moi, ⟦12 rue de la Paix, 75002 Paris⟧."},
		{Address, "Mein Name ist Lukas Brandt, ⟦Hauptstraße 12, 10827 Berlin⟧, Tel. 030 54321098"},
		{Person, "Mein Name ist ⟦Lukas Brandt⟧, Hauptstraße 12, 10827 Berlin, Tel. 030 54321098"},
		{Address, "CPF 529.982.247-25, ⟦Rua das Flores 123, São Paulo⟧, telefone"},
		{Address, "personnummer 811218-9876, ⟦Storgatan 5, 111 22 Stockholm⟧, 070-123 45 67"},
		{Address, "СНИЛС 112-233-445 95, ⟦ул. Ленина, д. 5, Москва⟧"},
		{Address, "⟦Atatürk Caddesi No:5 Ankara⟧"},
		{Address, "⟦Keizersgracht 123, 1015 CJ Amsterdam⟧, 06-12345678"},
		{Address, "PESEL 44051401359, ⟦ul. Marszałkowska 10, 00-590 Warszawa⟧, tel. 601 234 567"},
		{Person, "Nazywam się ⟦Anna Kowalska⟧, PESEL 44051401359"},
		{Location, "She moved to ⟦Reykjahlíð⟧ last year"},
		{Location, "the weather in ⟦New York⟧ today"},
		{Nationality, "a ⟦Danish⟧ bakery"},
		{Organisation, "an invoice of ⟦Zeta Holdings GmbH⟧ for"},
		{Organisation, "He works at ⟦Farfetchly⟧ now"},
		{Date, "due on ⟦2031-05-17⟧, not later"},
		{Date, "on ⟦March 29, 2017⟧ and ⟦3 Mai 1990⟧"},
		{Birth, "I was born on ⟦7/30/1964⟧"},
		{Birth, "Geburtsdatum: ⟦01.02.1990⟧"},
		{Age, "a ⟦47⟧-year-old patient, aged ⟦47⟧"},
		{Postcode, "my zip code is ⟦90210⟧"},
	} {
		want, plain := marked(c.text)
		var got []string
		for _, m := range Find(plain, Options{}) {
			if m.Type == c.typ {
				got = append(got, plain[m.Start:m.End])
			}
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%s in %q: found %q, want %q", c.typ, plain, got, want)
		}
	}
}

func TestProseAndCodeHoldNoNames(t *testing.T) {
	for _, text := range []string{
		"The Build Server Is Down Again", "func (s *Server) Close() error { return s.inner.Close() }",
		"Please Restart The Machine And Try Again", "import numpy as np", "## Getting Started\n\nInstall the package first.",
	} {
		for _, m := range Find(text, Options{}) {
			t.Errorf("%q: found %s %q", text, m.Type, text[m.Start:m.End])
		}
	}
}

func TestStructuredLeavesTheWeakKindsOut(t *testing.T) {
	text := "Dr. Maria Okonkwo, 12 Main Street, maria@example.org"
	got := Find(text, Options{Structured: true})
	if len(got) != 1 || got[0].Type != Email {
		t.Errorf("found %+v", got)
	}
}
