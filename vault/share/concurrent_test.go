package share_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/share"
)

func TestR4_ExactlyNAtOnce(t *testing.T) {
	for name, limited := range map[string]func(w *world) share.Share{
		"by the share": func(w *world) share.Share { return w.made(func(o *share.Offer) { o.MaxAccess = ptr(int64(7)) }) },
		"by the secret": func(w *world) share.Share {
			w.write("a/b", vault.NewVersion{Value: plain.FromString(secretValue), MaxAccess: ptr(int64(7))})
			return w.made(nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := limited(w)
			var opened, gone atomic.Int64
			var wg sync.WaitGroup
			for range 64 {
				wg.Go(func() {
					got, err := w.open(nobody, s, "")
					switch {
					case err == nil && got == secretValue:
						opened.Add(1)
					case errors.Is(err, share.ErrExhausted) || errors.Is(err, vault.ErrSecretExhausted):
						gone.Add(1)
					default:
						t.Errorf("%q, %v", got, err)
					}
				})
			}
			wg.Wait()
			if opened.Load() != 7 || gone.Load() != 57 {
				t.Errorf("%d opened, %d refused", opened.Load(), gone.Load())
			}
			w.restart()
			if _, err := w.open(nobody, s, ""); err == nil {
				t.Error("opened once more after a restart")
			}
			if now, _ := w.record(s); now.Accesses != 7 || len(w.told.accessed) != 7 {
				t.Errorf("%d accesses, told of %d", now.Accesses, len(w.told.accessed))
			}
		})
	}
}

// Revoking ends a share for every access that begins afterwards.
func TestR6_RevokeDuringAccesses(t *testing.T) {
	w := newWorld(t)
	s := w.made(nil)
	var revoked atomic.Bool
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				after := revoked.Load()
				_, err := w.open(nobody, s, "")
				if err != nil && !errors.Is(err, share.ErrNotFound) || err == nil && after {
					t.Errorf("revoked before: %v, got %v", after, err)
				}
				if err != nil {
					return
				}
			}
		})
	}
	wg.Go(func() {
		w.OK(w.Revoke(w.Ctx, w.alice, s.ID))
		revoked.Store(true)
	})
	wg.Wait()
	w.refuses(nobody, s, share.ErrNotFound)
}

func TestCreateAtOnceKeepsTheLimit(t *testing.T) {
	w := newWorld(t)
	var made, refused atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			switch _, err := w.Create(w.Ctx, w.alice, w.offer(nil)); {
			case err == nil:
				made.Add(1)
			case errors.Is(err, share.ErrTooMany):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 10 || refused.Load() != 54 {
		t.Errorf("%d made, %d refused", made.Load(), refused.Load())
	}
}
