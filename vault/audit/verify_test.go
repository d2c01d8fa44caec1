package audit

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/oneclaw/oneclawd/internal/id"
)

// tampered is a log of 700 events, 500 of them in the archive, with a
// checkpoint over all, and one change made to it.
type mutation struct {
	name    string
	do      func(w *world)
	finding Finding
	index   uint64
	event   int // whose name is to be told: its index; -1 for none
}

// forge rewrites a record, with its chain hash recomputed as an insider would.
func forge(w *world, seq uint64, change func(*leaf)) []byte {
	l := must[*leaf](w.t)(decodeLeaf(w.leaf(seq)))
	change(l)
	l.IntegrityHash = l.integrity()
	return must[[]byte](w.t)(l.encode())
}

func flip(raw []byte, at string) []byte {
	i := bytes.Index(raw, []byte(at))
	out := bytes.Clone(raw)
	out[i+len(at)-1] ^= 1
	return out
}

var mutations = []mutation{
	{"flip in the details", func(w *world) { w.put(123, flip(w.leaf(123), `"path":"p`)) }, Changed, 123, 123},
	{"flip in the outbox", func(w *world) { w.put(650, flip(w.leaf(650), `"ip":"1`)) }, Changed, 650, 650},
	{"flip in the event id", func(w *world) { w.put(200, flip(w.leaf(200), `"id":"01`)) }, Changed, 200, 200},
	{"flip in a hash", func(w *world) { w.put(0, flip(w.leaf(0), `"integrity_hash":"`)) }, Changed, 0, 0},
	{"flip that breaks the JSON", func(w *world) { w.put(10, flip(w.leaf(10), `{`)) }, Changed, 10, 10},
	{"flip of another organisation", func(w *world) { w.put(11, flip(w.leaf(11), `"org":"01`)) }, Changed, 11, 11},
	{"forged with its chain hash", func(w *world) {
		w.put(300, forge(w, 300, func(l *leaf) { l.Action = SecretList }))
	}, Changed, 300, 300},
	{"dropped", func(w *world) { w.put(77, nil) }, Missing, 77, 77},
	{"first dropped", func(w *world) { w.put(0, nil) }, Missing, 0, 0},
	{"three dropped", func(w *world) { w.put(256, nil); w.put(257, nil); w.put(258, nil) }, Missing, 256, 256},
	{"swapped neighbours", func(w *world) { a, b := w.leaf(42), w.leaf(43); w.put(42, b); w.put(43, a) }, Moved, 42, 43},
	{"swapped far apart", func(w *world) { a, b := w.leaf(42), w.leaf(600); w.put(42, b); w.put(600, a) }, Moved, 42, 600},
	{"duplicated over the next", func(w *world) { w.put(51, w.leaf(50)) }, Moved, 51, 50},
	{"last dropped", func(w *world) { w.put(699, nil) }, Missing, 699, -1},
	{"tail dropped", func(w *world) {
		for seq := uint64(690); seq < 700; seq++ {
			w.put(seq, nil)
		}
	}, Missing, 690, -1},
}

func tamperedWorld(t *testing.T) *world {
	w := newWorld(t)
	w.grow(500)
	w.drain()
	w.grow(200)
	w.checkpoint()
	return w
}

func TestVerifyNamesFirstBadRecord(t *testing.T) {
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			w := tamperedWorld(t)
			if rep := must[*Report](t)(w.log.Verify(t.Context(), Scope{Everyone: true})); !rep.OK() || rep.Checked != 700 || rep.Verified != 700 || len(rep.Unchecked) != 0 {
				t.Fatalf("before: %+v", rep)
			}
			var event id.ID
			if m.event >= 0 {
				event = w.eventID(uint64(m.event))
			}
			m.do(w)
			rep := must[*Report](t)(w.log.Verify(t.Context(), Scope{Everyone: true}))
			if rep.OK() {
				t.Fatal("not noticed")
			}
			if p := rep.Problems[0]; p.Finding != m.finding || p.Index != m.index || p.Event != event || rep.BrokenAt() != event {
				t.Errorf("%+v, want event %s", p, event)
			}
			if rep.Verified != m.index {
				t.Errorf("verified %d", rep.Verified)
			}
		})
	}
}

