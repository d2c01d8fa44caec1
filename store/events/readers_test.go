package events_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/vault/audit"
)

// While events are written, drained and signed, every query, verification and
// export sees a log without gap, repetition or error.
func TestReadersSeeAWholeLog(t *testing.T) {
	h := openHouse(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		_ = (&audit.Drainer{DB: h.db, Archive: h.log.Archive, Pause: 3 * time.Millisecond}).Run(ctx)
	})
	for w := range 3 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if _, err := h.write(ctx, w, n); err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	vkey, err := h.log.Checkpoints.VerifierKey()
	if err != nil {
		t.Fatal(err)
	}
	var old []byte
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		page, err := h.log.Query(ctx, org, audit.Filter{Limit: audit.MaxLimit})
		if err != nil {
			t.Fatal(err)
		}
		for i := 1; i < len(page); i++ {
			if page[i].Index+1 != page[i-1].Index {
				t.Fatalf("%d after %d", page[i].Index, page[i-1].Index)
			}
		}
		if len(page) > 0 && len(page) < audit.MaxLimit && page[len(page)-1].Index != 0 {
			t.Fatalf("ends at %d", page[len(page)-1].Index)
		}
		rep, err := h.log.Verify(ctx, audit.Scope{Org: org, Old: old})
		if err != nil || !rep.OK() || rep.Checked != rep.Size {
			t.Fatalf("%+v, %v", rep, err)
		}
		var export bytes.Buffer
		if err := h.log.Export(ctx, &export, 0); err != nil {
			t.Fatal(err)
		}
		off, err := audit.VerifyExport(&export, vkey, old, "")
		if err != nil || !off.OK() {
			t.Fatalf("%+v, %v", off, err)
		}
		old = off.Checkpoint.Note
	}
}
