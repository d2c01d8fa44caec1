package soft

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"

	"github.com/oneclaw/oneclawd/hsm"
)

// HandleSoft is the first byte of the handle of a soft signing key. Modules
// with signing keys of their own mark those with another byte.
//
// The rest is: length of the KEK (16 bits) ‖ KEK ‖ wrapped seed. Each key has a
// KEK of its own, so that nothing but NewKEK and Wrap is asked of a module.
const HandleSoft = 2

// Wrapper is the part of a module that keeps soft signing keys.
type Wrapper interface {
	NewKEK(ctx context.Context) (hsm.KEK, error)
	Wrap(ctx context.Context, kek hsm.KEK, key, aad []byte) ([]byte, error)
	Unwrap(ctx context.Context, kek hsm.KEK, wrapped, aad []byte) ([]byte, error)
}

// NewSigningKey makes an Ed25519 key in Go and wraps its seed with w.
func NewSigningKey(ctx context.Context, w Wrapper) (hsm.SigningKey, error) {
	seed := make([]byte, ed25519.SeedSize)
	defer clear(seed)
	if _, err := rand.Read(seed); err != nil {
		return hsm.SigningKey{}, err
	}
	private := ed25519.NewKeyFromSeed(seed)
	defer clear(private)
	public := append(ed25519.PublicKey(nil), private[ed25519.SeedSize:]...)

	kek, err := w.NewKEK(ctx)
	if err != nil {
		return hsm.SigningKey{}, err
	}
	wrapped, err := w.Wrap(ctx, kek, seed, signingAAD(public))
	if err != nil {
		return hsm.SigningKey{}, err
	}
	handle := binary.BigEndian.AppendUint16([]byte{HandleSoft}, uint16(len(kek)))
	handle = append(append(handle, kek...), wrapped...)
	return hsm.SigningKey{Public: public, Handle: handle}, nil
}

// Sign signs with a key of NewSigningKey.
func Sign(ctx context.Context, w Wrapper, key hsm.SigningKey, message []byte) ([]byte, error) {
	kek, wrapped, err := splitHandle(key.Handle)
	if err != nil {
		return nil, err
	}
	// The public key is in the AAD: a handle that was paired with another public
	// key does not open, instead of signing what nobody can verify.
	seed, err := w.Unwrap(ctx, kek, wrapped, signingAAD(key.Public))
	if err != nil {
		return nil, err
	}
	defer clear(seed)
	if len(seed) != ed25519.SeedSize {
		return nil, hsm.ErrAuthentic.Because(errors.New("not a signing key"))
	}
	private := ed25519.NewKeyFromSeed(seed)
	defer clear(private)
	return ed25519.Sign(private, message), nil
}

func splitHandle(handle []byte) (hsm.KEK, []byte, error) {
	if len(handle) < 3 || handle[0] != HandleSoft {
		return nil, nil, hsm.ErrAuthentic.Because(errors.New("not the handle of a soft signing key"))
	}
	n := int(binary.BigEndian.Uint16(handle[1:3]))
	if len(handle) < 3+n {
		return nil, nil, hsm.ErrAuthentic.Because(errors.New("signing key handle is cut short"))
	}
	return hsm.KEK(handle[3 : 3+n]), handle[3+n:], nil
}

func signingAAD(public ed25519.PublicKey) []byte {
	return append([]byte("oneclawd ed25519 seed v1\x00"), public...)
}
