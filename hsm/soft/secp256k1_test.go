package soft_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/soft"
)

// signed is a published test vector of deterministic ECDSA on secp256k1: the
// private key 1 signs the SHA-256 of the message.
const (
	signedText = "Satoshi Nakamoto"
	signedBy1  = "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8" +
		"2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSignatureOfOthersVerifies(t *testing.T) {
	one := append(make([]byte, 31), 1)
	public, err := soft.AccountPublic(one)
	if err != nil {
		t.Fatal(err)
	}
	digest, sig := sha256.Sum256([]byte(signedText)), [64]byte(unhex(t, signedBy1))
	if !soft.VerifyDigest(public, digest, sig) {
		t.Fatal("the signature does not verify")
	}
	for i := range sig {
		bad := sig
		bad[i] ^= 1
		if soft.VerifyDigest(public, digest, bad) {
			t.Errorf("it verifies with a bit flipped in byte %d", i)
		}
	}
	other, err := soft.AccountPublic(append(make([]byte, 31), 2))
	if err != nil {
		t.Fatal(err)
	}
	off := public
	off[64] ^= 1 // not on the curve
	for what, p := range map[string][65]byte{"another's": other, "no": {}, "an impossible": off} {
		if soft.VerifyDigest(p, digest, sig) {
			t.Errorf("it verifies with %s public key", what)
		}
	}
	if soft.VerifyDigest(public, digest, [64]byte{}) {
		t.Error("nothing verifies as a signature")
	}
}

// FuzzAccountPublic: what is taken for a private key has a public key that is
// another for every key; nothing panics.
func FuzzAccountPublic(f *testing.F) {
	f.Add(append(make([]byte, 31), 1))
	f.Add(make([]byte, 32))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, scalar []byte) {
		public, err := soft.AccountPublic(scalar)
		switch {
		case err != nil && !errors.Is(err, hsm.ErrScalar):
			t.Fatalf("got %v", err)
		case err == nil && (len(scalar) != 32 || public[0] != 4):
			t.Fatalf("%d bytes became %x", len(scalar), public)
		}
	})
}
