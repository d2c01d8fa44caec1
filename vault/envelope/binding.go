package envelope

import (
	"encoding/binary"

	"github.com/oneclaw/oneclawd/internal/id"
)

// Binding says what an envelope holds. It is authenticated, not stored: the
// caller must know it to open the envelope.
type Binding struct {
	Org    id.ID
	Vault  id.ID
	Secret id.ID
	// Version counts from 1.
	Version uint32
}

// The domains keep the AAD of the two encryptions apart; neither is a prefix
// of the other.
const (
	domainDEK   = "oneclawd/envelope/dek\x00"
	domainValue = "oneclawd/envelope/value\x00"
)

// aad returns the additional data for one domain, as the package documents
// it, followed by tail. All that precedes tail has a fixed length within the
// domain, so that no two inputs give the same bytes.
func (b Binding) aad(domain string, format byte, tail []byte) []byte {
	out := make([]byte, 0, len(domain)+2+3*len(id.ID{})+4+len(tail))
	out = append(out, domain...)
	out = append(out, format, algAES256GCM)
	out = append(out, b.Org[:]...)
	out = append(out, b.Vault[:]...)
	out = append(out, b.Secret[:]...)
	out = binary.BigEndian.AppendUint32(out, b.Version)
	return append(out, tail...)
}

// aadDEK is that of a DEK in format 2.
func (b Binding) aadDEK(generation uint32) []byte {
	return b.aad(domainDEK, format2, binary.BigEndian.AppendUint32(nil, generation))
}

// complete reports whether every part is set. A forgotten part would bind to
// nothing, and envelopes that share the omission could be swapped.
func (b Binding) complete() bool {
	return !b.Org.IsZero() && !b.Vault.IsZero() && !b.Secret.IsZero() && b.Version != 0
}
