//go:build cgo

package pkcs11

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os/exec"
	"strings"
	"testing"

	p11 "github.com/miekg/pkcs11"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
)

// GenerateKeyPair fails for secp256k1 alone.
func (f *faulty) GenerateKeyPair(s p11.SessionHandle, m []*p11.Mechanism, public, private []*p11.Attribute) (p11.ObjectHandle, p11.ObjectHandle, error) {
	if m[0].Mechanism == p11.CKM_EC_KEY_PAIR_GEN {
		if err := f.failure("C_GenerateKeyPair"); err != nil {
			return 0, 0, err
		}
	}
	return f.cryptoki.GenerateKeyPair(s, m, public, private)
}

func (f *faulty) CreateObject(s p11.SessionHandle, t []*p11.Attribute) (p11.ObjectHandle, error) {
	if err := f.failure("C_CreateObject"); err != nil {
		return 0, err
	}
	return f.cryptoki.CreateObject(s, t)
}

// Sign damages what it returns where told to.
func (f *faulty) Sign(s p11.SessionHandle, b []byte) ([]byte, error) {
	got, err := f.cryptoki.Sign(s, b)
	if f.failure("C_Sign") != nil && err == nil {
		got[5] ^= 1
	}
	return got, err
}

func (f *faulty) GetMechanismInfo(slot uint, m []*p11.Mechanism) (p11.MechanismInfo, error) {
	info, err := f.cryptoki.GetMechanismInfo(slot, m)
	if f.largestEC > 0 && m[0].Mechanism == p11.CKM_ECDSA {
		info.MaxKeySize = f.largestEC
	}
	return info, err
}

// bothAccounts are a key that the token made and one that it was given.
func bothAccounts(t testing.TB, m *Module) map[string]hsm.AccountKey {
	t.Helper()
	made, err := m.NewAccountKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	brought, err := m.ImportAccountKey(t.Context(), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]hsm.AccountKey{"made": made, "imported": brought}
}

// inSession gives a test the token behind a module.
func inSession(t testing.TB, m *Module, fn func(s p11.SessionHandle)) {
	t.Helper()
	s, err := m.session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer m.put(s)
	fn(s)
}

// place is where the private half of a key is.
func place(t testing.TB, m *Module, s p11.SessionHandle, key hsm.AccountKey) p11.ObjectHandle {
	t.Helper()
	object, err := m.findAccount(s, *m.ring.Load(), key)
	if err != nil {
		t.Fatal(err)
	}
	return object
}

func TestAccountKeysDoNotLeaveTheToken(t *testing.T) {
	f := &faulty{}
	m := ready(t, f)
	for what, key := range bothAccounts(t, m) {
		inSession(t, m, func(s p11.SessionHandle) {
			object := place(t, m, s, key)
			_, err := m.lib.GetAttributeValue(s, object, []*p11.Attribute{attr(p11.CKA_VALUE, nil)})
			if !isRV(err, p11.CKR_ATTRIBUTE_SENSITIVE) {
				t.Errorf("%s: reading the private key: %v", what, err)
			}
			wrapper, err := m.lib.GenerateKey(s, mech(p11.CKM_AES_KEY_GEN), transientAES(false, p11.CKA_WRAP))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.lib.WrapKey(s, mech(p11.CKM_AES_KEY_WRAP_PAD), wrapper, object); !isRV(err, p11.CKR_KEY_UNEXTRACTABLE) {
				t.Errorf("%s: wrapping the private key: %v", what, err)
			}
			for kind, want := range map[uint]bool{
				p11.CKA_EXTRACTABLE: false, p11.CKA_SENSITIVE: true, p11.CKA_PRIVATE: true, p11.CKA_TOKEN: true,
				p11.CKA_LOCAL: what == "made", p11.CKA_NEVER_EXTRACTABLE: what == "made",
			} {
				if got := m.flag(s, object, kind); got != want {
					t.Errorf("%s: attribute %#x is %v", what, kind, got)
				}
			}
		})
	}
	inSession(t, m, func(s p11.SessionHandle) {
		if all, imported, err := m.countAccounts(s); err != nil || all != 2 || imported != 1 {
			t.Errorf("counted %d, %d of them imported, %v", all, imported, err)
		}
	})
}

