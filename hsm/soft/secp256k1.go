package soft

import (
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/oneclaw/oneclawd/hsm"
)

// AccountPublic returns the public key of a private key on secp256k1, which a
// token does not tell when one is imported. What is no private key is
// hsm.ErrScalar.
func AccountPublic(scalar []byte) (public [65]byte, err error) {
	burnStack() // grows it: one that grows later leaves its old place behind as it is
	defer burnStack()
	var k secp256k1.ModNScalar
	defer k.Zero()
	if len(scalar) != 32 || k.SetByteSlice(scalar) || k.IsZero() {
		return public, hsm.ErrScalar
	}
	var point secp256k1.JacobianPoint
	secp256k1.ScalarBaseMultNonConst(&k, &point)
	point.ToAffine()
	copy(public[:], secp256k1.NewPublicKey(&point.X, &point.Y).SerializeUncompressed())
	return public, nil
}

// burnStack wipes what functions that have returned left on this goroutine's
// stack: the arithmetic makes copies of the key there.
//
//go:noinline
func burnStack() {
	var waste [16 << 10]byte
	wipe(waste[:])
}

//go:noinline
func wipe(b []byte) { clear(b) }

// VerifyDigest reports whether sig is the signature r ‖ s of digest by public. A
// high s is as good as a low one.
func VerifyDigest(public [65]byte, digest [32]byte, sig [64]byte) bool {
	var r, s secp256k1.ModNScalar
	if r.SetByteSlice(sig[:32]) || s.SetByteSlice(sig[32:]) || r.IsZero() || s.IsZero() || public[0] != 4 {
		return false
	}
	key, err := secp256k1.ParsePubKey(public[:]) // which checks that it is on the curve
	return err == nil && ecdsa.NewSignature(&r, &s).Verify(digest[:], key)
}
