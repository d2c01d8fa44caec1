package attest

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
)

// bindingTag separates these hashes from all others; the layout's version is in it.
const bindingTag = "oneclawd attest binding v1\x00"

// Binding is what a report is about, besides the machine.
type Binding struct {
	// Nonce is fresh, and chosen by whoever wants to be convinced.
	Nonce [32]byte
	// TLSKey is HashKey of the public key that the API's listener proves.
	TLSKey [32]byte
	// JWTKey is HashKey of the public key that verifies this appliance's tokens.
	JWTKey [32]byte
}

// NewNonce draws a nonce.
func NewNonce() (nonce [32]byte) {
	_, _ = rand.Read(nonce[:]) // it never fails: it would end the program
	return nonce
}

// HashKey is the SHA-256 of a public key in its SubjectPublicKeyInfo form (RFC
// 5280), the form that certificate pins have. The error is that of a key which has
// no such form.
func HashKey(pub crypto.PublicKey) ([32]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(der), nil
}

// ReportData is the REPORT_DATA field of a report about b:
//
//	SHA-512( "oneclawd attest binding v1" ‖ 0x00 ‖ Nonce ‖ TLSKey ‖ JWTKey )
//
// with the three parts of 32 bytes each, so that no two bindings share one text.
func (b Binding) ReportData() [64]byte {
	text := make([]byte, 0, len(bindingTag)+3*32)
	text = append(text, bindingTag...)
	text = append(text, b.Nonce[:]...)
	text = append(text, b.TLSKey[:]...)
	text = append(text, b.JWTKey[:]...)
	return sha512.Sum512(text)
}
