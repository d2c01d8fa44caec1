package vault

import (
	"context"
	"crypto/rand"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Charsets that a generated value may be drawn from.
var charsets = map[string]string{
	"alphanumeric": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
	"hex":          "0123456789abcdef",
	"base64url":    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
	"digits":       "0123456789",
	"printable":    "!#$%&()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~",
}

// Defaults of a generated value.
const (
	defaultRotateLength  = 32
	defaultRotateCharset = "alphanumeric"
	minRotateLength      = 8
	maxRotateLength      = 1024
)

// Rotation says what value to generate.
type Rotation struct {
	Length  int    // characters; 0 means 32
	Charset string // "" means alphanumeric
}

// Rotate replaces the value of an existing path by a random one that only its
// readers will see. Type, metadata and rotation policy stay. In a vault with
// customer-managed encryption it is refused (ErrCMEKGenerated): the value would be
// in the clear, marked as encrypted.
func (s *Service) Rotate(ctx context.Context, p identity.Principal, vault id.ID, path SecretPath, r Rotation) (Secret, error) {
	if r.Length == 0 {
		r.Length = defaultRotateLength
	}
	if r.Charset == "" {
		r.Charset = defaultRotateCharset
	}
	alphabet := charsets[r.Charset]
	if alphabet == "" || r.Length < minRotateLength || r.Length > maxRotateLength {
		return Secret{}, ErrRotation
	}
	value := generate(alphabet, r.Length)
	defer value.Wipe()
	return s.write(ctx, attempt{p, vault, path, audit.SecretRotate, toWrite}, func(prev *Secret) (Version, plain.Bytes, error) {
		return prev.again(value)
	})
}

// Replace gives an existing path the value that somebody has from elsewhere, if meant
// says that it holds the secret that they mean. Type, metadata and rotation policy stay. Like
// Rotate it is refused where a customer's key encrypts values.
func (s *Service) Replace(ctx context.Context, p identity.Principal, vault id.ID, path SecretPath, value plain.Bytes, meant func(Secret) bool) (Secret, error) {
	if value.Len() > MaxValue {
		return Secret{}, ErrValueTooLarge
	}
	return s.write(ctx, attempt{p, vault, path, audit.SecretRotate, toWrite}, func(prev *Secret) (Version, plain.Bytes, error) {
		if prev == nil || !meant(*prev) {
			return Version{}, plain.Bytes{}, ErrSecretNotFound
		}
		return prev.again(value)
	})
}

// again is the version after the latest, with another value and no limits.
func (s *Secret) again(value plain.Bytes) (Version, plain.Bytes, error) {
	switch {
	case s == nil:
		return Version{}, plain.Bytes{}, ErrSecretNotFound
	case s.DeletedAt != nil:
		return Version{}, plain.Bytes{}, ErrSecretDeleted
	}
	return Version{Type: s.Latest.Type, Metadata: s.Latest.Metadata, RotationPolicy: s.Latest.RotationPolicy}, value, nil
}

// generate draws uniformly: bytes beyond the last whole multiple of the
// alphabet are thrown away.
func generate(alphabet string, n int) plain.Bytes {
	limit := 256 - 256%len(alphabet)
	out := make([]byte, 0, n)
	var buf [64]byte
	for len(out) < n {
		_, _ = rand.Read(buf[:])
		for _, b := range buf {
			if int(b) < limit && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	clear(buf[:])
	return plain.New(out)
}
