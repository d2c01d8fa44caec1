package backup

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/oneclaw/oneclawd/vault/audit"
)

func TestSections(t *testing.T) {
	var buf bytes.Buffer
	s := sections{&buf}
	big := bytes.Repeat([]byte("0123456789"), maxChunk/4) // more than two chunks
	for kind, content := range [][]byte{sectionPreamble: []byte("{}"), sectionState: big, sectionEvents: nil} {
		if kind == sectionEnd {
			continue
		}
		part, err := s.begin(byte(kind))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := part.Write(content); n != len(content) || err != nil {
			t.Fatal(n, err)
		}
		if err := part.end(); err != nil {
			t.Fatal(err)
		}
	}
	buf.WriteByte(sectionEnd)
	whole := bytes.Clone(buf.Bytes())

	r := newSectionReader(&buf)
	for kind, want := range [][]byte{sectionPreamble: []byte("{}"), sectionState: big, sectionEvents: nil} {
		if kind == sectionEnd {
			continue
		}
		if err := r.expect(byte(kind)); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("section %d: %d bytes, %v", kind, len(got), err)
		}
	}
	if err := r.expect(sectionEnd); err != nil {
		t.Fatal(err)
	}
	if err := walk(whole); err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += 1 + at/8 {
		if walk(whole[:at]) == nil {
			t.Errorf("cut at %d: no error", at)
		}
	}
	if walk(append(whole, 0)) == nil {
		t.Error("a byte behind the end: no error")
	}
	r = newSectionReader(bytes.NewReader(whole))
	_, _ = r.next()
	if _, err := r.next(); !errors.Is(err, errContent) {
		t.Errorf("an unread section is skipped: %v", err)
	}
}

// walk reads sections, those of events as events.
func walk(in []byte) error {
	r := newSectionReader(bytes.NewReader(in))
	for {
		kind, err := r.next()
		if err != nil || kind == sectionEnd {
			return err
		}
		if kind != sectionEvents {
			if _, err := io.Copy(io.Discard, r); err != nil {
				return err
			}
			continue
		}
		for b := bufio.NewReader(r); ; {
			if _, _, err := readEntry(b); err == io.EOF {
				break
			} else if err != nil {
				return err
			}
		}
	}
}

func FuzzSections(f *testing.F) {
	var buf bytes.Buffer
	part, _ := sections{&buf}.begin(sectionEvents)
	w := bufio.NewWriter(part)
	_, _ = writeEntry(w, audit.Entry{Seq: 7, Leaf: []byte("leaf")})
	_ = w.Flush()
	_ = part.end()
	buf.WriteByte(sectionEnd)
	f.Add(buf.Bytes())
	f.Fuzz(func(_ *testing.T, in []byte) { _ = walk(in) })
}
