//go:build cgo

package evm

import "github.com/ethereum/go-ethereum/crypto/secp256k1"

// The curve is libsecp256k1, in C: go-ethereum/crypto, around it, needs the package
// that rlp says is not used.

// signDigest makes r ‖ s ‖ v of a digest, with the lower s and a v of 0 or 1.
func signDigest(digest, scalar []byte) ([]byte, error) { return secp256k1.Sign(digest, scalar) }

// recoverPublic is the uncompressed public key that r ‖ s ‖ v comes from.
func recoverPublic(digest, sig []byte) ([]byte, error) { return secp256k1.RecoverPubkey(digest, sig) }

// publicOf is the uncompressed public key of a private one.
func publicOf(scalar []byte) []byte {
	curve := secp256k1.S256()
	x, y := curve.ScalarBaseMult(scalar)
	return curve.Marshal(x, y)
}
