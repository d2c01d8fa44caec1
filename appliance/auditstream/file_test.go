package auditstream_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/auditstream"
)

// read is what the files at path hold, those put aside first, each line's index.
func read(t testing.TB, path string) (all []uint64, aside []string) {
	t.Helper()
	aside, err := filepath.Glob(path + ".*Z")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(aside)
	for _, name := range append(aside[:len(aside):len(aside)], path) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasSuffix(text, []byte("\n")) {
			t.Fatalf("%s ends with %q", name, text[max(0, len(text)-20):])
		}
		for line := range bytes.Lines(text) {
			all = append(all, index(t, line))
		}
	}
	return all, aside
}

func TestFile(t *testing.T) {
	for name, c := range map[string]struct {
		maxBytes     int64
		maxAge       time.Duration
		keep         int
		aside, first int // what is left after ten events in two batches
	}{
		"one file":       {maxBytes: 1 << 20, keep: 1},
		"by size":        {maxBytes: 1200, keep: 100, aside: 3},
		"by age":         {maxBytes: 1 << 20, maxAge: 5 * time.Second, keep: 5, aside: 1},
		"too many":       {maxBytes: 1 << 20, maxAge: 2 * time.Second, keep: 3, aside: 3, first: 2},
		"each too large": {maxBytes: 1, keep: 2, aside: 2, first: 7},
	} {
		t.Run(name, func(t *testing.T) {
			f := &auditstream.File{Path: filepath.Join(t.TempDir(), "events.jsonl"), MaxBytes: c.maxBytes, MaxAge: c.maxAge, Keep: c.keep}
			for _, from := range []int{0, 5} {
				if err := f.Send(t.Context(), events(t, from, 5)); err != nil {
					t.Fatal(err)
				}
			}
			all, aside := read(t, f.Path)
			if len(aside) != c.aside || all[0] != uint64(c.first) || all[len(all)-1] != 9 || len(all) != 10-c.first {
				t.Errorf("%v, aside %v", all, aside)
			}
			for _, name := range append(aside, f.Path) {
				if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 || c.maxBytes > 1 && info.Size() > c.maxBytes {
					t.Errorf("%v %v", info, err)
				}
			}
		})
	}
}

// What a crash cut off is gone when the next event is written, wherever the cut
// was; what was whole stays.
func TestFileTorn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.jsonl")
	f := &auditstream.File{Path: path, MaxBytes: 1 << 20, Keep: 1}
	if err := f.Send(t.Context(), events(t, 0, 3)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) + 1 {
		if err := os.WriteFile(path, whole[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		if err := f.Send(t.Context(), events(t, 3, 1)); err != nil {
			t.Fatal(err)
		}
		all, _ := read(t, path)
		if want := bytes.Count(whole[:cut], []byte("\n")) + 1; len(all) != want || all[want-1] != 3 {
			t.Fatalf("cut at %d: %v", cut, all)
		}
		if err := os.Remove(path); err != nil { // and whoever removes it gets a new one
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, append(whole, bytes.Repeat([]byte("x"), 20000)...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Send(t.Context(), events(t, 3, 1)); err != nil {
		t.Fatal(err)
	}
	if all, _ := read(t, path); len(all) != 4 {
		t.Errorf("%v", all)
	}
}

// What cannot be written is an error, and nothing is taken for written.
func TestFileRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "none", "events.jsonl"), "/dev/null"} {
		f := &auditstream.File{Path: path, MaxBytes: 1 << 20, Keep: 1}
		if err := f.Send(t.Context(), events(t, 0, 1)); err == nil {
			t.Errorf("%s takes events", path)
		}
	}
}
