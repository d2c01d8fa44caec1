//go:build cgo

package pkcs11

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"

	p11 "github.com/miekg/pkcs11"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/soft"
)

// First byte of a KEK under an AES root key: how it is wrapped.
const (
	kekKWP = 0x21 // CKM_AES_KEY_WRAP_PAD, RFC 5649
	kekKW  = 0x22 // CKM_AES_KEY_WRAP, RFC 3394
)

// aesWraps are the mechanisms to wrap KEKs with, best first.
var aesWraps = []struct {
	kind byte
	mech uint
	name string
}{
	{kekKWP, p11.CKM_AES_KEY_WRAP_PAD, "AES-KEY-WRAP-PAD"},
	{kekKW, p11.CKM_AES_KEY_WRAP, "AES-KEY-WRAP"},
}

// aesRing is the keyring of an AES root key: KEKs never leave the token open.
type aesRing struct {
	m           *Module
	root        p11.ObjectHandle
	kind        byte // how new KEKs are wrapped
	open        *handles[p11.ObjectHandle]
	canary      hsm.KEK // a KEK that is used for nothing but probe
	extractable bool
}

func mech(kind uint) []*p11.Mechanism { return []*p11.Mechanism{p11.NewMechanism(kind, nil)} }

// newAESRing takes root into use, and fails if it cannot be used.
func newAESRing(m *Module, s p11.SessionHandle, root p11.ObjectHandle) (*aesRing, error) {
	r := &aesRing{m: m, root: root, open: newHandles[p11.ObjectHandle](m.target.handles)}
	for _, w := range aesWraps {
		if r.kind == 0 && m.mechs[w.mech] {
			r.kind = w.kind
		}
	}
	if r.kind == 0 || !m.mechs[p11.CKM_AES_GCM] {
		return nil, hsm.ErrUnsupported.Detail("the root key in the token is an AES key, but reached through this library the token offers no AES key wrapping or no AES-GCM")
	}
	r.extractable = m.flag(s, root, p11.CKA_EXTRACTABLE)
	var err error
	r.canary, err = r.newKEKIn(s)
	return r, err
}

func (r *aesRing) wrapping() string {
	for _, w := range aesWraps {
		if w.kind == r.kind {
			return w.name
		}
	}
	return ""
}

func (r *aesRing) notes() []string {
	if r.extractable {
		return []string{"the root key is marked extractable: whoever has the PIN can copy it out of the token"}
	}
	return nil
}

func (r *aesRing) close() error { return nil } // session objects end with their sessions

// probe opens the canary under the root key.
func (r *aesRing) probe(s p11.SessionHandle) error {
	kek, err := r.openIn(s, r.canary)
	if err != nil {
		return called("C_UnwrapKey", err)
	}
	return called("C_DestroyObject", r.m.lib.DestroyObject(s, kek))
}

func (r *aesRing) newKEK(ctx context.Context) (hsm.KEK, error) {
	s, err := r.m.session(ctx)
	if err != nil {
		return nil, err
	}
	defer r.m.put(s)
	return r.newKEKIn(s)
}

// newKEKIn makes a key that may leave the token wrapped, wraps it, and destroys
// it. From then on it is only opened as one that may not leave.
func (r *aesRing) newKEKIn(s p11.SessionHandle) (hsm.KEK, error) {
	lib := r.m.lib
	key, err := lib.GenerateKey(s, mech(p11.CKM_AES_KEY_GEN), transientAES(true, p11.CKA_ENCRYPT))
	if err != nil {
		return nil, r.m.fail("C_GenerateKey", err)
	}
	wrapped, err := lib.WrapKey(s, mech(mechOf(r.kind)), r.root, key)
	if derr := lib.DestroyObject(s, key); err == nil && derr != nil {
		return nil, r.m.fail("C_DestroyObject", derr)
	}
	if err != nil {
		return nil, r.m.fail("C_WrapKey", err)
	}
	return append(hsm.KEK{r.kind}, wrapped...), nil
}

