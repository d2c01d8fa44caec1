package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

func (w *world) export() []byte {
	w.t.Helper()
	var b bytes.Buffer
	w.must(w.log.Export(w.t.Context(), &b, 0))
	return b.Bytes()
}

func verifyLines(t *testing.T, w *world, lines [][]byte, old []byte) *Report {
	t.Helper()
	return must[*Report](t)(VerifyExport(bytes.NewReader(bytes.Join(lines, []byte("\n"))), w.vkey, old, ""))
}

func split(export []byte) [][]byte {
	return bytes.Split(bytes.TrimSuffix(export, []byte("\n")), []byte("\n"))
}

// Each line is the leaf, byte for byte; the last is the checkpoint.
func TestExportLines(t *testing.T) {
	w := tamperedWorld(t)
	lines := split(w.export())
	if len(lines) != 701 {
		t.Fatal(len(lines))
	}
	for i := range 700 {
		if !bytes.Equal(lines[i], w.leaf(uint64(i))) {
			t.Fatalf("line %d", i)
		}
	}
	var last map[string]string
	w.must(json.Unmarshal(lines[700], &last))
	if cp := must[Checkpoint](t)(OpenCheckpoint([]byte(last["checkpoint"]), w.vkey)); cp.Size != 700 {
		t.Error(cp.Size)
	}
	rep := verifyLines(t, w, lines, nil)
	if !rep.OK() || rep.Checked != 700 || rep.Verified != 700 || rep.Size != 700 || rep.Checkpoint.Size != 700 {
		t.Errorf("%+v", rep)
	}
}

// A later export holds what the earlier does not, and both verify in their order.
func TestExportContinues(t *testing.T) {
	w := tamperedWorld(t)
	first := w.export()
	w.grow(50)
	w.drain()
	size := must[uint64](t)(ExportedTo(bytes.NewReader(first)))
	if note := w.verified(first, nil).Checkpoint.Note; size != 700 || must[uint64](t)(ExportedTo(bytes.NewReader(note))) != 700 {
		t.Fatal(size)
	}
	from := func(n uint64) []byte {
		var b bytes.Buffer
		w.must(w.log.Export(t.Context(), &b, n))
		return b.Bytes()
	}
	earlier := w.verified(first, nil)
	for _, c := range []struct {
		name string
		from uint64
		ok   bool
	}{{"the rest", 700, true}, {"some of it twice", 690, true}, {"all of it twice", 0, true}, {"a gap", 701, false}} {
		rep := w.verified(from(c.from), earlier.Checkpoint.Note)
		rep.Continue(earlier)
		if rep.OK() != c.ok || rep.First != c.from || rep.Checked != 750-c.from {
			t.Errorf("%s: %+v", c.name, rep)
		}
	}
	// Nothing came after: that is what it says, and it verifies.
	if rep := w.verified(from(750), earlier.Checkpoint.Note); !rep.OK() || rep.Checked != 0 || rep.Size != 750 {
		t.Errorf("%+v", rep)
	}
	if err := w.log.Export(t.Context(), io.Discard, 751); !errors.Is(err, ErrBeyond) {
		t.Error(err)
	}
	// A later export of a log whose beginning was changed does not continue it.
	lines := split(from(700))
	lines[0] = bytes.Replace(lines[0], []byte(`"`), []byte(`" `), 1)
	if verifyLines(t, w, lines, earlier.Checkpoint.Note).OK() {
		t.Error("a changed record is not noticed")
	}
	for _, text := range []string{"", "rubbish", `{"checkpoint":7}`, `{"checkpoint":""}`} {
		if _, err := ExportedTo(strings.NewReader(text)); err == nil {
			t.Errorf("%q is taken for an export", text)
		}
	}
}

func (w *world) verified(export, old []byte) *Report {
	w.t.Helper()
	return must[*Report](w.t)(VerifyExport(bytes.NewReader(export), w.vkey, old, ""))
}

