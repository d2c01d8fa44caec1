package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"testing"

	"filippo.io/age"

	"github.com/oneclaw/oneclawd/store"
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

// Sizes of what an escrow holds.
const (
	EscrowHead      = escrowHead
	EscrowEntrySize = escrowEntrySize
)

// Reescrowed is file with another escrow, made and signed by who has the private half
// of the recovery key and the appliance's key. edit is given what was sealed.
func Reescrowed(t testing.TB, file []byte, who *RecoveryIdentity, key audit.Key, edit func(escrow []byte, m *Manifest) []byte, others ...age.Recipient) []byte {
	t.Helper()
	s, err := scan(t.Context(), bytes.NewReader(file), nil)
	if err == nil {
		err = s.judge("")
	}
	if err != nil {
		t.Fatal(err)
	}
	body, err := s.content(t.Context(), bytes.NewReader(file), nil)
	if err != nil {
		t.Fatal(err)
	}
	clear, err := age.Decrypt(body, who)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c := &creation{out: bufio.NewWriter(&out), m: s.manifest}
	c.src.Key, c.header = key, s.header
	c.m.Blocks, c.m.Bytes = nil, 0
	blocks := &blockWriter{c: c, ctx: t.Context()}
	sealed, err := age.Encrypt(blocks, append([]age.Recipient{who.key.to}, others...)...)
	if err != nil {
		t.Fatal(err)
	}
	err = c.head(t.Context())
	if err == nil {
		err = copySections(clear, sections{sealed}, who, &c.m, edit)
	}
	for _, end := range []func() error{sealed.Close, blocks.flush, func() error { return c.sign(t.Context()) }, c.out.Flush} {
		if err == nil {
			err = end()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func copySections(from io.Reader, to sections, who *RecoveryIdentity, m *Manifest, edit func([]byte, *Manifest) []byte) error {
	for in := newSectionReader(from); ; {
		kind, err := in.next()
		if err != nil {
			return err
		}
		if kind == sectionEnd {
			_, err := to.w.Write([]byte{sectionEnd})
			return err
		}
		raw, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		if kind == sectionEscrow {
			if raw, err = reseal(raw, who, m, edit); err != nil {
				return err
			}
		}
		part, err := to.begin(kind)
		if err == nil {
			_, err = part.Write(raw)
		}
		if err == nil {
			err = part.end()
		}
		if err != nil {
			return err
		}
	}
}

func reseal(raw []byte, who *RecoveryIdentity, m *Manifest, edit func([]byte, *Manifest) []byte) ([]byte, error) {
	clear, err := age.Decrypt(bytes.NewReader(raw), who)
	if err != nil {
		return nil, err
	}
	escrow, err := io.ReadAll(clear)
	if err != nil {
		return nil, err
	}
	e := *m.Escrow
	m.Escrow = &e
	var out bytes.Buffer
	w, err := who.key.seal(&out)
	if err == nil {
		_, err = w.Write(edit(escrow, m))
	}
	if err == nil {
		err = w.Close()
	}
	m.Escrow.Bytes, m.Escrow.SHA256 = int64(out.Len()), sha256.Sum256(out.Bytes())
	return out.Bytes(), err
}

// StoreSealer is who has the store key, as Create seals to it.
func StoreSealer(t testing.TB, db *store.DB) age.Recipient {
	t.Helper()
	meta, err := db.Meta()
	if err != nil {
		t.Fatal(err)
	}
	c := &creation{src: Source{DB: db}, header: Header{Instance: meta.Instance}}
	to, err := c.recipients()
	if err != nil {
		t.Fatal(err)
	}
	return to[0]
}
