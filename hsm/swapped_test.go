package hsm_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
)

// socket is where tokens are put in and pulled out.
type socket struct{ hsm.Module }

func (s *socket) Close() error { return nil }

// A token that another was put in the place of is named and unavailable, and what
// it wrapped is not called damaged; damage still is.
func TestRingNoticesAnotherToken(t *testing.T) {
	right, wrong := hsmtest.Memory(t), hsmtest.Memory(t)
	var gate hsm.Gate
	gate.Open(hsmtest.Memory(t))
	r := hsm.NewRing(&gate, "b")
	defer func() { _ = r.Close() }()
	in := &socket{right}
	<-r.Attach("b", func(context.Context) (hsm.Module, error) { return in, nil }, quiet)
	m, err := r.Module("b")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	kek, err1 := m.NewKEK(ctx)
	wrapped, err2 := m.Wrap(ctx, kek, []byte("a key"), []byte("aad"))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(wrapped)
	damaged[len(damaged)-1] ^= 1
	fine := func(when string) {
		t.Helper()
		if _, err := m.Unwrap(ctx, kek, damaged, []byte("aad")); !errors.Is(err, hsm.ErrAuthentic) {
			t.Errorf("%s, damaged: %v", when, err)
		}
		if key, err := m.Unwrap(ctx, kek, wrapped, []byte("aad")); err != nil || string(key) != "a key" {
			t.Errorf("%s: %q, %v", when, key, err)
		}
		if err := m.Check(ctx); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	unavailable := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, hsm.ErrUnavailable) || !strings.Contains(err.Error(), "module b") {
			t.Errorf("%s: %v", what, err)
		}
	}
	fine("with the right token")
	in.Module = wrong
	if err := m.Check(ctx); err != nil {
		t.Errorf("nobody has noticed: %v", err)
	}
	_, err = m.Unwrap(ctx, kek, wrapped, []byte("aad"))
	unavailable("unwrap", err)
	_, err = m.Wrap(ctx, kek, []byte("a key"), nil)
	unavailable("wrap", err)
	unavailable("check", m.Check(ctx))
	_, err = m.NewKEK(ctx)
	unavailable("new KEK", err)
	in.Module = right
	fine("with the right token again")
	if _, err := m.NewKEK(ctx); err != nil {
		t.Error(err)
	}
}
