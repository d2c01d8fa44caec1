package evm_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// The examples of EIP-55.
func TestEIP55Examples(t *testing.T) {
	for _, in := range []string{
		"0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
		"0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
	} {
		a, err := evm.ParseAddress(in)
		if err != nil || a.String() != in {
			t.Errorf("%s is %s, %v", in, a, err)
		}
		for _, other := range []string{strings.ToLower(in), "0x" + strings.ToUpper(in[2:])} {
			if b, err := evm.ParseAddress(other); err != nil || b != a {
				t.Errorf("%s is %s, %v", other, b, err)
			}
		}
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	for _, in := range []string{
		"", "0x", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
		"0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed", // one case
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAedd",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg", " 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n", "vitalik.eth",
	} {
		if a, err := evm.ParseAddress(in); err == nil {
			t.Errorf("%q is %s", in, a)
		}
	}
	for _, in := range []string{"", "0x", strings.Repeat("a", 66), "0x" + strings.Repeat("a", 63), "0x" + strings.Repeat("g", 64)} {
		if h, err := evm.ParseHash(in); err == nil {
			t.Errorf("%q is %s", in, h)
		}
	}
}

func TestAddressesAndHashesInJSON(t *testing.T) {
	in := map[evm.Address]evm.Hash{{0xab, 19: 0xcd}: {31: 0xff}}
	text := must[[]byte](t)(json.Marshal(in))
	var back map[evm.Address]evm.Hash
	if err := json.Unmarshal(text, &back); err != nil || len(back) != 1 || back[evm.Address{0xab, 19: 0xcd}] != in[evm.Address{0xab, 19: 0xcd}] {
		t.Errorf("%s is read back as %v, %v", text, back, err)
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := evm.ParseAddress(s)
		if err != nil {
			return
		}
		if !strings.EqualFold(a.String(), s) {
			t.Errorf("%q is %s", s, a)
		}
		if b, err := evm.ParseAddress(a.String()); err != nil || a != b {
			t.Errorf("%s is %s, %v", a, b, err)
		}
	})
}

// The contracts of an account that geth tests with.
func TestCreates(t *testing.T) {
	from, err := evm.ParseAddress("0x970e8128ab834e8eac17ab8e3812f010678cf791")
	if err != nil {
		t.Fatal(err)
	}
	for nonce, want := range []string{
		"0x333c3310824b7c685133f2bedb2ca4b8b4df633d", "0x8bda78331c916a08481428e4b07c96d3e916d165", "0xc9ddedf451bc62ce88bf9292afb13df35b670699",
	} {
		if got := from.Creates(uint64(nonce)).String(); !strings.EqualFold(got, want) {
			t.Errorf("nonce %d: %s, want %s", nonce, got, want)
		}
	}
}
