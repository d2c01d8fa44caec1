//go:build cgo

package pkcs11_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/hsm/pkcs11"
	"github.com/oneclaw/oneclawd/internal/plain"
)

func config(tok hsmtest.Token) pkcs11.Config {
	return pkcs11.Config{Library: tok.Library, Token: tok.Label, PIN: tok.PIN}
}

func open(t testing.TB, cfg pkcs11.Config) *pkcs11.Module {
	t.Helper()
	m, err := pkcs11.Open(cfg)
	if err != nil {
		t.Fatalf("Open: %v", causes(err))
	}
	return m
}

// causes shows what is for the log only.
func causes(err error) string {
	var b strings.Builder
	for ; err != nil; err = errors.Unwrap(err) {
		b.WriteString(err.Error() + " | ")
	}
	return b.String()
}

func TestConformance(t *testing.T) {
	cfg := config(hsmtest.SoftHSM(t))
	hsmtest.Conformance(t, func(t testing.TB) hsm.Module { return open(t, cfg) })
	m := open(t, cfg)
	defer m.Close()
	d := m.Describe()
	if d.Kind != "pkcs11" || !d.HSM || d.Wrapping != "AES-KEY-WRAP-PAD" || d.Signing != "resident" ||
		d.Token != cfg.Token || d.Library != "libsofthsm2.so" || !strings.Contains(d.Model, "SoftHSM") {
		t.Errorf("Describe: %+v", d)
	}
}

// A cache of two handles with five KEKs and 32 goroutines evicts all the time.
func TestConformanceWithTinyCache(t *testing.T) {
	cfg := config(hsmtest.SoftHSM(t))
	cfg.Handles, cfg.Sessions = 2, 3
	hsmtest.Conformance(t, func(t testing.TB) hsm.Module { return open(t, cfg) })
}

func TestConformanceWithoutAES(t *testing.T) {
	remote := hsmtest.P11Kit(t)
	hsmtest.Conformance(t, func(t testing.TB) hsm.Module { return open(t, config(remote.Token)) })
	m := open(t, config(remote.Token))
	defer m.Close()
	d := m.Describe()
	if d.Wrapping != "RSA-OAEP" || len(d.Notes) == 0 || !strings.Contains(d.Notes[0], "memory") {
		t.Errorf("Describe does not say that keys are used outside the token: %+v", d)
	}
}

func TestMissingLibrary(t *testing.T) {
	_, err := pkcs11.Open(pkcs11.Config{Library: "/nowhere/at/all/libvendor.so", Token: "x"})
	if !errors.Is(err, hsm.ErrUnavailable) || !strings.Contains(err.Error(), "libvendor.so") || !strings.Contains(err.Error(), "install") {
		t.Errorf("got %v", err)
	}
	if strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("the error shows a path on disk: %v", err)
	}
}

func TestFileThatIsNoLibrary(t *testing.T) {
	_, err := pkcs11.Open(pkcs11.Config{Library: "/etc/passwd", Token: "x"})
	if !errors.Is(err, hsm.ErrUnavailable) || !strings.Contains(err.Error(), "passwd cannot be loaded") {
		t.Errorf("got %v", err)
	}
}

func TestUnknownTokenListsThoseThatAreThere(t *testing.T) {
	cfg := config(hsmtest.SoftHSM(t))
	cfg.Token = "other"
	_, err := pkcs11.Open(cfg)
	if !errors.Is(err, hsm.ErrUnavailable) || !strings.Contains(err.Error(), `"other"`) || !strings.Contains(err.Error(), `"oneclawd-test"`) {
		t.Errorf("got %v", err)
	}
}

