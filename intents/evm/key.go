package evm

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/big"

	"github.com/ethereum/go-ethereum/crypto"
)

// Key is a private key in this process's memory. Nothing prints it. Copies share
// the key: Wipe, once it was used, ends all of them.
type Key struct{ private *ecdsa.PrivateKey }

// ParseKey reads a key as people store it: 64 hex digits, with or without 0x,
// and space around them. The error says nothing of what was read.
//
// The public key is not derived: that costs more than to sign.
func ParseKey(text []byte) (Key, error) {
	text = bytes.TrimPrefix(bytes.TrimSpace(text), []byte("0x"))
	var scalar [32]byte
	defer clear(scalar[:])
	if len(text) != 2*len(scalar) {
		return Key{}, ErrKey
	}
	if _, err := hex.Decode(scalar[:], text); err != nil {
		return Key{}, ErrKey // the cause quotes a digit
	}
	d := new(big.Int).SetBytes(scalar[:])
	if d.Sign() == 0 || d.Cmp(crypto.S256().Params().N) >= 0 {
		clear(d.Bits())
		return Key{}, ErrKey
	}
	k := &ecdsa.PrivateKey{D: d} //nolint:staticcheck // crypto/ecdsa makes no key of this curve in any other way
	k.Curve = crypto.S256()
	return Key{k}, nil
}

// Address is the account of the key. It derives the public key each time: keep
// it where signing has to be fast.
func (k Key) Address() Address {
	scalar := make([]byte, 32)
	defer clear(scalar)
	x, y := k.private.ScalarBaseMult(k.private.D.FillBytes(scalar)) //nolint:staticcheck // see ParseKey
	public := make([]byte, 65)
	public[0] = 4
	x.FillBytes(public[1:33])
	y.FillBytes(public[33:])
	return addressOf(public)
}

// Sign signs a digest, deterministically (RFC 6979). What is signed has to be a
// digest that was made here, of something that was looked at.
func (k Key) Sign(digest Hash) (Signature, error) {
	b, err := crypto.Sign(digest[:], k.private)
	if err != nil {
		return Signature{}, ErrKey.Because(err)
	}
	return Signature{r: [32]byte(b[:32]), s: [32]byte(b[32:64]), recovery: b[64]}, nil
}

// Wipe overwrites the key; it signs nothing any more.
func (k Key) Wipe() {
	clear(k.private.D.Bits()) //nolint:staticcheck // see ParseKey
	k.private.D.SetInt64(0)   //nolint:staticcheck // see ParseKey
}

const hidden = "[key]"

// Format implements fmt.Formatter with a placeholder.
func (k Key) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(hidden)) }

// LogValue implements slog.LogValuer with a placeholder.
func (k Key) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements encoding.TextMarshaler with a placeholder.
func (k Key) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Scalar calls fn with the 32 bytes of the key, for a token to import. They are
// wiped when it returns.
func (k Key) Scalar(fn func([]byte) error) error {
	b := k.private.D.FillBytes(make([]byte, 32)) //nolint:staticcheck // see ParseKey
	defer clear(b)
	return fn(b)
}
