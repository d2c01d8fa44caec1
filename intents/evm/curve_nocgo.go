//go:build !cgo

package evm

import (
	"errors"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Without C the curve is decred's, which takes some times longer. What it calls
// compact is v ‖ r ‖ s, with a v of 27 or 28.

func signDigest(digest, scalar []byte) ([]byte, error) {
	var k secp256k1.PrivateKey
	defer k.Zero()
	if k.Key.SetByteSlice(scalar) || k.Key.IsZero() {
		return nil, errors.New("no private key")
	}
	compact := ecdsa.SignCompact(&k, digest, false)
	return append(compact[1:], compact[0]-27), nil
}

func recoverPublic(digest, sig []byte) ([]byte, error) {
	public, _, err := ecdsa.RecoverCompact(append([]byte{sig[64] + 27}, sig[:64]...), digest)
	if err != nil {
		return nil, err
	}
	return public.SerializeUncompressed(), nil
}

func publicOf(scalar []byte) []byte {
	k := secp256k1.PrivKeyFromBytes(scalar)
	defer k.Zero()
	return k.PubKey().SerializeUncompressed()
}
