//go:build cgo

package pkcs11

import (
	"context"
	"crypto/ed25519"
	"errors"
	"sync"
	"sync/atomic"

	p11 "github.com/miekg/pkcs11"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/soft"
)

// PKCS#11 3.0 constants that the binding does not have.
const (
	ckmEdwardsKeyPairGen = 0x1055
	ckmEdDSA             = 0x1057
	ckkEdwards           = 0x40
)

// handleResident is the first byte of the handle of a key in the token; the
// rest is its CKA_ID.
const handleResident = 1

const signingLabel = "oneclawd-signing"

// edParams are the two ways to name the curve: its OID, or its name as a
// PrintableString. Tokens accept one or both.
var edParams = [][]byte{
	{0x06, 0x03, 0x2b, 0x65, 0x70},
	append([]byte{0x13, 0x0c}, "edwards25519"...),
}

// signers remembers where resident keys are in the token: to find one is a
// linear scan under a global lock in some drivers.
type signers struct {
	mu    sync.Mutex
	found map[string]p11.ObjectHandle // by CKA_ID ‖ public key, once a signature has verified
	soft  atomic.Bool                 // the token lists Ed25519, but refused it
}

// maxSigners bounds the memory of signers; an appliance has a handful of keys.
const maxSigners = 256

func (g *signers) resident(mechs map[uint]bool) bool {
	return mechs[ckmEdDSA] && mechs[ckmEdwardsKeyPairGen] && !g.soft.Load()
}

func (g *signers) lookup(key string) (p11.ObjectHandle, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	object, ok := g.found[key]
	return object, ok
}

func (g *signers) remember(key string, object p11.ObjectHandle) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.found == nil || len(g.found) >= maxSigners {
		g.found = make(map[string]p11.ObjectHandle)
	}
	g.found[key] = object
}

// NewSigningKey implements hsm.Module.
func (m *Module) NewSigningKey(ctx context.Context) (hsm.SigningKey, error) {
	if _, err := m.keys(ctx); err != nil {
		return hsm.SigningKey{}, err
	}
	if m.signers.resident(m.mechs) {
		key, err := m.newResident(ctx)
		if !errors.Is(err, hsm.ErrUnsupported) {
			return key, err
		}
		m.signers.soft.Store(true)
	}
	return soft.NewSigningKey(ctx, m)
}

func (m *Module) newResident(ctx context.Context) (hsm.SigningKey, error) {
	s, err := m.session(ctx)
	if err != nil {
		return hsm.SigningKey{}, err
	}
	defer m.put(s)
	id := newID()
	public, private, err := m.generateEd25519(s, id, true)
	if err != nil {
		return hsm.SigningKey{}, err
	}
	key := hsm.SigningKey{Handle: append([]byte{handleResident}, id...), Resident: true}
	key.Public, err = m.edPoint(s, public)
	_ = m.lib.DestroyObject(s, public) // a session object
	if err == nil {
		// Tokens differ in what they call Ed25519; a key that nobody can verify
		// must not be handed out.
		_, err = m.signVerified(s, private, key, []byte("oneclawd key check"))
	}
	if err != nil {
		_ = m.lib.DestroyObject(s, private)
		if errors.Is(err, hsm.ErrAuthentic) {
			err = hsm.ErrUnsupported.Detail("the HSM's Ed25519 signatures do not verify")
		}
		return hsm.SigningKey{}, err
	}
	return key, nil
}

// generateEd25519 makes a key pair whose private half is a token object if it is
// to last. The public half never is: it would take up room for nothing.
func (m *Module) generateEd25519(s p11.SessionHandle, id []byte, lasting bool) (public, private p11.ObjectHandle, err error) {
	for _, params := range edParams {
		public, private, err = m.lib.GenerateKeyPair(s, mech(ckmEdwardsKeyPairGen), []*p11.Attribute{
			attr(p11.CKA_CLASS, p11.CKO_PUBLIC_KEY), attr(p11.CKA_KEY_TYPE, ckkEdwards), attr(p11.CKA_TOKEN, false),
			attr(p11.CKA_VERIFY, true), attr(p11.CKA_EC_PARAMS, params),
		}, []*p11.Attribute{
			attr(p11.CKA_CLASS, p11.CKO_PRIVATE_KEY), attr(p11.CKA_KEY_TYPE, ckkEdwards), attr(p11.CKA_TOKEN, lasting),
			attr(p11.CKA_PRIVATE, true), attr(p11.CKA_SENSITIVE, true), attr(p11.CKA_EXTRACTABLE, false),
			attr(p11.CKA_SIGN, true), attr(p11.CKA_LABEL, signingLabel), attr(p11.CKA_ID, id),
		})
		if err == nil {
			return public, private, nil
		}
	}
	return 0, 0, m.fail("C_GenerateKeyPair", err)
}

