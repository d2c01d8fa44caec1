package pkcs11

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/plain"
)

func TestParseURI(t *testing.T) {
	u, err := ParseURI("pkcs11:token=My%20token+1;serial=DECC0401648;manufacturer=a%3Bb;model=x;slot-id=18446744073709551615" +
		"?module-path=/usr/lib/x.so&module-name=x&pin-source=file:/run/pin&x-vendor=1")
	if err != nil {
		t.Fatal(err)
	}
	if u.Token != "My token+1" || u.Serial != "DECC0401648" || u.Manufacturer != "a;b" || u.Model != "x" ||
		u.SlotID == nil || *u.SlotID != 18446744073709551615 || u.ModulePath != "/usr/lib/x.so" || u.ModuleName != "x" || u.PINSource != "/run/pin" {
		t.Errorf("%+v", u)
	}
	for _, pin := range []string{"/run/pin", "file:///run/pin", "file:/run/pin", "/run/../run/pin"} {
		if u, err := ParseURI("pkcs11:?pin-source=" + pin); err != nil || u.PINSource != "/run/pin" {
			t.Errorf("pin-source=%s: %q, %v", pin, u.PINSource, err)
		}
	}
	if _, err := ParseURI("pkcs11:"); err != nil {
		t.Errorf("the empty URI: %v", err)
	}
}

func TestParseURIRefuses(t *testing.T) {
	for uri, why := range map[string]string{
		"":                                   "starts with 'pkcs11:'",
		"PKCS11:token=a":                     "starts with 'pkcs11:'",
		"pkcs11:token":                       "without name or value",
		"pkcs11:token=a;token=b":             "twice",
		"pkcs11:token=%zz":                   "percent-encoded",
		"pkcs11:token=a%00b":                 "percent-encoded",
		"pkcs11:slot-id=-1":                  "not a number",
		"pkcs11:object=key;type=private":     `"object" is not supported`,
		"pkcs11:token=a?pin-value=123456":    "pin-value",
		"pkcs11:token=a?pin-source=%7Ccat":   "file:/absolute/path",
		"pkcs11:token=a?pin-source=file:pin": "file:/absolute/path",
		"pkcs11:token=a?colour=red":          `"colour" is not supported`,
		"pkcs11:token=a;":                    "without name or value",
	} {
		_, err := ParseURI(uri)
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want %q", uri, err, why)
		}
		if err != nil && strings.Contains(err.Error(), "123456") {
			t.Errorf("the error shows the PIN: %v", err)
		}
	}
}

func FuzzParseURI(f *testing.F) {
	f.Add("pkcs11:token=a;serial=b?module-path=/x&pin-source=file:/run/pin")
	f.Add("pkcs11:token=%41;slot-id=7?module-name=x")
	f.Add("pkcs11:?pin-source=|cat")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseURI(s)
		if err != nil {
			return
		}
		if u.PINSource != "" && !filepath.IsAbs(u.PINSource) {
			t.Fatalf("pin-source %q is not absolute", u.PINSource)
		}
		if strings.Contains(s, "pin-value=") && !strings.Contains(s, "=pin-value=") && !strings.Contains(s, "-pin-value=") {
			if q := s[strings.Index(s, "?")+1:]; strings.HasPrefix(q, "pin-value=") || strings.Contains(q, "&pin-value=") {
				t.Fatalf("pin-value was accepted in %q", s)
			}
		}
	})
}

func TestConfigIsWorkedOut(t *testing.T) {
	dir := t.TempDir()
	lib, pin := filepath.Join(dir, "lib.so"), filepath.Join(dir, "pin")
	for file, text := range map[string]string{lib: "x", pin: "1234\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	to, err := Config{URI: "pkcs11:token=a?module-path=" + lib + "&pin-source=file:" + pin}.resolve()
	if err != nil || to.library != lib || string(to.pin.Reveal()) != "1234" || to.sessions != DefaultSessions || to.handles != DefaultHandles {
		t.Errorf("%+v, %v", to, err)
	}
	to, err = Config{URI: "pkcs11:?pin-source=file:" + pin, Library: lib, Token: "a", PIN: plain.FromString("9")}.resolve()
	if err != nil || string(to.pin.Reveal()) != "9" || to.token.Token != "a" {
		t.Errorf("fields beside the URI: %+v, %v", to, err)
	}
	for name, cfg := range map[string]Config{
		"two tokens":    {Library: lib, Token: "a", URI: "pkcs11:token=b"},
		"two libraries": {Library: lib, URI: "pkcs11:?module-path=/other.so"},
		"no PIN file":   {Library: lib, URI: "pkcs11:?pin-source=/nowhere/pin"},
		"empty PIN":     {Library: lib, URI: "pkcs11:?pin-source=/dev/null"},
	} {
		if _, err := cfg.resolve(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, cfg := range map[string]Config{
		"none": {Token: "a"}, "relative": {Library: "lib.so"}, "unknown name": {URI: "pkcs11:?module-name=no-such-vendor"},
	} {
		if _, err := cfg.resolve(); !errors.Is(err, hsm.ErrUnavailable) {
			t.Errorf("library %s: %v", name, err)
		}
	}
}
