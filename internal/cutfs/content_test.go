package cutfs

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func dice(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// fixed always rolls the highest number below n, or the lowest.
type fixed bool

func (high fixed) IntN(n int) int {
	if high {
		return n - 1
	}
	return 0
}

func readAll(c *content) []byte {
	b := make([]byte, c.size)
	return b[:c.readAt(b, 0)]
}

// A file reads as bytes in memory would, whatever was done to it, and as the
// disk has it after each sync.
func TestContentIsAFile(t *testing.T) {
	for seed := range uint64(200) {
		rng, f := dice(seed), newFile()
		var want []byte
		for range 40 {
			switch at := rng.IntN(5 * pageSize); rng.IntN(4) {
			case 0:
				f.truncate(int64(at))
				want = append(want, make([]byte, max(0, at-len(want)))...)[:at]
			case 1:
				f.sync()
				if !bytes.Equal(readAll(&f.disk), want) {
					t.Fatalf("seed %d: the disk differs after a sync", seed)
				}
			default:
				p := bytes.Repeat([]byte{byte(1 + rng.IntN(255))}, rng.IntN(2*pageSize))
				if len(p) == 0 {
					continue
				}
				f.writeAt(p, int64(at))
				want = append(want, make([]byte, max(0, at+len(p)-len(want)))...)
				copy(want[at:], p)
			}
			if !bytes.Equal(readAll(&f.live), want) {
				t.Fatalf("seed %d: the file differs", seed)
			}
		}
	}
}

// Of what was not synced, any page may be lost, kept or torn between sectors;
// what was synced and not written since is always whole.
func TestContentAfterACut(t *testing.T) {
	const pages = 8
	lost, kept, torn := 0, 0, 0
	for seed := range uint64(500) {
		f := newFile()
		f.writeAt(bytes.Repeat([]byte{'a'}, pages*pageSize), 0)
		f.sync()
		f.writeAt(bytes.Repeat([]byte{'b'}, 4*pageSize), 2*pageSize)
		f.cut(dice(seed), 50)
		got := readAll(&f.disk)
		if len(got) != pages*pageSize {
			t.Fatalf("seed %d: %d bytes", seed, len(got))
		}
		for i := range pages {
			pg := got[i*pageSize : (i+1)*pageSize]
			switch as := bytes.Count(pg, []byte{'a'}); {
			case as == pageSize:
				lost++
			case i < 2 || i >= 6:
				t.Fatalf("seed %d: page %d was synced and is another", seed, i)
			case as == 0:
				kept++
			case as%sectorSize != 0 || !bytes.HasSuffix(pg, bytes.Repeat([]byte{'a'}, as)):
				t.Fatalf("seed %d: page %d is torn inside a sector", seed, i)
			default:
				torn++
			}
		}
	}
	if lost == 500*4 || kept == 0 || torn == 0 {
		t.Errorf("%d lost, %d kept, %d torn", lost, kept, torn)
	}
}

// A file that was made shorter is the old one or a shorter one, and no mixture.
func TestContentMadeShorter(t *testing.T) {
	for _, c := range []struct {
		dice Dice
		want string
	}{{fixed(false), "old old old"}, {fixed(true), ""}, {rolls(1, 0, 7), "new"}} {
		f := newFile()
		f.writeAt([]byte("old old old"), 0)
		f.sync()
		f.truncate(0)
		f.writeAt([]byte("new"), 0)
		f.cut(c.dice, 50)
		if got := string(bytes.TrimRight(readAll(&f.disk), "\x00")); got != c.want {
			t.Errorf("%v: %q", c.dice, got)
		}
	}
}

// script rolls what it was told to.
type script []int

func rolls(n ...int) *script { return (*script)(&n) }

func (s *script) IntN(int) int {
	n := (*s)[0]
	*s = (*s)[1:]
	return n
}

// A file grows on the disk as what was written gets there, and not before.
func TestContentThatGrew(t *testing.T) {
	sizes := map[int]int{}
	for seed := range uint64(500) {
		f := newFile()
		f.writeAt([]byte("head"), 0)
		f.sync()
		f.writeAt(bytes.Repeat([]byte{'x'}, pageSize), 4)
		f.cut(dice(seed), 50)
		got := readAll(&f.disk)
		sizes[len(got)]++
		if !bytes.HasPrefix(got, []byte("head")) || len(got) > 4 && got[len(got)-1] != 'x' {
			t.Fatalf("seed %d: %d bytes that end with %d", seed, len(got), got[len(got)-1])
		}
	}
	if sizes[4] == 0 || sizes[4+pageSize] == 0 {
		t.Errorf("sizes: %v", sizes)
	}
}
