package audit

import (
	"crypto/sha256"
	"encoding/binary"
)

// InputsHash is the SHA-256 of what a decision looked at: it lets someone who
// has the same inputs show that they are the ones, and tells nobody else what
// they were. Each part is preceded by its length, so ("ab", "c") and ("a", "bc")
// differ. A hash of something guessable can be guessed: no part may be a secret
// value, a password or a key.
func InputsHash[T string | []byte](parts ...T) []byte {
	h := sha256.New()
	h.Write([]byte("oneclawd/audit/inputs/v1\n"))
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}