// What the tree itself suffers is told apart from what the records suffer.
func TestVerifyTree(t *testing.T) {
	w := tamperedWorld(t)
	other := newWorld(t)
	other.grow(3)
	foreign := other.checkpoint().Note
	whole := w.db
	for name, c := range map[string]struct {
		do      func(s *memState)
		finding Finding
		index   uint64
		text    string
	}{
		"a hash flipped": {func(s *memState) {
			b := bytes.Clone(s.tiles[tileKey{0, 1}])
			b[40*hashSize] ^= 1
			s.tiles[tileKey{0, 1}] = b
		}, BadTree, 256 + 40, "the record is right"},
		"a tile gone":       {func(s *memState) { delete(s.tiles, tileKey{0, 1}) }, BadTree, 256, "the record is right"},
		"an upper tile":     {func(s *memState) { s.tiles[tileKey{1, 0}] = make([]byte, 2*hashSize) }, BadTree, 700, "contradict"},
		"no checkpoint":     {func(s *memState) { s.checkpoint = nil }, BadCheckpoint, 0, "no checkpoint"},
		"foreign signature": {func(s *memState) { s.checkpoint = foreign }, BadCheckpoint, 0, "not one that this appliance signed"},
		"store cut off":     {func(s *memState) { s.size = 698 }, Truncated, 698, "the last checkpoint covers 700"},
	} {
		db := whole.snapshot()
		c.do(&db.state)
		w.restart(db)
		rep := must[*Report](t)(w.log.Verify(t.Context(), Scope{Everyone: true}))
		if rep.OK() || rep.Problems[0].Finding != c.finding || rep.Problems[0].Index != c.index || !strings.Contains(rep.Problems[0].Text, c.text) {
			t.Errorf("%s: %+v", name, rep.Problems)
		}
	}
}

// Records and tree both rewritten, consistently, by someone without the HSM.
func TestVerifyRewrittenHistory(t *testing.T) {
	w := newWorld(t)
	w.grow(100)
	old := w.checkpoint()
	w.grow(20)
	w.checkpoint()
	signed, anchor := w.db.state.checkpoint, w.anchor.bytes

	fork := newMemDB()
	w.restart(fork)
	w.n, w.archive.leaves = 0, map[uint64][]byte{}
	w.grow(120)
	fork.state.checkpoint, w.anchor.bytes = signed, anchor
	rep := must[*Report](t)(w.log.Verify(t.Context(), Scope{Everyone: true, Old: old.Note}))
	var got []string
	for _, p := range rep.Problems {
		got = append(got, string(p.Finding))
	}
	if s := strings.Join(got, " "); s != "root history anchor" {
		t.Errorf("%s", s)
	}

	// A log that an old checkpoint promised more of.
	short := newWorld(t)
	short.key = w.key
	short.rewire(newMemDB(), w.log.Checkpoints.Instance)
	short.grow(50)
	rep = must[*Report](t)(short.log.Verify(t.Context(), Scope{Everyone: true, Old: old.Note}))
	if rep.OK() || rep.Problems[0].Finding != Truncated || rep.Problems[0].Index != 50 {
		t.Errorf("%+v", rep.Problems)
	}
}

func TestVerifyOlderCheckpoints(t *testing.T) {
	w := newWorld(t)
	var old []Checkpoint
	for range 30 {
		w.grow(20)
		old = append(old, w.checkpoint())
	}
	for _, cp := range old {
		if rep := must[*Report](t)(w.log.Verify(t.Context(), Scope{Everyone: true, Old: cp.Note})); !rep.OK() {
			t.Fatalf("at %d: %+v", cp.Size, rep.Problems)
		}
		c := must[[]tlog.Hash](t)(w.log.ConsistencyProof(t.Context(), cp.Size, 600))
		w.must(tlog.CheckTree(c, 600, old[29].Root, int64(cp.Size), cp.Root))
	}
	if _, err := w.log.Verify(t.Context(), Scope{Old: []byte("no note")}); !errors.Is(err, ErrCheckpoint) {
		t.Error(err)
	}
}

