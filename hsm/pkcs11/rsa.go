//go:build cgo

package pkcs11

import (
	"bytes"
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // OAEP with SHA-1, for tokens that know no other
	"crypto/sha256"
	"errors"

	p11 "github.com/miekg/pkcs11"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/lockmem"
	"github.com/oneclaw/oneclawd/hsm/soft"
)

// First byte of what is wrapped under an RSA root key: the hash of OAEP. SHA-1
// is sound there, OAEP does not rest on its collision resistance.
const (
	kekOAEP1   = 0x31
	kekOAEP256 = 0x32
)

var oaeps = []struct {
	kind byte
	hash crypto.Hash
	mech uint
	mgf  uint
}{
	{kekOAEP256, crypto.SHA256, p11.CKM_SHA256, p11.CKG_MGF1_SHA256},
	{kekOAEP1, crypto.SHA1, p11.CKM_SHA_1, p11.CKG_MGF1_SHA1},
}

// rsaRing is the keyring of an RSA root key. KEKs are opened by the token, one
// call each, and used in Go.
//
// Anyone who knows the public key could make a KEK that opens. So each carries
// an HMAC, whose key is random, wrapped like a KEK and kept in the token.
type rsaRing struct {
	m      *Module
	root   p11.ObjectHandle
	public *rsa.PublicKey
	kind   byte
	mac    lockmem.Key
	arena  *lockmem.Arena
	open   *handles[lockmem.Key]
	canary []byte // wrapped; probe opens it
}

// inUse is how many KEKs beyond the cache's bound may be open while calls use
// them.
const inUse = 256

// newRSARing takes the private key root into use, and fails if it cannot be
// used. Without its HMAC key the root key does not count as made: Init was cut
// short.
func newRSARing(m *Module, s p11.SessionHandle, root p11.ObjectHandle) (*rsaRing, error) {
	public, err := m.publicHalf(s, root)
	if err != nil {
		return nil, err
	}
	wrapped, err := m.readData(s, macLabel)
	if err != nil {
		return nil, err
	}
	if wrapped == nil {
		return nil, hsm.ErrNoRootKey.Because(errors.New("the RSA root key has no HMAC key"))
	}
	arena, err := lockmem.New(m.target.handles + inUse)
	if err != nil {
		return nil, err
	}
	r := &rsaRing{m: m, root: root, public: public, arena: arena, open: newHandles[lockmem.Key](m.target.handles)}
	if err := r.start(s, wrapped); err != nil {
		_ = arena.Close()
		return nil, err
	}
	return r, nil
}

func (r *rsaRing) start(s p11.SessionHandle, wrapped []byte) error {
	mac, err := r.decrypt(s, wrapped)
	if err != nil {
		return r.m.fail("C_Decrypt", err)
	}
	r.kind = wrapped[0]
	if r.mac, err = r.arena.Put(mac); err != nil {
		return err
	}
	r.canary, err = r.encrypt(r.kind, make([]byte, soft.KeySize))
	return err
}

func (r *rsaRing) wrapping() string { return "RSA-OAEP" }

func (r *rsaRing) notes() []string {
	notes := []string{"the token offers no AES wrapping or no AES-GCM: vault keys are opened by its RSA key and then used in the broker's memory"}
	if !r.arena.Locked() {
		notes = append(notes, "memory could not be locked: vault keys may be written to swap (raise RLIMIT_MEMLOCK)")
	}
	return notes
}

func (r *rsaRing) close() error { return r.arena.Close() }

// probe has the token open the canary.
func (r *rsaRing) probe(s p11.SessionHandle) error {
	got, err := r.decrypt(s, r.canary)
	if err == nil && !bytes.Equal(got, make([]byte, soft.KeySize)) {
		return errors.New("the root key does not open what it wrapped")
	}
	return err
}

// encrypt is done in Go: the public half is no secret.
func (r *rsaRing) encrypt(kind byte, key []byte) ([]byte, error) {
	for _, o := range oaeps {
		if o.kind == kind {
			ciphertext, err := rsa.EncryptOAEP(o.hash.New(), rand.Reader, r.public, key, nil)
			return append([]byte{kind}, ciphertext...), err
		}
	}
	return nil, hsm.ErrAuthentic.Because(errors.New("unknown kind of wrapping"))
}

