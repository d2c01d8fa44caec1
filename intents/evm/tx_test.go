package evm_test

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"reflect"
	"testing"

	"github.com/oneclaw/oneclawd/intents/evm"
	"github.com/oneclaw/oneclawd/intents/evm/evmtest"
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
		back, from, err := evmtest.ParseSigned(v.Raw)
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

// What is signed is what go-ethereum reads, wherever a length or a number needs
// another byte.
func TestEverySizeIsEncodedRight(t *testing.T) {
	key := key(t)
	numbers := []evm.Amount{{}, evm.NewAmount(1), evm.NewAmount(127), evm.NewAmount(128), evm.NewAmount(255), evm.NewAmount(256), evm.NewAmount(math.MaxUint64), must[evm.Amount](t)(evm.ParseUnits("1", 70))}
	for kind := evm.Legacy; kind <= evm.DynamicFee; kind++ {
		for i, size := range []int{0, 1, 2, 54, 55, 56, 57, 255, 256, 257, 65535, 65536, 128 << 10} {
			n := numbers[i%len(numbers)]
			small, _ := n.Uint64()
			tx := evm.Tx{Type: kind, ChainID: 1 + small/2, Nonce: small / 3, Gas: 1 + small>>40, Call: evm.Call{To: &evm.Address{byte(i)}, Value: n, Data: bytes.Repeat([]byte{byte(i)}, size)}}
			if kind == evm.DynamicFee {
				tx.MaxFee, tx.Tip = n, evm.NewAmount(min(small, 7))
			} else {
				tx.GasPrice = n
			}
			for j := range i * int(min(kind, 1)) {
				tx.Access = append(tx.Access, evm.Access{Address: evm.Address{byte(j)}, Slots: make([]evm.Hash, j%4)})
			}
			if i%2 == 1 {
				tx.To = nil
			}
			check(t, key, tx)
		}
	}
	last := evm.Tx{ChainID: math.MaxUint64, Gas: 1, Call: evm.Call{To: &evm.Address{}}}
	check(t, key, last) // its v has 65 bits
}

// check signs a transaction, and has go-ethereum read it.
func check(t *testing.T, key evm.Key, tx evm.Tx) {
	t.Helper()
	signed, err := tx.Sign(must[evm.Signature](t)(key.Sign(tx.Digest())))
	if err != nil {
		t.Fatalf("%+v: %v", tx, err)
	}
	back, from, err := evmtest.ParseSigned(signed.Raw)
	if err != nil || from != key.Address() || !same(back, tx) {
		t.Fatalf("%x is from %s, %+v (%v); it was %+v", signed.Raw, from, back, err, tx)
	}
}

func FuzzSign(f *testing.F) {
	f.Add(uint8(2), uint64(1), uint64(0), uint64(21000), []byte{1}, []byte{2}, []byte{1}, make([]byte, 60), []byte{1, 0, 3})
	f.Fuzz(func(t *testing.T, kind uint8, chain, nonce, gas uint64, value, price, tip, data, access []byte) {
		tx := evm.Tx{Type: evm.TxType(kind % 3), ChainID: chain, Nonce: nonce, Gas: gas, Call: evm.Call{Value: amount(value), Data: data}}
		if len(data)%2 == 0 {
			tx.To = &evm.Address{byte(kind)}
		}
		if tx.Type == evm.DynamicFee {
			tx.MaxFee, tx.Tip = amount(price), amount(tip)
		} else {
			tx.GasPrice = amount(price)
		}
		for _, slots := range access {
			tx.Access = append(tx.Access, evm.Access{Address: evm.Address{slots}, Slots: make([]evm.Hash, slots)})
		}
		if tx.Check() == nil {
			check(t, key(t), tx)
		}
	})
}

// amount is a number of at most 32 bytes.
func amount(b []byte) evm.Amount {
	a, _ := evm.AmountOf(new(big.Int).SetBytes(b[:min(len(b), 32)]))
	return a
}
