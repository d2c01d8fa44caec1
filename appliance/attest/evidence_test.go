package attest_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/attest"
)

func TestEvidenceOverTheWire(t *testing.T) {
	s := newSite(t)
	e := s.quote(t)
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	got, err := attest.ParseEvidence(raw)
	if err != nil || !reflect.DeepEqual(got, e) {
		t.Fatalf("came back as something else: %v", err)
	}
	if _, err := s.policy(t).Appraise(got, s.want, s.now); err != nil {
		t.Error(err)
	}
	if len(raw) > 16<<10 {
		t.Errorf("evidence takes %d bytes", len(raw))
	}
}

func TestParseEvidenceRefuses(t *testing.T) {
	s := newSite(t)
	good, err := json.Marshal(s.quote(t))
	if err != nil {
		t.Fatal(err)
	}
	field := func(name string, value any) []byte {
		m := map[string]any{}
		_ = json.Unmarshal(good, &m)
		if m[name] = value; value == nil {
			delete(m, name)
		}
		raw, _ := json.Marshal(m)
		return raw
	}
	for name, raw := range map[string][]byte{
		"nothing":               nil,
		"another format":        field("format", "sev-snp/2"),
		"no format":             field("format", nil),
		"unknown field":         field("extra", 1),
		"truncated":             good[:len(good)-1],
		"trailing":              append(bytes.Clone(good), "{}"...),
		"truncated report":      field("report", "AAAA"),
		"report is no base64":   field("report", "*"),
		"no nonce":              field("nonce", nil),
		"short nonce":           field("nonce", "00"),
		"long TLS key":          field("tls_key_sha256", strings.Repeat("0", 66)),
		"JWT key is no hex":     field("jwt_key_sha256", strings.Repeat("x", 64)),
		"empty certificate":     field("certificates", []string{""}),
		"too many certificates": field("certificates", []string{"AA", "AA", "AA", "AA", "AA", "AA", "AA", "AA", "AA"}),
		"too long":              append(bytes.Clone(good), bytes.Repeat([]byte(" "), attest.MaxEvidence)...),
	} {
		if _, err := attest.ParseEvidence(raw); code(err) != "attest_malformed" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The layout is frozen: verifiers of other makers compute it too.
func TestBindingVector(t *testing.T) {
	b := attest.Binding{}
	for i := range 32 {
		b.Nonce[i], b.TLSKey[i], b.JWTKey[i] = byte(i), byte(0x40+i), byte(0x80+i)
	}
	got := b.ReportData()
	const want = "e552809772d2800b01623cc15c7b01544ef4d541fab67f07012772bcf22dce0f98b821d2c1adda0cddb4bcba8c4c4f6957abc648f5b1b212620f720b91269131"
	if hex.EncodeToString(got[:]) != want {
		t.Errorf("got %x, want %s", got, want)
	}
	one, err := attest.HashKey(ed25519.PublicKey(make([]byte, 32)))
	if err != nil || hex.EncodeToString(one[:]) != "722abd12e99a5367f375aeb9672a8e07712e03c2add16fa8d6914d1cfa2efe0c" {
		t.Errorf("key: %x, %v", one, err)
	}
	if _, err := attest.HashKey("no key"); err == nil {
		t.Error("a hash of no key")
	}
}

// What parses says what it said when it is written again, and appraising it does
// not panic.
func FuzzParseEvidence(f *testing.F) {
	report := make([]byte, 1184)
	report[0], report[0x0a] = 2, 2
	raw, _ := json.Marshal(attest.Evidence{Report: report, Certificates: [][]byte{{0x30, 0}}})
	f.Add(raw)
	f.Add([]byte(`{"format":"sev-snp/1"}`))
	p, err := attest.ParsePolicy(render(plainText()), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := attest.ParseEvidence(raw)
		if err != nil {
			return
		}
		again, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		e2, err := attest.ParseEvidence(again)
		if err != nil || !reflect.DeepEqual(norm(e), norm(e2)) {
			t.Fatalf("came back as something else: %v", err)
		}
		if _, err := p.Appraise(e, e.Binding, theDay); err == nil {
			t.Fatal("evidence out of nothing was accepted")
		}
	})
}

func norm(e attest.Evidence) attest.Evidence {
	if len(e.Certificates) == 0 {
		e.Certificates = nil
	}
	return e
}

// What the host says lies where is where it is, or nowhere.
func FuzzParseTable(f *testing.F) {
	f.Add(make([]byte, 24))
	f.Add(bytes.Repeat([]byte{0xff}, 100))
	entry, _ := hex.DecodeString("63da758de6644564adc5f4b93be8accd" + "30000000" + "04000000")
	f.Add(append(append(entry, make([]byte, 24)...), 1, 2, 3, 4))
	f.Fuzz(func(t *testing.T, raw []byte) {
		ders, err := attest.ParseTable(raw)
		for _, der := range ders {
			if err != nil || len(der) == 0 || !bytes.Contains(raw, der) {
				t.Fatalf("a certificate that is not there: %x, %v", der, err)
			}
		}
	})
}
