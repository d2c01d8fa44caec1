// Package hsmtest helps to test modules and what uses them: the rules that every
// hsm.Module keeps as one test, throw-away tokens, and a module in memory for
// packages that merely need one.
//
// It needs no cgo and knows no module but hsm/local.
package hsmtest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
)

// Opener opens a module over the same storage each time it is called within
// one test. The suite closes what it opens, and never has two open at once.
type Opener func(t testing.TB) hsm.Module

// Conformance checks every rule of the contract. The storage that open works
// on must be fresh.
func Conformance(t *testing.T, open Opener) {
	t.Run("without a root key", func(t *testing.T) { noRootKey(t, open) })
	t.Run("init twice keeps the key", func(t *testing.T) { initTwice(t, open) })
	t.Run("check", func(t *testing.T) {
		m := opened(t, open)
		if err := m.Check(deadline(t)); err != nil {
			t.Errorf("Check: %v", err)
		}
	})
	t.Run("wrap", func(t *testing.T) { wrapping(t, open) })
	t.Run("tampering", func(t *testing.T) { tampering(t, open) })
	t.Run("limits", func(t *testing.T) { limits(t, open) })
	t.Run("sign", func(t *testing.T) { signing(t, open) })
	t.Run("anchor", func(t *testing.T) { anchors(t, open) })
	t.Run("reopen", func(t *testing.T) { reopening(t, open) })
	t.Run("account keys", func(t *testing.T) { accounts(t, open) })
	t.Run("concurrent", func(t *testing.T) { concurrent(t, open) })
	t.Run("closed", func(t *testing.T) { closed(t, open) })
}

// opened opens the module and closes it with the test.
func opened(t testing.TB, open Opener) hsm.Module {
	t.Helper()
	m := open(t)
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return m
}

// deadline bounds one test, so that a module that hangs fails instead.
func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

func newKEK(t testing.TB, m hsm.Module) hsm.KEK {
	t.Helper()
	kek, err := m.NewKEK(deadline(t))
	if err != nil {
		t.Fatalf("NewKEK: %v", err)
	}
	return kek
}

func wrap(t testing.TB, m hsm.Module, kek hsm.KEK, key, aad []byte) []byte {
	t.Helper()
	in := bytes.Clone(key)
	wrapped, err := m.Wrap(deadline(t), kek, key, aad)
	if err != nil {
		t.Fatalf("Wrap: %v", err)
	}
	if !bytes.Equal(in, key) {
		t.Fatal("Wrap changed the caller's key")
	}
	return wrapped
}