func TestVerifyExportNamesFirstBadRecord(t *testing.T) {
	w := tamperedWorld(t)
	older := w.checkpoint()
	good := split(w.export())
	for name, c := range map[string]struct {
		do      func([][]byte) [][]byte
		finding Finding
		index   uint64
		event   int
	}{
		"flip in the details":  {func(l [][]byte) [][]byte { l[123] = flip(l[123], `"path":"p`); return l }, Changed, 123, 123},
		"flip in the event id": {func(l [][]byte) [][]byte { l[200] = flip(l[200], `"id":"01`); return l }, Changed, 200, 200},
		"flip in the chain":    {func(l [][]byte) [][]byte { l[201] = flip(l[201], `"action":"s`); return l }, Changed, 201, 201},
		"flip breaks the JSON": {func(l [][]byte) [][]byte { l[5] = flip(l[5], `{`); return l }, Changed, 5, 5},
		"first flipped":        {func(l [][]byte) [][]byte { l[0] = flip(l[0], `"ip":"1`); return l }, Changed, 0, 0},
		"last flipped":         {func(l [][]byte) [][]byte { l[699] = flip(l[699], `"ip":"1`); return l }, Changed, 699, 699},
		"dropped":              {func(l [][]byte) [][]byte { return slices.Delete(l, 77, 78) }, Missing, 77, 77},
		"first dropped":        {func(l [][]byte) [][]byte { return slices.Delete(l, 0, 1) }, Missing, 0, -1},
		"three dropped":        {func(l [][]byte) [][]byte { return slices.Delete(l, 256, 259) }, Missing, 256, 256},
		"swapped neighbours":   {func(l [][]byte) [][]byte { l[42], l[43] = l[43], l[42]; return l }, Moved, 42, 43},
		"swapped far apart":    {func(l [][]byte) [][]byte { l[42], l[600] = l[600], l[42]; return l }, Moved, 42, 600},
		"duplicated":           {func(l [][]byte) [][]byte { return slices.Insert(l, 51, l[50]) }, Duplicated, 51, 50},
		"duplicated at end":    {func(l [][]byte) [][]byte { return slices.Insert(l, 700, l[10]) }, Duplicated, 700, 10},
		"tail dropped":         {func(l [][]byte) [][]byte { return slices.Delete(l, 690, 700) }, Truncated, 690, -1},
		"all dropped":          {func(l [][]byte) [][]byte { return l[700:] }, Truncated, 0, -1},
		"foreign line":         {func(l [][]byte) [][]byte { return slices.Insert(l, 9, []byte(`{"hello":1}`)) }, Changed, 9, -1},
	} {
		rep := verifyLines(t, w, c.do(slices.Clone(good)), older.Note)
		if rep.OK() {
			t.Errorf("%s is not noticed", name)
			continue
		}
		p := rep.Problems[0]
		if p.Finding != c.finding || p.Index != c.index || rep.Verified != c.index {
			t.Errorf("%s: %+v, verified %d", name, p, rep.Verified)
		}
		if c.event >= 0 && p.Event != w.eventID(uint64(c.event)) {
			t.Errorf("%s: names %s", name, p.Event)
		}
	}
}

// An export that ends earlier, with an earlier checkpoint: whole in itself, and
// found out by a later checkpoint alone.
func TestVerifyExportTruncatedWithItsCheckpoint(t *testing.T) {
	w := newWorld(t)
	w.grow(100)
	early := w.export()
	first := w.checkpoint()
	w.grow(50)
	second := w.checkpoint()
	if rep := verifyLines(t, w, split(early), nil); !rep.OK() {
		t.Fatalf("%+v", rep.Problems)
	}
	if rep := verifyLines(t, w, split(early), first.Note); !rep.OK() {
		t.Fatalf("%+v", rep.Problems)
	}
	rep := verifyLines(t, w, split(early), second.Note)
	if rep.OK() || rep.Problems[0].Finding != Truncated || rep.Problems[0].Index != 100 {
		t.Errorf("%+v", rep.Problems)
	}
	if rep := verifyLines(t, w, split(w.export()), first.Note); !rep.OK() {
		t.Errorf("grown since: %+v", rep.Problems)
	}
	// The same key on another history: a store put back and continued.
	fork := newWorld(t)
	fork.rewire(fork.db, w.log.Checkpoints.Instance)
	fork.grow(200)
	rep = verifyLines(t, w, split(fork.export()), first.Note)
	if rep.OK() || rep.Problems[0].Finding != OtherHistory {
		t.Errorf("%+v", rep.Problems)
	}
}

func editTrailer(t *testing.T, line []byte, edit func(*trailer)) []byte {
	var tr trailer
	if err := json.Unmarshal(line, &tr); err != nil {
		t.Fatal(err)
	}
	edit(&tr)
	return must[[]byte](t)(json.Marshal(tr))
}

