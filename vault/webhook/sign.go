package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// Headers of a delivery.
const (
	HeaderEvent     = "X-1Claw-Event"
	HeaderDelivery  = "X-1Claw-Delivery" // the same each time a delivery is tried
	HeaderTimestamp = "X-1Claw-Timestamp"
	HeaderSignature = "X-1Claw-Signature"
)

// Tolerance is how old a signature may be for those who verify one.
const Tolerance = 5 * time.Minute

const secretPrefix = "whsec_"

// newSecret returns a key of 256 random bits, in text.
func newSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return secretPrefix + base64.RawURLEncoding.EncodeToString(b)
}

// goodSecret reports whether a secret that somebody chose is fit to sign with.
func goodSecret(s string) bool {
	return len(s) >= 24 && len(s) <= 256 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// Sign returns the signature header of a body that is sent at a time: the HMAC
// covers both, so that neither an old body nor an old time can be used again.
func Sign(secret []byte, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac(secret, t, body))
}

func mac(secret []byte, t string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(t))
	h.Write([]byte{'.'})
	h.Write(body)
	return h.Sum(nil)
}

// Verify holds a signature header against a body that came with it. One of
// several v1 values is enough, and what it does not know it passes over, so that
// keys and schemes can be changed.
func Verify(secret []byte, header string, body []byte, now time.Time) error {
	var t string
	var given [][]byte
	for part := range strings.SplitSeq(header, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch k {
		case "t":
			if t != "" {
				return ErrSignature
			}
			t = v
		case "v1":
			sum, err := hex.DecodeString(v)
			if err != nil {
				return ErrSignature
			}
			given = append(given, sum)
		}
	}
	at, err := strconv.ParseInt(t, 10, 64)
	if err != nil || strconv.FormatInt(at, 10) != t || now.Sub(time.Unix(at, 0)).Abs() > Tolerance {
		return ErrSignature
	}
	want := mac(secret, t, body)
	for _, sum := range given {
		if hmac.Equal(sum, want) {
			return nil
		}
	}
	return ErrSignature
}
