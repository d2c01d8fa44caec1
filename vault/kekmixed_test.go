package vault_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault"
)

// The customer's key and the vault's KEK are rotated at once: both end, and
// every value is under the last of both.
func TestKEK_BesideCMEK(t *testing.T) {
	w := newKEKWorld(t)
	from, to := newCustomerKey(), newCustomerKey()
	w.enable(from)
	const n = 250
	w.fillBlobs(from, n)
	w.rotate("b")
	job, err := w.RotateCMEK(w.Ctx, w.alice, w.v.ID, change(from, to))
	w.OK(err)
	generation := uint32(2)
	for _, module := range []string{"", "b", ""} {
		w.rotate(module)
		generation++
	}
	storetest.Equal(t, "the customer's key", w.ended(job.ID).Status, vault.CMEKCompleted)
	storetest.Equal(t, "under the new key", w.world.under(to), n)
	w.finished(generation, "", n)
	for i := range n {
		got, err := w.read(w.alice, fmt.Sprint("s/", i))
		w.OK(err)
		open := to.openPublished
		if i%2 == 1 {
			open = to.openBare
		}
		storetest.Equal(t, "value", open(got), fmt.Sprintf("value-%d", i))
	}
}

// A vault gets another KEK between the sealing and the storing of a batch: the
// batch is sealed again.
func TestKEK_BetweenSealingAndStoring(t *testing.T) {
	w, from, to := enabled(t)
	const n = 150
	w.fillBlobs(from, n)
	g := w.hold(2) // those for the start
	job, err := w.RotateCMEK(w.Ctx, w.alice, w.v.ID, change(from, to))
	w.OK(err)
	<-g.held
	_, err = w.RotateKEK(context.WithValue(w.Ctx, exempt{}, true), w.v.Ref(), "", nil)
	w.OK(err)
	g.open()
	storetest.Equal(t, "the customer's key", w.ended(job.ID).Status, vault.CMEKCompleted)
	k := &kekWorld{world: w}
	k.finished(2, "", n)
	storetest.Equal(t, "under the new key", w.under(to), n)
	got, err := w.read(w.alice, "s/0")
	w.OK(err)
	storetest.Equal(t, "value", to.openPublished(got), "value-0")
}

// A vault whose KEK is rotated without pause is as linearizable as any, for
// clients of two processes.
func TestKEK_Linearizable(t *testing.T) {
	w := newKEKWorld(t)
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !stop.Load() {
			_, err := w.RotateKEK(w.Ctx, w.v.Ref(), "", nil)
			if err != nil && !errors.Is(err, vault.ErrKEKsUnfinished) {
				t.Error(err)
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	for r := range 3 {
		h := history(w.world, w.path(fmt.Sprint("round", r)), 8, 40)
		if res := porcupine.CheckOperationsTimeout(secretModel, h, time.Minute); res != porcupine.Ok {
			t.Errorf("round %d: %s; %d operations", r, res, len(h))
		}
	}
	stop.Store(true)
	<-done
	storetest.Equal(t, "error", w.settled().Error, "")
	if g := w.now().Current().Generation; g < 3 {
		t.Errorf("only %d KEKs", g)
	}
}
