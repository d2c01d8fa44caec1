package envelope

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
)

var nextKEK = KEK{Key: bytes.Repeat([]byte{0x4c}, 32), Generation: 8}

func move(from, to Keys) Move { return Move{From: from, Old: kek, To: to, New: nextKEK} }

// The value goes along as it is: nobody looks at it.
func TestRewrap(t *testing.T) {
	sealed := seal(t, binding, "value")
	before := bytes.Clone(sealed)
	from, to := &softKeys{}, &softKeys{}
	moved, err := move(from, to).Rewrap(t.Context(), binding, sealed)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Open(t.Context(), to, nextKEK, binding, moved); err != nil || string(got.Reveal()) != "value" {
		t.Errorf("%q, %v", got.Reveal(), err)
	}
	a, _ := parse(sealed)
	b, _ := parse(moved)
	if !bytes.Equal(a.body, b.body) || bytes.Equal(a.wrapped, b.wrapped) || !bytes.Equal(sealed, before) {
		t.Error("the value is not what it was, or the wrapping is")
	}
	wantDamaged(t, "under the old KEK", kek, binding, moved)
	other := binding
	other.Version++
	wantDamaged(t, "as another version", nextKEK, other, moved)
	if g, err := Generation(moved); g != 8 || err != nil {
		t.Errorf("generation %d, %v", g, err)
	}
	for _, keys := range []*softKeys{from, to} {
		for i, dek := range keys.deks {
			if !bytes.Equal(dek, make([]byte, dekSize)) {
				t.Errorf("DEK %d is still in memory", i)
			}
		}
	}
}

// A format 1 envelope becomes one of format 2, under a DEK of its own.
func TestRewrapFormat1(t *testing.T) {
	for _, v := range vectors(t, format1File) {
		keys := &softKeys{}
		m := Move{From: keys, Old: v.kek(), To: keys, New: nextKEK}
		moved, err := m.Rewrap(t.Context(), v.binding(), v.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Open(t.Context(), keys, nextKEK, v.binding(), moved)
		if err != nil || !bytes.Equal(got.Reveal(), v.Value) || moved[0] != format2 {
			t.Errorf("%s: %x, %v", v.Name, got.Reveal(), err)
		}
		if bytes.Equal(keys.was[0], keys.was[1]) {
			t.Errorf("%s: two values under one DEK", v.Name)
		}
	}
}

func TestRewrapFails(t *testing.T) {
	sealed := seal(t, binding, "value")
	for i := range 8 {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if out, err := move(&softKeys{}, &softKeys{}).Rewrap(t.Context(), binding, bad); !errors.Is(err, ErrDamaged) || out != nil {
			t.Errorf("byte %d: %v", i, err)
		}
	}
	wrong := binding
	wrong.Vault = num(9)
	if _, err := move(&softKeys{}, &softKeys{}).Rewrap(t.Context(), wrong, sealed); !errors.Is(err, ErrDamaged) {
		t.Errorf("of another vault: %v", err)
	}
	for _, want := range []error{hsm.ErrUnavailable, context.Canceled} {
		down := fixedKeys{err: want}
		for _, m := range []Move{move(down, &softKeys{}), move(&softKeys{}, down)} {
			if out, err := m.Rewrap(t.Context(), binding, sealed); err != want || out != nil {
				t.Errorf("%v, want %v", err, want)
			}
		}
	}
	m := move(&softKeys{}, &softKeys{})
	m.New.Generation = 0
	if _, err := m.Rewrap(t.Context(), binding, sealed); err == nil {
		t.Error("rewrapped under no generation")
	}
}

// Check looks at the DEK, and at nothing behind it.
func TestCheck(t *testing.T) {
	sealed := seal(t, binding, "value")
	if err := Check(t.Context(), &softKeys{}, kek, binding, sealed); err != nil {
		t.Error(err)
	}
	sealed[len(sealed)-1] ^= 1
	if err := Check(t.Context(), &softKeys{}, kek, binding, sealed); err != nil {
		t.Errorf("a damaged value: %v", err)
	}
	sealed[headerSize2] ^= 1
	if err := Check(t.Context(), &softKeys{}, kek, binding, sealed); !errors.Is(err, ErrDamaged) {
		t.Errorf("a damaged DEK: %v", err)
	}
}
