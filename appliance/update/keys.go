package update

import (
	"crypto/rand"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// NewKey makes a key pair: the private line signs, the public one verifies. name
// says whose it is, without spaces and plus signs.
func NewKey(name string) (private, public string, err error) {
	private, public, err = note.GenerateKey(rand.Reader, name)
	if err == nil {
		_, err = note.NewVerifier(public)
	}
	if err != nil {
		return "", "", ErrKey.Detail("%q cannot be the name of a key", name).Because(err)
	}
	return private, public, nil
}

// Keys are the public keys in a text, one a line; empty lines and those that
// begin with # are skipped.
func Keys(text string) (keys []string, err error) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := CheckKey(line); err != nil {
			return nil, err
		}
		keys = append(keys, line)
	}
	return keys, nil
}

// CheckKey says what is wrong with a public key, or nil.
func CheckKey(key string) error {
	if _, err := note.NewVerifier(key); err != nil {
		return ErrKey.Because(err)
	}
	return nil
}

// verifiers are public keys in the form that notes are opened with.
func verifiers(keys []string) (note.Verifiers, error) {
	all := make([]note.Verifier, 0, len(keys))
	for _, k := range keys {
		v, err := note.NewVerifier(k)
		if err != nil {
			return nil, ErrKey.Because(err)
		}
		all = append(all, v)
	}
	return note.VerifierList(all...), nil
}