// transientAES is the template of an AES-256 session object with one use.
func transientAES(extractable bool, uses ...uint) []*p11.Attribute {
	t := []*p11.Attribute{
		attr(p11.CKA_CLASS, p11.CKO_SECRET_KEY), attr(p11.CKA_KEY_TYPE, p11.CKK_AES),
		attr(p11.CKA_TOKEN, false), attr(p11.CKA_VALUE_LEN, soft.KeySize),
		attr(p11.CKA_SENSITIVE, true), attr(p11.CKA_EXTRACTABLE, extractable),
	}
	for _, use := range uses {
		t = append(t, attr(use, true))
	}
	return t
}

func mechOf(kind byte) uint {
	for _, w := range aesWraps {
		if w.kind == kind {
			return w.mech
		}
	}
	return 0
}

// unwrapTemplate is that of an opened KEK. No CKA_VALUE_LEN: the length is in
// the wrapping, and SoftHSM refuses to be told.
func unwrapTemplate() []*p11.Attribute {
	return []*p11.Attribute{
		attr(p11.CKA_CLASS, p11.CKO_SECRET_KEY), attr(p11.CKA_KEY_TYPE, p11.CKK_AES), attr(p11.CKA_TOKEN, false),
		attr(p11.CKA_SENSITIVE, true), attr(p11.CKA_EXTRACTABLE, false),
		attr(p11.CKA_ENCRYPT, true), attr(p11.CKA_DECRYPT, true),
	}
}

// wrappedSize is the length of a KEK: 32 bytes of key take 40 in RFC 3394 and 5649.
const wrappedSize = 1 + 40

// openIn opens a KEK as a session object. The error is raw, or ErrAuthentic.
func (r *aesRing) openIn(s p11.SessionHandle, kek hsm.KEK) (p11.ObjectHandle, error) {
	if len(kek) != wrappedSize || mechOf(kek[0]) == 0 {
		return 0, hsm.ErrAuthentic.Because(errors.New("not a KEK of an AES root key"))
	}
	return r.m.lib.UnwrapKey(s, mech(mechOf(kek[0])), r.root, kek[1:], unwrapTemplate())
}

// handle is openIn with the cache before it.
func (r *aesRing) handle(s p11.SessionHandle, kek hsm.KEK) (*handle[p11.ObjectHandle], error) {
	return r.open.acquire(kek, func() (p11.ObjectHandle, error) {
		object, err := r.openIn(s, kek)
		if err != nil && !errors.Is(err, hsm.ErrAuthentic) {
			err = r.m.failOpening(s, r, "C_UnwrapKey", err)
		}
		return object, err
	})
}

func (r *aesRing) release(s p11.SessionHandle, h *handle[p11.ObjectHandle]) {
	r.open.release(h, func(object p11.ObjectHandle) {
		_ = r.m.fail("C_DestroyObject", r.m.lib.DestroyObject(s, object))
	})
}

func (r *aesRing) wrap(ctx context.Context, kek hsm.KEK, key, aad []byte) ([]byte, error) {
	s, err := r.m.session(ctx)
	if err != nil {
		return nil, err
	}
	defer r.m.put(s)
	h, err := r.handle(s, kek)
	if err != nil {
		return nil, err
	}
	defer r.release(s, h)
	return r.m.gcmEncrypt(s, h.value, key, aad)
}

func (r *aesRing) unwrap(ctx context.Context, kek hsm.KEK, wrapped, aad []byte) ([]byte, error) {
	nonce, ciphertext, err := soft.Split(wrapped)
	if err != nil {
		return nil, err
	}
	s, err := r.m.session(ctx)
	if err != nil {
		return nil, err
	}
	defer r.m.put(s)
	h, err := r.handle(s, kek)
	if err != nil {
		return nil, err
	}
	defer r.release(s, h)
	key, call, err := r.m.gcmDecrypt(s, h.value, nonce, ciphertext, aad)
	if err != nil {
		return nil, r.m.failOpening(s, r, call, err)
	}
	return key, nil
}

