package audit

import (
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
)

// TestStatement: a statement is of one kind, one digest and one appliance, and is
// never taken for a checkpoint, nor a checkpoint for one.
func TestStatement(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	cps := w.log.Checkpoints
	sum := sha256.Sum256([]byte("something"))
	signed := must[[]byte](t)(SignStatement(t.Context(), cps.Instance, cps.Key, "thing/1", sum))
	for _, c := range []struct {
		name, vkey, kind string
		signed           []byte
		sum              [32]byte
		want             error
	}{
		{"as signed", w.vkey, "thing/1", signed, sum, nil},
		{"another kind", w.vkey, "thing/2", signed, sum, ErrStatement},
		{"another digest", w.vkey, "thing/1", signed, sha256.Sum256(nil), ErrStatement},
		{"another appliance", other.vkey, "thing/1", signed, sum, ErrStatement},
		{"nothing signed", w.vkey, "thing/1", nil, sum, ErrStatement},
		{"a key that is none", "rubbish", "thing/1", signed, sum, errVerifierKey},
	} {
		if err := OpenStatement(c.signed, c.vkey, c.kind, c.sum); (c.want == nil) != (err == nil) || !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	for at := range signed {
		for bit := range 8 {
			bad := slices.Clone(signed)
			bad[at] ^= 1 << bit
			if OpenStatement(bad, w.vkey, "thing/1", sum) == nil {
				t.Fatalf("bit %d of byte %d says nothing", bit, at)
			}
		}
	}
	if _, err := OpenCheckpoint(signed, w.vkey); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("a statement as a checkpoint: %v", err)
	}
	cp := must[Checkpoint](t)(cps.Checkpoint(t.Context()))
	if err := OpenStatement(cp.Note, w.vkey, "thing/1", sum); !errors.Is(err, ErrStatement) {
		t.Errorf("a checkpoint as a statement: %v", err)
	}
	err := w.log.DB.View(t.Context(), func(tx Tx) error {
		head, err := Head(tx)
		if err == nil && (head.Size != cp.Size || head.Root != cp.Root) {
			t.Errorf("head %+v, checkpoint %+v", head, cp)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