// decrypt is done by the token. The error knows its call, but is no sentinel.
func (r *rsaRing) decrypt(s p11.SessionHandle, wrapped []byte) ([]byte, error) {
	for _, o := range oaeps {
		if len(wrapped) != 1+r.public.Size() || wrapped[0] != o.kind {
			continue
		}
		params := p11.NewOAEPParams(o.mech, o.mgf, p11.CKZ_DATA_SPECIFIED, nil)
		if err := r.m.lib.DecryptInit(s, []*p11.Mechanism{p11.NewMechanism(p11.CKM_RSA_PKCS_OAEP, params)}, r.root); err != nil {
			return nil, called("C_DecryptInit", err)
		}
		key, err := r.m.lib.Decrypt(s, wrapped[1:])
		return key, called("C_Decrypt", err)
	}
	return nil, hsm.ErrAuthentic.Because(errors.New("not wrapped under an RSA root key of this size"))
}

func (r *rsaRing) newKEK(context.Context) (hsm.KEK, error) {
	key := make([]byte, soft.KeySize)
	defer clear(key)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	wrapped, err := r.encrypt(r.kind, key)
	if err != nil {
		return nil, err
	}
	return r.tag(wrapped)
}

// tag appends the HMAC of b.
func (r *rsaRing) tag(b []byte) ([]byte, error) {
	err := r.mac.Use(func(key []byte) error {
		h := hmac.New(sha256.New, key)
		h.Write([]byte("oneclawd kek v1"))
		h.Write(b)
		b = h.Sum(b)
		return nil
	})
	return b, closedArena(err)
}

// openKEK checks the HMAC, then has the token open the KEK into locked memory.
func (r *rsaRing) openKEK(ctx context.Context, kek hsm.KEK) (lockmem.Key, error) {
	n := len(kek) - sha256.Size
	if n < 1 {
		return lockmem.Key{}, hsm.ErrAuthentic.Because(errors.New("KEK is cut short"))
	}
	want, err := r.tag(bytes.Clone(kek[:n]))
	if err != nil {
		return lockmem.Key{}, err
	}
	if !hmac.Equal(want, kek) {
		return lockmem.Key{}, hsm.ErrAuthentic.Because(errors.New("KEK was not made by this root key"))
	}
	s, err := r.m.session(ctx)
	if err != nil {
		return lockmem.Key{}, err
	}
	defer r.m.put(s)
	key, err := r.decrypt(s, kek[:n])
	if err != nil {
		if errors.Is(err, hsm.ErrAuthentic) {
			return lockmem.Key{}, err
		}
		return lockmem.Key{}, r.m.failOpening(s, r, "C_Decrypt", err)
	}
	slot, err := r.arena.Put(key)
	return slot, closedArena(err)
}

// with calls fn with the opened KEK.
func (r *rsaRing) with(ctx context.Context, kek hsm.KEK, fn func(key []byte) error) error {
	h, err := r.open.acquire(kek, func() (lockmem.Key, error) { return r.openKEK(ctx, kek) })
	if err != nil {
		return err
	}
	defer r.open.release(h, lockmem.Key.Free)
	return closedArena(h.value.Use(fn))
}

// closedArena tells callers that race with Close what they would hear a moment
// later.
func closedArena(err error) error {
	if errors.Is(err, lockmem.ErrClosed) {
		return errClosed
	}
	return err
}

func (r *rsaRing) wrap(ctx context.Context, kek hsm.KEK, key, aad []byte) (out []byte, err error) {
	err = r.with(ctx, kek, func(k []byte) error {
		out, err = soft.Wrap(k, key, aad)
		return err
	})
	return out, err
}

func (r *rsaRing) unwrap(ctx context.Context, kek hsm.KEK, wrapped, aad []byte) (out []byte, err error) {
	if _, _, err := soft.Split(wrapped); err != nil {
		return nil, err
	}
	err = r.with(ctx, kek, func(k []byte) error {
		out, err = soft.Unwrap(k, wrapped, aad)
		return err
	})
	return out, err
}
