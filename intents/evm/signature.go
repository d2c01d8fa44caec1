package evm

import "github.com/holiman/uint256"

// Signature is an ECDSA signature on secp256k1 from which the signer can be
// recovered. Its s is in the lower half of the range (EIP-2): of the two
// signatures that any signature stands for, chains take that one only.
type Signature struct {
	r, s     [32]byte
	recovery byte // 0 or 1
}

// The order of the curve, and half of it.
var (
	order = uint256.MustFromHex("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	half  = new(uint256.Int).Rsh(order, 1)
)

// NewSignature completes what an HSM returns, the numbers r and s of a signature
// of digest: it takes the lower s, and finds how the address is recovered. If
// neither way leads to the address, the signature is not that address's.
func NewSignature(r, s []byte, digest Hash, by Address) (Signature, error) {
	if len(r) > 32 || len(s) > 32 {
		return Signature{}, ErrSignature
	}
	var sig Signature
	low := new(uint256.Int).SetBytes(s)
	if low.Cmp(order) >= 0 {
		return Signature{}, ErrSignature
	}
	if low.Gt(half) {
		low.Sub(order, low)
	}
	sig.s = low.Bytes32()
	copy(sig.r[32-len(r):], r)
	for sig.recovery = range byte(2) {
		if a, err := sig.Recover(digest); err == nil && a == by {
			return sig, nil
		}
	}
	return Signature{}, ErrSignature
}

// ParseSignature reads the 65 bytes r, s, v of a signature, with a v of 27 or 28
// as messages have it, or 0 or 1.
func ParseSignature(b []byte) (Signature, error) {
	if len(b) != 65 {
		return Signature{}, ErrSignature.Detail("A signature has 65 bytes")
	}
	sig := Signature{r: [32]byte(b[:32]), s: [32]byte(b[32:64]), recovery: b[64]}
	if sig.recovery >= 27 {
		sig.recovery -= 27
	}
	r, s := new(uint256.Int).SetBytes(sig.r[:]), new(uint256.Int).SetBytes(sig.s[:])
	if sig.recovery > 1 || r.IsZero() || s.IsZero() || r.Cmp(order) >= 0 || s.Gt(half) {
		return Signature{}, ErrSignature.Detail("The numbers of the signature are out of range")
	}
	return sig, nil
}

// Recover says whose signature of digest this is. Every well-formed signature is
// somebody's: compare the answer.
func (s Signature) Recover(digest Hash) (Address, error) {
	public, err := recoverPublic(digest[:], s.recoverable())
	if err != nil {
		return Address{}, ErrSignature.Because(err)
	}
	return addressOf(public), nil
}

// Bytes is r, s, v with a v of 27 or 28: how the signature of a message is given
// to contracts.
func (s Signature) Bytes() []byte {
	b := s.recoverable()
	b[64] += 27
	return b
}

// recoverable has the recovery id itself for v.
func (s Signature) recoverable() []byte {
	b := make([]byte, 65)
	copy(b, s.r[:])
	copy(b[32:], s.s[:])
	b[64] = s.recovery
	return b
}

// addressOf is the address of an uncompressed public key.
func addressOf(public []byte) Address {
	digest := keccak256(public[1:])
	return Address(digest[12:])
}