// gcmEncrypt returns version ‖ nonce ‖ ciphertext ‖ tag. The nonce is always
// ours and always 12 bytes: given none, SoftHSM uses the same one every time.
// It is read back afterwards, since some HSMs insist on their own.
func (m *Module) gcmEncrypt(s p11.SessionHandle, key p11.ObjectHandle, plaintext, aad []byte) ([]byte, error) {
	var nonce [soft.NonceSize]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return nil, err
	}
	params := p11.NewGCMParams(nonce[:], aad, soft.TagSize*8)
	defer params.Free()
	if err := m.lib.EncryptInit(s, []*p11.Mechanism{p11.NewMechanism(p11.CKM_AES_GCM, params)}, key); err != nil {
		return nil, m.fail("C_EncryptInit", err)
	}
	ciphertext, err := m.lib.Encrypt(s, plaintext)
	if err != nil {
		return nil, m.fail("C_Encrypt", err)
	}
	used := params.IV()
	if len(used) != soft.NonceSize || len(ciphertext) != len(plaintext)+soft.TagSize {
		return nil, hsm.ErrUnsupported.Detail("the HSM's AES-GCM does not keep to 12 bytes of nonce and 16 of tag")
	}
	out := make([]byte, 0, soft.Overhead+len(plaintext))
	return append(append(append(out, soft.Version), used...), ciphertext...), nil
}

// gcmDecrypt returns a raw error and the call that it is from.
func (m *Module) gcmDecrypt(s p11.SessionHandle, key p11.ObjectHandle, nonce, ciphertext, aad []byte) ([]byte, string, error) {
	params := p11.NewGCMParams(nonce, aad, soft.TagSize*8)
	defer params.Free()
	if err := m.lib.DecryptInit(s, []*p11.Mechanism{p11.NewMechanism(p11.CKM_AES_GCM, params)}, key); err != nil {
		return nil, "C_DecryptInit", err
	}
	plaintext, err := m.lib.Decrypt(s, ciphertext)
	return plaintext, "C_Decrypt", err
}

// tryAES goes through all that an AES root key must do, with session objects.
// It fails with ErrUnsupported if the token cannot.
func (m *Module) tryAES(s p11.SessionHandle) error {
	if !m.mechs[p11.CKM_AES_GCM] || (!m.mechs[p11.CKM_AES_KEY_WRAP_PAD] && !m.mechs[p11.CKM_AES_KEY_WRAP]) {
		return hsm.ErrUnsupported
	}
	root, err := m.lib.GenerateKey(s, mech(p11.CKM_AES_KEY_GEN), transientAES(false, p11.CKA_WRAP, p11.CKA_UNWRAP))
	if err != nil {
		return failed("C_GenerateKey", err)
	}
	defer func() { _ = m.lib.DestroyObject(s, root) }()
	ring, err := newAESRing(m, s, root)
	if err != nil {
		return err
	}
	kek, err := ring.openIn(s, ring.canary)
	if err != nil {
		return failed("C_UnwrapKey", err)
	}
	defer func() { _ = m.lib.DestroyObject(s, kek) }()
	wrapped, err := m.gcmEncrypt(s, kek, []byte("probe"), []byte("aad"))
	if err != nil {
		return err
	}
	nonce, ciphertext, err := soft.Split(wrapped)
	if err != nil {
		return err
	}
	got, call, err := m.gcmDecrypt(s, kek, nonce, ciphertext, []byte("aad"))
	if err != nil {
		return failed(call, err)
	}
	if !bytes.Equal(got, []byte("probe")) {
		return hsm.ErrUnsupported.Detail("the HSM's AES-GCM does not return what was encrypted")
	}
	return nil
}

// makeAESRoot makes the root key as a token object.
func (m *Module) makeAESRoot(s p11.SessionHandle) error {
	_, err := m.lib.GenerateKey(s, mech(p11.CKM_AES_KEY_GEN), []*p11.Attribute{
		attr(p11.CKA_CLASS, p11.CKO_SECRET_KEY), attr(p11.CKA_KEY_TYPE, p11.CKK_AES), attr(p11.CKA_VALUE_LEN, soft.KeySize),
		attr(p11.CKA_TOKEN, true), attr(p11.CKA_PRIVATE, true), attr(p11.CKA_SENSITIVE, true), attr(p11.CKA_EXTRACTABLE, false),
		attr(p11.CKA_WRAP, true), attr(p11.CKA_UNWRAP, true), attr(p11.CKA_ENCRYPT, false), attr(p11.CKA_DECRYPT, false),
		attr(p11.CKA_LABEL, rootLabel), attr(p11.CKA_ID, newID()),
	})
	return m.fail("C_GenerateKey", err)
}
