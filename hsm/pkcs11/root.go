//go:build cgo

package pkcs11

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	p11 "github.com/miekg/pkcs11"

	"github.com/oneclaw/oneclawd/hsm"
)

// rootLabel names the root key in the token.
const rootLabel = "oneclawd-root-kek"

// attr shortens templates.
func attr(kind uint, value any) *p11.Attribute { return p11.NewAttribute(kind, value) }

// find returns the objects that match, at most max. An empty result is only
// returned if the token is healthy.
func (m *Module) find(s p11.SessionHandle, max int, template ...*p11.Attribute) ([]p11.ObjectHandle, error) {
	if err := m.lib.FindObjectsInit(s, template); err != nil {
		return nil, m.fail("C_FindObjectsInit", err)
	}
	found, _, err := m.lib.FindObjects(s, max)
	if ferr := m.lib.FindObjectsFinal(s); err == nil && ferr != nil {
		return nil, m.fail("C_FindObjectsFinal", ferr)
	}
	if err != nil {
		return nil, m.fail("C_FindObjects", err)
	}
	if len(found) == 0 {
		return nil, m.healthy()
	}
	return found, nil
}

// findRoot looks for the root key and makes the keyring that fits it.
func (m *Module) findRoot(ctx context.Context) error {
	s, err := m.session(ctx)
	if err != nil {
		return err
	}
	defer m.put(s)
	return m.findRootIn(s)
}

func (m *Module) findRootIn(s p11.SessionHandle) error {
	secret, err := m.findOne(s, p11.CKO_SECRET_KEY)
	if err != nil {
		return err
	}
	private, err := m.findOne(s, p11.CKO_PRIVATE_KEY)
	if err != nil {
		return err
	}
	var ring keyring
	switch {
	case secret != nil && private != nil:
		return hsm.ErrUnavailable.Detail("the token holds two root keys labelled %s, an AES and an RSA one; remove the one that is not in use", rootLabel)
	case secret != nil:
		ring, err = newAESRing(m, s, *secret)
	case private != nil:
		ring, err = newRSARing(m, s, *private)
	default:
		return hsm.ErrNoRootKey
	}
	if err != nil {
		return err
	}
	if !m.ring.CompareAndSwap(nil, &ring) {
		return ring.close() // another call found it at the same time
	}
	return nil
}

// findOne returns the root key of a class, nil if there is none.
func (m *Module) findOne(s p11.SessionHandle, class uint) (*p11.ObjectHandle, error) {
	found, err := m.find(s, 2, attr(p11.CKA_CLASS, class), attr(p11.CKA_TOKEN, true), attr(p11.CKA_LABEL, rootLabel))
	switch {
	case err != nil:
		return nil, err
	case len(found) > 1:
		return nil, hsm.ErrUnavailable.Detail("the token holds more than one root key labelled %s; remove those that are not in use", rootLabel)
	case len(found) == 1:
		return &found[0], nil
	}
	return nil, nil
}

// Init implements hsm.Module. Which kind of root key is made is decided by
// trying, since tokens list mechanisms that they then refuse.
func (m *Module) Init(ctx context.Context) error {
	m.initMu.Lock()
	defer m.initMu.Unlock()
	if _, err := m.keys(ctx); !errors.Is(err, hsm.ErrNoRootKey) {
		return err
	}
	s, err := m.session(ctx)
	if err != nil {
		return err
	}
	err = m.makeRoot(s)
	m.put(s) // before another is asked for: there may be just one
	if err != nil {
		return err
	}
	return m.refind(ctx)
}

func (m *Module) makeRoot(s p11.SessionHandle) error {
	err := m.tryAES(s)
	if errors.Is(err, hsm.ErrUnavailable) && m.healthy() == nil {
		// Some tokens answer CKR_GENERAL_ERROR to what they do not offer.
		m.lost.Store(false)
		err = hsm.ErrUnsupported.Because(err)
	}
	switch {
	case err == nil:
		return m.makeAESRoot(s)
	case errors.Is(err, hsm.ErrUnsupported):
		return m.makeRSARoot(s)
	}
	return err
}

// refind looks for the new root key in a session of its own: what only the
// session that made it can see would be lost tomorrow. Whether it has reached
// the disk of a software token cannot be asked.
func (m *Module) refind(ctx context.Context) error {
	fresh, err := m.lib.OpenSession(m.at.id, p11.CKF_SERIAL_SESSION|p11.CKF_RW_SESSION)
	if isRV(err, p11.CKR_SESSION_COUNT) {
		// All sessions are ours; another of the pool has to do.
		return m.findRoot(ctx)
	}
	if err != nil {
		return m.fail("C_OpenSession", err)
	}
	defer func() { _ = m.lib.CloseSession(fresh) }()
	if err := m.findRootIn(fresh); err != nil {
		return fmt.Errorf("finding the new root key again: %w", err)
	}
	return nil
}

// newID is a random CKA_ID.
func newID() []byte {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	return id
}

// flag reads a CK_BBOOL of an object; false if the token does not tell.
func (m *Module) flag(s p11.SessionHandle, object p11.ObjectHandle, kind uint) bool {
	got, err := m.lib.GetAttributeValue(s, object, []*p11.Attribute{attr(kind, nil)})
	return err == nil && len(got) == 1 && len(got[0].Value) == 1 && got[0].Value[0] != 0
}
