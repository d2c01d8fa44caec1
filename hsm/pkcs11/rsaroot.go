//go:build cgo

package pkcs11

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"

	p11 "github.com/miekg/pkcs11"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/soft"
)

// macLabel names the data object with the wrapped HMAC key.
const macLabel = "oneclawd-root-mac"

const (
	rsaBits     = 3072
	rsaExponent = 65537
)

// makeRSARoot makes the RSA root key, unless Init was cut short after that, and
// then its HMAC key.
func (m *Module) makeRSARoot(s p11.SessionHandle) error {
	if !m.mechs[p11.CKM_RSA_PKCS_KEY_PAIR_GEN] || !m.mechs[p11.CKM_RSA_PKCS_OAEP] {
		return hsm.ErrUnsupported.Detail("the token offers neither AES key wrapping with AES-GCM nor RSA with OAEP; oneclawd needs one of them")
	}
	root, err := m.findOne(s, p11.CKO_PRIVATE_KEY)
	if err != nil {
		return err
	}
	if root == nil {
		made, err := m.generateRSA(s)
		if err != nil {
			return err
		}
		root = &made
	}
	return m.makeMAC(s, *root)
}

func (m *Module) generateRSA(s p11.SessionHandle) (p11.ObjectHandle, error) {
	id := newID()
	public := []*p11.Attribute{
		attr(p11.CKA_CLASS, p11.CKO_PUBLIC_KEY), attr(p11.CKA_KEY_TYPE, p11.CKK_RSA), attr(p11.CKA_TOKEN, true),
		attr(p11.CKA_MODULUS_BITS, rsaBits), attr(p11.CKA_PUBLIC_EXPONENT, big.NewInt(rsaExponent).Bytes()),
		attr(p11.CKA_ENCRYPT, true), attr(p11.CKA_LABEL, rootLabel), attr(p11.CKA_ID, id),
	}
	private := []*p11.Attribute{
		attr(p11.CKA_CLASS, p11.CKO_PRIVATE_KEY), attr(p11.CKA_KEY_TYPE, p11.CKK_RSA), attr(p11.CKA_TOKEN, true),
		attr(p11.CKA_PRIVATE, true), attr(p11.CKA_SENSITIVE, true), attr(p11.CKA_EXTRACTABLE, false),
		attr(p11.CKA_DECRYPT, true), attr(p11.CKA_SIGN, false), attr(p11.CKA_UNWRAP, false),
		attr(p11.CKA_LABEL, rootLabel), attr(p11.CKA_ID, id),
	}
	_, root, err := m.lib.GenerateKeyPair(s, mech(p11.CKM_RSA_PKCS_KEY_PAIR_GEN), public, private)
	return root, m.fail("C_GenerateKeyPair", err)
}

// makeMAC makes the HMAC key. How it is wrapped also records which hash the
// token accepts for OAEP.
func (m *Module) makeMAC(s p11.SessionHandle, root p11.ObjectHandle) error {
	public, err := m.publicHalf(s, root)
	if err != nil {
		return err
	}
	r := &rsaRing{m: m, root: root, public: public}
	mac := make([]byte, soft.KeySize)
	defer clear(mac)
	if _, err := rand.Read(mac); err != nil {
		return err
	}
	wrapped, err := r.chooseOAEP(s, mac)
	if err != nil {
		return err
	}
	return m.writeData(s, macLabel, wrapped)
}

// chooseOAEP wraps key with the best hash that the token opens.
func (r *rsaRing) chooseOAEP(s p11.SessionHandle, key []byte) ([]byte, error) {
	var last error
	for _, o := range oaeps {
		wrapped, err := r.encrypt(o.kind, key)
		if err != nil {
			return nil, err
		}
		got, err := r.decrypt(s, wrapped)
		same := bytes.Equal(got, key)
		clear(got)
		if err == nil && same {
			return wrapped, nil
		}
		last = err
	}
	if err := r.m.healthy(); err != nil {
		return nil, err
	}
	return nil, hsm.ErrUnsupported.Detail("the token's RSA-OAEP opens neither SHA-256 nor SHA-1").Because(last)
}

// publicHalf reads the public key. From the private object if that tells, since
// public objects can be replaced without the PIN; where it comes from the
// public one, the canary catches a false key.
func (m *Module) publicHalf(s p11.SessionHandle, root p11.ObjectHandle) (*rsa.PublicKey, error) {
	if key := m.readRSA(s, root); key != nil {
		return key, nil
	}
	found, err := m.find(s, 1, attr(p11.CKA_CLASS, p11.CKO_PUBLIC_KEY), attr(p11.CKA_TOKEN, true), attr(p11.CKA_LABEL, rootLabel))
	if err != nil {
		return nil, err
	}
	if len(found) == 1 {
		if key := m.readRSA(s, found[0]); key != nil {
			return key, nil
		}
	}
	if err := m.healthy(); err != nil {
		return nil, err
	}
	return nil, hsm.ErrUnsupported.Because(errors.New("the public half of the RSA root key cannot be read"))
}

// readRSA returns nil if the object does not tell a usable key.
func (m *Module) readRSA(s p11.SessionHandle, object p11.ObjectHandle) *rsa.PublicKey {
	got, err := m.lib.GetAttributeValue(s, object, []*p11.Attribute{attr(p11.CKA_MODULUS, nil), attr(p11.CKA_PUBLIC_EXPONENT, nil)})
	if err != nil || len(got) != 2 {
		return nil
	}
	n, e := new(big.Int).SetBytes(got[0].Value), new(big.Int).SetBytes(got[1].Value)
	if n.BitLen() < 2048 || n.BitLen() > 8192 || !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 {
		return nil
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}
}
