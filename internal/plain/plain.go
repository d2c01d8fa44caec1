// Package plain holds secret bytes that cannot leave by accident.
//
// Every way Go has of printing or marshalling a value shows a placeholder;
// Reveal is the one way out, and the files that may call it are listed in
// internal/archtest.
package plain

import (
	"fmt"
	"log/slog"
)

const placeholder = "[secret]"

// Bytes is a secret: a plaintext value, a data key, a PIN.
type Bytes struct{ b []byte }

// New takes ownership of b.
func New(b []byte) Bytes { return Bytes{b} }

// FromString copies s.
func FromString(s string) Bytes { return Bytes{[]byte(s)} }

// Reveal returns the secret bytes themselves, not a copy.
func (p Bytes) Reveal() []byte { return p.b }

// Clone returns a copy, which is to be wiped by itself.
func (p Bytes) Clone() Bytes { return Bytes{append([]byte(nil), p.b...)} }

// Len is the length in bytes.
func (p Bytes) Len() int { return len(p.b) }

// Wipe overwrites the bytes. Copies that the runtime made are out of reach.
func (p Bytes) Wipe() { clear(p.b) }

// String implements fmt.Stringer with a placeholder.
func (p Bytes) String() string { return placeholder }

// GoString implements fmt.GoStringer with a placeholder.
func (p Bytes) GoString() string { return placeholder }

// Format implements fmt.Formatter, so that %x and %v show a placeholder too.
func (p Bytes) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(placeholder)) }

// LogValue implements slog.LogValuer with a placeholder.
func (p Bytes) LogValue() slog.Value { return slog.StringValue(placeholder) }

// MarshalText implements encoding.TextMarshaler (and so JSON) with a placeholder.
func (p Bytes) MarshalText() ([]byte, error) { return []byte(placeholder), nil }
