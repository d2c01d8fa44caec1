package envelope

import (
	"context"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// OpenKey returns the DEK of an envelope, for who keeps it otherwise than under
// the KEK: whoever has it and the envelope has the value. The caller wipes it. Errors are
// those of Open; the value is not looked at.
func OpenKey(ctx context.Context, keys Keys, kek KEK, b Binding, sealed []byte) (plain.Bytes, error) {
	_, dek, err := openDEK(ctx, keys, kek, b, sealed)
	if err != nil {
		clear(dek)
		return plain.Bytes{}, err
	}
	return plain.New(dek), nil
}

// OpenWith is Open for who has the DEK instead of the KEK. ErrDamaged if it is not the
// one that the envelope was sealed under.
func OpenWith(dek plain.Bytes, b Binding, sealed []byte) (plain.Bytes, error) {
	p, ok := parse(sealed)
	if !ok || !b.complete() || dek.Len() != dekSize {
		return plain.Bytes{}, ErrDamaged
	}
	return p.open(b, dek.Reveal())
}
