package audit

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Whichever step fails, nothing is lost, and the next try delivers the same
// bytes under the same index.
func TestDrainIsIdempotent(t *testing.T) {
	w := newWorld(t)
	w.grow(1200)
	var before [][]byte
	for seq := range uint64(1200) {
		before = append(before, w.leaf(seq))
	}
	d := &Drainer{DB: w.db, Archive: w.archive}
	w.archive.fail = errors.New("archive full")
	if n, err := d.Drain(t.Context()); err == nil || n != 0 || w.db.state.drained != 0 {
		t.Fatalf("archive fails: %d, %v", n, err)
	}
	w.archive.fail, w.db.fail = nil, errors.New("store full")
	if _, err := d.Drain(t.Context()); err == nil || w.db.state.drained != 0 || len(w.db.state.leaves) != 1200 {
		t.Fatalf("store fails: %v", err)
	}
	if len(w.archive.leaves) != drainEvents {
		t.Fatalf("%d delivered", len(w.archive.leaves))
	}
	w.db.fail = nil
	for _, want := range []int{500, 500, 200, 0} {
		if n := must[int](t)(d.Drain(t.Context())); n != want {
			t.Fatalf("%d instead of %d", n, want)
		}
	}
	if len(w.db.state.leaves) != 0 || w.db.state.drained != 1200 || w.archive.next != 1200 {
		t.Fatalf("%d left, drained %d", len(w.db.state.leaves), w.db.state.drained)
	}
	for seq, raw := range before {
		if string(w.leaf(uint64(seq))) != string(raw) {
			t.Fatalf("event %d changed", seq)
		}
	}
}

// A hole in the outbox is never skipped over.
func TestDrainStopsAtGap(t *testing.T) {
	w := newWorld(t)
	w.grow(5)
	delete(w.db.state.leaves, 2)
	_, err := (&Drainer{DB: w.db, Archive: w.archive}).Drain(t.Context())
	if err == nil || !strings.Contains(err.Error(), "event 2") || w.db.state.drained != 0 {
		t.Errorf("%v", err)
	}
}

func TestDrainBoundsBytes(t *testing.T) {
	w := newWorld(t)
	for range 200 {
		e := w.event(w.n)
		e.Details = Details{"x": strings.Repeat("y", 7000)}
		w.add(e)
	}
	n := must[int](t)((&Drainer{DB: w.db, Archive: w.archive}).Drain(t.Context()))
	if n*7000 > drainBytes+maxLeaf || n < 50 {
		t.Errorf("%d events in a batch", n)
	}
}

func TestDrainerRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.grow(3000)
		var log strings.Builder
		ctx, cancel := context.WithCancel(t.Context())
		d := &Drainer{DB: w.db, Archive: w.archive, Log: slog.New(slog.NewTextHandler(&log, nil))}
		done := make(chan error)
		go func() { done <- d.Run(ctx) }()
		time.Sleep(1100 * time.Millisecond) // behind: batches follow each other
		synctest.Wait()
		if w.db.state.drained != 3000 {
			t.Errorf("drained %d", w.db.state.drained)
		}
		w.archive.fails(errors.New("full"))
		w.grow(1)
		time.Sleep(10 * time.Second)
		w.archive.fails(nil)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if w.db.state.drained != 3001 || !strings.Contains(log.String(), "draining failed") {
			t.Errorf("drained %d; log %s", w.db.state.drained, log.String())
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestDrainerNoticesLostArchive(t *testing.T) {
	w := newWorld(t)
	w.grow(10)
	w.drain()
	var log strings.Builder
	d := &Drainer{DB: w.db, Archive: newMemArchive(), Log: slog.New(slog.NewTextHandler(&log, nil))}
	d.checkArchive(t.Context())
	if !strings.Contains(log.String(), "older than the store") {
		t.Error(log.String())
	}
}

// Two drainers on one outbox would each empty what the other did not archive.
func TestDrainersExcludeEachOther(t *testing.T) {
	w := newWorld(t)
	w.grow(10)
	other := &Drainer{DB: w.db, Archive: newMemArchive()}
	d := &Drainer{DB: w.db, Archive: meddling{w.archive, func() {
		if _, err := other.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		w.grow(5)
	}}}
	if _, err := d.Drain(t.Context()); err == nil || w.db.state.drained != 10 || len(w.db.state.leaves) != 5 {
		t.Errorf("%v, drained %d", err, w.db.state.drained)
	}
}

// meddling is an archive during whose Append something else happens.
type meddling struct {
	Archive
	meanwhile func()
}

func (m meddling) Append(batch []Entry) error {
	m.meanwhile()
	return m.Archive.Append(batch)
}
