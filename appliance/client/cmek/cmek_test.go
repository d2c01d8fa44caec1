package cmek

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// The vectors were made by another implementation: AES-256-GCM of Node's crypto module.
const (
	vectorKey         = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	vectorFingerprint = "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"
)

var vectors = []struct{ value, published, hex string }{
	{"sk_live_4242", "AWRlZmdoaWprbG1ubztwgQoQnzPBClBr2sMrUN8/zI3106SjK9cL3yA=", "6465666768696a6b6c6d6e6f3b70810a109f33c10a506bdac32b50df3fcc8df5d3a4a32bd70bdf20"},
	{"", "AWRlZmdoaWprbG1ub2Cb1Q9q1232ZfBIuoxf1wY=", "6465666768696a6b6c6d6e6f609bd50f6ad76df665f048ba8c5fd706"},
	{"π\n", "AWRlZmdoaWprbG1ub4eb1IOPgCTZlOmNuh7VQ8QA2hU=", "6465666768696a6b6c6d6e6f879bd4838f8024d994e98dba1ed543c400da15"},
}

func parsed(t testing.TB) Key {
	t.Helper()
	k, err := ParseKey(vectorKey)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestVectors(t *testing.T) {
	k := parsed(t)
	if k.Fingerprint() != vectorFingerprint || k.Encode() != vectorKey {
		t.Errorf("%s %s", k.Fingerprint(), k.Encode())
	}
	for _, v := range vectors {
		for _, text := range []string{v.published, v.hex, strings.ToUpper(v.hex)} {
			if got, err := k.Open(text); err != nil || got != v.value {
				t.Errorf("%s: %q, %v", text, got, err)
			}
		}
	}
}

func TestSealedValuesOpen(t *testing.T) {
	k, other := NewKey(), NewKey()
	if again, err := ParseKey(k.Encode()); err != nil || again.Fingerprint() != k.Fingerprint() || again.Fingerprint() == other.Fingerprint() {
		t.Errorf("%v, %v", again, err)
	}
	for _, value := range []string{"", "x", strings.Repeat("long ", 1000)} {
		for _, seal := range []func(string) string{k.Seal, k.SealHex} {
			text := seal(value)
			if text == seal(value) {
				t.Error("the same nonce twice")
			}
			if got, err := k.Open(text); err != nil || got != value {
				t.Errorf("%q, %v", got, err)
			}
			for name, bad := range map[string]string{
				"cut": text[:len(text)-4], "changed": flip(text), "longer": text + text, "of nobody": value, "empty": "",
			} {
				if _, err := k.Open(bad); !errors.Is(err, ErrOpen) || value != "" && strings.Contains(err.Error(), value) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if _, err := other.Open(text); !errors.Is(err, ErrOpen) {
				t.Errorf("with another key: %v", err)
			}
		}
	}
	if _, err := (Key{}).Open(k.Seal("x")); !errors.Is(err, ErrOpen) {
		t.Errorf("without a key: %v", err)
	}
}

// flip changes a digit in the middle of a text.
func flip(text string) string {
	b := []byte(text)
	if i := len(b) / 2; b[i] == '0' {
		b[i] = '1'
	} else {
		b[i] = '0'
	}
	return string(b)
}

func TestKeysAreNotPrinted(t *testing.T) {
	k := parsed(t)
	for _, text := range []string{fmt.Sprint(k), fmt.Sprintf("%v %+v %#v %s", k, k, k, k), fmt.Sprint(struct{ K Key }{k})} {
		if strings.Contains(text, vectorKey) || strings.Contains(text, "0 1 2 3") || strings.Contains(text, "000102") {
			t.Errorf("printed as %s", text)
		}
	}
	if out, err := json.Marshal(k); err == nil {
		t.Errorf("written as %s", out)
	}
	for _, bad := range []string{"", "canary", vectorKey[:40], vectorKey + vectorKey} {
		if _, err := ParseKey(bad); !errors.Is(err, ErrKey) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestSealWithoutAKeyPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a value was let through")
		}
	}()
	_ = Key{}.Seal("x")
}

// FuzzOpen: no text is a value but those that were sealed, and none does harm.
func FuzzOpen(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.published)
		f.Add(v.hex)
	}
	f.Add("")
	f.Add("AQ==")
	k := parsed(f)
	f.Fuzz(func(t *testing.T, text string) {
		for _, blob := range parse(text) {
			if len(blob) < minBlob {
				t.Fatalf("%d bytes are taken for a blob", len(blob))
			}
		}
		value, err := k.Open(text)
		if err != nil {
			return
		}
		for _, v := range vectors {
			if v.value == value {
				return
			}
		}
		t.Errorf("%q opened as %q", text, value)
	})
}
