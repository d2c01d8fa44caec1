package evm_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/intents/evm"
)

const maxText = "115792089237316195423570985008687907853269984665640564039457584007913129639935"

func TestParseUnits(t *testing.T) {
	for _, c := range []struct {
		in       string
		decimals int
		want     string // in the smallest unit; "" is refused
	}{
		{"1.0", 18, "1000000000000000000"},
		{"0.000000000000000001", 18, "1"},
		{"0", 18, "0"},
		{"0.0", 18, "0"},
		{"123", 0, "123"},
		{"2.5", 6, "2500000"},
		{maxText, 0, maxText},
		{"1." + strings.Repeat("0", 77), 77, "1" + strings.Repeat("0", 77)},

		{"0.0000000000000000001", 18, ""},       // more than wei
		{"1.0000000000000000000", 18, ""},       // even if they are zeros
		{"1.0", 0, ""},                          //
		{maxText[:77] + "6", 0, ""},             // 2^256
		{"1" + strings.Repeat("0", 77), 18, ""}, // far beyond
		{strings.Repeat("9", 1<<20), 18, ""},
		{"0." + strings.Repeat("0", 1<<20), 18, ""},
		{"", 18, ""}, {".", 18, ""}, {"1.", 18, ""}, {".5", 18, ""}, {"1.2.3", 18, ""},
		{"-1", 18, ""}, {"+1", 18, ""}, {"1e18", 18, ""}, {"0x10", 18, ""}, {"1,5", 18, ""}, {"1_000", 18, ""},
		{" 1", 18, ""}, {"1 ", 18, ""}, {"1\n", 18, ""}, {"01", 18, ""}, {"00.5", 18, ""}, {"١", 18, ""}, {"１", 18, ""},
		{"NaN", 18, ""}, {"Inf", 18, ""}, {"1", -1, ""}, {"1", 78, ""},
	} {
		short := c.in[:min(len(c.in), 90)]
		got, err := evm.ParseUnits(c.in, c.decimals)
		switch {
		case c.want == "" && !errors.Is(err, evm.ErrAmount) && !errors.Is(err, evm.ErrOverflow):
			t.Errorf("%q with %d decimals is %s, %v", short, c.decimals, got, err)
		case c.want == "" && err != nil:
		case err != nil || got.String() != c.want:
			t.Errorf("%q with %d decimals is %s, %v; want %s", short, c.decimals, got, err, c.want)
		}
	}
}

func TestParseAmount(t *testing.T) {
	for _, in := range []string{"0", "1", "20000000000", maxText} {
		if a, err := evm.ParseAmount(in); err != nil || a.String() != in {
			t.Errorf("%q is %s, %v", in, a, err)
		}
	}
	for _, in := range []string{"", "1.0", "-1", "+1", "0x1", "1e3", " 1", "01", "1n", maxText[:77] + "6", "1" + maxText} {
		if a, err := evm.ParseAmount(in); err == nil {
			t.Errorf("%q is %s", in, a)
		}
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		in       string
		decimals int
		want     string
	}{
		{"1000000000000000000", 18, "1"}, {"1500000000000000000", 18, "1.5"}, {"1", 18, "0.000000000000000001"},
		{"0", 18, "0"}, {"0", 0, "0"}, {"120", 0, "120"}, {"120", 1, "12"}, {"120", 2, "1.2"}, {"120", 3, "0.12"},
	} {
		if got := must[evm.Amount](t)(evm.ParseAmount(c.in)).Units(c.decimals); got != c.want {
			t.Errorf("%s with %d decimals is %s, want %s", c.in, c.decimals, got, c.want)
		}
	}
}

func TestArithmetic(t *testing.T) {
	n, biggest := evm.NewAmount, evm.MaxAmount()
	if biggest.String() != maxText {
		t.Errorf("the largest is %s", biggest)
	}
	type op func(evm.Amount, evm.Amount) (evm.Amount, error)
	for _, c := range []struct {
		name string
		op   op
		a, b evm.Amount
		want evm.Amount
		over bool
	}{
		{"add", evm.Amount.Add, n(2), n(3), n(5), false},
		{"add", evm.Amount.Add, biggest, n(0), biggest, false},
		{"add", evm.Amount.Add, biggest, n(1), n(0), true},
		{"sub", evm.Amount.Sub, n(3), n(3), n(0), false},
		{"sub", evm.Amount.Sub, n(2), n(3), n(0), true},
		{"mul", evm.Amount.Mul, n(2), n(3), n(6), false},
		{"mul", evm.Amount.Mul, biggest, n(2), n(0), true},
		{"mul", evm.Amount.Mul, biggest, n(0), n(0), false},
	} {
		got, err := c.op(c.a, c.b)
		if got != c.want || errors.Is(err, evm.ErrOverflow) != c.over || err != nil != c.over {
			t.Errorf("%s %s %s is %s, %v", c.a, c.name, c.b, got, err)
		}
	}
	if n(1).Cmp(n(2)) != -1 || n(2).Cmp(n(2)) != 0 || biggest.Cmp(n(2)) != 1 {
		t.Error("they compare wrongly")
	}
	for in, ok := range map[*big.Int]bool{big.NewInt(7): true, big.NewInt(-7): false, new(big.Int).Lsh(big.NewInt(1), 256): false} {
		if _, err := evm.AmountOf(in); err == nil != ok {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestAmountInJSON(t *testing.T) {
	type holder struct{ V evm.Amount }
	text := must[[]byte](t)(json.Marshal(holder{evm.MaxAmount()}))
	if string(text) != `{"V":"`+maxText+`"}` {
		t.Errorf("is %s", text)
	}
	var back holder
	if err := json.Unmarshal(text, &back); err != nil || back.V != evm.MaxAmount() {
		t.Errorf("read back as %s, %v", back.V, err)
	}
	for _, in := range []string{`{"V":1}`, `{"V":1.5}`, `{"V":"-1"}`, `{"V":"0x1"}`} {
		if err := json.Unmarshal([]byte(in), &back); err == nil {
			t.Errorf("%s is read", in)
		}
	}
}

func FuzzParseUnits(f *testing.F) {
	f.Add("1.5", 18)
	f.Add(maxText, 0)
	f.Fuzz(func(t *testing.T, s string, decimals int) {
		a, err := evm.ParseUnits(s, decimals)
		if err != nil {
			return
		}
		// Another way to the same number.
		want, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Fatalf("%q is no number", s)
		}
		want.Mul(want, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)))
		if !want.IsInt() || want.Num().Cmp(a.Big()) != 0 {
			t.Errorf("%q with %d decimals is %s, not %s", s, decimals, a, want)
		}
		if back, err := evm.ParseUnits(a.Units(decimals), decimals); err != nil || back != a {
			t.Errorf("%s is written as %s and that is %s, %v", a, a.Units(decimals), back, err)
		}
	})
}

func FuzzParseAmount(f *testing.F) {
	f.Add(maxText)
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := evm.ParseAmount(s); err == nil && a.String() != s {
			t.Errorf("%q is %s", s, a)
		}
	})
}
