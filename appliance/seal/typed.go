package seal

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// Texts for people to write down and type: a prefix that says what it is, then
// groups of five of Crockford's base 32, which has no letters to confuse.
const (
	prefixShare = "OCS1" // of a sealed PIN
	prefixCode  = "OCU1" // for an upgraded image
	prefixSplit = "OCR1" // share of a secret that is kept nowhere

	crockford  = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	groupSize  = 5
	checkSize  = 4
	checkTag   = "oneclawd typed text v1\x00"
	maxTyped   = 256
	maxPayload = 64
)

func typedEncoding() *base32.Encoding {
	return base32.NewEncoding(crockford).WithPadding(base32.NoPadding)
}

// check is over the prefix too, so that a code is no share.
func check(prefix string, payload []byte) []byte {
	h := sha256.New()
	h.Write([]byte(checkTag + prefix + "\x00"))
	h.Write(payload)
	return h.Sum(nil)[:checkSize]
}

// encode is payload as text.
func encode(prefix string, payload []byte) plain.Bytes {
	all := append(bytes.Clone(payload), check(prefix, payload)...)
	defer clear(all)
	digits := make([]byte, typedEncoding().EncodedLen(len(all)))
	defer clear(digits)
	typedEncoding().Encode(digits, all)
	text := make([]byte, 0, 2*len(digits))
	text = append(text, prefix...)
	for i, d := range digits {
		if i%groupSize == 0 {
			text = append(text, '-')
		}
		text = append(text, d)
	}
	return plain.New(text)
}

// decode reads text back, in either case, with any spaces and dashes. The payload
// has size bytes; the caller wipes it.
func decode(prefix string, size int, text plain.Bytes) ([]byte, error) {
	if text.Len() > maxTyped || size > maxPayload {
		return nil, ErrTyped
	}
	letters := make([]byte, 0, maxTyped)
	defer func() { clear(letters) }()
	for _, c := range text.Reveal() {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		switch c {
		case ' ', '\t', '\r', '\n', '-':
			continue
		}
		letters = append(letters, c)
	}
	if !bytes.HasPrefix(letters, []byte(prefix)) {
		return nil, ErrTyped.Detail("it does not begin with %s", prefix)
	}
	digits := letters[len(prefix):]
	for i, c := range digits {
		switch c {
		case 'O':
			digits[i] = '0'
		case 'I', 'L':
			digits[i] = '1'
		}
	}
	enc := typedEncoding()
	if len(digits) != enc.EncodedLen(size+checkSize) {
		return nil, ErrTyped.Detail("it is too short or too long")
	}
	all := make([]byte, enc.DecodedLen(len(digits)))
	n, err := enc.Decode(all, digits)
	if err != nil || n != size+checkSize || subtle.ConstantTimeCompare(all[size:n], check(prefix, all[:size])) != 1 {
		clear(all)
		return nil, ErrTyped
	}
	return all[:size], nil
}
