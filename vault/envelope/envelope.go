package envelope

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// MaxValue is the longest value that can be sealed, in bytes.
const MaxValue = 5 << 20

// dekSize is the length of an AES-256 key.
const dekSize = 32

// Keys wraps and unwraps DEKs under a KEK; an hsm.Module does.
type Keys interface {
	Wrap(ctx context.Context, kek hsm.KEK, key, aad []byte) ([]byte, error)
	Unwrap(ctx context.Context, kek hsm.KEK, wrapped, aad []byte) ([]byte, error)
}

// KEK is one of the KEKs that a vault has had.
type KEK struct {
	Key        hsm.KEK
	Generation uint32 // counts from 1
}

// Generation is that of the KEK which an envelope's DEK is wrapped under, or
// ErrDamaged.
func Generation(sealed []byte) (uint32, error) {
	p, ok := parse(sealed)
	if !ok {
		return 0, ErrDamaged
	}
	return p.generation, nil
}

// Seal encrypts value under a fresh DEK and wraps that under kek, both bound
// to b. Sealing the same value again gives another envelope. Value may be
// empty; it stays the caller's to wipe. Errors of keys come back unchanged.
func Seal(ctx context.Context, keys Keys, kek KEK, b Binding, value plain.Bytes) ([]byte, error) {
	if !b.complete() || kek.Generation == 0 {
		return nil, errIncomplete
	}
	if value.Len() > MaxValue {
		return nil, ErrTooLarge
	}
	dek := make([]byte, dekSize)
	defer clear(dek)
	_, _ = rand.Read(dek) // never fails: the program ends if the system has no randomness

	wrapped, err := wrap(ctx, keys, kek, b, dek)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(dek)
	if err != nil {
		return nil, err
	}
	sealed := make([]byte, 0, headerSize2+len(wrapped)+overhead+value.Len())
	sealed = appendHeader(sealed, kek.Generation, wrapped)
	return aead.Seal(sealed, nil, value.Reveal(), b.aad(domainValue, format2, nil)), nil
}

// wrap wraps a DEK for format 2.
func wrap(ctx context.Context, keys Keys, kek KEK, b Binding, dek []byte) ([]byte, error) {
	wrapped, err := keys.Wrap(ctx, kek.Key, dek, b.aadDEK(kek.Generation))
	if err == nil && (len(wrapped) == 0 || len(wrapped) > maxWrapped) {
		err = fmt.Errorf("envelope: a wrapped key of %d bytes", len(wrapped))
	}
	return wrapped, err
}

// Open reverses Seal. If sealed is not, byte for byte, what Seal made for this
// kek and Binding, it is ErrDamaged. That the keys cannot be used just now is
// another matter: such errors come back unchanged.
func Open(ctx context.Context, keys Keys, kek KEK, b Binding, sealed []byte) (plain.Bytes, error) {
	p, dek, err := openDEK(ctx, keys, kek, b, sealed)
	defer clear(dek)
	if err != nil {
		return plain.Bytes{}, err
	}
	return p.open(b, dek)
}

// openDEK takes an envelope apart and unwraps its DEK, which the caller clears.
func openDEK(ctx context.Context, keys Keys, kek KEK, b Binding, sealed []byte) (parts, []byte, error) {
	p, ok := parse(sealed)
	if !ok || !b.complete() || p.generation != kek.Generation {
		return parts{}, nil, ErrDamaged
	}
	dek, err := keys.Unwrap(ctx, kek.Key, p.wrapped, p.aadDEK(b))
	switch {
	case errors.Is(err, hsm.ErrAuthentic):
		err = ErrDamaged.Because(err)
	case err == nil && len(dek) != dekSize:
		err = ErrDamaged.Because(fmt.Errorf("envelope: a data key of %d bytes", len(dek)))
	}
	return p, dek, err
}

// open decrypts the value.
func (p parts) open(b Binding, dek []byte) (plain.Bytes, error) {
	aead, err := newAEAD(dek)
	if err != nil {
		return plain.Bytes{}, err
	}
	value, err := aead.Open(nil, nil, p.body, p.aadValue(b))
	if err != nil {
		return plain.Bytes{}, ErrDamaged.Because(err)
	}
	return plain.New(value), nil
}

// newAEAD makes AES-256-GCM that draws its nonce itself and puts it before the
// ciphertext, so that no caller can choose one twice.
func newAEAD(dek []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(dek)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
