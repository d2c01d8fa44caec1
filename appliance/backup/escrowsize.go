package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// Sizes of age's payload: a nonce, and chunks that each have a tag. An empty payload
// has one chunk.
const (
	ageNonce = 16
	ageChunk = 64 << 10
	ageTag   = 16
)

// sealedEscrow looks at an escrow from outside, as it passes: whom it is sealed to,
// and by its length how many entries it has.
func sealedEscrow(r io.Reader) (entries uint64, err error) {
	through := &counting{r: r}
	head, err := age.ExtractHeader(through)
	if err != nil {
		return 0, fmt.Errorf("the recovery keys are no age file: %w", err)
	}
	if bytes.Count(head, []byte("\n-> ")) != 1 || !bytes.Contains(head, []byte("\n-> mlkem768x25519 ")) {
		return 0, errors.New("the recovery keys are sealed to something else than one recovery key")
	}
	if _, err := io.Copy(io.Discard, through); err != nil {
		return 0, err
	}
	content, ok := ageContent(through.n - int64(len(head)))
	content -= int64(escrowHead)
	if !ok || content < 0 || content%int64(escrowEntrySize) != 0 {
		return 0, errors.New("the recovery keys are cut short")
	}
	return uint64(content) / uint64(escrowEntrySize), nil
}

// counting counts what is read.
type counting struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// ageContent is how long what an age payload of a length holds is.
func ageContent(sealed int64) (content int64, ok bool) {
	sealed -= ageNonce
	if sealed < ageTag {
		return 0, false
	}
	chunks := (sealed + ageChunk + ageTag - 1) / (ageChunk + ageTag)
	content = sealed - chunks*ageTag
	// A last chunk with nothing but its tag comes only alone.
	return content, content > (chunks-1)*ageChunk || chunks == 1 && content == 0
}
