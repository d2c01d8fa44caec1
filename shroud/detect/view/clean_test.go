package view

import (
	"testing"
	"unicode/utf8"
)

func TestCleaningsActAlone(t *testing.T) {
	const text = "caf\u00E9 \uFF21\u200BB pa\u0455s 1\u00BD" // é, a wide A, a zero width space, a Cyrillic dze
	for name, c := range map[string]struct {
		how  Cleaning
		want string
	}{
		"nothing":    {Cleaning{}, text},
		"no form":    {Cleaning{Form: "UTF-8"}, text},
		"invisible":  {Cleaning{Invisible: true}, "caf\u00E9 \uFF21B pa\u0455s 1\u00BD"},
		"lookalikes": {Cleaning{Lookalikes: true}, "caf\u00E9 \uFF21\u200BB pass 1\u00BD"},
		"NFC":        {Cleaning{Form: "NFC"}, text},
		"NFKC":       {Cleaning{Form: "NFKC"}, "caf\u00E9 A\u200BB pa\u0455s 11\u20442"},
		"NFD":        {Cleaning{Form: "NFD"}, "cafe\u0301 \uFF21\u200BB pa\u0455s 1\u00BD"},
		"NFKD":       {Cleaning{Form: "NFKD"}, "cafe\u0301 A\u200BB pa\u0455s 11\u20442"},
		"all":        {Cleaning{Invisible: true, Lookalikes: true, Form: "NFKC"}, "caf\u00E9 AB pass 11\u20442"},
		"all, in D":  {Cleaning{Invisible: true, Lookalikes: true, Form: "NFD"}, "cafe\u0301 \uFF21B pass 1\u00BD"},
	} {
		if n := c.how.Clean(text); n.Text != c.want || n.Changed != (c.want != text) {
			t.Errorf("%s: %q (changed: %v), want %q", name, n.Text, n.Changed, c.want)
		}
	}
	if n := (Cleaning{Form: "NFC"}).Clean("cafe\u0301"); n.Text != "caf\u00E9" {
		t.Errorf("composed to %q", n.Text)
	}
}

// TestCleanedAsJudged: with all that there is, a text goes on as it was judged.
func TestCleanedAsJudged(t *testing.T) {
	all := Cleaning{Invisible: true, Lookalikes: true, Form: "NFKC"}
	for _, text := range []string{"plain", "i\u2060gn\u043Er\u0435 \uFF41ll", "\xff\xfe", "Gr\u00F6\u00DFe \x1b[31mred\x1b[0m", "\u00BD \ufb01le"} {
		if got, want := all.Clean(text).Text, Normalise(text).Text; got != want {
			t.Errorf("%q: %q, judged as %q", text, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, form := range []string{"", "NFC", "NFKC", "NFD", "NFKD"} {
		f.Add("caf\u00E9 \uFF21\u200BB pa\u0455s \xff\u0301\u0300", form, true, false)
	}
	f.Fuzz(func(t *testing.T, text, form string, invisible, lookalikes bool) {
		n := Cleaning{Invisible: invisible, Lookalikes: lookalikes, Form: form}.Clean(text)
		if utf8.ValidString(text) && !utf8.ValidString(n.Text) {
			t.Errorf("%q became %q", text, n.Text)
		}
		for i := range n.Text {
			if start, end := n.Origin(i, i+1); start < 0 || start > end || end > len(text) {
				t.Fatalf("%d came from %d to %d of %d", i, start, end, len(text))
			}
		}
	})
}
