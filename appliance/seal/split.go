package seal

import (
	"crypto/rand"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// Set is what shares have in common, and other sets' do not.
type Set [setSize]byte

// Split makes a random secret and shares of it, any threshold of which give it
// back; it is kept nowhere. set says, from the secret, what the set is called:
// after what the secret opens, so that whoever has that knows which shares are
// needed. The secret has 32 bytes, of which 252 bits are random. A share is text:
// OCR1 and groups of five letters. The caller wipes all of it.
func Split(threshold, shares int, set func(secret plain.Bytes) (Set, error)) (secret plain.Bytes, texts []plain.Bytes, err error) {
	if !possible(threshold, shares) {
		return plain.Bytes{}, nil, ErrSplit
	}
	scalar := field().RandomNonZeroScalar(rand.Reader)
	raw, err := scalar.MarshalBinary()
	if err != nil {
		return plain.Bytes{}, nil, err
	}
	secret = plain.New(raw)
	name, err := set(secret)
	if err != nil {
		return secret, nil, err
	}
	made, err := split(scalar, name, threshold, shares)
	if err != nil {
		return secret, nil, err
	}
	for _, s := range made {
		texts = append(texts, s.text(prefixSplit))
		s.wipe()
	}
	return secret, texts, nil
}

// Gathering collects the shares of one set that Split made. It is not for use by
// several goroutines.
type Gathering struct {
	set    Set
	shares map[byte]*shareOf
	need   int // as the first share says
}

// Gather begins a Gathering of a set.
func Gather(set Set) *Gathering { return &Gathering{set: set, shares: map[byte]*shareOf{}} }

// Add takes one share and returns how many are still missing. One that is
// mistyped (ErrTyped), of another set (ErrShareSet) or given before (ErrShareTwice)
// is refused by itself; those before it stay. That a share was forged shows only
// in the secret. The caller wipes the text.
func (g *Gathering) Add(text plain.Bytes) (missing int, err error) {
	s, err := parseShare(prefixSplit, text)
	if err != nil {
		return g.Missing(), err
	}
	switch {
	case s.set != g.set:
		err = ErrShareSet.Detail("share %d is of another key, %x; the one that is needed is %x", s.index, s.set[:], g.set[:])
	case g.shares[s.index] != nil:
		err = ErrShareTwice.Detail("share %d was given already; another person's is needed", s.index)
	case g.need != 0 && g.need != int(s.threshold):
		err = ErrShareWrong
	}
	if err != nil {
		s.wipe()
		return g.Missing(), err
	}
	g.need = int(s.threshold)
	g.shares[s.index] = s
	return g.Missing(), nil
}

// Missing is how many shares are still needed; before the first, at least one.
func (g *Gathering) Missing() int {
	if g.need == 0 {
		return 1
	}
	return max(0, g.need-len(g.shares))
}

// Secret puts the shares together, or says how many are missing.
func (g *Gathering) Secret() (plain.Bytes, error) {
	switch n := g.Missing(); {
	case g.need == 0:
		return plain.Bytes{}, ErrMissing.Detail("no share was given")
	case n > 0:
		return plain.Bytes{}, ErrMissing.Detail("%d of the %d shares that are needed are missing", n, g.need)
	}
	all := make([]*shareOf, 0, len(g.shares))
	for _, s := range g.shares {
		all = append(all, s)
	}
	return combine(g.need, all)
}

// Wipe forgets the shares.
func (g *Gathering) Wipe() {
	for _, s := range g.shares {
		s.wipe()
	}
	clear(g.shares)
	g.need = 0
}