func mustBe(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

func noRootKey(t *testing.T, open Opener) {
	m := opened(t, open)
	ctx := deadline(t)
	mustBe(t, "Check", m.Check(ctx), hsm.ErrNoRootKey)
	_, err := m.NewKEK(ctx)
	mustBe(t, "NewKEK", err, hsm.ErrNoRootKey)
	_, err = m.NewSigningKey(ctx)
	mustBe(t, "NewSigningKey", err, hsm.ErrNoRootKey)
	if d := m.Describe(); d.Kind == "" {
		t.Error("Describe: no kind")
	}
}

func initTwice(t *testing.T, open Opener) {
	ctx := deadline(t)
	m := open(t)
	if err := m.Init(ctx); err != nil {
		t.Fatalf("Init: %v", err)
	}
	kek, key := newKEK(t, m), random(32)
	wrapped := wrap(t, m, kek, key, nil)
	if err := m.Init(ctx); err != nil {
		t.Fatalf("second Init: %v", err)
	}
	if err := m.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	m = opened(t, open)
	if err := m.Init(ctx); err != nil {
		t.Fatalf("Init after reopen: %v", err)
	}
	got, err := m.Unwrap(ctx, kek, wrapped, nil)
	if err != nil || !bytes.Equal(got, key) {
		t.Fatalf("a key wrapped before the second Init does not open: %v", err)
	}
	if d := m.Describe(); d.Wrapping == "" || d.Signing == "" {
		t.Errorf("Describe is not complete: %+v", d)
	}
}

func wrapping(t *testing.T, open Opener) {
	m := opened(t, open)
	kek, ctx := newKEK(t, m), deadline(t)
	for _, size := range []int{1, 16, 32, 48, hsm.MaxKeySize} {
		key, aad := random(size), random(size)
		one, two := wrap(t, m, kek, key, aad), wrap(t, m, kek, key, aad)
		if bytes.Equal(one, two) {
			t.Errorf("%d bytes: two wraps are the same, so a nonce was used twice", size)
		}
		if size >= 16 && bytes.Contains(one, key) {
			t.Errorf("%d bytes: the key is readable in its wrapping", size)
		}
		for _, w := range [][]byte{one, two} {
			got, err := m.Unwrap(ctx, kek, w, aad)
			if err != nil || !bytes.Equal(got, key) {
				t.Errorf("%d bytes: round trip failed: %v", size, err)
			}
		}
	}
}

func tampering(t *testing.T, open Opener) {
	m := opened(t, open)
	ctx := deadline(t)
	kek, other := newKEK(t, m), newKEK(t, m)
	if bytes.Equal(kek, other) {
		t.Fatal("two KEKs are the same")
	}
	key, aad := random(32), []byte("aad")
	wrapped := wrap(t, m, kek, key, aad)
	refused := func(what string, kek hsm.KEK, w, aad []byte) {
		t.Helper()
		got, err := m.Unwrap(ctx, kek, w, aad)
		mustBe(t, what, err, hsm.ErrAuthentic)
		if got != nil {
			t.Errorf("%s: bytes came back with the error", what)
		}
	}
	refused("another KEK", other, wrapped, aad)
	refused("another AAD", kek, wrapped, []byte("aae"))
	refused("no AAD", kek, wrapped, nil)
	refused("nothing", kek, nil, aad)
	refused("cut short", kek, wrapped[:len(wrapped)-1], aad)
	refused("one byte more", kek, append(bytes.Clone(wrapped), 0), aad)
	refused("no KEK", nil, wrapped, aad)
	for i := range wrapped {
		bad := bytes.Clone(wrapped)
		bad[i] ^= 1
		refused("a flipped bit in the wrapped key", kek, bad, aad)
	}
	for _, i := range []int{0, 1, len(kek) / 2, len(kek) - 1} {
		bad := bytes.Clone(kek)
		bad[i] ^= 1
		refused("a flipped bit in the KEK", bad, wrapped, aad)
	}
	if got, err := m.Unwrap(ctx, kek, wrapped, aad); err != nil || !bytes.Equal(got, key) {
		t.Errorf("after all that, the true key does not open: %v", err)
	}
}

func limits(t *testing.T, open Opener) {
	m := opened(t, open)
	kek, ctx := newKEK(t, m), deadline(t)
	for _, size := range []int{0, hsm.MaxKeySize + 1} {
		_, err := m.Wrap(ctx, kek, make([]byte, size), nil)
		mustBe(t, "Wrap over the limits", err, hsm.ErrLimit)
	}
	for _, size := range []int{0, hsm.MaxAnchorSize + 1} {
		mustBe(t, "SetAnchor over the limits", m.SetAnchor(ctx, make([]byte, size)), hsm.ErrLimit)
	}
	key := newSigningKey(t, m)
	_, err := m.Sign(ctx, key, make([]byte, hsm.MaxMessageSize+1))
	mustBe(t, "Sign over the limit", err, hsm.ErrLimit)
	for _, size := range []int{0, 1, hsm.MaxMessageSize} {
		signs(t, m, key, random(size))
	}
}

func newSigningKey(t testing.TB, m hsm.Module) hsm.SigningKey {
	t.Helper()
	key, err := m.NewSigningKey(deadline(t))
	if err != nil {
		t.Fatalf("NewSigningKey: %v", err)
	}
	return key
}

func signs(t testing.TB, m hsm.Module, key hsm.SigningKey, message []byte) {
	t.Helper()
	sig, err := m.Sign(deadline(t), key, message)
	if err != nil {
		t.Fatalf("Sign %d bytes: %v", len(message), err)
	}
	if !ed25519.Verify(key.Public, message, sig) {
		t.Fatalf("the signature of %d bytes does not verify", len(message))
	}
}
