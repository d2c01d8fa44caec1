package evm_test

import (
	"bytes"
	"crypto/ecdsa"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/oneclaw/oneclawd/intents/evm"
)

// Every transaction that ethers signs is signed here to the same bytes, and read
// back as what it was.
func TestTransactionsAreTheSameAsEthers(t *testing.T) {
	for i, v := range load(t).Transactions {
		chain, err1 := v.Tx.ChainID.Int64()
		gas, err2 := v.Tx.GasLimit.Int64()
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		tx := evm.Tx{
			Type: v.Tx.Type, ChainID: uint64(chain), Nonce: v.Tx.Nonce, Gas: uint64(gas),
			Call:     evm.Call{To: v.Tx.To, Value: v.Tx.Value, Data: v.Tx.Data},
			GasPrice: v.Tx.GasPrice, MaxFee: v.Tx.MaxFeePerGas, Tip: v.Tx.MaxPriorityFeePerGas,
		}
		for _, a := range v.Tx.AccessList {
			tx.Access = append(tx.Access, evm.Access{Address: a.Address, Slots: a.StorageKeys})
		}
		key := must[evm.Key](t)(evm.ParseKey([]byte(v.Key)))
		if key.Address() != v.From {
			t.Errorf("%d: the address is %s, not %s", i, key.Address(), v.From)
		}
		if d := tx.Digest(); d != v.Digest {
			t.Errorf("%d: the digest is %s, not %s", i, d, v.Digest)
		}
		signed := must[evm.Signed](t)(tx.Sign(must[evm.Signature](t)(key.Sign(tx.Digest()))))
		if !bytes.Equal(signed.Raw, v.Raw) || signed.Hash != v.Hash {
			t.Errorf("%d: signed as %x (%s)\nnot %x (%s)", i, signed.Raw, signed.Hash, v.Raw, v.Hash)
		}
		back, from, err := evm.ParseSigned(v.Raw)
		if err != nil || from != v.From || !same(back, tx) {
			t.Errorf("%d: read back from %s as %+v (%v), was %+v", i, from, back, err, tx)
		}
	}
}

// same compares transactions; no data and data of no length are the same.
func same(a, b evm.Tx) bool {
	a.Data, b.Data = append([]byte{}, a.Data...), append([]byte{}, b.Data...)
	a.Access, b.Access = append([]evm.Access{}, a.Access...), append([]evm.Access{}, b.Access...)
	for _, list := range [][]evm.Access{a.Access, b.Access} {
		for i := range list {
			list[i].Slots = append([]evm.Hash{}, list[i].Slots...)
		}
	}
	return reflect.DeepEqual(a, b)
}

// The example of EIP-155.
func TestEIP155Example(t *testing.T) {
	to := must[evm.Address](t)(evm.ParseAddress("0x3535353535353535353535353535353535353535"))
	tx := evm.Tx{
		ChainID: 1, Nonce: 9, GasPrice: evm.NewAmount(20e9), Gas: 21000,
		Call: evm.Call{To: &to, Value: must[evm.Amount](t)(evm.ParseUnits("1", 18))},
	}
	if d := tx.Digest().String(); d != "0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53" {
		t.Errorf("the digest is %s", d)
	}
	key := must[evm.Key](t)(evm.ParseKey(bytes.Repeat([]byte("46"), 32)))
	signed := must[evm.Signed](t)(tx.Sign(must[evm.Signature](t)(key.Sign(tx.Digest()))))
	want := unhex(t, "0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83")
	if !bytes.Equal(signed.Raw, want) {
		t.Errorf("signed as %x", signed.Raw)
	}
}

