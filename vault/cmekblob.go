package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// cmekKeySize is that of AES-256.
const cmekKeySize = 32

// blobVersion is the first byte of the published form of a blob.
const blobVersion = 1

// minBlob is a nonce and a tag around nothing.
const minBlob = 12 + 16

// rekey takes client-encrypted values from one key to another.
type rekey struct{ old, new cipher.AEAD }

// newRekey leaves the keys to be wiped: what the ciphers made of them is
// garbage as soon as the rekey is.
func newRekey(from, to plain.Bytes) (rekey, error) {
	a, err := blobCipher(from)
	if err != nil {
		return rekey{}, err
	}
	b, err := blobCipher(to)
	return rekey{a, b}, err
}

// blobCipher is AES-256-GCM with the nonce before the ciphertext, which is how
// every client writes it.
func blobCipher(key plain.Bytes) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key.Reveal())
	if err != nil {
		return nil, ErrCMEKKey
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// fingerprint is how a key is known.
func fingerprint(key plain.Bytes) string {
	sum := sha256.Sum256(key.Reveal())
	return hex.EncodeToString(sum[:])
}

// blobForms are how clients write a blob, the published form first. A text may
// look like both; the tag says which it is.
var blobForms = []struct {
	parse func(text string) (blob []byte, ok bool)
	write func(blob []byte) plain.Bytes
}{
	{parseVersioned, writeVersioned},
	{parseBare, writeBare},
}

// parseVersioned reads standard base64 of 0x01, nonce, ciphertext and tag.
func parseVersioned(text string) ([]byte, bool) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) < 1+minBlob || raw[0] != blobVersion {
		return nil, false
	}
	return raw[1:], true
}

func writeVersioned(blob []byte) plain.Bytes {
	raw := append([]byte{blobVersion}, blob...)
	return plain.New(base64.StdEncoding.AppendEncode(nil, raw))
}

// parseBare reads hex of nonce, ciphertext and tag, as the Go SDK has it.
func parseBare(text string) ([]byte, bool) {
	raw, err := hex.DecodeString(text)
	return raw, err == nil && len(raw) >= minBlob
}

func writeBare(blob []byte) plain.Bytes { return plain.New(hex.AppendEncode(nil, blob)) }

// outcome is what became of a value.
type outcome int

const (
	undecryptable outcome = iota
	changed               // it was under the old key
	unchanged             // it is under the new key already: its client was ahead
)

// apply encrypts a value with the new key, under a fresh nonce and in the form
// it had.
func (k rekey) apply(value plain.Bytes) (plain.Bytes, outcome) {
	text := string(value.Reveal()) // ciphertext, if it is a blob at all
	for _, form := range blobForms {
		blob, ok := form.parse(text)
		if !ok {
			continue
		}
		if inner, err := k.old.Open(nil, nil, blob, nil); err == nil {
			fresh := k.new.Seal(nil, nil, inner, nil)
			clear(inner)
			return form.write(fresh), changed
		}
		if inner, err := k.new.Open(nil, nil, blob, nil); err == nil {
			clear(inner)
			return plain.Bytes{}, unchanged
		}
	}
	return plain.Bytes{}, undecryptable
}
