package cmek

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/hex"
	"errors"
)

// ErrOpen is a text that is no value under this key: another key's, changed, or never
// encrypted.
var ErrOpen = errors.New("cmek: not a value that was encrypted with this key")

const (
	blobVersion = 1       // the first byte of the published form
	minBlob     = 12 + 16 // a nonce and a tag around nothing
)

// Seal encrypts a value, under a nonce of its own, in the published form: standard base64
// of 0x01, nonce, ciphertext and tag (AES-256-GCM, no additional data). Without a key
// it panics: the value would be sent as it is.
func (k Key) Seal(value string) string {
	return base64.StdEncoding.EncodeToString(append([]byte{blobVersion}, k.encrypt(value)...))
}

// SealHex is Seal in the form of other Go programs, which they alone read: hexadecimal
// digits of nonce, ciphertext and tag.
func (k Key) SealHex(value string) string { return hex.EncodeToString(k.encrypt(value)) }

// Open decrypts a value in either form.
func (k Key) Open(text string) (string, error) {
	if k.IsZero() {
		return "", ErrOpen
	}
	for _, blob := range parse(text) { // a text may look like both forms; the tag says which it is
		if value, err := k.cipher().Open(nil, nil, blob, nil); err == nil {
			return string(value), nil
		}
	}
	return "", ErrOpen
}

// parse returns the nonce, ciphertext and tag that a text has in each form it may have.
func parse(text string) (blobs [][]byte) {
	if raw, err := base64.StdEncoding.DecodeString(text); err == nil && len(raw) > minBlob && raw[0] == blobVersion {
		blobs = append(blobs, raw[1:])
	}
	if raw, err := hex.DecodeString(text); err == nil && len(raw) >= minBlob {
		blobs = append(blobs, raw)
	}
	return blobs
}

func (k Key) encrypt(value string) []byte { return k.cipher().Seal(nil, nil, []byte(value), nil) }

// cipher puts the nonce before the ciphertext, and draws it itself.
func (k Key) cipher() cipher.AEAD {
	block, err := aes.NewCipher(k.raw)
	if err != nil {
		panic("cmek: there is no key")
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("cmek: AES-GCM is not to be had: " + err.Error())
	}
	return aead
}
