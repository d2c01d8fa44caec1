package hsmtest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"sync"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
)

func signing(t *testing.T, open Opener) {
	m := opened(t, open)
	ctx := deadline(t)
	one, two := newSigningKey(t, m), newSigningKey(t, m)
	if one.Public.Equal(two.Public) || bytes.Equal(one.Handle, two.Handle) {
		t.Fatal("two signing keys are the same")
	}
	if one.Resident != (m.Describe().Signing == "resident") {
		t.Errorf("Resident is %v, but Describe says %q", one.Resident, m.Describe().Signing)
	}
	signs(t, m, one, []byte("message"))
	signs(t, m, two, []byte("message"))
	for what, key := range map[string]hsm.SigningKey{
		"no handle":            {Public: one.Public},
		"a damaged handle":     {Public: one.Public, Handle: flip(one.Handle, len(one.Handle)-1)},
		"an unknown kind":      {Public: one.Public, Handle: flip(one.Handle, 0)},
		"another's public key": {Public: two.Public, Handle: one.Handle},
	} {
		sig, err := m.Sign(ctx, key, []byte("message"))
		mustBe(t, what, err, hsm.ErrAuthentic)
		if sig != nil {
			t.Errorf("%s: a signature came back with the error", what)
		}
	}
}

func flip(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 0x40
	return b
}

func anchors(t *testing.T, open Opener) {
	ctx := deadline(t)
	m := open(t)
	if got, err := m.Anchor(ctx); err != nil || got != nil {
		t.Fatalf("before the first SetAnchor: %x, %v", got, err)
	}
	for _, anchor := range [][]byte{[]byte("first"), random(hsm.MaxAnchorSize), []byte("last")} {
		if err := m.SetAnchor(ctx, anchor); err != nil {
			t.Fatalf("SetAnchor of %d bytes: %v", len(anchor), err)
		}
		if got, err := m.Anchor(ctx); err != nil || !bytes.Equal(got, anchor) {
			t.Fatalf("Anchor after SetAnchor of %d bytes: %d bytes, %v", len(anchor), len(got), err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	m = opened(t, open)
	if got, err := m.Anchor(ctx); err != nil || string(got) != "last" {
		t.Errorf("after reopening: %q, %v", got, err)
	}
}

func reopening(t *testing.T, open Opener) {
	ctx := deadline(t)
	m := open(t)
	kek, key, aad := newKEK(t, m), random(32), random(20)
	wrapped, signer := wrap(t, m, kek, key, aad), newSigningKey(t, m)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	m = opened(t, open)
	got, err := m.Unwrap(ctx, kek, wrapped, aad)
	if err != nil || !bytes.Equal(got, key) {
		t.Errorf("a wrapped key did not survive: %v", err)
	}
	signs(t, m, signer, []byte("after reopening"))
}

// concurrent has more goroutines than sessions or workers anywhere, on KEKs that
// they share; answers must not get mixed up.
func concurrent(t *testing.T, open Opener) {
	m := opened(t, open)
	ctx := deadline(t)
	signer := newSigningKey(t, m)
	keks := make([]hsm.KEK, 5)
	for i := range keks {
		keks[i] = newKEK(t, m)
	}
	var wg sync.WaitGroup
	for g := range 32 {
		wg.Go(func() {
			for i := range 8 {
				if err := oneRound(ctx, m, keks[(g+i)%len(keks)], signer, g*100+i); err != nil {
					t.Errorf("goroutine %d: %v", g, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func oneRound(ctx context.Context, m hsm.Module, kek hsm.KEK, signer hsm.SigningKey, n int) error {
	key, aad := random(32), fmt.Append(nil, n)
	wrapped, err := m.Wrap(ctx, kek, key, aad)
	if err != nil {
		return fmt.Errorf("wrap: %w", err)
	}
	got, err := m.Unwrap(ctx, kek, wrapped, aad)
	if err != nil {
		return fmt.Errorf("unwrap: %w", err)
	}
	if !bytes.Equal(got, key) {
		return fmt.Errorf("unwrap gave another caller's key")
	}
	if n%4 != 0 {
		return nil
	}
	sig, err := m.Sign(ctx, signer, aad)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	if !ed25519.Verify(signer.Public, aad, sig) {
		return fmt.Errorf("sign gave another caller's signature")
	}
	return m.Check(ctx)
}

func closed(t *testing.T, open Opener) {
	ctx := deadline(t)
	m := open(t)
	kek := newKEK(t, m)
	wrapped := wrap(t, m, kek, random(32), nil)
	signer := newSigningKey(t, m)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	_, unwrapErr := m.Unwrap(ctx, kek, wrapped, nil)
	_, wrapErr := m.Wrap(ctx, kek, random(32), nil)
	_, kekErr := m.NewKEK(ctx)
	_, keyErr := m.NewSigningKey(ctx)
	_, signErr := m.Sign(ctx, signer, nil)
	_, anchorErr := m.Anchor(ctx)
	for what, err := range map[string]error{
		"Unwrap": unwrapErr, "Wrap": wrapErr, "NewKEK": kekErr, "NewSigningKey": keyErr, "Sign": signErr,
		"Anchor": anchorErr, "SetAnchor": m.SetAnchor(ctx, []byte("x")), "Check": m.Check(ctx), "Init": m.Init(ctx),
	} {
		mustBe(t, what+" after Close", err, hsm.ErrUnavailable)
	}
	if err := m.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}