func TestVerifyExportTrailer(t *testing.T) {
	w := tamperedWorld(t)
	good := split(w.export())
	for name, c := range map[string]struct {
		do      func([][]byte) [][]byte
		finding Finding
		text    string
	}{
		"gone":  {func(l [][]byte) [][]byte { return l[:700] }, BadCheckpoint, "does not end with a checkpoint"},
		"cut":   {func(l [][]byte) [][]byte { l[700] = l[700][:1000]; return l }, BadCheckpoint, "cannot be read"},
		"more":  {func(l [][]byte) [][]byte { return append(l, l[3]) }, BadCheckpoint, "after the checkpoint"},
		"twice": {func(l [][]byte) [][]byte { return append(l, l[700]) }, BadCheckpoint, "after the checkpoint"},
		"signature": {func(l [][]byte) [][]byte {
			l[700] = editTrailer(t, l[700], func(tr *trailer) { tr.Checkpoint = strings.Replace(tr.Checkpoint, "\n700\n", "\n699\n", 1) })
			return l
		}, BadCheckpoint, "not one that this appliance signed"},
		"a hash": {func(l [][]byte) [][]byte {
			l[700] = editTrailer(t, l[700], func(tr *trailer) { tr.Hashes[100] ^= 1 })
			return l
		}, BadTree, "the records are the ones that the checkpoint covers"},
		"no hashes": {func(l [][]byte) [][]byte {
			l[700] = editTrailer(t, l[700], func(tr *trailer) { tr.Hashes = nil })
			return l
		}, BadTree, "the records are the ones that the checkpoint covers"},
		"odd hashes": {func(l [][]byte) [][]byte {
			l[700] = editTrailer(t, l[700], func(tr *trailer) { tr.Hashes = tr.Hashes[1:] })
			return l
		}, BadTree, "not whole"},
		"a record more, with its hash": {func(l [][]byte) [][]byte {
			db := w.db
			w.restart(db.snapshot())
			r := w.add(w.event(w.n)) // perfect, but not signed
			l = slices.Insert(l, 700, w.leaf(700))
			w.restart(db)
			l[701] = editTrailer(t, l[701], func(tr *trailer) { tr.Hashes = append(tr.Hashes, r.Leaf[:]...) })
			return l
		}, BadTree, "more records than"},
		"wild expired": {func(l [][]byte) [][]byte {
			l[700] = editTrailer(t, l[700], func(tr *trailer) { tr.Expired = &expired{Size: 1 << 62} })
			return l
		}, BadTree, "not whole"},
		"a record and its hash": {func(l [][]byte) [][]byte {
			l[400] = forge(w, 400, func(l *leaf) { l.Action = SecretList })
			l[700] = editTrailer(t, l[700], func(tr *trailer) { h := tlog.RecordHash(l[400]); copy(tr.Hashes[400*hashSize:], h[:]) })
			return l
		}, Broken, "prev_hash"},
	} {
		rep := verifyLines(t, w, c.do(slices.Clone(good)), nil)
		if rep.OK() || rep.Problems[0].Finding != c.finding || !strings.Contains(rep.Problems[0].Text, c.text) {
			t.Errorf("%s: %+v", name, rep.Problems)
		}
	}
}

func TestVerifyExportKeys(t *testing.T) {
	w := newWorld(t)
	w.grow(3)
	export := w.export()
	if _, err := VerifyExport(bytes.NewReader(export), "rubbish", nil, ""); !errors.Is(err, errVerifierKey) {
		t.Error(err)
	}
	if _, err := VerifyExport(bytes.NewReader(export), w.vkey, []byte("rubbish"), ""); !errors.Is(err, ErrCheckpoint) {
		t.Error(err)
	}
	rep := must[*Report](t)(VerifyExport(bytes.NewReader(export), newWorld(t).vkey, nil, ""))
	if rep.OK() || rep.Problems[0].Finding != BadCheckpoint {
		t.Errorf("another's key: %+v", rep)
	}
	if rep := must[*Report](t)(VerifyExport(strings.NewReader(""), w.vkey, nil, "")); rep.OK() {
		t.Error("nothing at all is right")
	}
}

