package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
)

// The escrow is what section 4 holds, within an age file to the recovery key alone:
//
//	magic      "oneclawd escrow 1\n"
//	32 bytes   SHA-256 of the backup's header, which it is of
//	32 bytes   the store key
//	entries    one for each envelope, in the order of their keys in the store:
//	           kind (1 byte), secret (16), version (4, big-endian), DEK (32)
//
// Where an entry has no DEK these 32 bytes are zero, so that the length of the
// file says how many there are to who cannot open it.
const escrowMagic = "oneclawd escrow 1\n"

// Sizes in bytes.
const (
	dekSize         = 32
	escrowHead      = len(escrowMagic) + sha256.Size + store.KeySize
	escrowEntrySize = 1 + len(id.ID{}) + 4 + dekSize
)

// escrowKind says what an entry is.
type escrowKind byte

const (
	escrowKey       escrowKind = 'k' // it has the DEK
	escrowElsewhere escrowKind = 'e' // the KEK is in a module that is not escrowed
	escrowDamaged   escrowKind = 'd' // the DEK does not unwrap
	escrowLeaving   escrowKind = 'l' // the vault is being deleted
)

// escrowEntry is what the escrow has of one envelope.
type escrowEntry struct {
	kind escrowKind
	of   store.SealedValue
	dek  [dekSize]byte
}

func (e *escrowEntry) wipe() { clear(e.dek[:]) }

// append encodes e.
func (e *escrowEntry) append(dst []byte) []byte {
	dst = append(append(dst, byte(e.kind)), e.of.Secret[:]...)
	return append(binary.BigEndian.AppendUint32(dst, e.of.Number), e.dek[:]...)
}

// order compares where two envelopes stand in the store.
func order(a, b store.SealedValue) int {
	if c := bytes.Compare(a.Secret[:], b.Secret[:]); c != 0 {
		return c
	}
	return int(int64(a.Number) - int64(b.Number))
}

// Errors of an escrow that opened and is not what Create writes.
var (
	errEscrowForm  = errors.New("the recovery keys do not have the form of what is written")
	errEscrowOther = errors.New("the recovery keys are of another backup")
)

// escrowReader reads the content of an escrow. It takes one spelling only.
type escrowReader struct {
	r        io.Reader
	storeKey plain.Bytes // the caller wipes it
	last     store.SealedValue
	counts   Escrow // of the entries so far
}

// openEscrow begins to read section 4 with the private half.
func openEscrow(r io.Reader, who *RecoveryIdentity, header Digest) (*escrowReader, error) {
	clear, err := age.Decrypt(r, who)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errEscrowForm, err)
	}
	return newEscrowReader(bufio.NewReaderSize(clear, 64<<10), header)
}

// newEscrowReader reads the beginning.
func newEscrowReader(r io.Reader, header Digest) (*escrowReader, error) {
	head := make([]byte, escrowHead)
	defer clear(head)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("%w: %w", errEscrowForm, unexpected(err))
	}
	rest, ok := bytes.CutPrefix(head, []byte(escrowMagic))
	switch {
	case !ok:
		return nil, errEscrowForm
	case Digest(rest) != header:
		return nil, errEscrowOther
	}
	return &escrowReader{r: r, storeKey: plain.New(bytes.Clone(rest[sha256.Size:]))}, nil
}

// next returns io.EOF after the last entry. The caller wipes what it returns.
func (e *escrowReader) next() (out escrowEntry, err error) {
	var raw [escrowEntrySize]byte
	defer clear(raw[:])
	if _, err := io.ReadFull(e.r, raw[:]); errors.Is(err, io.EOF) {
		return out, io.EOF
	} else if err != nil {
		return out, fmt.Errorf("%w: %w", errEscrowForm, err)
	}
	rest := raw[1:]
	out.kind = escrowKind(raw[0])
	out.of.Secret, rest = id.ID(rest), rest[len(id.ID{}):]
	out.of.Number = binary.BigEndian.Uint32(rest)
	copy(out.dek[:], rest[4:])
	first := e.counts.Total() == 0
	if !e.counts.count(out.kind) || !first && order(e.last, out.of) >= 0 || out.kind != escrowKey && out.dek != [dekSize]byte{} {
		out.wipe()
		return escrowEntry{}, errEscrowForm
	}
	e.last = out.of
	return out, nil
}

// readAll reads to the end, where there must be what the manifest says.
func (e *escrowReader) readAll(want *Escrow) error {
	for {
		entry, err := e.next()
		entry.wipe()
		if errors.Is(err, io.EOF) {
			return e.ended(want)
		}
		if err != nil {
			return err
		}
	}
}

// ended compares the counts.
func (e *escrowReader) ended(want *Escrow) error {
	if e.counts.counts() != want.counts() {
		return fmt.Errorf("there are %d recovery keys for %d values, the manifest says %d for %d",
			e.counts.Keys, e.counts.Total(), want.Keys, want.Total())
	}
	return nil
}
