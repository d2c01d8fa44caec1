//go:build cgo

package pkcs11

import (
	"bytes"
	"crypto/sha256"
	"errors"

	p11 "github.com/miekg/pkcs11"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/soft"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// handleAccount is the first byte of the handle of an account key; the rest is
// its CKA_ID, which is random: whoever looks into the token learns how many
// account keys there are, and not whose.
const (
	handleAccount = 3
	idSize        = 16
	accountLabel  = "oneclawd-account"
)

// secp256k1 is the curve's OID, 1.3.132.0.10, in DER.
var secp256k1 = []byte{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a}

// trialDigest is what is signed to see whether a key works. It is the hash of
// these words and so of no transaction.
var trialDigest = sha256.Sum256([]byte("oneclawd account key check"))

// maxAccounts bounds how many account keys' places in the token are remembered.
const maxAccounts = 4096

// accounts is what is known of the token's secp256k1.
type accounts struct {
	lacking error // why the token keeps no account keys; nil if it does
	// found remembers where keys are, by handle ‖ public key, once a signature has
	// verified. To find one is a linear scan under a global lock in some drivers.
	found *handles[p11.ObjectHandle]
}

var _ hsm.AccountKeys = (*Module)(nil)

// startAccounts decides, by trying, whether the token keeps account keys. A
// token that is full does: it may hold some.
func (m *Module) startAccounts(s p11.SessionHandle) error {
	m.accounts.found = newHandles[p11.ObjectHandle](maxAccounts)
	err := m.trySecp256k1(s)
	if errors.Is(err, hsm.ErrUnavailable) && m.healthy() == nil {
		// Some tokens answer CKR_GENERAL_ERROR to what they do not offer.
		m.lost.Store(false)
		err = hsm.ErrUnsupported.Because(err)
	}
	switch {
	case errors.Is(err, hsm.ErrUnsupported):
		m.accounts.lacking = hsm.ErrUnsupported.Detail("the token does not offer the curve secp256k1, so it cannot keep the keys of EVM accounts").Because(err)
		return nil
	case errors.Is(err, hsm.ErrFull):
		return nil
	}
	return err
}

// trySecp256k1 makes a key for this session only and signs with it. It fails with
// ErrUnsupported if the token cannot.
func (m *Module) trySecp256k1(s p11.SessionHandle) error {
	for _, kind := range []uint{p11.CKM_EC_KEY_PAIR_GEN, p11.CKM_ECDSA} {
		if !m.mechs[kind] {
			return hsm.ErrUnsupported
		}
		info, err := m.lib.GetMechanismInfo(m.at.id, mech(kind))
		if err == nil && info.MaxKeySize > 0 && (info.MaxKeySize < 256 || info.MinKeySize > 256) {
			return hsm.ErrUnsupported
		}
	}
	public, private, err := m.generateAccount(s, newID(), false)
	if err != nil {
		return m.fail("C_GenerateKeyPair", err)
	}
	defer func() { _, _ = m.lib.DestroyObject(s, private), m.lib.DestroyObject(s, public) }()
	point, err := m.ecPoint(s, public)
	if err != nil {
		return err
	}
	return m.judge(m.vet(s, private, point))
}

// generateAccount makes a key pair whose private half is a token object if it is
// to last. The public half never is: it would take up room for nothing. The
// error is raw.
func (m *Module) generateAccount(s p11.SessionHandle, id []byte, lasting bool) (public, private p11.ObjectHandle, err error) {
	return m.lib.GenerateKeyPair(s, mech(p11.CKM_EC_KEY_PAIR_GEN), []*p11.Attribute{
		attr(p11.CKA_CLASS, p11.CKO_PUBLIC_KEY), attr(p11.CKA_KEY_TYPE, p11.CKK_EC), attr(p11.CKA_TOKEN, false),
		attr(p11.CKA_VERIFY, true), attr(p11.CKA_EC_PARAMS, secp256k1),
	}, privateAccount(id, lasting))
}

// privateAccount is the template of the private half.
func privateAccount(id []byte, lasting bool) []*p11.Attribute {
	return []*p11.Attribute{
		attr(p11.CKA_CLASS, p11.CKO_PRIVATE_KEY), attr(p11.CKA_KEY_TYPE, p11.CKK_EC), attr(p11.CKA_TOKEN, lasting),
		attr(p11.CKA_PRIVATE, true), attr(p11.CKA_SENSITIVE, true), attr(p11.CKA_EXTRACTABLE, false),
		attr(p11.CKA_SIGN, true), attr(p11.CKA_DECRYPT, false), attr(p11.CKA_UNWRAP, false), attr(p11.CKA_DERIVE, false),
		attr(p11.CKA_LABEL, accountLabel), attr(p11.CKA_ID, id),
	}
}

// ecPoint reads the public key: 65 bytes, in an OCTET STRING or bare.
func (m *Module) ecPoint(s p11.SessionHandle, public p11.ObjectHandle) (point [65]byte, err error) {
	got, err := m.lib.GetAttributeValue(s, public, []*p11.Attribute{attr(p11.CKA_EC_POINT, nil)})
	if err != nil || len(got) != 1 {
		return point, m.fail("C_GetAttributeValue", err)
	}
	bare := got[0].Value
	if len(bare) == 2+len(point) {
		bare = bytes.TrimPrefix(bare, []byte{0x04, byte(len(point))})
	}
	if len(bare) != len(point) {
		return point, hsm.ErrUnsupported.Because(errors.New("CKA_EC_POINT is not an uncompressed point of secp256k1"))
	}
	copy(point[:], bare)
	return point, nil
}

// vet makes sure of a new key before anybody relies on it: the token does not
// give it out, and what it signs verifies. The error is as that of pairs.
func (m *Module) vet(s p11.SessionHandle, private p11.ObjectHandle, public [65]byte) error {
	if m.flag(s, private, p11.CKA_EXTRACTABLE) || m.readable(s, private) {
		return hsm.ErrUnsupported.Detail("the HSM would let private keys of secp256k1 out")
	}
	if err := m.pairs(s, private, public); !errors.Is(err, hsm.ErrAuthentic) {
		return err
	}
	return hsm.ErrUnsupported.Detail("the HSM's secp256k1 signatures do not verify")
}

// readable reports whether the token shows a private key.
func (m *Module) readable(s p11.SessionHandle, private p11.ObjectHandle) bool {
	got, err := m.lib.GetAttributeValue(s, private, []*p11.Attribute{attr(p11.CKA_VALUE, nil)})
	shown := false
	for _, a := range got {
		shown = shown || err == nil && len(a.Value) > 0
		clear(a.Value)
	}
	return shown
}

// pairs reports, as ErrAuthentic, that two halves do not belong together. An error
// of the token is raw, but knows its call.
func (m *Module) pairs(s p11.SessionHandle, private p11.ObjectHandle, public [65]byte) error {
	sig, err := m.signECDSA(s, private, trialDigest)
	if err != nil {
		return err
	}
	if !soft.VerifyDigest(public, trialDigest, sig) {
		return hsm.ErrAuthentic.Because(errors.New("the account key belongs to another public key"))
	}
	return nil
}

// signECDSA returns a raw error that knows its call, or ErrUnsupported.
func (m *Module) signECDSA(s p11.SessionHandle, private p11.ObjectHandle, digest [32]byte) (sig [64]byte, err error) {
	if err := m.lib.SignInit(s, mech(p11.CKM_ECDSA), private); err != nil {
		return sig, called("C_SignInit", err)
	}
	raw, err := m.lib.Sign(s, digest[:])
	if err != nil {
		return sig, called("C_Sign", err)
	}
	if len(raw) != len(sig) {
		return sig, hsm.ErrUnsupported.Detail("the HSM's ECDSA signatures on secp256k1 are not 64 bytes long")
	}
	return [64]byte(raw), nil
}

// judge is fail for an error that may be a sentinel already.
func (m *Module) judge(err error) error {
	if fault.As(err) != nil {
		return err
	}
	return m.fail("", err)
}

// absent reports whether an error means that an object is not there, while the
// token is: the same session uses the root key.
func absent(s p11.SessionHandle, ring keyring, err error) bool {
	return isRV(err, p11.CKR_OBJECT_HANDLE_INVALID, p11.CKR_KEY_HANDLE_INVALID) && ring.probe(s) == nil
}
