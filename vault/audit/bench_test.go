package audit

import (
	"bytes"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

// BenchmarkAppend is what the log adds to the Update of a secret's read, on a
// transaction that costs nothing.
func BenchmarkAppend(b *testing.B) {
	tx := &memTx{s: &newMemDB().state}
	e := Event{
		Org: id.New(), Actor: Actor{Type: "agent", ID: id.New()}, Action: SecretRead,
		Resource: Resource{Type: "secret", ID: id.New().String()},
		Details:  Details{"path": "prod/db/password", "vault_id": id.New().String(), "version": 3},
		Inputs:   InputsHash("a", "b"), Policies: []id.ID{id.New()},
		IP: "10.1.2.3", Request: id.New().String(), Time: time.Now(),
	}
	b.ReportAllocs()
	for b.Loop() {
		r, err := Append(tx, e)
		if err != nil {
			b.Fatal(err)
		}
		delete(tx.s.leaves, r.Index) // or the map is what is measured
		tx.undo = tx.undo[:0]
	}
}

// BenchmarkVerifyExport is over 100,000 records.
func BenchmarkVerifyExport(b *testing.B) {
	w := newWorld(b)
	w.grow(100_000)
	export := w.export()
	b.SetBytes(int64(len(export)))
	for b.Loop() {
		if rep, err := VerifyExport(bytes.NewReader(export), w.vkey, nil, ""); err != nil || !rep.OK() {
			b.Fatal(rep, err)
		}
	}
}
