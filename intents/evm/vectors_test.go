package evm_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// vectors is testdata/ethers.json: what ethers makes of the same things.
type vectors struct {
	Transactions []struct {
		Tx struct {
			Type                                                evm.TxType
			ChainID                                             json.Number `json:"chainId"`
			Nonce                                               uint64
			GasPrice, MaxFeePerGas, MaxPriorityFeePerGas, Value evm.Amount
			GasLimit                                            json.Number
			To                                                  *evm.Address
			Data                                                octets
			AccessList                                          []struct {
				Address     evm.Address
				StorageKeys []evm.Hash
			}
		}
		Key    string
		From   evm.Address
		Digest evm.Hash
		Raw    octets
		Hash   evm.Hash
	}
	Typed []struct {
		Text, Type, Key string
		Digest          evm.Hash
		Signature       octets
	}
	Personal []struct {
		Text   string
		Digest evm.Hash
	}
	Calls []struct {
		Name string
		Data octets
	}
}

// octets are bytes in 0x hex.
type octets []byte

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.DecodeString(string(bytes.TrimPrefix(text, []byte("0x"))))
	return err
}

func load(t testing.TB) (v vectors) {
	t.Helper()
	raw, err := os.ReadFile("testdata/ethers.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	var o octets
	if err := o.UnmarshalText([]byte(s)); err != nil {
		t.Fatal(err)
	}
	return o
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
