//go:build cgo

package pkcs11

import (
	"context"
	"errors"
	"syscall"

	p11 "github.com/miekg/pkcs11"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/soft"
)

// inAccounts calls fn with a session, if the token keeps account keys and can be
// relied on.
func (m *Module) inAccounts(ctx context.Context, fn func(p11.SessionHandle, keyring) error) error {
	ring, err := m.keys(ctx)
	if err != nil {
		return err
	}
	if m.accounts.lacking != nil {
		return m.accounts.lacking
	}
	s, err := m.session(ctx)
	if err != nil {
		return err
	}
	defer m.put(s)
	return fn(s, ring)
}

// NewAccountKey implements hsm.AccountKeys.
func (m *Module) NewAccountKey(ctx context.Context) (key hsm.AccountKey, err error) {
	err = m.inAccounts(ctx, func(s p11.SessionHandle, ring keyring) error {
		id := newID()
		public, private, err := m.generateAccount(s, id, true)
		if err != nil {
			return m.failStoring(s, ring, "C_GenerateKeyPair", err)
		}
		point, err := m.ecPoint(s, public)
		_ = m.lib.DestroyObject(s, public) // a session object
		key, err = m.account(s, ring, id, private, point, err)
		return err
	})
	return key, err
}

// ImportAccountKey implements hsm.AccountKeys.
func (m *Module) ImportAccountKey(ctx context.Context, scalar []byte) (key hsm.AccountKey, err error) {
	public, err := soft.AccountPublic(scalar)
	if err != nil {
		return key, err
	}
	err = m.inAccounts(ctx, func(s p11.SessionHandle, ring keyring) error {
		id := newID()
		private, err := m.lib.CreateObject(s, append(privateAccount(id, true),
			attr(p11.CKA_EC_PARAMS, secp256k1), attr(p11.CKA_VALUE, scalar)))
		if err != nil {
			return m.failStoring(s, ring, "C_CreateObject", err)
		}
		key, err = m.account(s, ring, id, private, public, nil)
		key.Imported = err == nil
		return err
	})
	return key, err
}

// account is a key that was just made, unless err says that it is not good.
func (m *Module) account(s p11.SessionHandle, ring keyring, id []byte, private p11.ObjectHandle, public [65]byte, err error) (hsm.AccountKey, error) {
	if err == nil {
		err = m.vet(s, private, public)
	}
	if err != nil {
		_ = m.lib.DestroyObject(s, private)
		if absent(s, ring, err) {
			// SoftHSM on a full disk says that it has made an object, and has not.
			return hsm.AccountKey{}, errFull.Because(err)
		}
		return hsm.AccountKey{}, m.judge(err)
	}
	if m.softHSM() {
		// It does not sync what it writes, and does not say where that is. An account
		// may be paid into a moment from now, and its key must survive a power cut.
		syscall.Sync()
	}
	return hsm.AccountKey{Public: public, Handle: append([]byte{handleAccount}, id...)}, nil
}

var errFull = hsm.ErrFull.Detail("the HSM works, but stores no further key; most likely it is full")

// failStoring is fail for calls that make an object in the token: a token that
// works and does not say why it makes none is taken for full, as SoftHSM is when
// its disk is.
func (m *Module) failStoring(s p11.SessionHandle, ring keyring, call string, err error) error {
	if ambiguous(err) && ring.probe(s) == nil {
		return errFull.Because(called(call, err))
	}
	return m.fail(call, err)
}

// SignDigest implements hsm.AccountKeys.
func (m *Module) SignDigest(ctx context.Context, key hsm.AccountKey, digest [32]byte) (sig [64]byte, err error) {
	err = m.inAccounts(ctx, func(s p11.SessionHandle, ring keyring) (err error) {
		sig, err = m.signRemembered(s, ring, key, digest)
		if absent(s, ring, err) {
			// Another process destroyed the object that was remembered.
			m.accounts.found.forget(accountName(key))
			sig, err = m.signRemembered(s, ring, key, digest)
		}
		return m.judge(err)
	})
	return sig, err
}

// signRemembered signs with the key where it was found before, or finds it. The
// error of signing is raw.
func (m *Module) signRemembered(s p11.SessionHandle, ring keyring, key hsm.AccountKey, digest [32]byte) ([64]byte, error) {
	at, err := m.accounts.found.acquire(accountName(key), func() (p11.ObjectHandle, error) { return m.findAccount(s, ring, key) })
	if err != nil {
		return [64]byte{}, err
	}
	defer m.accounts.found.release(at, func(p11.ObjectHandle) {}) // it is the token's, and stays
	return m.signECDSA(s, at.value, digest)
}

// accountName is what the place of a key is remembered under.
func accountName(key hsm.AccountKey) []byte {
	return append(key.Public[:], key.Handle...)
}

// findAccount looks for the private half of key and makes sure that it is that.
func (m *Module) findAccount(s p11.SessionHandle, ring keyring, key hsm.AccountKey) (p11.ObjectHandle, error) {
	if len(key.Handle) != 1+idSize || key.Handle[0] != handleAccount {
		return 0, hsm.ErrNoAccountKey.Because(errors.New("not the handle of an account key in a token"))
	}
	found, err := m.find(s, 2, attr(p11.CKA_CLASS, p11.CKO_PRIVATE_KEY), attr(p11.CKA_TOKEN, true),
		attr(p11.CKA_LABEL, accountLabel), attr(p11.CKA_ID, key.Handle[1:]))
	if err != nil {
		return 0, err
	}
	switch len(found) {
	case 1:
		err := m.pairs(s, found[0], key.Public)
		if absent(s, ring, err) {
			return 0, hsm.ErrNoAccountKey // it was destroyed this moment
		}
		return found[0], m.judge(err)
	case 0:
		// A session whose token went away and came back finds nothing either, but
		// then it does not have the root key any more.
		if err := ring.probe(s); err != nil {
			return 0, m.fail("probing the root key", err)
		}
		return 0, hsm.ErrNoAccountKey
	}
	return 0, hsm.ErrAuthentic.Because(errors.New("two account keys have this CKA_ID"))
}

// DestroyAccountKey implements hsm.AccountKeys. It relies on nothing that was
// remembered, since the wrong object would be gone for good.
func (m *Module) DestroyAccountKey(ctx context.Context, key hsm.AccountKey) error {
	return m.inAccounts(ctx, func(s p11.SessionHandle, ring keyring) error {
		private, err := m.findAccount(s, ring, key)
		if err != nil {
			return err
		}
		err = m.lib.DestroyObject(s, private)
		m.accounts.found.forget(accountName(key))
		if absent(s, ring, err) {
			return hsm.ErrNoAccountKey // another call was quicker
		}
		return m.fail("C_DestroyObject", err)
	})
}

// countAccounts returns how many account keys the token holds, and how many of
// them were imported.
func (m *Module) countAccounts(s p11.SessionHandle) (all, imported int, err error) {
	found, err := m.find(s, maxCounted, attr(p11.CKA_CLASS, p11.CKO_PRIVATE_KEY), attr(p11.CKA_TOKEN, true), attr(p11.CKA_LABEL, accountLabel))
	for _, object := range found {
		if !m.flag(s, object, p11.CKA_LOCAL) {
			imported++
		}
	}
	return len(found), imported, err
}

// maxCounted is how many account keys are counted.
const maxCounted = 10_000