// U4: what GET /v1/audit/verify counts, and that it names no event of another
// organisation.
func TestU4VerifyScope(t *testing.T) {
	w := tamperedWorld(t)
	for name, c := range map[string]struct {
		scope Scope
		want  uint64
	}{
		"one organisation": {Scope{Org: w.orgs[1]}, 233},
		"limit":            {Scope{Org: w.orgs[1], Limit: 10}, 10},
		"from":             {Scope{Org: w.orgs[1], From: w.event(600).Time}, 33},
		"to":               {Scope{Org: w.orgs[1], To: w.event(300).Time}, 100},
		"unknown":          {Scope{Org: id.New()}, 0},
	} {
		rep := must[*Report](t)(w.log.Verify(t.Context(), c.scope))
		if !rep.OK() || rep.Checked != c.want || rep.Verified != c.want {
			t.Errorf("%s: %+v", name, rep)
		}
	}
	theirs := w.eventID(300) // of organisation 0
	w.put(300, nil)
	rep := must[*Report](t)(w.log.Verify(t.Context(), Scope{Org: w.orgs[1]}))
	if rep.OK() || !rep.BrokenAt().IsZero() || strings.Contains(rep.Problems[0].Text, theirs.String()) {
		t.Errorf("%+v", rep.Problems)
	}
	if rep := must[*Report](t)(w.log.Verify(t.Context(), Scope{Org: w.orgs[0]})); rep.BrokenAt() != theirs {
		t.Errorf("%+v", rep.Problems)
	}
}

// The chain is checked by itself, too: a log in which it was broken when it was
// written is not right because the tree covers it.
func TestVerifyChain(t *testing.T) {
	for name, change := range map[string]func(w *world){
		"other event": func(w *world) {
			w.db.state.chains[w.orgs[0]] = ChainHead{Event: id.New(), Hash: w.db.state.chains[w.orgs[0]].Hash}
		},
		"other hash": func(w *world) {
			w.db.state.chains[w.orgs[0]] = ChainHead{Event: w.db.state.chains[w.orgs[0]].Event, Hash: "00"}
		},
	} {
		w := newWorld(t)
		w.grow(9)
		change(w)
		w.grow(9)
		w.checkpoint()
		rep := must[*Report](t)(w.log.Verify(t.Context(), Scope{Everyone: true}))
		if rep.OK() || rep.Problems[0].Finding != Broken || rep.Problems[0].Index != 9 || rep.BrokenAt() != w.eventID(9) {
			t.Errorf("%s: %+v", name, rep.Problems)
		}
	}
}

func TestVerifyWithoutHSM(t *testing.T) {
	w := tamperedWorld(t)
	w.anchor.fail = errors.New("HSM gone")
	rep := must[*Report](t)(w.log.Verify(t.Context(), Scope{Everyone: true}))
	if !rep.OK() || len(rep.Unchecked) != 1 || !strings.HasPrefix(rep.Unchecked[0], "anchor") {
		t.Errorf("%+v", rep)
	}
	w.anchor.fail, w.anchor.bytes = nil, []byte("rubbish")
	rep = must[*Report](t)(w.log.Verify(t.Context(), Scope{Everyone: true}))
	if rep.OK() || rep.Problems[0].Finding != OtherAnchor {
		t.Errorf("%+v", rep)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.log.Verify(ctx, Scope{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Events whose time is over are no finding; a hole after them is.
func TestVerifyExpired(t *testing.T) {
	w := tamperedWorld(t)
	w.log.Expires = true
	for seq := range uint64(300) {
		w.put(seq, nil)
	}
	rep := must[*Report](t)(w.log.Verify(t.Context(), Scope{Everyone: true}))
	if !rep.OK() || rep.First != 300 || rep.Verified != 400 {
		t.Fatalf("%+v", rep)
	}
	event := w.eventID(310)
	w.put(310, nil)
	rep = must[*Report](t)(w.log.Verify(t.Context(), Scope{Everyone: true}))
	if rep.OK() || rep.Problems[0].Finding != Missing || rep.Problems[0].Index != 310 || rep.BrokenAt() != event {
		t.Errorf("%+v", rep.Problems)
	}
}
