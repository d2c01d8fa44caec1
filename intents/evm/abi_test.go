package evm_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// methodOf is go-ethereum's idea of a method, from its name and types.
func methodOf(t testing.TB, name string) abi.Method {
	t.Helper()
	parsed := must[abi.SelectorMarshaling](t)(abi.ParseSelector(name))
	text := must[[]byte](t)(json.Marshal([]abi.SelectorMarshaling{parsed}))
	contract := must[abi.ABI](t)(abi.JSON(strings.NewReader(string(text))))
	for _, m := range contract.Methods {
		if m.Sig != name {
			t.Fatalf("%s is read as %s", name, m.Sig)
		}
		return m
	}
	t.Fatalf("%s is no method", name)
	return abi.Method{}
}

// goValue is a value as go-ethereum packs it as a kind.
func goValue(t testing.TB, kind abi.Type, v any) any {
	t.Helper()
	switch v := v.(type) {
	case evm.Address:
		return common.Address(v)
	case text:
		return string(v)
	case evm.Amount:
		return v.Big()
	case string:
		n, ok := new(big.Int).SetString(v, 0)
		if !ok {
			t.Fatalf("%s is no number", v)
		}
		return n
	case int:
		switch {
		case kind.T == abi.BoolTy:
			return v != 0
		case kind.Size == 8:
			return uint8(v)
		}
		return big.NewInt(int64(v))
	}
	return v
}

// text is a string for pack, which takes others for numbers.
type text string
