package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// Slot is a way to open that is about to be added to a file. It is added once, and
// its secret wiped then.
type Slot struct {
	doc    slotDoc
	secret plain.Bytes // key material that only who is to open has
}

// ID is what RemoveSlot takes.
func (s Slot) ID() string { return s.doc.ID }

// Opener is who tries to open: Keys, Passphrase or a Quorum.
type Opener interface {
	kind() string
	// secret is the material for a slot of that kind; the caller wipes it. An error
	// ends the try.
	secret(ctx context.Context, s *slotDoc) (plain.Bytes, error)
}

// random fills n bytes.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails: it would end the program
	return b
}

func newID() string { return hex.EncodeToString(random(8)) }

// salt is the slot's, which all kinds have.
func (s *slotDoc) salt() []byte {
	switch {
	case s.SNP != nil:
		return s.SNP.Salt
	case s.Passphrase != nil:
		return s.Passphrase.Salt
	case s.Shamir != nil:
		return s.Shamir.Salt
	case s.Upgrade != nil:
		return s.Upgrade.Salt
	}
	return nil
}

// context is what the keys and texts of a slot are bound to: the file's subject,
// and the slot with all its parameters. JSON of fixed fields has one form.
func (s *slotDoc) context(about Subject) ([]byte, error) {
	bare := *s
	bare.Wrapped = nil
	return json.Marshal(struct {
		Is       string  `json:"is"`
		Format   int     `json:"format"`
		Instance string  `json:"instance"`
		Purpose  string  `json:"purpose"`
		Slot     slotDoc `json:"slot"`
	}{"oneclawd seal slot", fileFormat, about.Instance, about.Purpose, bare})
}

// aead is AES-256-GCM under the slot's key: HKDF-SHA-256 (RFC 5869) of the secret.
func (s *slotDoc) aead(about Subject, secret plain.Bytes) (cipher.AEAD, []byte, error) {
	bound, err := s.context(about)
	if err != nil {
		return nil, nil, err
	}
	key, err := hkdf.Key(sha256.New, secret.Reveal(), s.salt(), "oneclawd seal slot key v1 "+s.Kind, keySize)
	if err != nil {
		return nil, nil, err
	}
	defer clear(key)
	gcm, err := newGCM(key)
	return gcm, bound, err
}

// wrap sets s.Wrapped.
func (s *slotDoc) wrap(about Subject, secret plain.Bytes, sealKey []byte) error {
	gcm, bound, err := s.aead(about, secret)
	if err == nil {
		s.Wrapped = gcm.Seal(nil, nil, sealKey, bound)
	}
	return err
}

// unwrap returns the seal key; the caller wipes it.
func (s *slotDoc) unwrap(about Subject, secret plain.Bytes) ([]byte, error) {
	gcm, bound, err := s.aead(about, secret)
	if err != nil {
		return nil, err
	}
	key, err := gcm.Open(nil, nil, s.Wrapped, bound)
	if err != nil || len(key) != keySize {
		return nil, ErrRefused.Because(err)
	}
	return key, nil
}

// newGCM draws its nonces itself and puts them in front.
func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
