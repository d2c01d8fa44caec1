package seal

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/secretsharing"

	"github.com/oneclaw/oneclawd/internal/plain"
)

const (
	setSize   = 4
	maxShares = 32
	// set, threshold, index, value
	shareSize = setSize + 1 + 1 + keySize
)

// field is where the secret is shared: scalars of 32 bytes, of which 252 bits are
// random. Arithmetic in it takes the same time for all values; circl's of the NIST
// curves does not.
func field() group.Group { return group.Ristretto255 }

func possible(threshold, shares int) bool {
	return threshold >= 2 && threshold <= shares && shares <= maxShares
}

// NewShamirSlot makes a recovery slot that any threshold of shares open together
// (Shamir 1979). There are at least two and at most 32; fewer than the threshold
// tell nothing. A share is text: OCS1 and groups of five letters, with a checksum,
// its number and its set in it. Give each to another person, and wipe them.
func NewShamirSlot(threshold, shares int) (Slot, []plain.Bytes, error) {
	if !possible(threshold, shares) {
		return Slot{}, nil, ErrSlot.Detail("of at most %d shares, at least two and at most all are needed to open", maxShares)
	}
	secret := field().RandomNonZeroScalar(rand.Reader)
	set := Set(random(setSize))
	d := &shamirDoc{Salt: random(saltSize), Set: hex.EncodeToString(set[:]), Threshold: threshold}
	made, err := split(secret, set, threshold, shares)
	if err != nil {
		return Slot{}, nil, err
	}
	var texts []plain.Bytes
	for _, share := range made {
		d.Checks = append(d.Checks, share.sum())
		texts = append(texts, share.text(prefixShare))
		share.wipe()
	}
	key, err := secret.MarshalBinary()
	if err != nil {
		return Slot{}, nil, err
	}
	return Slot{doc: slotDoc{ID: newID(), Kind: KindShamir, Shamir: d}, secret: plain.New(key)}, texts, nil
}

// split is secret in shares, which the caller wipes.
func split(secret group.Scalar, set Set, threshold, shares int) (out []*shareOf, err error) {
	for i, s := range secretsharing.New(rand.Reader, uint(threshold-1), secret).Share(uint(shares)) {
		value, err := s.Value.MarshalBinary()
		if err != nil {
			return nil, err
		}
		share := &shareOf{set: set, threshold: byte(threshold), index: byte(i + 1)}
		copy(share.value[:], value)
		clear(value)
		out = append(out, share)
	}
	return out, nil
}

// shareOf is a parsed share.
type shareOf struct {
	set              Set
	threshold, index byte
	value            [keySize]byte
}

func (s *shareOf) wipe() { clear(s.value[:]) }

func (s *shareOf) bytes() []byte {
	all := make([]byte, 0, shareSize)
	all = append(all, s.set[:]...)
	all = append(all, s.threshold, s.index)
	return append(all, s.value[:]...)
}

func (s *shareOf) text(prefix string) plain.Bytes {
	all := s.bytes()
	defer clear(all)
	return encode(prefix, all)
}

// sum tells a share from all others, and nothing about its 252 random bits.
func (s *shareOf) sum() []byte {
	all := s.bytes()
	defer clear(all)
	sum := sha256.Sum256(append([]byte("oneclawd share check v1\x00"), all...))
	return sum[:]
}

// parseShare reads a share's text; the caller wipes both.
func parseShare(prefix string, text plain.Bytes) (*shareOf, error) {
	all, err := decode(prefix, shareSize, text)
	if err != nil {
		return nil, err
	}
	defer clear(all)
	s := &shareOf{threshold: all[setSize], index: all[setSize+1]}
	copy(s.set[:], all)
	copy(s.value[:], all[setSize+2:])
	if s.index == 0 || !possible(int(s.threshold), maxShares) || int(s.index) > maxShares {
		s.wipe()
		return nil, ErrTyped
	}
	return s, nil
}

// of reports what is wrong with s as a share of d, before anything is combined.
func (s *shareOf) of(d *shamirDoc) error {
	switch {
	case hex.EncodeToString(s.set[:]) != d.Set:
		return ErrShareSet
	case int(s.index) > len(d.Checks) || !bytes.Equal(s.sum(), d.Checks[s.index-1]):
		return ErrShareWrong.Detail("share %d is not the one that was made for this set", s.index)
	}
	return nil
}

// combine returns the secret of at least threshold shares with different numbers.
func combine(threshold int, shares []*shareOf) (plain.Bytes, error) {
	var all []secretsharing.Share
	for _, s := range shares {
		value := field().NewScalar()
		if err := value.UnmarshalBinary(s.value[:]); err != nil {
			return plain.Bytes{}, ErrRefused.Because(err)
		}
		all = append(all, secretsharing.Share{ID: field().NewScalar().SetUint64(uint64(s.index)), Value: value})
	}
	secret, err := secretsharing.Recover(uint(threshold-1), all)
	if err != nil {
		return plain.Bytes{}, ErrRefused.Because(err)
	}
	key, err := secret.MarshalBinary()
	if err != nil {
		return plain.Bytes{}, err
	}
	return plain.New(key), nil
}
