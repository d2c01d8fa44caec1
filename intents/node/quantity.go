package node

import (
	"encoding/hex"
	"errors"
	"math/big"
	"strings"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// quantity is a number as JSON-RPC has it: 0x and hex digits.
type quantity struct{ evm.Amount }

var errQuantity = errors.New("node: not a quantity")

// UnmarshalText implements encoding.TextUnmarshaler.
func (q *quantity) UnmarshalText(text []byte) (err error) {
	digits, prefixed := strings.CutPrefix(string(text), "0x")
	if !prefixed || len(digits) == 0 || len(digits) > 64 || strings.Trim(digits, "0123456789abcdefABCDEF") != "" {
		return errQuantity
	}
	n, _ := new(big.Int).SetString(digits, 16)
	q.Amount, err = evm.AmountOf(n)
	return err
}

// MarshalText implements encoding.TextMarshaler.
func (q quantity) MarshalText() ([]byte, error) { return []byte("0x" + q.Big().Text(16)), nil }

func number(n uint64) quantity { return quantity{evm.NewAmount(n)} }

// count is a number that fits into 64 bits.
type count uint64

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *count) UnmarshalText(text []byte) error {
	var q quantity
	err := q.UnmarshalText(text)
	n, fits := q.Uint64()
	if err != nil || !fits {
		return errQuantity
	}
	*c = count(n)
	return nil
}

// octets are bytes as JSON-RPC has them: 0x and pairs of hex digits.
type octets []byte

// UnmarshalText implements encoding.TextUnmarshaler.
func (o *octets) UnmarshalText(text []byte) (err error) {
	digits, prefixed := strings.CutPrefix(string(text), "0x")
	if !prefixed {
		return errQuantity
	}
	*o, err = hex.DecodeString(digits)
	return err
}

// MarshalText implements encoding.TextMarshaler.
func (o octets) MarshalText() ([]byte, error) { return []byte("0x" + hex.EncodeToString(o)), nil }

// arguments are those of a call.
type arguments struct {
	From  evm.Address  `json:"from"`
	To    *evm.Address `json:"to,omitempty"`
	Value *quantity    `json:"value,omitempty"`
	Data  octets       `json:"data,omitempty"`
	Gas   *quantity    `json:"gas,omitempty"`

	AccessList []access `json:"accessList,omitempty"`
}

// access is an entry of an access list.
type access struct {
	Address     evm.Address `json:"address"`
	StorageKeys []evm.Hash  `json:"storageKeys"`
}

func argumentsOf(from evm.Address, c evm.Call, gas uint64) arguments {
	a := arguments{From: from, To: c.To, Data: c.Data}
	if !c.Value.IsZero() {
		a.Value = &quantity{c.Value}
	}
	if gas > 0 {
		g := number(gas)
		a.Gas = &g
	}
	for _, entry := range c.Access {
		a.AccessList = append(a.AccessList, access{entry.Address, append([]evm.Hash{}, entry.Slots...)}) // never null
	}
	return a
}
