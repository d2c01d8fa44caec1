package identity

import (
	"context"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// HashPassphrase returns what is kept of a passphrase that people make up:
// Argon2id, as for passwords, and bounded together with them.
func (s *Service) HashPassphrase(ctx context.Context, passphrase plain.Bytes) (string, error) {
	return s.HashPassword(ctx, string(passphrase.Reveal()))
}

// CheckPassphrase reports whether a passphrase is the one that was hashed.
func (s *Service) CheckPassphrase(ctx context.Context, hash string, passphrase plain.Bytes) (bool, error) {
	return s.CheckPassword(ctx, hash, string(passphrase.Reveal()))
}
