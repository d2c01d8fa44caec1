package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// Prefixes of the two kinds of key.
const (
	AgentKeyPrefix = "ocv_"
	UserKeyPrefix  = "1ck_"

	keyLength     = 47 // prefix and 32 bytes in unpadded base64url
	visiblePrefix = 12 // characters of a key that may be shown again
)

// NewKey makes a key: the prefix and 256 random bits.
func NewKey(prefix string) string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// HashKey is how a key is kept and found: HMAC-SHA256 under the pepper.
func (s *Service) HashKey(key string) []byte {
	m := hmac.New(sha256.New, s.pepper)
	m.Write([]byte(key))
	return m.Sum(nil)
}

// looksLikeKey refuses what cannot be a key before any lookup.
func looksLikeKey(key, prefix string) bool {
	return len(key) == keyLength && strings.HasPrefix(key, prefix)
}
