package node

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Many who ask at once share one answer, and nobody gets one that was asked for
// before it came.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shared turns[string, time.Time]
		var all sync.WaitGroup
		asked := map[string]int{}
		var mu sync.Mutex
		ask := func(key string) {
			came := time.Now()
			began, err := shared.get(t.Context(), key, func(context.Context) (time.Time, error) {
				mu.Lock()
				asked[key]++
				mu.Unlock()
				began := time.Now()
				time.Sleep(100 * time.Millisecond)
				return began, nil
			})
			if err != nil || began.Before(came) || time.Since(came) > 200*time.Millisecond {
				t.Errorf("came at %s, the answer is of %s and came at %s (%v)", came, began, time.Now(), err)
			}
		}
		for _, key := range []string{"a", "b"} {
			for i := range 30 {
				all.Go(func() {
					time.Sleep(time.Duration(i) * 10 * time.Millisecond)
					ask(key)
				})
			}
		}
		all.Wait()
		if asked["a"] > 5 || asked["b"] > 5 || len(shared.current)+len(shared.next) != 0 {
			t.Errorf("30 in 300 ms asked %v times, and %d and %d turns are left", asked, len(shared.current), len(shared.next))
		}
	})
}

// One who does not wait leaves the answer to the others.
func TestTurnsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shared turns[int, int]
		down := errors.New("down")
		slow := func(ctx context.Context) (int, error) {
			time.Sleep(time.Second)
			return 7, errors.Join(ctx.Err(), down)
		}
		hasty, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for _, c := range []struct {
			ctx  context.Context
			want error
		}{{t.Context(), down}, {hasty, context.Canceled}, {t.Context(), down}} { // the last two share a turn
			all.Go(func() {
				_, err := shared.get(c.ctx, 1, slow)
				if !errors.Is(err, c.want) || errors.Is(err, down) && errors.Is(err, context.Canceled) {
					t.Errorf("got %v, want %v", err, c.want)
				}
			})
			synctest.Wait()
		}
		stop()
		all.Wait()
	})
}
