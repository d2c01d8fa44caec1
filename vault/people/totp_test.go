package people

import (
	"testing"
	"time"
)

// TestTOTP has the SHA-1 vectors of RFC 6238, appendix B, cut to six digits.
func TestTOTP(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, code := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := totp(secret, at/totpStep); got != code {
			t.Errorf("at %d: %s, want %s", at, got, code)
		}
		for off := max(-3, 1-at/totpStep); off <= 3; off++ {
			step, ok := totpMatch(secret, code, time.Unix(at+off*totpStep, 0), 0)
			if ok != (off >= -1 && off <= 1) || ok && step != at/totpStep {
				t.Errorf("%d steps off: %v", off, ok)
			}
		}
		if _, ok := totpMatch(secret, code, time.Unix(at, 0), at/totpStep); ok {
			t.Error("a used step is good again")
		}
	}
}

func TestUserCodes(t *testing.T) {
	for range 200 {
		c := newUserCode()
		if FoldUserCode(ShowUserCode(c)) != c {
			t.Fatal(c)
		}
	}
	for _, bad := range []string{"", "BCDF", "BCDF-GHJA", "BCDF-GHJ1", "BCDFGHJKL", "<script>"} {
		if FoldUserCode(bad) != "" {
			t.Errorf("%q is a code", bad)
		}
	}
	if FoldUserCode("bcdf ghjk") != "BCDFGHJK" {
		t.Error("people type it in lower case")
	}
}
