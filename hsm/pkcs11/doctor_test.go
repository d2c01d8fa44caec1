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

func doctor(t *testing.T, cfg pkcs11.Config) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := pkcs11.Doctor(t.Context(), cfg, &out)
	t.Logf("%v\n%s", err, out.String())
	if pin := string(cfg.PIN.Reveal()); pin != "" && strings.Contains(out.String(), pin) {
		t.Error("the report shows the PIN")
	}
	return out.String(), err
}

func contains(t *testing.T, report string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(report, w) {
			t.Errorf("the report lacks %q", w)
		}
	}
}

func TestDoctorOnSoftHSM(t *testing.T) {
	cfg := config(hsmtest.SoftHSM(t))
	report, err := doctor(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, report, `"oneclawd-test"`, "none yet", "AES root key: wrap a vault key, use it   works", "sign           works",
		"secp256k1 key in the token: sign         works", "account keys   0 in the token")
	m := open(t, cfg)
	if err := m.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.NewAccountKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = m.Close()
	report, err = doctor(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, report, "there and working, AES-KEY-WRAP-PAD", "can be used", "account keys   1 in the token, 0 of them imported")
}

func TestDoctorSaysWhatIsMissing(t *testing.T) {
	report, err := doctor(t, config(hsmtest.P11Kit(t).Token))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, report, "AES_GCM                  no", "an RSA root key will be used instead", "open what was wrapped      works")
}

func TestDoctorOnTrouble(t *testing.T) {
	cfg := config(hsmtest.SoftHSM(t))
	wrong := cfg
	wrong.PIN = plain.FromString("999999")
	report, err := doctor(t, wrong)
	if !errors.Is(err, hsm.ErrWrongPIN) {
		t.Errorf("wrong PIN: %v", err)
	}
	contains(t, report, "C_Login: CKR_PIN_INCORRECT")
	other := cfg
	other.Token = "other"
	report, err = doctor(t, other)
	if !errors.Is(err, hsm.ErrUnavailable) {
		t.Errorf("no such token: %v", err)
	}
	contains(t, report, `no token matches label "other"`, `"oneclawd-test"`)
	report, err = doctor(t, pkcs11.Config{Library: "/nowhere/libvendor.so"})
	if err == nil {
		t.Error("missing library: no error")
	}
	contains(t, report, "libvendor.so")
}
