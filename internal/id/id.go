// Package id makes and parses the identifiers of everything stored: UUIDs
// (RFC 9562), time-ordered unless they must not be guessed.
package id

import (
	"encoding/hex"

	"github.com/google/uuid"

	"github.com/oneclaw/oneclawd/internal/fault"
)

// ID is a UUID. The zero ID (the nil UUID) means "none".
type ID [16]byte

// ErrInvalid says that a text is not a UUID in its canonical form.
var ErrInvalid = fault.New(fault.Invalid, "invalid_id", "not a valid UUID")

// New returns a time-ordered identifier (UUID version 7).
func New() ID { return ID(uuid.Must(uuid.NewV7())) }

// Random returns an identifier with 122 random bits (UUID version 4), for
// those that must not be guessed from their neighbours.
func Random() ID { return ID(uuid.New()) }

// Parse reads the 36-character form, in either case. Other spellings that
// UUID libraries take (braces, urn:, no hyphens) are refused, so that one
// identifier has one spelling up to case.
func Parse(s string) (ID, error) {
	if len(s) != 36 {
		return ID{}, ErrInvalid
	}
	u, err := uuid.Parse(s)
	if err != nil {
		return ID{}, ErrInvalid
	}
	return ID(u), nil
}

// IsZero reports whether i is the nil UUID.
func (i ID) IsZero() bool { return i == ID{} }

// String returns the canonical lower-case form.
func (i ID) String() string {
	var b [36]byte
	i.encode(&b)
	return string(b[:])
}

// AppendText implements encoding.TextAppender.
func (i ID) AppendText(to []byte) ([]byte, error) {
	var b [36]byte
	i.encode(&b)
	return append(to, b[:]...), nil
}

// MarshalText implements encoding.TextMarshaler.
func (i ID) MarshalText() ([]byte, error) {
	var b [36]byte
	i.encode(&b)
	return b[:], nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (i *ID) UnmarshalText(b []byte) (err error) {
	*i, err = Parse(string(b))
	return err
}

func (i ID) encode(b *[36]byte) {
	hex.Encode(b[0:8], i[0:4])
	hex.Encode(b[9:13], i[4:6])
	hex.Encode(b[14:18], i[6:8])
	hex.Encode(b[19:23], i[8:10])
	hex.Encode(b[24:36], i[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
}