func TestTransactionsThatAreRefused(t *testing.T) {
	to := evm.Address{1}
	legacy := evm.Tx{ChainID: 1, Gas: 21000, GasPrice: evm.NewAmount(1), Call: evm.Call{To: &to}}
	dynamic := evm.Tx{Type: evm.DynamicFee, ChainID: 1, Gas: 21000, MaxFee: evm.NewAmount(2), Tip: evm.NewAmount(1), Call: evm.Call{To: &to}}
	for name, c := range map[string]struct {
		of     evm.Tx
		change func(*evm.Tx)
	}{
		"no chain":                   {legacy, func(x *evm.Tx) { x.ChainID = 0 }},
		"no gas":                     {legacy, func(x *evm.Tx) { x.Gas = 0 }},
		"unknown type":               {legacy, func(x *evm.Tx) { x.Type = 3 }},
		"last nonce":                 {legacy, func(x *evm.Tx) { x.Nonce = math.MaxUint64 }},
		"tip above fee":              {dynamic, func(x *evm.Tx) { x.Tip = evm.NewAmount(3) }},
		"gas price and a fee":        {dynamic, func(x *evm.Tx) { x.GasPrice = evm.NewAmount(1) }},
		"fee of a legacy one":        {legacy, func(x *evm.Tx) { x.MaxFee = evm.NewAmount(1) }},
		"access list of a legacy":    {legacy, func(x *evm.Tx) { x.Access = []evm.Access{{}} }},
		"neither recipient nor code": {legacy, func(x *evm.Tx) { x.To = nil }},
		"much data":                  {legacy, func(x *evm.Tx) { x.Data = make([]byte, 128<<10+1) }},
		"price beyond 256 bits":      {legacy, func(x *evm.Tx) { x.GasPrice = evm.MaxAmount() }},
		"cost beyond 256 bits":       {legacy, func(x *evm.Tx) { x.Value = evm.MaxAmount() }},
	} {
		tx := c.of
		if err := tx.Check(); err != nil {
			t.Fatalf("before %s: %v", name, err)
		}
		c.change(&tx)
		if err := tx.Check(); err == nil {
			t.Errorf("%s: is let through", name)
		}
		if _, err := tx.Sign(evm.Signature{}); err == nil {
			t.Errorf("%s: is signed", name)
		}
	}
}

func TestMaxCost(t *testing.T) {
	legacy := evm.Tx{Gas: 10, GasPrice: evm.NewAmount(3), Call: evm.Call{Value: evm.NewAmount(4)}}
	dynamic := evm.Tx{Type: evm.DynamicFee, Gas: 10, MaxFee: evm.NewAmount(5), Tip: evm.NewAmount(1), Call: evm.Call{Value: evm.NewAmount(4)}}
	for want, tx := range map[evm.Amount]evm.Tx{evm.NewAmount(34): legacy, evm.NewAmount(54): dynamic} {
		if got, err := tx.MaxCost(); got != want || err != nil {
			t.Errorf("%v: %s, %v; want %s", tx.Type, got, err, want)
		}
	}
}

func TestSignedThatAreRefused(t *testing.T) {
	good := load(t).Transactions[5].Raw
	high := bytes.Clone(good) // the other s: the order of the curve less this one
	for name, raw := range map[string][]byte{
		"nothing":      nil,
		"not a list":   {0x80},
		"cut off":      good[:len(good)-1],
		"followed":     append(bytes.Clone(good), 0),
		"a blob":       append([]byte{3}, good[1:]...),
		"no signature": unhex(t, "0x02c9018080808080808080c0808080"),
		"too large":    make([]byte, 1<<20),
	} {
		if _, _, err := evm.ParseSigned(raw); !errors.Is(err, evm.ErrTransaction) && !errors.Is(err, evm.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	flip(high)
	if _, _, err := evm.ParseSigned(high); !errors.Is(err, evm.ErrSignature) {
		t.Errorf("a signature with the higher s: %v", err)
	}
	// As it was before EIP-155: valid on every chain.
	private := must[*ecdsa.PrivateKey](t)(crypto.HexToECDSA(strings.Repeat("46", 32)))
	legacy := types.LegacyTx{To: &common.Address{1}, Gas: 21000, GasPrice: big.NewInt(1), Value: big.NewInt(1)}
	raw := must[[]byte](t)(types.MustSignNewTx(private, types.HomesteadSigner{}, &legacy).MarshalBinary())
	if _, _, err := evm.ParseSigned(raw); !errors.Is(err, evm.ErrTransaction) || !strings.Contains(err.Error(), "not bound to a chain") {
		t.Errorf("of no chain: %v", err)
	}
}

func FuzzParseSigned(f *testing.F) {
	for _, v := range load(f).Transactions {
		f.Add([]byte(v.Raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		tx, from, err := evm.ParseSigned(raw)
		if err != nil {
			return
		}
		if err := tx.Check(); err != nil {
			t.Fatalf("read, but wrong: %v", err)
		}
		if from.IsZero() {
			t.Fatal("nobody signed it")
		}
		if _, err := evm.Effects(from, tx.Call); err != nil && !errors.Is(err, evm.ErrCalldata) {
			t.Fatal(err)
		}
	})
}
