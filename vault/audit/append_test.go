package audit

import (
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

// nopTx keeps only what Append reads back: the benchmark is of Append itself.
type nopTx struct {
	memTx
	tile [2][]byte
}

func (t *nopTx) AuditTile(level int, n uint64) ([]byte, error) { return t.tile[min(level, 1)], nil }
func (t *nopTx) PutAuditTile(level int, n uint64, b []byte) error {
	if level == 0 && len(b) == tileWidth*hashSize {
		b = nil
	}
	if level <= 1 {
		t.tile[level] = b
		if level == 1 && len(b) == tileWidth*hashSize {
			t.tile[1] = nil
		}
	}
	return nil
}
func (t *nopTx) SetAuditSize(n uint64) error                { t.s.size = n % (tileWidth * tileWidth); return nil }
func (t *nopTx) PutAuditChain(org id.ID, h ChainHead) error { t.s.chains[org] = h; return nil }
func (t *nopTx) PutAuditLeaf(uint64, []byte) error          { return nil }

func BenchmarkAppend(b *testing.B) {
	tx := &nopTx{memTx: memTx{s: &memState{chains: map[id.ID]ChainHead{}}}}
	tx.s.size = 1
	tx.tile[0] = make([]byte, hashSize)
	e := Event{
		Org: id.New(), Actor: Actor{Type: "agent", ID: id.New()}, Action: SecretRead,
		Resource: Resource{Type: "secret", ID: id.New().String()},
		Details:  Details{"path": "prod/db/password", "vault_id": id.New().String(), "version": 3},
		Inputs:   InputsHash("a", "b"), Policies: []id.ID{id.New()},
		IP: "10.1.2.3", Request: id.New().String(), Time: time.Now(),
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Append(tx, e); err != nil {
			b.Fatal(err)
		}
	}
}
