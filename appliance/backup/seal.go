package backup

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"

	"filippo.io/age"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
)

// keyPurpose is what the key that seals file keys is derived from the store
// key for.
const keyPurpose = "backup 1"

// stanzaStore marks the file key as sealed under that key.
const stanzaStore = "oneclawd-store-key"

// storeSealer is an age.Recipient and age.Identity: AES-256-GCM under a key
// derived from the store key, bound to the appliance. One key seals one file
// key a backup, which random nonces bear.
type storeSealer struct {
	aead cipher.AEAD
	aad  []byte
}

var (
	_ age.RecipientWithLabels = (*storeSealer)(nil)
	_ age.Identity            = (*storeSealer)(nil)
)

// newStoreSealer takes the derived key, and wipes it.
func newStoreSealer(instance id.ID, derived plain.Bytes) (*storeSealer, error) {
	defer derived.Wipe()
	block, err := aes.NewCipher(derived.Reveal())
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	return &storeSealer{aead, append([]byte("oneclawd backup file key 1\n"), instance[:]...)}, nil
}

// Wrap implements age.Recipient.
func (s *storeSealer) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	return []*age.Stanza{{Type: stanzaStore, Body: s.aead.Seal(nil, nil, fileKey, s.aad)}}, nil
}

// WrapWithLabels implements age.RecipientWithLabels: the label is what age asks
// of recipients beside its hybrid ones, and a 256-bit key is as good.
func (s *storeSealer) WrapWithLabels(fileKey []byte) ([]*age.Stanza, []string, error) {
	stanzas, err := s.Wrap(fileKey)
	return stanzas, []string{"postquantum"}, err
}

// Unwrap implements age.Identity.
func (s *storeSealer) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, st := range stanzas {
		if st.Type != stanzaStore {
			continue
		}
		if key, err := s.aead.Open(nil, nil, st.Body, s.aad); err == nil {
			return key, nil
		}
	}
	return nil, age.ErrIncorrectIdentity
}