// What somebody with the PIN and another program sees.
func TestAccountKeysInAnotherProgram(t *testing.T) {
	tool, err := exec.LookPath("pkcs11-tool")
	if err != nil {
		t.Skip("no pkcs11-tool")
	}
	f := &faulty{}
	to := onSoftHSM(t, f)
	m := opener(f, to)(t).(*Module)
	defer m.Close()
	if err := m.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys := bothAccounts(t, m)
	out, err := exec.Command(tool, "--module", to.library, "--token-label", to.token.Token, "--login", "--pin", "648219",
		"--list-objects", "--type", "privkey").CombinedOutput()
	if err != nil {
		t.Fatalf("pkcs11-tool: %v\n%s", err, out)
	}
	list := string(out)
	for what, key := range keys {
		if !strings.Contains(list, hex.EncodeToString(key.Handle[1:])) {
			t.Errorf("the key that was %s is not in the list", what)
		}
	}
	if n := strings.Count(list, accountLabel); n != 2 || strings.Count(list, "Access:     sensitive") != 2 || strings.Count(list, "Usage:      sign\n") != 2 ||
		strings.Count(list, "never extractable") != 1 || strings.Count(list, "extractable") != 1 {
		t.Errorf("it lists\n%s", list)
	}
}

func TestTokenWithoutSecp256k1(t *testing.T) {
	for what, f := range map[string]*faulty{
		"no key pairs":     {hide: map[uint]bool{p11.CKM_EC_KEY_PAIR_GEN: true}},
		"no ECDSA":         {hide: map[uint]bool{p11.CKM_ECDSA: true}},
		"small keys only":  {largestEC: 224},
		"another curve":    failingFrom("C_GenerateKeyPair", p11.CKR_CURVE_NOT_SUPPORTED),
		"refused somehow":  failingFrom("C_GenerateKeyPair", p11.CKR_GENERAL_ERROR),
		"wrong signatures": failingFrom("C_Sign", p11.CKR_GENERAL_ERROR),
	} {
		t.Run(what, func(t *testing.T) {
			m := ready(t, f)
			if d := m.Describe(); d.Accounts != "" || !strings.Contains(strings.Join(d.Notes, "\n"), "secp256k1") {
				t.Errorf("Describe: %+v", d)
			}
			if _, err := m.NewAccountKey(t.Context()); !errors.Is(err, hsm.ErrUnsupported) || !strings.Contains(err.Error(), "secp256k1") {
				t.Errorf("NewAccountKey: %v", err)
			}
			if err := m.Check(t.Context()); err != nil {
				t.Errorf("Check: %v", err)
			}
		})
	}
}

func failingFrom(call string, rv p11.Error) *faulty {
	f := &faulty{}
	f.failing(call, rv)
	return f
}

func TestConformanceWithoutSecp256k1(t *testing.T) {
	f := &faulty{hide: map[uint]bool{p11.CKM_ECDSA: true}}
	hsmtest.Conformance(t, opener(f, onSoftHSM(t, f)))
}

// A full token is no outage, and what is in it goes on signing, even if it was
// full from the start.
func TestFullTokenSignsOn(t *testing.T) {
	for _, rv := range []p11.Error{p11.CKR_DEVICE_MEMORY, p11.CKR_GENERAL_ERROR, p11.CKR_FUNCTION_FAILED} {
		f := &faulty{}
		to := onSoftHSM(t, f)
		m := opener(f, to)(t).(*Module)
		if err := m.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
		keys := bothAccounts(t, m)
		f.failing("C_GenerateKeyPair", rv)
		if _, err := m.NewAccountKey(t.Context()); !errors.Is(err, hsm.ErrFull) {
			t.Errorf("%s: making: %v", rvName(rv), err)
		}
		f.failing("C_CreateObject", rv)
		if _, err := m.ImportAccountKey(t.Context(), bytes.Repeat([]byte{9}, 32)); !errors.Is(err, hsm.ErrFull) {
			t.Errorf("%s: importing: %v", rvName(rv), err)
		}
		if rv == p11.CKR_DEVICE_MEMORY {
			_ = m.Close()
			f.failing("C_GenerateKeyPair", rv)
			m = opener(f, to)(t).(*Module)
		}
		for what, key := range keys {
			if _, err := m.SignDigest(t.Context(), key, [32]byte{1}); err != nil {
				t.Errorf("%s: signing with the one that was %s: %v", rvName(rv), what, err)
			}
		}
		_ = m.Close()
	}
}

