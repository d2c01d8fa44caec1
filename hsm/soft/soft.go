// Package soft is what a module does in Go because its token cannot, or because
// there is no token: AES-256-GCM under a key held in memory, Ed25519 keys whose
// seed is wrapped like any other key, and the public side of secp256k1.
//
// It owns the byte format of a wrapped key, which is the same whether a token or
// this package did the encryption. It knows nothing of PKCS#11 or files.
package soft

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"

	"github.com/oneclaw/oneclawd/hsm"
)

// Sizes of AES-256-GCM and of what Wrap returns.
const (
	KeySize   = 32
	NonceSize = 12
	TagSize   = 16
	Overhead  = 1 + NonceSize + TagSize
)

// Version is the first byte of a wrapped key: AES-256-GCM, laid out as
// version ‖ nonce ‖ ciphertext ‖ tag.
const Version = 1

// Split checks the form of a wrapped key and returns its nonce and its
// ciphertext with tag, as slices of wrapped.
func Split(wrapped []byte) (nonce, ciphertext []byte, err error) {
	switch {
	case len(wrapped) < Overhead || len(wrapped) > Overhead+hsm.MaxKeySize:
		return nil, nil, hsm.ErrAuthentic.Because(errors.New("wrapped key has an impossible length"))
	case wrapped[0] != Version:
		return nil, nil, hsm.ErrAuthentic.Because(errors.New("wrapped key has an unknown version"))
	}
	return wrapped[1 : 1+NonceSize], wrapped[1+NonceSize:], nil
}

// CheckKey refuses key material that Wrap does not take.
func CheckKey(key []byte) error {
	if len(key) == 0 || len(key) > hsm.MaxKeySize {
		return hsm.ErrLimit.Detail("key material is 1 to %d bytes", hsm.MaxKeySize)
	}
	return nil
}

// CheckMessage refuses messages that Sign does not take.
func CheckMessage(message []byte) error {
	if len(message) > hsm.MaxMessageSize {
		return hsm.ErrLimit.Detail("a message to sign is at most %d bytes", hsm.MaxMessageSize)
	}
	return nil
}

// CheckAnchor refuses anchors that SetAnchor does not take.
func CheckAnchor(anchor []byte) error {
	if len(anchor) == 0 || len(anchor) > hsm.MaxAnchorSize {
		return hsm.ErrLimit.Detail("an anchor is 1 to %d bytes", hsm.MaxAnchorSize)
	}
	return nil
}

// Wrap encrypts key under kek.
func Wrap(kek, key, aad []byte) ([]byte, error) { return seal(Version, kek, key, aad) }

// Unwrap reverses Wrap; it fails with hsm.ErrAuthentic.
func Unwrap(kek, wrapped, aad []byte) ([]byte, error) {
	if _, _, err := Split(wrapped); err != nil {
		return nil, err
	}
	return open(kek, wrapped, aad)
}

// Seal is Wrap for another purpose: version tells its results apart from wrapped
// keys, and size is not limited.
func Seal(version byte, key, plaintext, aad []byte) ([]byte, error) {
	return seal(version, key, plaintext, aad)
}

// Open reverses Seal; it fails with hsm.ErrAuthentic.
func Open(version byte, key, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < Overhead || sealed[0] != version {
		return nil, hsm.ErrAuthentic.Because(errors.New("sealed bytes are cut short or of another version"))
	}
	return open(key, sealed, aad)
}

func seal(version byte, key, plaintext, aad []byte) ([]byte, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 1, Overhead+len(plaintext))
	out[0] = version
	return aead.Seal(out, nil, plaintext, aad), nil
}

func open(key, sealed, aad []byte) ([]byte, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	out, err := aead.Open(nil, nil, sealed[1:], aad)
	if err != nil {
		return nil, hsm.ErrAuthentic.Because(err)
	}
	return out, nil
}

// newAEAD draws its nonces itself: a nonce chosen by the caller is refused in
// FIPS-only mode, and cannot be got wrong where nobody passes one.
func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
