package backup_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/backup"
)

var offset = regexp.MustCompile(`at byte \d+: `)

// refused fails unless file is refused as damaged, by Verify and by Restore,
// which must not have written anything.
func refused(t *testing.T, w *world, file []byte, what string) error {
	t.Helper()
	_, verr := backup.Verify(w.ctx, bytes.NewReader(file), w.vkey, nil)
	dir := filepath.Join(t.TempDir(), "data")
	_, rerr := backup.Restore(w.ctx, bytes.NewReader(file), dir, w.options())
	for _, err := range []error{verr, rerr} {
		if !errors.Is(err, backup.ErrDamaged) && !errors.Is(err, backup.ErrNewer) || !offset.MatchString(err.Error()) && !errors.Is(err, backup.ErrNewer) {
			t.Fatalf("%s: got %v", what, err)
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Fatalf("%s: it wrote %v", what, left(t, dir))
	}
	return verr
}

// TestCutAnywhere cuts a backup at every 4 KB, and at every byte of its ends.
func TestCutAnywhere(t *testing.T) {
	w := newWorld(t)
	w.put(0, 40)
	w.drain()
	file := w.backup()
	cuts := []int{}
	for at := 0; at < len(file); at += 4096 {
		cuts = append(cuts, at)
	}
	for at := range 40 {
		cuts = append(cuts, at, len(file)-1-at)
	}
	for _, at := range cuts {
		if err := refused(t, w, file[:at], "cut"); !strings.Contains(err.Error(), "cut off") {
			t.Fatalf("cut at %d of %d: %v", at, len(file), err)
		}
	}
	refused(t, w, append(slices.Clone(file), '\n'), "a byte more")
}

// TestFlippedByte changes one byte, anywhere.
func TestFlippedByte(t *testing.T) {
	w := newWorld(t)
	w.put(0, 40)
	w.drain()
	file := w.backup()
	ats := []int{0, 18, 19, 20, 23, 30, len(file) - 1, len(file) - 200, len(file) - 600}
	for range 150 {
		n, _ := rand.Int(rand.Reader, big.NewInt(int64(len(file))))
		ats = append(ats, int(n.Int64()))
	}
	for _, at := range ats {
		bad := slices.Clone(file)
		bad[at] ^= 0x41
		refused(t, w, bad, "flipped")
	}
}

// TestMovedBlocks: blocks in another order, twice or not at all are named.
func TestMovedBlocks(t *testing.T) {
	w := newWorld(t)
	for i := range 4 {
		w.ok(w.putBig(i, 1<<20))
	}
	file := w.backup()
	first := bytes.Index(file, []byte("age-encryption.org/v1")) - 5
	const frame = 5 + 1<<20
	at := func(i int) []byte { return file[first+i*frame : first+(i+1)*frame] }
	for _, c := range []struct {
		name, want string
		file       []byte
	}{
		{"swapped", "block 2 of", slices.Concat(file[:first], at(0), at(2), at(1), file[first+3*frame:])},
		{"twice", "block 2 of", slices.Concat(file[:first], at(0), at(0), file[first+frame:])},
		{"left out", "block 2 of", slices.Concat(file[:first], at(0), file[first+2*frame:])},
	} {
		if err := refused(t, w, c.file, c.name); !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestNothingShows: what is in a backup does not show without the keys, not even
// the identifiers that the data file shows.
func TestNothingShows(t *testing.T) {
	w := newWorld(t)
	w.put(0, 40)
	w.drain()
	file := w.backup()
	for what, canary := range map[string][]byte{
		"a value": []byte("CANARY"), "a path": []byte("team/"), "a name": []byte("payments"),
		"the organisation": w.owner.Org[:], "its id": []byte(w.owner.Org.String()),
		"the vault": w.v.ID[:], "an action": []byte("secret.write"),
	} {
		if bytes.Contains(file, canary) {
			t.Errorf("%s shows", what)
		}
	}
}

// TestCreateToABrokenPipe: the error of the other side comes back.
func TestCreateToABrokenPipe(t *testing.T) {
	w := newWorld(t)
	w.put(0, 20)
	broken := errors.New("the other side is gone")
	for _, room := range []int{0, 100, 70000} {
		_, err := backup.Create(w.ctx, w.source(), &failing{room: room, err: broken}, nil)
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", room, err)
		}
	}
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	if _, err := backup.Create(ctx, w.source(), &bytes.Buffer{}, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := w.tryPut(21); err != nil {
		t.Error("the store after it:", err)
	}
	if got := w.get(21); got != value(21) {
		t.Error(got)
	}
}

// failing takes room bytes.
type failing struct {
	room int
	err  error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, f.err
	}
	return len(p), nil
}

// FuzzVerify: no file crashes the reader, and none but a real one passes.
func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	w.put(0, 3)
	file := w.backup()
	f.Add(file)
	f.Add(file[:4096])
	f.Add([]byte("oneclawd backup 1\nh\x00\x00\x00\x02{}b\x00\x00\x00\x01xm\x00\x00\x00\x02{}s\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		_, err := backup.Verify(t.Context(), bytes.NewReader(in), w.vkey, nil)
		if err == nil && !bytes.Equal(in, file) {
			t.Error("another file passes")
		}
	})
}