// A key that would be of no use is not handed out, and not left behind.
func TestAccountKeyThatDoesNotVerifyIsNotKept(t *testing.T) {
	f := &faulty{}
	m := ready(t, f)
	f.failing("C_Sign", p11.CKR_GENERAL_ERROR)
	if key, err := m.NewAccountKey(t.Context()); !errors.Is(err, hsm.ErrUnsupported) || key.Handle != nil {
		t.Errorf("making: %+v, %v", key, err)
	}
	if key, err := m.ImportAccountKey(t.Context(), bytes.Repeat([]byte{9}, 32)); !errors.Is(err, hsm.ErrUnsupported) || key.Handle != nil {
		t.Errorf("importing: %+v, %v", key, err)
	}
	inSession(t, m, func(s p11.SessionHandle) {
		if all, _, err := m.countAccounts(s); err != nil || all != 0 {
			t.Errorf("%d keys were left behind, %v", all, err)
		}
	})
}

// The object that was remembered is destroyed with another program.
func TestAccountKeyDestroyedByOthers(t *testing.T) {
	f := &faulty{}
	m := ready(t, f)
	for what, key := range bothAccounts(t, m) {
		if _, err := m.SignDigest(t.Context(), key, [32]byte{1}); err != nil {
			t.Fatal(err)
		}
		inSession(t, m, func(s p11.SessionHandle) {
			if err := f.cryptoki.DestroyObject(s, place(t, m, s, key)); err != nil {
				t.Fatal(err)
			}
		})
		for range 2 {
			if _, err := m.SignDigest(t.Context(), key, [32]byte{1}); !errors.Is(err, hsm.ErrNoAccountKey) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	if err := m.Check(t.Context()); err != nil {
		t.Errorf("the module was given up: %v", err)
	}
}

// Sessions of a token that went away and came back find nothing, and the token
// says that it is well. That must not pass for a destroyed key.
func TestAccountKeysOfAVanishedTokenAreNotGone(t *testing.T) {
	for _, used := range []bool{false, true} {
		f := &faulty{}
		tok := hsmtest.SoftHSM(t)
		lib, err := load(tok.Library)
		if err != nil {
			t.Fatal(err)
		}
		f.cryptoki = lib
		to, err := Config{Library: tok.Library, Token: tok.Label, PIN: tok.PIN}.resolve()
		if err != nil {
			t.Fatal(err)
		}
		m := opener(f, to)(t).(*Module)
		if err := m.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
		key, err := m.NewAccountKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if used {
			if _, err := m.SignDigest(t.Context(), key, [32]byte{1}); err != nil {
				t.Fatal(err)
			}
		}
		tok.Unplug(t)()
		_, err = m.SignDigest(t.Context(), key, [32]byte{1})
		if err != nil && !errors.Is(err, hsm.ErrUnavailable) {
			t.Errorf("used before is %v, signing: %v", used, err)
		}
		_ = m.Close()
		m = opener(f, to)(t).(*Module)
		plug := tok.Unplug(t)
		_, signErr := m.SignDigest(t.Context(), key, [32]byte{1})
		for what, err := range map[string]error{"signing": signErr, "destroying": m.DestroyAccountKey(t.Context(), key)} {
			if !errors.Is(err, hsm.ErrUnavailable) {
				t.Errorf("%s while the token is away: %v", what, err)
			}
		}
		plug()
		_ = m.Close()
		m = opener(f, to)(t).(*Module)
		if _, err := m.SignDigest(t.Context(), key, [32]byte{1}); err != nil {
			t.Errorf("after the token came back: %v", err)
		}
		_ = m.Close()
	}
}

// BenchmarkRawSign is C_SignInit and C_Sign alone, to compare SignDigest with.
func BenchmarkRawSign(b *testing.B) {
	m := ready(b, &faulty{})
	key, err := m.NewAccountKey(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	s, err := m.session(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer m.put(s)
	object, err := m.findAccount(s, *m.ring.Load(), key)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := m.signECDSA(s, object, [32]byte{1}); err != nil {
			b.Fatal(err)
		}
	}
}