// edPoint reads the public key: 32 bytes, in an OCTET STRING or bare.
func (m *Module) edPoint(s p11.SessionHandle, public p11.ObjectHandle) (ed25519.PublicKey, error) {
	got, err := m.lib.GetAttributeValue(s, public, []*p11.Attribute{attr(p11.CKA_EC_POINT, nil)})
	if err != nil || len(got) != 1 {
		return nil, m.fail("C_GetAttributeValue", err)
	}
	point := got[0].Value
	if len(point) == 2+ed25519.PublicKeySize && point[0] == 4 && point[1] == ed25519.PublicKeySize {
		point = point[2:]
	}
	if len(point) != ed25519.PublicKeySize {
		return nil, hsm.ErrUnsupported.Because(errors.New("CKA_EC_POINT is not an Ed25519 key"))
	}
	return ed25519.PublicKey(point), nil
}

// Sign implements hsm.Module.
func (m *Module) Sign(ctx context.Context, key hsm.SigningKey, message []byte) ([]byte, error) {
	if err := soft.CheckMessage(message); err != nil {
		return nil, err
	}
	if len(key.Handle) == 0 || key.Handle[0] != handleResident {
		return soft.Sign(ctx, m, key, message)
	}
	s, err := m.session(ctx)
	if err != nil {
		return nil, err
	}
	defer m.put(s)
	name := string(key.Handle) + string(key.Public)
	if object, ok := m.signers.lookup(name); ok {
		return m.signIn(s, object, message)
	}
	object, err := m.findSigner(s, key.Handle[1:])
	if err != nil {
		return nil, err
	}
	sig, err := m.signVerified(s, object, key, message)
	if err == nil {
		m.signers.remember(name, object)
	}
	return sig, err
}

func (m *Module) findSigner(s p11.SessionHandle, id []byte) (p11.ObjectHandle, error) {
	found, err := m.find(s, 2, attr(p11.CKA_CLASS, p11.CKO_PRIVATE_KEY), attr(p11.CKA_TOKEN, true),
		attr(p11.CKA_LABEL, signingLabel), attr(p11.CKA_ID, id))
	if err != nil {
		return 0, err
	}
	if len(found) != 1 {
		return 0, hsm.ErrAuthentic.Detail("the token does not hold this signing key")
	}
	return found[0], nil
}

func (m *Module) signIn(s p11.SessionHandle, object p11.ObjectHandle, message []byte) ([]byte, error) {
	if err := m.lib.SignInit(s, mech(ckmEdDSA), object); err != nil {
		return nil, m.fail("C_SignInit", err)
	}
	sig, err := m.lib.Sign(s, message)
	if err != nil {
		return nil, m.fail("C_Sign", err)
	}
	if len(sig) != ed25519.SignatureSize {
		return nil, hsm.ErrUnsupported.Detail("the HSM's Ed25519 signatures are not 64 bytes long")
	}
	return sig, nil
}

// signVerified signs and checks that the key pair belongs together.
func (m *Module) signVerified(s p11.SessionHandle, object p11.ObjectHandle, key hsm.SigningKey, message []byte) ([]byte, error) {
	sig, err := m.signIn(s, object, message)
	if err != nil {
		return nil, err
	}
	if len(key.Public) != ed25519.PublicKeySize || !ed25519.Verify(key.Public, message, sig) {
		return nil, hsm.ErrAuthentic.Because(errors.New("the signing key belongs to another public key"))
	}
	return sig, nil
}
