package hsmtest

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/soft"
)

// accounts checks the rules of hsm.AccountKeys on a module that says that it has
// them; of another it wants that it says so at each call.
func accounts(t *testing.T, open Opener) {
	m := open(t)
	offered := m.Describe().Accounts
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	switch offered {
	case "":
		t.Run("none", func(t *testing.T) { noAccounts(t, open) })
		return
	case "resident":
	default:
		t.Fatalf("Describe says %q of account keys", offered)
	}
	t.Run("sign", func(t *testing.T) { accountSigning(t, open) })
	t.Run("wrong keys", func(t *testing.T) { wrongAccounts(t, open) })
	t.Run("import", func(t *testing.T) { importing(t, open) })
	t.Run("reopen and destroy", func(t *testing.T) { destroying(t, open) })
	t.Run("behind a gate", func(t *testing.T) { gatedAccounts(t, open) })
	t.Run("concurrent", func(t *testing.T) { concurrentAccounts(t, open) })
	t.Run("closed", func(t *testing.T) {
		m := open(t)
		key := newAccount(t, m)
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		refuseAccounts(t, m, key, hsm.ErrUnavailable)
	})
}

// refuseAccounts wants every call to fail in the same way.
func refuseAccounts(t testing.TB, m hsm.Module, key hsm.AccountKey, want error) {
	t.Helper()
	ctx, keys := deadline(t), hsm.Accounts(m)
	_, newErr := keys.NewAccountKey(ctx)
	_, importErr := keys.ImportAccountKey(ctx, scalarOf(1))
	_, signErr := keys.SignDigest(ctx, key, [32]byte{})
	for what, err := range map[string]error{
		"NewAccountKey": newErr, "ImportAccountKey": importErr, "SignDigest": signErr, "DestroyAccountKey": keys.DestroyAccountKey(ctx, key),
	} {
		mustBe(t, what, err, want)
	}
}

func noAccounts(t *testing.T, open Opener) {
	m := opened(t, open)
	refuseAccounts(t, m, hsm.AccountKey{Handle: []byte{1}}, hsm.ErrUnsupported)
	if _, err := hsm.Accounts(m).NewAccountKey(deadline(t)); err == nil || !strings.Contains(err.Error(), "secp256k1") {
		t.Errorf("the refusal does not say what is missing: %v", err)
	}
	if d := m.Describe(); d.HSM && !strings.Contains(strings.Join(d.Notes, "\n"), "secp256k1") {
		t.Errorf("Describe does not say what the token lacks: %+v", d)
	}
}

// scalarOf is a small private key.
func scalarOf(n byte) []byte { return append(make([]byte, 31), n) }

func newAccount(t testing.TB, m hsm.Module) hsm.AccountKey {
	t.Helper()
	key, err := hsm.Accounts(m).NewAccountKey(deadline(t))
	if err != nil {
		t.Fatalf("NewAccountKey: %v", err)
	}
	return key
}

func importAccount(t testing.TB, m hsm.Module, scalar []byte) hsm.AccountKey {
	t.Helper()
	before := bytes.Clone(scalar)
	key, err := hsm.Accounts(m).ImportAccountKey(deadline(t), scalar)
	if err != nil {
		t.Fatalf("ImportAccountKey: %v", err)
	}
	if !bytes.Equal(before, scalar) {
		t.Fatal("ImportAccountKey changed the caller's key")
	}
	return key
}

// signsDigest has key sign and checks that with Go.
func signsDigest(ctx context.Context, m hsm.Module, key hsm.AccountKey, digest [32]byte) error {
	sig, err := hsm.Accounts(m).SignDigest(ctx, key, digest)
	if err != nil {
		return fmt.Errorf("SignDigest: %w", err)
	}
	if !soft.VerifyDigest(key.Public, digest, sig) {
		return fmt.Errorf("the signature of %x does not verify", digest)
	}
	return nil
}

func mustSign(t testing.TB, m hsm.Module, key hsm.AccountKey) {
	t.Helper()
	if err := signsDigest(deadline(t), m, key, [32]byte(random(32))); err != nil {
		t.Error(err)
	}
}

func accountSigning(t *testing.T, open Opener) {
	m := opened(t, open)
	one, two := newAccount(t, m), newAccount(t, m)
	if one.Public == two.Public || bytes.Equal(one.Handle, two.Handle) {
		t.Fatal("two account keys are the same")
	}
	if one.Imported || len(one.Handle) == 0 || len(one.Handle) > 64 {
		t.Errorf("a new key is %+v", one)
	}
	for _, digest := range [][32]byte{{}, [32]byte(bytes.Repeat([]byte{255}, 32)), {31: 1}} {
		if err := signsDigest(deadline(t), m, one, digest); err != nil {
			t.Error(err)
		}
	}
	for range 8 {
		mustSign(t, m, one)
		mustSign(t, m, two)
	}
}

func wrongAccounts(t *testing.T, open Opener) {
	m := opened(t, open)
	ctx, keys := deadline(t), hsm.Accounts(m)
	one, two := newAccount(t, m), newAccount(t, m)
	for what, c := range map[string]struct {
		key  hsm.AccountKey
		want error
	}{
		"no handle":            {hsm.AccountKey{Public: one.Public}, hsm.ErrNoAccountKey},
		"a damaged handle":     {hsm.AccountKey{Public: one.Public, Handle: flip(one.Handle, len(one.Handle)-1)}, hsm.ErrNoAccountKey},
		"an unknown kind":      {hsm.AccountKey{Public: one.Public, Handle: flip(one.Handle, 0)}, hsm.ErrNoAccountKey},
		"a longer handle":      {hsm.AccountKey{Public: one.Public, Handle: append(bytes.Clone(one.Handle), 0)}, hsm.ErrNoAccountKey},
		"another's public key": {hsm.AccountKey{Public: two.Public, Handle: one.Handle}, hsm.ErrAuthentic},
	} {
		sig, err := keys.SignDigest(ctx, c.key, [32]byte{})
		mustBe(t, what, err, c.want)
		if sig != [64]byte{} {
			t.Errorf("%s: a signature came back with the error", what)
		}
		mustBe(t, "destroying "+what, keys.DestroyAccountKey(ctx, c.key), c.want)
	}
	mustSign(t, m, one)
	mustSign(t, m, two)
}

