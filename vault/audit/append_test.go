package audit

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/oneclaw/oneclawd/internal/id"
)

// Every root, inclusion and consistency proof over 1 to 600 events is what the
// reference implementation says, over the tile border and the second level.
func TestTilesAgreeWithReference(t *testing.T) {
	w := newWorld(t)
	var stored []tlog.Hash
	ref := tlog.HashReaderFunc(func(idx []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(idx))
		for i, x := range idx {
			out[i] = stored[x]
		}
		return out, nil
	})
	roots := []tlog.Hash{{}}
	var f frontier
	for size := int64(1); size <= 600; size++ {
		r := w.add(w.event(w.n))
		raw := w.leaf(uint64(size - 1))
		if r.Index != uint64(size-1) || r.Leaf != tlog.RecordHash(raw) {
			t.Fatalf("receipt of %d: %+v", size-1, r)
		}
		stored = append(stored, must[[]tlog.Hash](t)(tlog.StoredHashes(size-1, raw, ref))...)
		want := must[tlog.Hash](t)(tlog.TreeHash(size, ref))
		roots = append(roots, want)
		f.add(r.Leaf)
		if f.root() != want {
			t.Fatalf("frontier root at %d differs", size)
		}
		w.must(w.db.View(t.Context(), func(tx Tx) error {
			if got, err := rootAt(tx, uint64(size)); err != nil || got != want {
				t.Fatalf("root at %d: %v, %v", size, got, err)
			}
			if g, err := frontierAt(tx, uint64(size)); err != nil || g.root() != want || !g.valid() {
				t.Fatalf("frontier at %d: %v", size, err)
			}
			return nil
		}))
	}
	for size := int64(1); size <= 600; size += 7 {
		for _, n := range []int64{0, size / 3, size / 2, size - 1} {
			p := must[[]tlog.Hash](t)(w.log.InclusionProof(t.Context(), uint64(n), uint64(size)))
			w.must(tlog.CheckRecord(p, size, roots[size], n, tlog.RecordHash(w.leaf(uint64(n)))))
			c := must[[]tlog.Hash](t)(w.log.ConsistencyProof(t.Context(), uint64(n+1), uint64(size)))
			w.must(tlog.CheckTree(c, size, roots[size], n+1, roots[n+1]))
		}
	}
	if got := len(w.db.state.tiles[tileKey{1, 0}]); got != 2*hashSize {
		t.Errorf("level 1 has %d bytes", got)
	}
}

// The third level begins at 65,536 events.
func TestTilesThirdLevel(t *testing.T) {
	const size = tileWidth*tileWidth + 300
	tx := &memTx{s: &newMemDB().state}
	var f frontier
	for seq := range uint64(size) {
		h := tlog.RecordHash([]byte{byte(seq), byte(seq >> 8), byte(seq >> 16)})
		if err := appendTile(tx, seq, h); err != nil {
			t.Fatal(err)
		}
		tx.undo = nil
		f.add(h)
	}
	if got := must[tlog.Hash](t)(rootAt(tx, size)); got != f.root() {
		t.Error("another root")
	}
	if n := len(tx.s.tiles[tileKey{2, 0}]); n != hashSize {
		t.Errorf("level 2 has %d bytes", n)
	}
	p := must[tlog.TreeProof](t)(tlog.ProveTree(size, 5, tiles{tx}))
	w := must[tlog.Hash](t)(rootAt(tx, 5))
	if err := tlog.CheckTree(p, size, f.root(), 5, w); err != nil {
		t.Error(err)
	}
}

func TestProofRange(t *testing.T) {
	w := newWorld(t)
	w.grow(10)
	for _, c := range [][2]uint64{{10, 10}, {0, 11}, {11, 10}} {
		if _, err := w.log.InclusionProof(t.Context(), c[0], c[1]); !errors.Is(err, ErrRange) {
			t.Errorf("inclusion of %v: %v", c, err)
		}
	}
	for _, c := range [][2]uint64{{0, 10}, {5, 4}, {1, 11}} {
		if _, err := w.log.ConsistencyProof(t.Context(), c[0], c[1]); !errors.Is(err, ErrRange) {
			t.Errorf("consistency of %v: %v", c, err)
		}
	}
	if _, err := w.log.InclusionProof(t.Context(), 0, 0); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("before the first checkpoint: %v", err)
	}
	w.checkpoint()
	w.grow(1)
	p := must[[]tlog.Hash](t)(w.log.InclusionProof(t.Context(), 3, 0))
	cp := must[Checkpoint](t)(w.log.Checkpoints.stored(t.Context()))
	w.must(tlog.CheckRecord(p, 10, cp.Root, 3, tlog.RecordHash(w.leaf(3))))
}

// A refused commit leaves no trace, and no receipt.
func TestReceiptsFollowTheCommit(t *testing.T) {
	w := newWorld(t)
	ctx, receipts := Recording(t.Context())
	write := func() error {
		return w.db.Update(ctx, func(tx Tx) error {
			if err := Write(ctx, tx, w.event(0)); err != nil {
				return err
			}
			if len(receipts.All()) != 0 {
				t.Error("a receipt before the commit")
			}
			return nil
		})
	}
	w.db.fail = errors.New("disk full")
	if err := write(); err == nil || len(receipts.All()) != 0 || w.db.state.size != 0 || len(w.db.state.leaves) != 0 {
		t.Fatalf("after a failed commit: %v, %d receipts, %d events", err, len(receipts.All()), w.db.state.size)
	}
	w.db.fail = nil
	w.must(write())
	all := receipts.All()
	if len(all) != 1 || all[0].Index != 0 || all[0].Event != w.eventID(0) {
		t.Fatalf("receipts: %+v", all)
	}
	Collect(context.Background(), all[0]) // nobody records: nothing happens
}

