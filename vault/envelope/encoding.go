package envelope

import "encoding/binary"

// The bytes that open every envelope.
const (
	format1      = 1 // opened still; no longer made
	format2      = 2
	algAES256GCM = 1
)

const (
	headerSize1 = 4    // format, algorithm, length of the wrapped DEK
	headerSize2 = 8    // format, algorithm, generation of the KEK, length of the wrapped DEK
	maxWrapped  = 4096 // ample for any HSM's wrapping, RSA-4096 included
	nonceSize   = 12   // SP 800-38D §8.2.2: a random nonce of 96 bits
	tagSize     = 16
	overhead    = nonceSize + tagSize
)

// firstGeneration is that of a vault's first KEK, and of all envelopes of
// format 1, which do not say.
const firstGeneration = 1

// parts are the pieces of an envelope. They alias the bytes they came from.
type parts struct {
	format     byte
	generation uint32
	header     []byte // up to and with the wrapped DEK
	wrapped    []byte
	body       []byte // nonce, ciphertext and tag
}

// parse takes an envelope apart. It fails on whatever Seal and Rewrap cannot
// have made.
func parse(sealed []byte) (parts, bool) {
	if len(sealed) < headerSize1 || sealed[1] != algAES256GCM {
		return parts{}, false
	}
	p, size := parts{format: sealed[0], generation: firstGeneration}, headerSize1
	switch {
	case p.format == format1:
	case p.format == format2 && len(sealed) >= headerSize2:
		p.generation, size = binary.BigEndian.Uint32(sealed[2:]), headerSize2
	default:
		return parts{}, false
	}
	n := int(binary.BigEndian.Uint16(sealed[size-2:]))
	body := len(sealed) - size - n
	if p.generation == 0 || n == 0 || n > maxWrapped || body < overhead || body > overhead+MaxValue {
		return parts{}, false
	}
	p.header, p.wrapped, p.body = sealed[:size+n], sealed[size:size+n], sealed[size+n:]
	return p, true
}

// appendHeader is the other direction, for the part before the body.
func appendHeader(dst []byte, generation uint32, wrapped []byte) []byte {
	dst = append(dst, format2, algAES256GCM)
	dst = binary.BigEndian.AppendUint32(dst, generation)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(wrapped)))
	return append(dst, wrapped...)
}

// aadDEK is what the wrapping of p's DEK is bound to.
func (p parts) aadDEK(b Binding) []byte {
	if p.format == format1 {
		return b.aad(domainDEK, format1, nil)
	}
	return b.aadDEK(p.generation)
}

// aadValue is what p's value is bound to.
func (p parts) aadValue(b Binding) []byte {
	if p.format == format1 {
		return b.aad(domainValue, format1, p.header)
	}
	return b.aad(domainValue, format2, nil)
}
