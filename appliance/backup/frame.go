package backup

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The magic is one line, so that `head -1` tells what the file is. It counts the forms
// of frames, of which there is one; the manifest's format counts those of the content.
const (
	magicWord    = "oneclawd backup "
	format       = 1
	formatEscrow = 2 // has section 4; an oneclawd that does not know it must not ignore it
	newestFormat = formatEscrow
	magic        = magicWord + "1\n"
)

// The kinds of frames, in their order.
const (
	frameHeader    = 'h'
	frameBlock     = 'b'
	frameManifest  = 'm'
	frameSignature = 's'
)

// Sizes in bytes. Only the manifest grows with the backup: by 43 bytes a block.
const (
	frameHead    = 5
	blockSize    = 1 << 20
	maxHeader    = 64 << 10
	maxManifest  = 128 << 20
	maxSignature = 4 << 10
)

func frameLimit(kind byte) int64 {
	switch kind {
	case frameHeader:
		return maxHeader
	case frameBlock:
		return blockSize
	case frameManifest:
		return maxManifest
	case frameSignature:
		return maxSignature
	}
	return -1
}

func writeFrame(w io.Writer, kind byte, payload []byte) error {
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(payload)))
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(payload)
	return err
}

// frames reads the frames of a file and knows where it is.
type frames struct {
	r   *bufio.Reader
	at  int64 // of the next byte
	buf bytes.Buffer
}

func newFrames(r io.Reader) *frames { return &frames{r: bufio.NewReaderSize(r, 64<<10)} }

// start reads the magic.
func (f *frames) start() error {
	got := make([]byte, len(magic))
	n, err := io.ReadFull(f.r, got)
	if err != nil && !ended(err) {
		return fmt.Errorf("backup: reading: %w", err)
	}
	got = got[:n]
	switch {
	case string(got) == magic:
		f.at = int64(len(magic))
		return nil
	case len(got) == len(magic) && strings.HasPrefix(string(got), magicWord) && got[len(magicWord)] > '1' && got[len(magicWord)] <= '9':
		return ErrNewer.Detail("the backup is of a format that this oneclawd does not know (it knows %d); use the version that made it", newestFormat)
	case strings.HasPrefix(magic, string(got)):
		return damage(int64(n), "the file ends in its first line: it was cut off")
	}
	return damage(0, "this is not a backup of oneclawd")
}

// next returns a frame; its payload is valid until the next call.
func (f *frames) next() (kind byte, payload []byte, at int64, err error) {
	at = f.at
	var head [frameHead]byte
	if n, err := io.ReadFull(f.r, head[:]); err != nil {
		return 0, nil, at, f.broken(err, at+int64(n), "the file ends here, before its signature: it was cut off")
	}
	kind, size := head[0], int64(binary.BigEndian.Uint32(head[1:]))
	if limit := frameLimit(kind); limit < 0 {
		return 0, nil, at, damage(at, "there is no such part of a backup (kind %#x)", kind)
	} else if size > limit {
		return 0, nil, at, damage(at, "a part of %d bytes, where %d are the most", size, limit)
	}
	f.buf.Reset()
	n, err := io.CopyN(&f.buf, f.r, size) // grows with what is there, not with what is claimed
	f.at += frameHead + n
	if err != nil {
		return 0, nil, at, f.broken(err, f.at, "the file ends in the middle of a part of %d bytes that begins at byte %d: it was cut off", size, at)
	}
	return kind, f.buf.Bytes(), at, nil
}

// end reads to where nothing must follow.
func (f *frames) end() error {
	if _, err := f.r.ReadByte(); err == nil {
		return damage(f.at, "something follows the end of the backup")
	} else if !errors.Is(err, io.EOF) {
		return fmt.Errorf("backup: reading: %w", err)
	}
	return nil
}

// broken tells a file that ends from one that cannot be read.
func (f *frames) broken(err error, at int64, text string, args ...any) error {
	if ended(err) {
		return damage(at, text, args...)
	}
	return fmt.Errorf("backup: reading: %w", err)
}

func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
