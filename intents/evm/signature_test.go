package evm_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/intents/evm"
)

var order, _ = new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)

func key(t testing.TB) evm.Key {
	return must[evm.Key](t)(evm.ParseKey(bytes.Repeat([]byte("46"), 32)))
}

// An HSM gives either s, and says nothing of how to recover the key.
func TestSignatureOfAnHSM(t *testing.T) {
	k := key(t)
	for i := range 32 {
		digest := evm.PersonalHash([]byte{byte(i)})
		want := must[evm.Signature](t)(k.Sign(digest))
		b := want.Bytes()
		r, s := b[:32], b[32:64]
		high := new(big.Int).Sub(order, new(big.Int).SetBytes(s)).Bytes()
		for _, s := range [][]byte{s, high} {
			got, err := evm.NewSignature(bytes.TrimLeft(r, "\x00"), s, digest, k.Address())
			if err != nil || got != want {
				t.Errorf("%d: got %x, %v; want %x", i, got.Bytes(), err, want.Bytes())
			}
		}
		if _, err := evm.NewSignature(r, s, digest, evm.Address{1}); err == nil {
			t.Error("a signature is taken for another's")
		}
		if _, err := evm.NewSignature(r, s, evm.Hash{1}, k.Address()); err == nil {
			t.Error("a signature is taken for one of something else")
		}
	}
	for name, rs := range map[string][2][]byte{
		"zeros": {make([]byte, 32), make([]byte, 32)}, "nothing": {}, "long": {make([]byte, 33), make([]byte, 32)},
		"out of range": {bytes.Repeat([]byte{0xff}, 32), bytes.Repeat([]byte{0xff}, 32)}, "the order": {order.Bytes(), order.Bytes()},
	} {
		if _, err := evm.NewSignature(rs[0], rs[1], evm.Hash{}, k.Address()); err == nil {
			t.Errorf("%s: is a signature", name)
		}
	}
}

func TestParseSignature(t *testing.T) {
	k, digest := key(t), evm.PersonalHash([]byte("x"))
	want := must[evm.Signature](t)(k.Sign(digest))
	b := want.Bytes()
	raw := bytes.Clone(b)
	raw[64] -= 27
	for _, in := range [][]byte{b, raw} {
		got, err := evm.ParseSignature(in)
		if err != nil || got != want {
			t.Errorf("%x: %v", in, err)
		}
		if by, err := got.Recover(digest); err != nil || by != k.Address() {
			t.Errorf("recovers %s, %v", by, err)
		}
	}
	high := bytes.Clone(b)
	new(big.Int).Sub(order, new(big.Int).SetBytes(b[32:64])).FillBytes(high[32:64])
	for name, in := range map[string][]byte{
		"short": b[:64], "long": append(bytes.Clone(b), 0), "high": high, "zero": make([]byte, 65),
		"v 2": append(bytes.Clone(b[:64]), 2), "v 29": append(bytes.Clone(b[:64]), 29), "v 26": append(bytes.Clone(b[:64]), 26),
		"r": append(order.Bytes(), b[32:]...),
	} {
		if _, err := evm.ParseSignature(in); err == nil {
			t.Errorf("%s: passes", name)
		}
	}
}

func TestParseKey(t *testing.T) {
	digits := strings.Repeat("4a", 32)
	want := must[evm.Key](t)(evm.ParseKey([]byte(digits))).Address()
	for _, in := range []string{"0x" + digits, strings.ToUpper(digits), " 0x" + digits + "\r\n"} {
		if k, err := evm.ParseKey([]byte(in)); err != nil || k.Address() != want {
			t.Errorf("%q: %v", in, err)
		}
	}
	last := new(big.Int).Sub(order, big.NewInt(1))
	if _, err := evm.ParseKey([]byte(hex.EncodeToString(last.Bytes()))); err != nil {
		t.Errorf("the last key: %v", err)
	}
	const canary = "5ec4e7c0ffee"
	for name, in := range map[string]string{
		"nothing": "", "prefix": "0x", "short": canary, "long": digits + canary, "not hex": canary + strings.Repeat("q", 52),
		"0X": "0X" + digits, "0x twice": "0x0x" + digits, "zero": strings.Repeat("0", 64), "order": hex.EncodeToString(order.Bytes()),
		"beyond": strings.Repeat("f", 64), "inner space": canary + " " + strings.Repeat("1", 51), "raw": strings.Repeat("\x01", 32),
	} {
		_, err := evm.ParseKey([]byte(in))
		if err == nil {
			t.Errorf("%s: is a key", name)
			continue
		}
		if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, canary) || strings.Contains(text, "'q'") {
			t.Errorf("%s: the error quotes it: %s", name, text)
		}
	}
}

