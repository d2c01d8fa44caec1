package seal

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oneclaw/oneclawd/internal/plain"
)

func shamirFile(t testing.TB, threshold, n int) (*File, []plain.Bytes) {
	t.Helper()
	slot, shares, err := NewShamirSlot(threshold, n)
	if err != nil {
		t.Fatal(err)
	}
	return opened(t, created(t, slot)), shares
}

// Any three of five open, in any order, and two do not.
func TestQuorumOpens(t *testing.T) {
	f, shares := shamirFile(t, 3, 5)
	for _, pick := range [][]int{{0, 1, 2}, {4, 2, 0}, {3, 4, 1}, {0, 1, 2, 3, 4}} {
		q := must[*Quorum](t)(NewQuorum(f, time.Minute))
		if q.Missing() != 3 {
			t.Errorf("at first %d are missing", q.Missing())
		}
		for n, i := range pick {
			if n < 3 {
				opens(t, f, q, ErrMissing)
			}
			missing, err := q.Add(shares[i])
			if want := max(0, 2-n); err != nil || missing != want {
				t.Errorf("share %d: %d missing, %v; want %d", i+1, missing, err, want)
			}
		}
		opens(t, f, q, nil)
		opens(t, f, q, ErrMissing) // they were used up
	}
}

// A bad share is named before anything is combined, and costs the others nothing.
func TestBadShares(t *testing.T) {
	f, shares := shamirFile(t, 3, 5)
	_, others, err := NewShamirSlot(3, 5)
	if err != nil {
		t.Fatal(err)
	}
	mine, err := parseShare(prefixShare, shares[1])
	if err != nil {
		t.Fatal(err)
	}
	forged, moved, beyond := *mine, *mine, *mine
	forged.value[0] ^= 1
	moved.index = 4
	beyond.index = 9
	typo := bytes.Clone(shares[1].Reveal())
	if typo[20] = 'A'; shares[1].Reveal()[20] == 'A' {
		typo[20] = 'B'
	}
	_, code, _ := NewUpgradeSlot(make([]byte, measurement))
	for _, first := range []bool{true, false} {
		q := must[*Quorum](t)(NewQuorum(f, time.Minute))
		if !first {
			must[int](t)(q.Add(shares[0]))
		}
		before := q.Missing()
		for name, c := range map[string]struct {
			text plain.Bytes
			want error
		}{
			"mistyped":         {plain.New(typo), ErrTyped},
			"half":             {plain.New(shares[1].Reveal()[:40]), ErrTyped},
			"nothing":          {plain.Bytes{}, ErrTyped},
			"a novel":          {plain.New(bytes.Repeat([]byte("x"), 1000)), ErrTyped},
			"an upgrade code":  {code, ErrTyped},
			"of another set":   {others[1], ErrShareSet},
			"forged":           {forged.text(prefixShare), ErrShareWrong},
			"with a new index": {moved.text(prefixShare), ErrShareWrong},
			"beyond the last":  {beyond.text(prefixShare), ErrShareWrong},
		} {
			if missing, err := q.Add(c.text); !errors.Is(err, c.want) || missing != before {
				t.Errorf("%s (first: %v): %d missing, %v; want %v", name, first, missing, err, c.want)
			}
		}
		if first {
			must[int](t)(q.Add(shares[0]))
		}
		if missing, err := q.Add(shares[0]); !errors.Is(err, ErrShareTwice) || missing != 2 {
			t.Errorf("twice: %d missing, %v", missing, err)
		}
		must[int](t)(q.Add(shares[1]))
		must[int](t)(q.Add(shares[2]))
		opens(t, f, q, nil)
	}
}

// Shares are typed in lower case, with other spaces, and with letters for digits.
func TestShareAsTyped(t *testing.T) {
	f, shares := shamirFile(t, 2, 2)
	q := must[*Quorum](t)(NewQuorum(f, time.Minute))
	must[int](t)(q.Add(plain.New(bytes.ToLower(bytes.ReplaceAll(shares[0].Reveal(), []byte("-"), []byte(" "))))))
	text := bytes.Clone(shares[1].Reveal())
	body := text[len(prefixShare):]
	copy(body, bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("0"), []byte("O")), []byte("1"), []byte("l")))
	must[int](t)(q.Add(plain.New(append(text, '\n'))))
	opens(t, f, q, nil)
}

func TestQuorumForgets(t *testing.T) {
	f, shares := shamirFile(t, 2, 3)
	synctest.Test(t, func(t *testing.T) {
		q := must[*Quorum](t)(NewQuorum(f, 10*time.Minute))
		must[int](t)(q.Add(shares[0]))
		time.Sleep(9 * time.Minute)
		q.Reset() // the old timer ends no new round
		must[int](t)(q.Add(shares[1]))
		time.Sleep(9 * time.Minute)
		if q.Missing() != 1 {
			t.Errorf("%d missing within the time", q.Missing())
		}
		q.mu.Lock()
		kept := q.shares[2]
		q.mu.Unlock()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if q.Missing() != 2 || kept.value != [keySize]byte{} {
			t.Errorf("%d missing after the time; wiped: %v", q.Missing(), kept.value == [keySize]byte{})
		}
	})
}

// With two sets in one file the first share decides.
func TestTwoSets(t *testing.T) {
	a, sharesA, errA := NewShamirSlot(2, 3)
	b, sharesB, errB := NewShamirSlot(3, 3)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	f := opened(t, created(t, a, b))
	q := must[*Quorum](t)(NewQuorum(f, time.Minute))
	if missing := must[int](t)(q.Add(sharesB[0])); missing != 2 {
		t.Errorf("%d missing", missing)
	}
	if _, err := q.Add(sharesA[1]); !errors.Is(err, ErrShareSet) {
		t.Errorf("mixed: %v", err)
	}
	must[int](t)(q.Add(sharesB[1]))
	must[int](t)(q.Add(sharesB[2]))
	opens(t, f, q, nil)
	if _, err := NewQuorum(opened(t, created(t, phraseSlot(t))), time.Minute); !errors.Is(err, ErrNoSlot) {
		t.Errorf("a quorum for no set: %v", err)
	}
}

// A text that parses is that of one share only, whatever was typed.
func FuzzParseShare(f *testing.F) {
	_, shares, err := NewShamirSlot(2, 2)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(shares[0].Reveal())
	f.Add([]byte("OCS1-00000"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parseShare(prefixShare, plain.New(bytes.Clone(text)))
		if err != nil {
			if !errors.Is(err, ErrTyped) {
				t.Fatal(err)
			}
			return
		}
		again, err := parseShare(prefixShare, s.text(prefixShare))
		if err != nil || *again != *s {
			t.Fatalf("came back as another: %v", err)
		}
	})
}
