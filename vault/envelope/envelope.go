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

// Seal encrypts value under a fresh DEK and wraps that under kek, both bound
// to b. Sealing the same value again gives another envelope. Value may be
// empty; it stays the caller's to wipe. Errors of keys come back unchanged.
func Seal(ctx context.Context, keys Keys, kek hsm.KEK, b Binding, value plain.Bytes) ([]byte, error) {
	if !b.complete() {
		return nil, errIncomplete
	}
	if value.Len() > MaxValue {
		return nil, ErrTooLarge
	}
	dek := make([]byte, dekSize)
	defer clear(dek)
	_, _ = rand.Read(dek) // never fails: the program ends if the system has no randomness

	wrapped, err := keys.Wrap(ctx, kek, dek, b.aad(domainDEK, nil))
	if err != nil {
		return nil, err
	}
	if len(wrapped) == 0 || len(wrapped) > maxWrapped {
		return nil, fmt.Errorf("envelope: a wrapped key of %d bytes", len(wrapped))
	}
	aead, err := newAEAD(dek)
	if err != nil {
		return nil, err
	}
	sealed := make([]byte, 0, headerSize+len(wrapped)+overhead+value.Len())
	sealed = appendHeader(sealed, wrapped)
	return aead.Seal(sealed, nil, value.Reveal(), b.aad(domainValue, sealed)), nil
}

// Open reverses Seal. If sealed is not, byte for byte, what Seal made for this
// kek and Binding, it is ErrDamaged. That the keys cannot be used just now is
// another matter: such errors come back unchanged.
func Open(ctx context.Context, keys Keys, kek hsm.KEK, b Binding, sealed []byte) (plain.Bytes, error) {
	p, ok := parse(sealed)
	if !ok || !b.complete() {
		return plain.Bytes{}, ErrDamaged
	}
	dek, err := keys.Unwrap(ctx, kek, p.wrapped, b.aad(domainDEK, nil))
	defer clear(dek)
	if errors.Is(err, hsm.ErrAuthentic) {
		return plain.Bytes{}, ErrDamaged.Because(err)
	}
	if err != nil {
		return plain.Bytes{}, err
	}
	if len(dek) != dekSize {
		return plain.Bytes{}, ErrDamaged.Because(fmt.Errorf("envelope: a data key of %d bytes", len(dek)))
	}
	aead, err := newAEAD(dek)
	if err != nil {
		return plain.Bytes{}, err
	}
	value, err := aead.Open(nil, nil, p.body, b.aad(domainValue, p.header))
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