// The order of secp256k1, from which on numbers are no private keys.
const curveOrder = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"

// Public keys of 1 and 2: the generator of the curve, and twice that.
var smallPublics = map[byte]string{
	1: "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
	2: "04c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee51ae168fea63dc339a3c58419466ceaeef7f632653266d0e1236431a950cfe52a",
}

func importing(t *testing.T, open Opener) {
	m := opened(t, open)
	for n, want := range smallPublics {
		key := importAccount(t, m, scalarOf(n))
		if got := hex.EncodeToString(key.Public[:]); got != want || !key.Imported {
			t.Errorf("%d: imported is %v, the public key %s", n, key.Imported, got)
		}
		mustSign(t, m, key)
	}
	n, err := hex.DecodeString(curveOrder)
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.Clone(n)
	last[31]--
	mustSign(t, m, importAccount(t, m, last))
	past := bytes.Clone(n)
	past[31]++
	for what, scalar := range map[string][]byte{
		"nothing": nil, "zero": make([]byte, 32), "short": scalarOf(1)[1:], "long": append([]byte{0}, scalarOf(1)...),
		"the order": n, "more than the order": past, "all ones": bytes.Repeat([]byte{255}, 32),
	} {
		key, err := hsm.Accounts(m).ImportAccountKey(deadline(t), scalar)
		mustBe(t, what, err, hsm.ErrScalar)
		if key.Handle != nil {
			t.Errorf("%s: a key came back with the error", what)
		}
	}
}

func destroying(t *testing.T, open Opener) {
	m := open(t)
	made, brought, kept := newAccount(t, m), importAccount(t, m, random31()), newAccount(t, m)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	m = open(t)
	for _, key := range []hsm.AccountKey{made, brought, kept} {
		mustSign(t, m, key)
	}
	for _, key := range []hsm.AccountKey{made, brought} {
		if err := hsm.Accounts(m).DestroyAccountKey(deadline(t), key); err != nil {
			t.Errorf("DestroyAccountKey: %v", err)
		}
	}
	gone := func() {
		t.Helper()
		for _, key := range []hsm.AccountKey{made, brought} {
			_, err := hsm.Accounts(m).SignDigest(deadline(t), key, [32]byte{})
			mustBe(t, "signing with a destroyed key", err, hsm.ErrNoAccountKey)
			mustBe(t, "destroying it again", hsm.Accounts(m).DestroyAccountKey(deadline(t), key), hsm.ErrNoAccountKey)
		}
		mustSign(t, m, kept)
		if err := m.Check(deadline(t)); err != nil {
			t.Errorf("Check: %v", err)
		}
	}
	gone()
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	m = opened(t, open)
	gone()
}

// random31 is a private key: 31 random bytes are below the order.
func random31() []byte { return append([]byte{0}, random(31)...) }

func gatedAccounts(t *testing.T, open Opener) {
	m := open(t)
	key, g := newAccount(t, m), new(hsm.Gate)
	refuseAccounts(t, g, key, hsm.ErrSealed)
	g.Open(m)
	mustSign(t, g, key)
	mustSign(t, g, newAccount(t, g))
	if err := hsm.Accounts(g).DestroyAccountKey(deadline(t), importAccount(t, g, random31())); err != nil {
		t.Errorf("DestroyAccountKey: %v", err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	refuseAccounts(t, g, key, hsm.ErrSealed)
}

// concurrentAccounts has keys sign, and one destroyed by several, while others
// unwrap.
func concurrentAccounts(t *testing.T, open Opener) {
	m := opened(t, open)
	ctx := deadline(t)
	keys := make([]hsm.AccountKey, 4)
	for i := range keys {
		keys[i] = newAccount(t, m)
	}
	kek, signer, victim := newKEK(t, m), newSigningKey(t, m), newAccount(t, m)
	var wg sync.WaitGroup
	for g := range 24 {
		wg.Go(func() {
			for i := range 4 {
				err := signsDigest(ctx, m, keys[(g+i)%len(keys)], [32]byte{byte(g), byte(i)})
				if err == nil {
					err = oneRound(ctx, m, kek, signer, g*100+i)
				}
				if err != nil {
					t.Errorf("goroutine %d: %v", g, err)
					return
				}
			}
		})
	}
	var destroyed atomic.Int64
	for range 4 {
		wg.Go(func() {
			switch err := hsm.Accounts(m).DestroyAccountKey(ctx, victim); {
			case err == nil:
				destroyed.Add(1)
			case !errors.Is(err, hsm.ErrNoAccountKey):
				t.Errorf("destroying at once: %v", err)
			}
			if err := signsDigest(ctx, m, victim, [32]byte{}); err != nil && !errors.Is(err, hsm.ErrNoAccountKey) {
				t.Errorf("signing with a key that is being destroyed: %v", err)
			}
		})
	}
	wg.Wait()
	if n := destroyed.Load(); n != 1 {
		t.Errorf("one key was destroyed %d times", n)
	}
}