func TestNothingPrintsAKey(t *testing.T) {
	k := key(t)
	holder := struct {
		Key    evm.Key
		hidden evm.Key
	}{k, k}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		fmt.Fprintf(&out, verb, k)
		fmt.Fprintf(&out, verb, holder)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "k", k, "h", holder)
	text := must[[]byte](t)(json.Marshal(holder))
	out.Write(text)
	secret := bytes.Repeat([]byte{0x46}, 32)
	for _, form := range []string{"4646", fmt.Sprint(secret)[1:20], new(big.Int).SetBytes(secret).String(), string(secret[:4])} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%q is in %s", form, out.String())
		}
	}
}

func TestAWipedKeySignsNothing(t *testing.T) {
	k := key(t)
	another := k
	k.Wipe()
	if _, err := another.Sign(evm.Hash{1}); err == nil {
		t.Error("it does")
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add([]byte("0x" + strings.Repeat("46", 32)))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := evm.ParseKey(text)
		if err != nil {
			return
		}
		digest := evm.PersonalHash(text)
		sig := must[evm.Signature](t)(k.Sign(digest))
		if by := must[evm.Address](t)(sig.Recover(digest)); by != k.Address() {
			t.Errorf("signs as %s, is %s", by, k.Address())
		}
	})
}

func FuzzParseSignature(f *testing.F) {
	f.Add(make([]byte, 65))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := evm.ParseSignature(b)
		if err != nil {
			return
		}
		if again, err := evm.ParseSignature(s.Bytes()); err != nil || again != s {
			t.Errorf("%x is not what it was: %v", b, err)
		}
		_, _ = s.Recover(evm.Hash{1})
	})
}

// What one core does: see the figures of BenchmarkSign in the commit.
func BenchmarkSign(b *testing.B) {
	k := key(b)
	to := evm.Address{1}
	tx := evm.Tx{
		Type: evm.DynamicFee, ChainID: 8453, Gas: 21000, MaxFee: evm.NewAmount(2e9), Tip: evm.NewAmount(1e9),
		Call: evm.Call{To: &to, Value: evm.NewAmount(1e18)},
	}
	text := bytes.Repeat([]byte("46"), 32)
	b.Run("digest", func(b *testing.B) {
		for b.Loop() {
			_, _ = k.Sign(evm.Hash{1})
		}
	})
	b.Run("transaction", func(b *testing.B) {
		for b.Loop() {
			sig, _ := k.Sign(tx.Digest())
			_, _ = tx.Sign(sig)
		}
	})
	b.Run("key, transaction", func(b *testing.B) {
		for b.Loop() {
			k, _ := evm.ParseKey(text)
			sig, _ := k.Sign(tx.Digest())
			_, _ = tx.Sign(sig)
			k.Wipe()
		}
	})
	b.Run("recover", func(b *testing.B) {
		sig, _ := k.Sign(evm.Hash{1})
		for b.Loop() {
			_, _ = sig.Recover(evm.Hash{1})
		}
	})
}

func TestAddressOf(t *testing.T) {
	// The point of the key 1, and its address.
	public := unhex(t, "0x0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8")
	if a := evm.AddressOf([65]byte(public)).String(); a != "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf" {
		t.Errorf("is %s", a)
	}
}
