package evm

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"log/slog"
)

// Key is a private key in this process's memory. Nothing prints it. Copies share
// the key: Wipe, once it was used, ends all of them.
type Key struct{ *private }

// private is one step more than fmt follows from a field that it may not call
// methods of.
type private struct{ scalar *[32]byte }

// ParseKey reads a key as people store it: 64 hex digits, with or without 0x,
// and space around them. The error says nothing of what was read.
//
// The public key is not derived: that costs more than to sign.
func ParseKey(text []byte) (Key, error) {
	text = bytes.TrimPrefix(bytes.TrimSpace(text), []byte("0x"))
	k := Key{&private{new([32]byte)}}
	if len(text) != 2*len(k.scalar) {
		return Key{}, ErrKey
	}
	_, err := hex.Decode(k.scalar[:], text) // its error quotes a digit
	if end := order.Bytes32(); err != nil || *k.scalar == [32]byte{} || bytes.Compare(k.scalar[:], end[:]) >= 0 {
		k.Wipe()
		return Key{}, ErrKey
	}
	return k, nil
}

// Address is the account of the key. It derives the public key each time: keep
// it where signing has to be fast.
func (k Key) Address() Address { return addressOf(publicOf(k.scalar[:])) }

// Sign signs a digest, deterministically (RFC 6979). What is signed has to be a
// digest that was made here, of something that was looked at.
func (k Key) Sign(digest Hash) (Signature, error) {
	b, err := signDigest(digest[:], k.scalar[:])
	if err != nil {
		return Signature{}, ErrKey.Because(err)
	}
	return Signature{r: [32]byte(b[:32]), s: [32]byte(b[32:64]), recovery: b[64]}, nil
}

// Wipe overwrites the key; it signs nothing any more.
func (k Key) Wipe() { clear(k.scalar[:]) }

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
	b := bytes.Clone(k.scalar[:])
	defer clear(b)
	return fn(b)
}
