package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"testing"

	"github.com/oneclaw/oneclawd/vault/audit"
)

// Resigned is file with another manifest, signed by key.
func Resigned(t testing.TB, file []byte, key audit.Key, edit func(*Manifest)) []byte {
	t.Helper()
	return rewrite(t, file, key, func(_ *Header, m *Manifest) { edit(m) })
}

// Rekeyed is file as if key were the appliance's.
func Rekeyed(t testing.TB, file []byte, key audit.Key) []byte {
	t.Helper()
	return rewrite(t, file, key, func(h *Header, m *Manifest) {
		vkey, err := audit.VerifierKey(h.Instance, key.Public)
		if err != nil {
			t.Fatal(err)
		}
		h.VerifierKey = vkey
		raw, _ := json.Marshal(h)
		m.Header = sha256.Sum256(raw)
	})
}

func rewrite(t testing.TB, file []byte, key audit.Key, edit func(*Header, *Manifest)) []byte {
	t.Helper()
	s, err := scan(t.Context(), bytes.NewReader(file), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.judge(""); err != nil {
		t.Fatal(err)
	}
	edit(&s.header, &s.manifest)
	head, _ := json.Marshal(s.header)
	raw, _ := json.Marshal(s.manifest)
	note, err := audit.SignStatement(t.Context(), s.header.Instance, key, kindManifest, sha256.Sum256(raw))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	out.WriteString(magic)
	_ = writeFrame(&out, frameHeader, head)
	out.Write(file[s.blocksAt:s.rawAt])
	_ = writeFrame(&out, frameManifest, raw)
	_ = writeFrame(&out, frameSignature, note)
	return out.Bytes()
}
