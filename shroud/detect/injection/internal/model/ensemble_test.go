package model

import (
	"math"
	"testing"

	"github.com/oneclaw/oneclawd/shroud/detect/view"
)

func TestManyWindowsCountForLess(t *testing.T) {
	last := math.Inf(1)
	for _, windows := range []int{1, 6, 15, 28} {
		z := Context{}.Logit(Reading{Logit: 2, Windows: windows})
		if z >= last {
			t.Errorf("of %d windows %.3f, of fewer %.3f", windows, z, last)
		}
		last = z
	}
	if padded := (Context{}).Logit(Reading{Logit: 2, Windows: 1 << 20}); padded != last {
		t.Errorf("padding takes %.3f away, more than %.3f", 2-padded, 2-last)
	}
	if last < 0.7 {
		t.Errorf("padding takes %.3f away", 2-last)
	}
}

func TestLog2(t *testing.T) {
	for n := 1; n < 3000; n++ {
		if got, want := log2(n), math.Log2(float64(n)); got > want+1e-12 || want-got > 0.1 {
			t.Fatalf("of %d: %v, want about %v", n, got, want)
		}
	}
}

func TestDisguisedTextsMeanNoGood(t *testing.T) {
	whole := []view.Trick{{Kind: view.Homoglyph, Start: 0, End: 40}}
	for name, c := range map[string]struct {
		tricks []view.Trick
		size   int
		want   bool
	}{
		"all of a sentence": {whole, 50, true},
		"a part":            {whole, 200, false},
		"a word":            {[]view.Trick{{Kind: view.Homoglyph, Start: 0, End: 10}}, 10, false},
		"in pieces":         {[]view.Trick{{Kind: view.ZeroWidth, Start: 0, End: 20}, {Kind: view.Bidi, Start: 30, End: 50}}, 60, true},
		"of full width":     {[]view.Trick{{Kind: view.FullWidth, Start: 0, End: 60}}, 60, false},
		"none":              {nil, 0, false},
	} {
		if got := Disguised(c.tricks, c.size); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if z := (Context{Disguised: true}).Logit(Reading{Logit: -5, Windows: 1}); z != disguise {
		t.Errorf("disguised, it is %v", z)
	}
	if z := (Context{Disguised: true}).Logit(Reading{Logit: 8, Windows: 1}); z < 7 {
		t.Errorf("an attack, disguised, is %v", z)
	}
}
