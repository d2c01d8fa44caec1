package seal

import (
	"bytes"
	"errors"
	"testing"

	"github.com/oneclaw/oneclawd/internal/plain"
)

var setA = Set{1, 2, 3, 4}

func splitInto(t testing.TB, threshold, n int, set Set) (plain.Bytes, []plain.Bytes) {
	t.Helper()
	secret, shares, err := Split(threshold, n, func(plain.Bytes) (Set, error) { return set, nil })
	if err != nil || len(shares) != n || secret.Len() != keySize {
		t.Fatalf("%d bytes in %d shares, %v", secret.Len(), len(shares), err)
	}
	return secret, shares
}

// Any three of five give the secret back, in any order, and two do not.
func TestSplit(t *testing.T) {
	secret, shares := splitInto(t, 3, 5, setA)
	for _, pick := range [][]int{{0, 1, 2}, {4, 2, 0}, {3, 4, 1}, {0, 1, 2, 3, 4}} {
		g := Gather(setA)
		for n, i := range pick {
			if n < 3 {
				if _, err := g.Secret(); !errors.Is(err, ErrMissing) {
					t.Errorf("with %d shares: %v", n, err)
				}
			}
			missing, err := g.Add(shares[i])
			if want := max(0, 2-n); err != nil || missing != want {
				t.Errorf("share %d: %d missing, %v; want %d", i+1, missing, err, want)
			}
		}
		if got, err := g.Secret(); err != nil || !bytes.Equal(got.Reveal(), secret.Reveal()) {
			t.Errorf("%v: another secret, %v", pick, err)
		}
		g.Wipe()
		if _, err := g.Secret(); !errors.Is(err, ErrMissing) {
			t.Errorf("after Wipe: %v", err)
		}
	}
}

// The secret is new each time, and so is what the set is named after.
func TestSplitNamesTheSetAfterTheSecret(t *testing.T) {
	named := func(secret plain.Bytes) (Set, error) { return Set(secret.Reveal()[:setSize]), nil }
	a, shares, err := Split(2, 2, named)
	b, _, err2 := Split(2, 2, named)
	if err := errors.Join(err, err2); err != nil || bytes.Equal(a.Reveal(), b.Reveal()) {
		t.Fatal("the same secret twice, or ", err)
	}
	if _, err := Gather(Set(a.Reveal()[:setSize])).Add(shares[0]); err != nil {
		t.Error(err)
	}
	failed := errors.New("no name")
	if _, _, err := Split(2, 2, func(plain.Bytes) (Set, error) { return Set{}, failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
}

func TestSplitRefusesWhatIsNoQuorum(t *testing.T) {
	for _, c := range [][2]int{{1, 5}, {0, 0}, {6, 5}, {2, 33}, {-1, 3}} {
		_, _, err := Split(c[0], c[1], func(plain.Bytes) (Set, error) { return setA, nil })
		if !errors.Is(err, ErrSplit) {
			t.Errorf("%d of %d: %v", c[0], c[1], err)
		}
	}
}

// A bad share is refused by itself; the others go on.
func TestGatherRefuses(t *testing.T) {
	secret, shares := splitInto(t, 2, 3, setA)
	_, others := splitInto(t, 2, 3, Set{9})
	_, wider := splitInto(t, 3, 3, setA)
	_, pins := shamirFile(t, 2, 3)
	typo := bytes.Clone(shares[1].Reveal())
	if typo[20] = 'A'; shares[1].Reveal()[20] == 'A' {
		typo[20] = 'B'
	}
	g := Gather(setA)
	if _, err := g.Add(shares[0]); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		share plain.Bytes
		want  error
	}{
		"of another key":       {others[1], ErrShareSet},
		"again":                {shares[0], ErrShareTwice},
		"of another threshold": {wider[1], ErrShareWrong},
		"of a sealed PIN":      {pins[1], ErrTyped},
		"mistyped":             {plain.New(typo), ErrTyped},
		"empty":                {plain.Bytes{}, ErrTyped},
	} {
		if missing, err := g.Add(c.share); !errors.Is(err, c.want) || missing != 1 {
			t.Errorf("%s: %d missing, %v", name, missing, err)
		}
	}
	if _, err := g.Add(shares[2]); err != nil {
		t.Fatal(err)
	}
	if got, err := g.Secret(); err != nil || !bytes.Equal(got.Reveal(), secret.Reveal()) {
		t.Error("another secret, ", err)
	}
	// A share of a recovery key is none of a PIN either.
	q := must[*Quorum](t)(NewQuorum(opened(t, created(t, firstSlot(t))), 0))
	if _, err := q.Add(shares[0]); !errors.Is(err, ErrTyped) {
		t.Error(err)
	}
}

func firstSlot(t testing.TB) Slot {
	t.Helper()
	slot, _, err := NewShamirSlot(2, 2)
	if err != nil {
		t.Fatal(err)
	}
	return slot
}
