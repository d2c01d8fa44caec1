package audit

import "testing"

// Who follows the log sees every event once, in order, wherever it is kept.
func TestSince(t *testing.T) {
	w := newWorld(t)
	w.grow(3000)
	w.drain()
	w.grow(100)
	g := w.log
	at, seen := uint64(0), uint64(0)
	for {
		records, next, err := g.Since(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		if next == at {
			break
		}
		for _, r := range records {
			if r.Index != seen {
				t.Fatalf("event %d after %d", r.Index, seen)
			}
			seen++
		}
		at = next
	}
	if seen != 3100 || at != 3100 {
		t.Errorf("saw %d, at %d", seen, at)
	}
	if r, next, err := g.Since(t.Context(), 9999); err != nil || r != nil || next != 9999 {
		t.Errorf("behind the end: %v, %d, %v", r, next, err)
	}
	delete(w.archive.leaves, 5)
	if r, next, err := g.Since(t.Context(), 4); err != nil || r[0].Index != 4 || r[1].Index != 6 || next <= 6 {
		t.Errorf("over a gap: %v, %d", err, next)
	}
	w.archive.leaves[5] = []byte("{")
	if r, _, err := g.Since(t.Context(), 4); err != nil || r[0].Index != 4 || r[1].Index != 6 {
		t.Errorf("over a damaged event: %v", err)
	}
}
