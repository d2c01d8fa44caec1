package evm_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ethereum/go-ethereum/accounts/abi"

	"github.com/oneclaw/oneclawd/intents/evm"
)

func TestRevertReason(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		text string
		kind evm.RevertKind
	}{
		"none":           {nil, "reverted without a reason", evm.RevertSilent},
		"a text":         {pack(t, "Error(string)", text("not enough")), "not enough", evm.RevertError},
		"terminal":       {pack(t, "Error(string)", text("a\x1b[31m\x00\nb\u202e\xff")), "a?[31m??b??", evm.RevertError},
		"long":           {pack(t, "Error(string)", text(strings.Repeat("ü", 1000))), strings.Repeat("ü", 255) + "…", evm.RevertError},
		"cut off":        {pack(t, "Error(string)", text("not enough"))[:70], "reverted with data of no known form", evm.RevertOther},
		"overflow":       {pack(t, "Panic(uint256)", 0x11), "panic 0x11: arithmetic overflow or underflow", evm.RevertPanic},
		"unknown panic":  {pack(t, "Panic(uint256)", 0x99), "panic of unknown code", evm.RevertPanic},
		"large panic":    {pack(t, "Panic(uint256)", evm.MaxAmount()), "panic of unknown code", evm.RevertPanic},
		"ERC-6093":       {pack(t, "ERC20InsufficientBalance(address,uint256,uint256)", alice, 1, 2), "ERC20InsufficientBalance(" + alice.String() + ", 1, 2)", evm.RevertCustom},
		"without values": {pack(t, "EnforcedPause()"), "EnforcedPause()", evm.RevertCustom},
		"ERC-6093, cut":  {pack(t, "ERC20InsufficientBalance(address,uint256,uint256)", alice, 1, 2)[:50], "custom error 0xe450d38c", evm.RevertCustom},
		"of a role":      {pack(t, "AccessControlUnauthorizedAccount(address,bytes32)", alice, [32]byte{0xab}), "AccessControlUnauthorizedAccount(" + alice.String() + ", 0xab" + strings.Repeat("0", 62) + ")", evm.RevertCustom},
		"no address":     {pack(t, "OwnableUnauthorizedAccount(address)", alice)[:35:35], "custom error 0x118cdaa7", evm.RevertCustom},
		"large numbers":  {pack(t, "ERC1155InsufficientBalance(address,uint256,uint256,uint256)", alice, evm.MaxAmount(), evm.MaxAmount(), evm.MaxAmount()), ("ERC1155InsufficientBalance(" + alice.String() + strings.Repeat(", "+evm.MaxAmount().String(), 3))[:255] + "…", evm.RevertCustom},
		"undeclared":     {[]byte{0xcb, 0x36, 0x2b, 0x34, 1}, "custom error 0xcb362b34", evm.RevertCustom},
		"a few bytes":    {[]byte{1, 2, 3}, "reverted with data of no known form", evm.RevertOther},
		"a lot of bytes": {make([]byte, 1<<20), "reverted with data of no known form", evm.RevertOther},
	} {
		if text, kind := evm.RevertReason(c.data); text != c.text || kind != c.kind {
			t.Errorf("%s: %q (%s), want %q (%s)", name, text, kind, c.text, c.kind)
		}
	}
}

func FuzzRevertReason(f *testing.F) {
	f.Add(pack(f, "Error(string)", text("x")))
	f.Add(pack(f, "Panic(uint256)", 1))
	f.Add(pack(f, "ERC20InsufficientBalance(address,uint256,uint256)", alice, 1, 2))
	f.Fuzz(func(t *testing.T, data []byte) {
		text, kind := evm.RevertReason(data)
		if kind == "" || utf8.RuneCountInString(text) > 256 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q, %s", text, kind)
		}
		if len(data) < 4 || kind != evm.RevertError {
			return
		}
		if want, err := abi.UnpackRevert(data); err == nil && len(want) < 256 && utf8.ValidString(want) && !strings.ContainsFunc(want, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) && want != text {
			t.Errorf("%q, by go-ethereum %q", text, want)
		}
	})
}
