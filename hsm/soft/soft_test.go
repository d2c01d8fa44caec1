package soft_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/soft"
)

func key(b byte) []byte { return bytes.Repeat([]byte{b}, soft.KeySize) }

func TestVersionsDoNotMix(t *testing.T) {
	sealed, err := soft.Seal(9, key(1), []byte("anchor"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := soft.Unwrap(key(1), sealed, nil); !errors.Is(err, hsm.ErrAuthentic) {
		t.Errorf("sealed bytes opened as a wrapped key: %v", err)
	}
	if got, err := soft.Open(9, key(1), sealed, nil); err != nil || string(got) != "anchor" {
		t.Errorf("Open: %q, %v", got, err)
	}
}

// vector is "dek" wrapped under key(1) with AAD "aad", frozen: what was wrapped
// must open for ever.
const vector = "017245877b0ed2360a6aa5eeb5015b25f3fcd095cb366495a7ef848b312f5afa"

func TestFrozenVectorOpens(t *testing.T) {
	wrapped, err := hex.DecodeString(vector)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := soft.Unwrap(key(1), wrapped, []byte("aad")); err != nil || string(got) != "dek" {
		t.Errorf("%q, %v", got, err)
	}
}

// FuzzUnwrap: whatever bytes come from the store, Unwrap returns ErrAuthentic
// and never panics.
func FuzzUnwrap(f *testing.F) {
	good, err := hex.DecodeString(vector)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{soft.Version})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, wrapped []byte) {
		nonce, ct, err := soft.Split(wrapped)
		if err == nil && (len(nonce) != soft.NonceSize || len(ct) < soft.TagSize) {
			t.Fatalf("Split let %d/%d bytes through", len(nonce), len(ct))
		}
		got, err := soft.Unwrap(key(1), wrapped, []byte("aad"))
		if err == nil && !bytes.Equal(wrapped, good) {
			t.Fatalf("a forged wrapped key opened to %d bytes", len(got))
		}
		if err != nil && !errors.Is(err, hsm.ErrAuthentic) {
			t.Fatalf("error is not ErrAuthentic: %v", err)
		}
	})
}

// FuzzSignHandle: a damaged handle is refused, not a panic.
func FuzzSignHandle(f *testing.F) {
	f.Add([]byte{soft.HandleSoft, 0, 1, 7})
	f.Add([]byte{soft.HandleSoft, 255, 255})
	f.Fuzz(func(t *testing.T, handle []byte) {
		_, err := soft.Sign(t.Context(), refuseAll{}, hsm.SigningKey{Handle: handle}, nil)
		if !errors.Is(err, hsm.ErrAuthentic) {
			t.Fatalf("got %v", err)
		}
	})
}