// U3: one chain per organisation, the nil UUID's for events without one.
func TestU3ChainPerOrganisation(t *testing.T) {
	w := newWorld(t)
	w.grow(9)
	last := map[id.ID]*leaf{}
	for seq := range uint64(9) {
		l := must[*leaf](t)(decodeLeaf(w.leaf(seq)))
		prev := last[l.Org]
		switch {
		case prev == nil && (l.PrevEvent != nil || l.PrevHash != ""):
			t.Errorf("event %d begins its chain with %v, %q", seq, l.PrevEvent, l.PrevHash)
		case prev != nil && (l.PrevEvent == nil || *l.PrevEvent != prev.ID || l.PrevHash != prev.IntegrityHash):
			t.Errorf("event %d does not follow %s", seq, prev.ID)
		}
		last[l.Org] = l
	}
	if len(last) != 3 || last[id.ID{}] == nil {
		t.Errorf("chains: %v", last)
	}
	for org, l := range last {
		if h := w.db.state.chains[org]; h.Event != l.ID || h.Hash != l.IntegrityHash || h.Count != 3 {
			t.Errorf("head of %s: %+v", org, h)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	w := newWorld(t)
	for name, e := range map[string]Event{
		"no action":       {Actor: Actor{Type: "system"}},
		"no actor":        {Action: SecretRead},
		"details no JSON": {Action: SecretRead, Actor: Actor{Type: "system"}, Details: Details{"f": func() {}}},
	} {
		err := w.db.Update(t.Context(), func(tx Tx) error {
			_, err := Append(tx, e)
			return err
		})
		if err == nil || w.db.state.size != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.grow(3)
	w.db.state.tiles[tileKey{}] = w.db.state.tiles[tileKey{}][:40]
	err := w.db.Update(t.Context(), func(tx Tx) error {
		_, err := Append(tx, w.event(0))
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "tile 0/0") {
		t.Errorf("a damaged tile is continued: %v", err)
	}
}

// Whatever a caller sends as a name, the record stays bounded and its hashes
// can be recomputed from what the record shows.
func TestAppendHostileText(t *testing.T) {
	w := newWorld(t)
	big := map[string]any{}
	for _, s := range []string{strings.Repeat("x", 1<<20), strings.Repeat("\x01", 5000), "\xff\xfe|\x00", "a|b|c", "<&>\u2028\"", strings.Repeat("é", 1000)} {
		big[s] = s
		w.add(Event{
			Org: w.orgs[0], Actor: Actor{Type: s}, Action: Action(s), Resource: Resource{s, s},
			Reason: s, Details: big, IP: s, Request: s, Time: w.now, Policies: make([]id.ID, 500),
		})
	}
	for seq := range w.db.state.size {
		if raw := w.leaf(seq); len(raw) > maxLeaf || strings.ContainsAny(string(raw), "\n\x00") {
			t.Errorf("record %d has %d bytes", seq, len(raw))
		}
	}
	w.checkpoint()
	if rep := must[*Report](t)(w.log.Verify(t.Context(), Scope{Everyone: true})); !rep.OK() || rep.Verified != 6 {
		t.Errorf("%+v", rep)
	}
	got := must[[]Record](t)(w.log.Query(t.Context(), w.orgs[0], Filter{ResourceID: "<&>\u2028\""}))
	if len(got) != 1 {
		t.Errorf("found %d", len(got))
	}
	if d := must[[]Record](t)(w.log.Query(t.Context(), w.orgs[0], Filter{}))[0].Details; d["dropped_bytes"] == nil {
		t.Errorf("large details: %v", d)
	}
}

func TestInputsHashIsUnambiguous(t *testing.T) {
	seen := map[string]string{}
	for _, parts := range [][]string{{}, {""}, {"", ""}, {"ab", "c"}, {"a", "bc"}, {"abc"}, {"a", "b", "c"}, {"a|b"}, {"a", "|b"}} {
		h := string(InputsHash(parts...))
		if len(h) != 32 {
			t.Fatal(len(h))
		}
		if old, ok := seen[h]; ok {
			t.Errorf("%q and %q hash alike", old, parts)
		}
		seen[h] = strings.Join(parts, ",")
	}
	if string(InputsHash("ab", "c")) != string(InputsHash([]byte("ab"), []byte("c"))) {
		t.Error("strings and bytes differ")
	}
}

// An event that names no time gets one.
func TestAppendStampsTime(t *testing.T) {
	w := newWorld(t)
	before := time.Now()
	w.add(Event{Action: ApplianceStart, Actor: Actor{Type: "system"}})
	l := must[*leaf](t)(decodeLeaf(w.leaf(0)))
	if l.Time.Before(before.Add(-time.Second)) || l.Time.Location() != time.UTC || l.Outcome != Success {
		t.Errorf("%v %v", l.Time, l.Outcome)
	}
}
