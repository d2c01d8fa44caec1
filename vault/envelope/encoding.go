package envelope

import "encoding/binary"

// The bytes that open every envelope.
const (
	format       = 1
	algAES256GCM = 1
)

const (
	headerSize = 4    // format, algorithm, length of the wrapped DEK
	maxWrapped = 4096 // ample for any HSM's wrapping, RSA-4096 included
	nonceSize  = 12   // SP 800-38D §8.2.2: a random nonce of 96 bits
	tagSize    = 16
	overhead   = nonceSize + tagSize
)

// parts are the pieces of an envelope. They alias the bytes they came from.
type parts struct {
	header  []byte // up to and with the wrapped DEK
	wrapped []byte
	body    []byte // nonce, ciphertext and tag
}

// parse takes an envelope apart. It fails on whatever Seal cannot have made.
func parse(sealed []byte) (parts, bool) {
	if len(sealed) < headerSize || sealed[0] != format || sealed[1] != algAES256GCM {
		return parts{}, false
	}
	n := int(binary.BigEndian.Uint16(sealed[2:]))
	body := len(sealed) - headerSize - n
	if n == 0 || n > maxWrapped || body < overhead || body > overhead+MaxValue {
		return parts{}, false
	}
	return parts{
		header:  sealed[:headerSize+n],
		wrapped: sealed[headerSize : headerSize+n],
		body:    sealed[headerSize+n:],
	}, true
}

// appendHeader is the other direction, for the part before the body.
func appendHeader(dst, wrapped []byte) []byte {
	dst = append(dst, format, algAES256GCM)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(wrapped)))
	return append(dst, wrapped...)
}
