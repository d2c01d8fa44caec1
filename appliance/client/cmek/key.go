package cmek

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
)

// KeySize is the length of a key in bytes: AES-256.
const KeySize = 32

// Key encrypts the values of a vault. It does not print itself. The zero Key is
// no key.
type Key struct{ raw []byte }

// ErrKey is a key of the wrong form. It says nothing of what it was.
var ErrKey = errors.New("cmek: a key has 32 bytes, or is the base64 of as many")

// NewKey makes up a key. Keep it: without it the values are lost.
func NewKey() Key {
	raw := make([]byte, KeySize)
	_, _ = rand.Read(raw) // it never fails
	return Key{raw}
}

// KeyFrom is the key with these bytes, which are copied.
func KeyFrom(raw []byte) (Key, error) {
	if len(raw) != KeySize {
		return Key{}, ErrKey
	}
	return Key{append([]byte(nil), raw...)}, nil
}

// ParseKey reads what Encode wrote.
func ParseKey(text string) (Key, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return Key{}, ErrKey // the error of base64 says where it went wrong, which is about the key
	}
	return KeyFrom(raw)
}

// Encode is the key in standard base64, to be kept where secrets are kept.
func (k Key) Encode() string { return base64.StdEncoding.EncodeToString(k.raw) }

// Fingerprint names the key without telling it: its SHA-256 in lower-case
// hexadecimal digits.
func (k Key) Fingerprint() string {
	sum := sha256.Sum256(k.raw)
	return hex.EncodeToString(sum[:])
}

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return len(k.raw) == 0 }

// String names the key by the beginning of its fingerprint.
func (k Key) String() string {
	if k.IsZero() {
		return "no CMEK"
	}
	return "CMEK " + k.Fingerprint()[:8]
}

// GoString keeps %#v from printing the key.
func (k Key) GoString() string { return k.String() }

// MarshalJSON refuses: a key is not put into a message by mistake.
func (k Key) MarshalJSON() ([]byte, error) {
	return nil, errors.New("cmek: a key is not written as JSON")
}
