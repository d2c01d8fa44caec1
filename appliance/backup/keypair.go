package backup

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"filippo.io/age"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// recoverySetSize is how much of a key's digest names it to people.
const recoverySetSize = 4

// RecoveryKey is what backups are sealed to besides the HSM: the public half of
// age's hybrid of ML-KEM-768 and X25519. The zero value is none.
type RecoveryKey struct {
	to  *age.HybridRecipient
	sum Digest
}

// ParseRecoveryKey reads the public half, as String writes it. Lines that begin
// with # are skipped, as in age's own files of recipients.
func ParseRecoveryKey(text string) (RecoveryKey, error) {
	var found string
	for line := range strings.Lines(text) {
		switch line = strings.TrimSpace(line); {
		case line == "" || strings.HasPrefix(line, "#"):
		case found != "":
			return RecoveryKey{}, ErrRecoveryKey.Detail("there are several keys, and one is meant")
		default:
			found = line
		}
	}
	to, err := age.ParseHybridRecipient(found)
	if err != nil { // its text has all of what was read
		return RecoveryKey{}, ErrRecoveryKey
	}
	return newRecoveryKey(to), nil
}

func newRecoveryKey(to *age.HybridRecipient) RecoveryKey {
	return RecoveryKey{to, sha256.Sum256([]byte(to.String()))}
}

// IsZero reports whether there is none.
func (k RecoveryKey) IsZero() bool { return k.to == nil }

// String is the public half: age1pq1 and some 1,950 letters and digits.
func (k RecoveryKey) String() string { return k.to.String() }

// Digest is the SHA-256 of String.
func (k RecoveryKey) Digest() Digest { return k.sum }

// RecoverySet names a recovery key, by the beginning of its digest, in its shares.
func RecoverySet(key Digest) [recoverySetSize]byte { return [recoverySetSize]byte(key[:]) }

// RecoveryName is RecoverySet for people.
func RecoveryName(key Digest) string { return hex.EncodeToString(key[:recoverySetSize]) }

// RecoveryIdentity is the private half. With it and a backup one has everything.
type RecoveryIdentity struct {
	own *age.HybridIdentity
	key RecoveryKey
}

// recoveryPurpose tells the key from whatever else might be derived from a secret.
const recoveryPurpose = "oneclawd recovery key 1"

// NewRecoveryIdentity is the identity that a secret stands for: 32 bytes of
// HKDF-SHA256 over it, which are the seed of age's key. The caller wipes the secret.
// The identity itself cannot be wiped: it is for a process that ends soon.
func NewRecoveryIdentity(secret plain.Bytes) (*RecoveryIdentity, error) {
	seed, err := hkdf.Key(sha256.New, secret.Reveal(), nil, recoveryPurpose, sha256.Size)
	if err != nil {
		return nil, err
	}
	defer clear(seed)
	own, err := age.ParseHybridIdentity(strings.ToUpper(bech32("age-secret-key-pq-", seed)))
	if err != nil { // not with its text, which may have what was read
		return nil, errors.New("backup: age does not take the recovery key that was derived")
	}
	return &RecoveryIdentity{own, newRecoveryKey(own.Recipient())}, nil
}

// Key is the public half.
func (i *RecoveryIdentity) Key() RecoveryKey { return i.key }

// Unwrap implements age.Identity.
func (i *RecoveryIdentity) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	return i.own.Unwrap(stanzas)
}

// seal begins a file for the private half alone.
func (k RecoveryKey) seal(w io.Writer) (io.WriteCloser, error) { return age.Encrypt(w, k.to) }
