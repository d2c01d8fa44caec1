package envelope

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
)

var record = flag.Bool("record", false, "write the frozen vectors, if there are none yet")

const (
	format1File = "testdata/format1.json"
	format2File = "testdata/format2.json"
)

// hexBytes are written as hexadecimal digits.
type hexBytes []byte

func (h hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }
func (h *hexBytes) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

// vector is one envelope that must open for as long as its format is supported.
// The KEK is a bare AES-256 key and wrapping is AES-256-GCM as in softKeys.
type vector struct {
	Name       string   `json:"name"`
	KEK        hexBytes `json:"kek"`
	Generation uint32   `json:"generation,omitempty"` // 0 in format 1
	Org        id.ID    `json:"org"`
	Vault      id.ID    `json:"vault"`
	Secret     id.ID    `json:"secret"`
	Version    uint32   `json:"version"`
	AADDEK     hexBytes `json:"aad_dek"`
	AADValue   hexBytes `json:"aad_value"`
	Value      hexBytes `json:"value"`
	Envelope   hexBytes `json:"envelope"`
}

func (v vector) binding() Binding {
	return Binding{Org: v.Org, Vault: v.Vault, Secret: v.Secret, Version: v.Version}
}

func (v vector) kek() KEK { return KEK{Key: hsm.KEK(v.KEK), Generation: max(1, v.Generation)} }

func vectors(t testing.TB, vectorFile string) []vector {
	t.Helper()
	raw, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var vs []vector
	if err := json.Unmarshal(raw, &vs); err != nil || len(vs) == 0 {
		t.Fatalf("%s: %d vectors, %v", vectorFile, len(vs), err)
	}
	return vs
}

// TestFrozenVectors: envelopes already stored somewhere open, and only as what
// they are. Never record these anew; a new format gets a new file.
func TestFrozenVectors(t *testing.T) {
	for _, v := range append(vectors(t, format1File), vectors(t, format2File)...) {
		t.Run(v.Name, func(t *testing.T) {
			got, err := Open(t.Context(), &softKeys{}, v.kek(), v.binding(), v.Envelope)
			if err != nil || !bytes.Equal(got.Reveal(), v.Value) {
				t.Errorf("%x, %v, want %x", got.Reveal(), err, v.Value)
			}
			p, _ := parse(v.Envelope)
			if aad := p.aadDEK(v.binding()); !bytes.Equal(aad, v.AADDEK) {
				t.Errorf("AAD of the DEK %x, want %x", aad, v.AADDEK)
			}
			if aad := p.aadValue(v.binding()); !bytes.Equal(aad, v.AADValue) {
				t.Errorf("AAD of the value %x, want %x", aad, v.AADValue)
			}
			other := v.binding()
			other.Version++
			wantDamaged(t, "as another version", v.kek(), other, v.Envelope)
			next := v.kek()
			next.Generation++
			wantDamaged(t, "as of another KEK", next, v.binding(), v.Envelope)
		})
	}
}

// TestDocumentedLayout opens the vectors by the text of the package comment,
// without this package's code.
func TestDocumentedLayout(t *testing.T) {
	for _, v := range vectors(t, format1File) {
		e := v.Envelope
		n := int(e[2])<<8 | int(e[3])
		aadDEK := append([]byte("oneclawd/envelope/dek\x00"), v.what(1)...)
		aadValue := append(append([]byte("oneclawd/envelope/value\x00"), v.what(1)...), e[:4+n]...)
		v.opensBy(t, aadDEK, aadValue, e[4:4+n], e[4+n:])
	}
	for _, v := range vectors(t, format2File) {
		e := v.Envelope
		n := int(e[6])<<8 | int(e[7])
		aadDEK := append(append([]byte("oneclawd/envelope/dek\x00"), v.what(2)...), e[2:6]...)
		aadValue := append([]byte("oneclawd/envelope/value\x00"), v.what(2)...)
		v.opensBy(t, aadDEK, aadValue, e[8:8+n], e[8+n:])
	}
}

// what is the part of the AAD that both formats and both encryptions have.
func (v vector) what(format byte) []byte {
	what := append([]byte{format, 1}, v.Org[:]...)
	what = append(append(what, v.Vault[:]...), v.Secret[:]...)
	return append(what, byte(v.Version>>24), byte(v.Version>>16), byte(v.Version>>8), byte(v.Version))
}

func (v vector) opensBy(t *testing.T, aadDEK, aadValue, wrapped, body []byte) {
	t.Helper()
	dek, err := gcm(t, v.KEK).Open(nil, wrapped[:12], wrapped[12:], aadDEK)
	if err != nil {
		t.Fatalf("%s: DEK: %v", v.Name, err)
	}
	value, err := gcm(t, dek).Open(nil, body[:12], body[12:], aadValue)
	if err != nil || !bytes.Equal(value, v.Value) || v.Envelope[1] != 1 {
		t.Errorf("%s: %x, %v, want %x", v.Name, value, err, v.Value)
	}
}

func gcm(t *testing.T, key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	g, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestRecordVectors(t *testing.T) {
	if !*record {
		t.Skip("only with -record")
	}
	if _, err := os.Stat(format2File); err == nil {
		t.Fatalf("%s exists and is frozen", format2File)
	}
	var vs []vector
	for _, in := range []struct {
		name    string
		version uint32
		value   string
	}{
		{"format 2, empty", 1, ""},
		{"format 2, text", 2, "correct horse battery staple"},
		{"format 2, bytes", 1<<32 - 1, "\x00\x01\xfe\xff\n"},
	} {
		v := vector{
			Name: in.name, KEK: bytes.Repeat([]byte{0x4b}, 32), Generation: -in.version, Version: in.version, Value: hexBytes(in.value),
			Org: id.New(), Vault: id.New(), Secret: id.New(),
		}
		var err error
		v.Envelope, err = Seal(t.Context(), &softKeys{}, v.kek(), v.binding(), plain.FromString(in.value))
		if err != nil {
			t.Fatal(err)
		}
		p, _ := parse(v.Envelope)
		v.AADDEK, v.AADValue = p.aadDEK(v.binding()), p.aadValue(v.binding())
		vs = append(vs, v)
	}
	raw, err := json.MarshalIndent(vs, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(format2File, append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