func TestTokenByURI(t *testing.T) {
	tok := hsmtest.SoftHSM(t)
	m := open(t, pkcs11.Config{
		URI: "pkcs11:token=oneclawd-test;manufacturer=SoftHSM%20project;model=SoftHSM%20v2?module-path=" + tok.Library,
		PIN: tok.PIN,
	})
	if got := m.Describe().Token; got != tok.Label {
		t.Errorf("token is %q", got)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

func TestSecondModuleInOneProcessIsRefused(t *testing.T) {
	cfg := config(hsmtest.SoftHSM(t))
	m := open(t, cfg)
	defer m.Close()
	_, err := pkcs11.Open(cfg)
	if !errors.Is(err, hsm.ErrUnavailable) || !strings.Contains(err.Error(), "already uses") {
		t.Errorf("got %v", err)
	}
	if err := m.Init(t.Context()); err != nil {
		t.Errorf("the first module suffered: %v", causes(err))
	}
}

func TestWrongPIN(t *testing.T) {
	cfg := config(hsmtest.SoftHSM(t))
	cfg.PIN = plain.FromString("000000")
	if _, err := pkcs11.Open(cfg); !errors.Is(err, hsm.ErrWrongPIN) {
		t.Errorf("got %v", err)
	}
	cfg.PIN = plain.Bytes{}
	if _, err := pkcs11.Open(cfg); !errors.Is(err, hsm.ErrWrongPIN) {
		t.Errorf("without PIN: %v", err)
	}
}

// A token that vanished is an outage. It must look neither like a token that
// was never initialised nor like one without anchor: both would be acted on.
func TestVanishedTokenIsUnavailable(t *testing.T) {
	tok := hsmtest.SoftHSM(t)
	m := open(t, config(tok))
	defer m.Close()
	ctx := t.Context()
	if err := m.Init(ctx); err != nil {
		t.Fatal(causes(err))
	}
	if err := m.SetAnchor(ctx, []byte("head")); err != nil {
		t.Fatal(causes(err))
	}
	kek, err := m.NewKEK(ctx)
	if err != nil {
		t.Fatal(causes(err))
	}
	wrapped, err := m.Wrap(ctx, kek, []byte("dek"), nil)
	if err != nil {
		t.Fatal(causes(err))
	}
	plug := tok.Unplug(t)
	if anchor, err := m.Anchor(ctx); !errors.Is(err, hsm.ErrUnavailable) || anchor != nil {
		t.Errorf("Anchor: %q, %v", anchor, err)
	}
	_, unwrapErr := m.Unwrap(ctx, kek, wrapped, nil)
	_, kekErr := m.NewKEK(ctx)
	for what, err := range map[string]error{"Check": m.Check(ctx), "Unwrap": unwrapErr, "NewKEK": kekErr, "Init": m.Init(ctx)} {
		if !errors.Is(err, hsm.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	plug()
	_ = m.Close()
	m = open(t, config(tok))
	defer m.Close()
	if got, err := m.Unwrap(ctx, kek, wrapped, nil); err != nil || string(got) != "dek" {
		t.Errorf("after the token came back: %q, %s", got, causes(err))
	}
	if got, err := m.Anchor(ctx); err != nil || string(got) != "head" {
		t.Errorf("anchor after the token came back: %q, %s", got, causes(err))
	}
}

func TestErrorNamesTheFailedCall(t *testing.T) {
	tok := hsmtest.SoftHSM(t)
	m := open(t, config(tok))
	defer m.Close()
	if err := m.Init(t.Context()); err != nil {
		t.Fatal(causes(err))
	}
	defer tok.Unplug(t)()
	err := m.Check(t.Context())
	if got := causes(err); !strings.Contains(got, "C_UnwrapKey: CKR_") {
		t.Errorf("the cause does not name the call: %s", got)
	}
	if strings.Contains(err.Error(), "CKR_") {
		t.Errorf("the shown text has driver internals: %v", err)
	}
}

// A token whose disk is full makes no more account keys, says why, and signs on,
// also after it was opened anew.
func TestTokenOnAFullDisk(t *testing.T) {
	tok := hsmtest.SoftHSM(t)
	tok.OnSmallDisk(t, "128k")
	m := open(t, config(tok))
	if err := m.Init(t.Context()); err != nil {
		t.Fatal(causes(err))
	}
	var keys []hsm.AccountKey
	var err error
	for range 200 {
		var key hsm.AccountKey
		if key, err = m.NewAccountKey(t.Context()); err != nil {
			break
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 || !errors.Is(err, hsm.ErrFull) {
		t.Fatalf("%d keys, then %s", len(keys), causes(err))
	}
	if _, err := m.ImportAccountKey(t.Context(), bytes.Repeat([]byte{9}, 32)); !errors.Is(err, hsm.ErrFull) {
		t.Errorf("importing: %s", causes(err))
	}
	if err := m.Close(); err != nil {
		t.Error(causes(err))
	}
	m = open(t, config(tok))
	defer m.Close()
	for _, key := range keys {
		if _, err := m.SignDigest(t.Context(), key, [32]byte{1}); err != nil {
			t.Errorf("signing: %s", causes(err))
		}
	}
	if err := m.Check(t.Context()); err != nil {
		t.Errorf("Check: %s", causes(err))
	}
	for _, key := range keys[:3] {
		if err := m.DestroyAccountKey(t.Context(), key); err != nil {
			t.Fatalf("making room: %s", causes(err))
		}
	}
	if _, err := m.NewAccountKey(t.Context()); err != nil {
		t.Errorf("with room again: %s", causes(err))
	}
}
