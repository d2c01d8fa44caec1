package backup

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/oneclaw/oneclawd/vault/audit"
)

// The sections of the content, in their order.
const (
	sectionEnd      = 0
	sectionPreamble = 1 // preamble, JSON
	sectionState    = 2 // the data file
	sectionEvents   = 3 // archived events: index (8), length (4), bytes
	sectionEscrow   = 4 // keys, sealed to the recovery key; only if there is one
)

// maxChunk bounds a chunk, maxLeaf an event.
const (
	maxChunk = 1 << 20
	maxLeaf  = 1 << 20
)

// errContent: the content opened, and is not what Create writes.
var errContent = errors.New("the content does not have the form of a backup")

// preamble repeats, where only the store key can write, what the outside says.
type preamble struct {
	Header Digest `json:"header"`
}

// sections writes sections.
type sections struct{ w io.Writer }

// section is a section being written.
type section struct{ w io.Writer }

func (s sections) begin(kind byte) (section, error) {
	_, err := s.w.Write([]byte{kind})
	return section(s), err
}

// Write implements io.Writer.
func (s section) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		part := p[:min(len(p), maxChunk)]
		if _, err := s.w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part)))); err != nil {
			return n, err
		}
		m, err := s.w.Write(part)
		if n += m; err != nil {
			return n, err
		}
		p = p[len(part):]
	}
	return n, nil
}

func (s section) end() error {
	_, err := s.w.Write(make([]byte, 4))
	return err
}

// sectionReader reads one section after the other.
type sectionReader struct {
	r    *bufio.Reader
	left int // of the chunk
	open bool
}

func newSectionReader(r io.Reader) *sectionReader {
	return &sectionReader{r: bufio.NewReaderSize(r, 64<<10)}
}

// next goes to the next section and returns its kind. At the end nothing must
// follow.
func (s *sectionReader) next() (kind byte, err error) {
	if s.open {
		return 0, errContent // the section before has more than was expected
	}
	if kind, err = s.r.ReadByte(); err != nil {
		return 0, unexpected(err)
	}
	if kind != sectionEnd {
		s.open = true
		return kind, nil
	}
	if _, err := s.r.ReadByte(); err == nil {
		return 0, errContent
	} else if !errors.Is(err, io.EOF) {
		return 0, err
	}
	return sectionEnd, nil
}

// expect goes to the next section, which must be of the kind.
func (s *sectionReader) expect(kind byte) error {
	got, err := s.next()
	if err == nil && got != kind {
		err = fmt.Errorf("%w: section %d stands where %d is due", errContent, got, kind)
	}
	return err
}

// Read implements io.Reader; io.EOF is the end of the section.
func (s *sectionReader) Read(p []byte) (int, error) {
	if !s.open {
		return 0, io.EOF
	}
	if s.left == 0 {
		var head [4]byte
		if _, err := io.ReadFull(s.r, head[:]); err != nil {
			return 0, unexpected(err)
		}
		n := binary.BigEndian.Uint32(head[:])
		switch {
		case n == 0:
			s.open = false
			return 0, io.EOF
		case n > maxChunk:
			return 0, errContent
		}
		s.left = int(n)
	}
	n, err := s.r.Read(p[:min(len(p), s.left)])
	s.left -= n
	return n, unexpected(err)
}

// unexpected makes the end of the stream an error where something is due.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func writeEntry(w *bufio.Writer, e audit.Entry) (int, error) {
	head := binary.BigEndian.AppendUint64(nil, e.Seq)
	head = binary.BigEndian.AppendUint32(head, uint32(len(e.Leaf)))
	if _, err := w.Write(head); err != nil {
		return 0, err
	}
	n, err := w.Write(e.Leaf)
	return len(head) + n, err
}

// readEntry returns io.EOF at the end of the section.
func readEntry(r *bufio.Reader) (e audit.Entry, size int, err error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return e, 0, err // io.EOF only if nothing at all was there
	}
	n := binary.BigEndian.Uint32(head[8:])
	if n > maxLeaf {
		return e, 0, errContent
	}
	e.Seq, e.Leaf = binary.BigEndian.Uint64(head[:]), make([]byte, n)
	_, err = io.ReadFull(r, e.Leaf)
	return e, len(head) + int(n), unexpected(err)
}