// After a recovery the log is signed by another key; a checkpoint from before is still
// held against it, under its own key.
func TestVerifyExportUnderAnotherKey(t *testing.T) {
	w := newWorld(t)
	w.grow(30)
	old, before := w.checkpoint(), w.vkey
	w.key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize))
	w.restart(w.db)
	w.grow(30)
	export := w.export()
	verify := func(oldKey string) (*Report, error) {
		return VerifyExport(bytes.NewReader(export), w.vkey, old.Note, oldKey)
	}
	if rep := must[*Report](t)(verify(before)); !rep.OK() || rep.Checkpoint.Size != 60 {
		t.Errorf("%+v", rep)
	}
	for _, key := range []string{"", newWorld(t).vkey} {
		if _, err := verify(key); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("under %q: %v", key, err)
		}
	}
	if _, err := verify("rubbish"); !errors.Is(err, errVerifierKey) {
		t.Error(err)
	}
	other := newWorld(t)
	other.rewire(newMemDB(), w.log.Checkpoints.Instance)
	other.grow(31)
	rep := must[*Report](t)(VerifyExport(bytes.NewReader(export), w.vkey, other.checkpoint().Note, other.vkey))
	if rep.OK() || rep.Problems[0].Finding != OtherHistory {
		t.Errorf("another history: %+v", rep)
	}
}

// An export whose first events have expired is verified from there on.
func TestVerifyExportExpired(t *testing.T) {
	w := tamperedWorld(t)
	before := w.checkpoint()
	w.log.Expires = true
	for seq := range uint64(333) {
		w.put(seq, nil)
	}
	w.grow(5)
	good := split(w.export())
	rep := verifyLines(t, w, good, before.Note)
	if !rep.OK() || rep.First != 333 || rep.Verified != 372 || rep.Size != 705 {
		t.Fatalf("%+v", rep)
	}
	bad := slices.Clone(good)
	bad[100] = flip(bad[100], `"path":"p`)
	rep = verifyLines(t, w, bad, nil)
	if rep.OK() || rep.Problems[0].Index != 433 || rep.BrokenAt() != w.eventID(433) {
		t.Errorf("%+v", rep.Problems)
	}
	rep = verifyLines(t, w, slices.Delete(slices.Clone(good), 0, 2), nil)
	if rep.OK() || rep.Problems[0].Finding != Missing || rep.Problems[0].Index != 333 {
		t.Errorf("%+v", rep.Problems)
	}
}

var update = flag.Bool("update", false, "make testdata/export anew; never after a release")

// What a released version exported verifies forever.
func TestExportVector(t *testing.T) {
	if *update {
		w := newWorld(t)
		w.grow(3)
		old := w.checkpoint()
		w.drain()
		w.grow(4)
		w.must(os.MkdirAll("testdata/export", 0o755))
		w.must(os.WriteFile("testdata/export/log.jsonl", w.export(), 0o644))
		w.must(os.WriteFile("testdata/export/older.note", old.Note, 0o644))
		w.must(os.WriteFile("testdata/export/key.txt", []byte(w.vkey+"\n"), 0o644))
	}
	log, old, vkey := vector(t)
	rep := must[*Report](t)(VerifyExport(bytes.NewReader(log), vkey, old, ""))
	if !rep.OK() || rep.Verified != 7 {
		t.Errorf("%+v", rep)
	}
}

func vector(t testing.TB) (log, old []byte, vkey string) {
	read := func(name string) []byte { return must[[]byte](t)(os.ReadFile("testdata/export/" + name)) }
	return read("log.jsonl"), read("older.note"), string(read("key.txt"))
}

// Whatever is in an export, verifying it ends, and one whose records were
// changed is never found right.
func FuzzVerifyExport(f *testing.F) {
	good, old, vkey := vector(f)
	records := bytes.Join(split(good)[:7], []byte("\n"))
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte(`{"checkpoint":"","hashes":"` + base64.StdEncoding.EncodeToString(make([]byte, 64)) + `","expired":{"size":3,"nodes":["AA=="]}}`))
	f.Add([]byte("\n\n{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rep, err := VerifyExport(bytes.NewReader(data), vkey, old, "")
		if err != nil {
			t.Fatal(err)
		}
		if rep.OK() && (rep.Checked != 7 || !bytes.HasPrefix(data, records)) {
			t.Fatalf("taken for right: %q", data)
		}
	})
}
