package vault

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/oneclaw/oneclawd/internal/id"
)

// stored is an envelope and whose it is.
type stored struct {
	secret id.ID
	number uint32
	sealed []byte // nil once it was found to need nothing
}

// The limits of one look at a vault's envelopes: how many are taken, how many
// bytes of them, and how many are looked at.
const (
	walkBatch = 500
	walkBytes = 16 << 20
	walkLooks = 2000
)

// errPageFull ends a scan.
var errPageFull = errors.New("vault: enough for one look")

// walk is a way through the envelopes of some secrets of one vault, past the
// store's cache. What is written behind it is not seen.
type walk struct {
	secrets []Secret
	after   uint32 // the version of secrets[0] that was looked at last
	take    func(sealed []byte) bool
}

// next takes the next envelopes; more says whether there may be others behind.
func (w *walk) next(ctx context.Context, s *Service) (batch []stored, more bool, err error) {
	err = s.DB.View(ctx, func(tx Tx) error {
		size, looks := 0, 0
		for len(w.secrets) > 0 {
			sec := w.secrets[0].ID
			err := tx.Envelopes(sec, w.after, func(number uint32, sealed []byte) error {
				if len(batch) == walkBatch || size > walkBytes || looks == walkLooks {
					return errPageFull
				}
				w.after, looks = number, looks+1
				if w.take(sealed) {
					batch, size = append(batch, stored{sec, number, bytes.Clone(sealed)}), size+len(sealed)
				}
				return nil
			})
			if errors.Is(err, errPageFull) {
				more = true
				return nil
			}
			if err != nil {
				return err
			}
			w.secrets, w.after = w.secrets[1:], 0
		}
		return nil
	})
	return batch, more, err
}

// kekWorkers is how many envelopes are at the modules at once: less than the
// sessions that a module has by default, so that requests get some as well.
const kekWorkers = 4

// parallel calls fn with each index until one fails.
func parallel(n int, fn func(i int) error) error {
	var (
		next  atomic.Int64
		once  sync.Once
		first error
		wg    sync.WaitGroup
	)
	for range min(n, kekWorkers) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := fn(i); err != nil {
					once.Do(func() { first = err })
					next.Store(int64(n))
				}
			}
		})
	}
	wg.Wait()
	return first
}
