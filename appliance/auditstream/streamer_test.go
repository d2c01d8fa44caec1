package auditstream_test

import (
	"context"
	"errors"
	"testing"

	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// Every event arrives in order, from the first, and again only after a failure;
// the cursor is where it was when the store comes back.
func TestStreamer(t *testing.T) {
	w := newWorld(t)
	w.happens(2500) // more than one batch
	sink := &taken{fail: 2}
	s := w.streamer("file", sink)
	if lag, err := s.Lag(t.Context()); err != nil || lag != 2500 {
		t.Errorf("a lag of %d, %v", lag, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	settled := func() bool { lag, err := s.Lag(t.Context()); return err == nil && lag == 0 }
	eventually(t, "all sent", settled)
	w.happens(10)
	eventually(t, "sent what came later", settled)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	all := sink.indexes()
	inSequence(t, all, 2510)
	if len(all) != 2510+2*512 {
		t.Errorf("%d were sent, want each once and half a batch twice more", len(all))
	}

	w.db = storetest.Reopen(t, w.db)
	w.log.DB = store.Runner[audit.Tx](w.db)
	again := &taken{}
	s = w.streamer("file", again)
	if _, err := s.Step(t.Context()); err != nil || len(again.indexes()) != 0 {
		t.Errorf("after a restart %v, %v", again.indexes(), err)
	}
	w.happens(1)
	if _, err := s.Step(t.Context()); err != nil || len(again.indexes()) != 1 || again.indexes()[0] != 2510 {
		t.Errorf("after a restart %v, %v", again.indexes(), err)
	}
	other := &taken{}
	if more, err := w.streamer("syslog", other).Step(t.Context()); err != nil || !more || len(other.indexes()) != 1024 {
		t.Errorf("another sink has its own cursor: %d, %t, %v", len(other.indexes()), more, err)
	}
}

// Two streamers of one sink do not push its cursor back and forth.
func TestTwoStreamers(t *testing.T) {
	w := newWorld(t)
	w.happens(3)
	first := w.streamer("file", &taken{})
	inner := &taken{}
	second := w.streamer("file", sinkFunc(func(ctx context.Context) error {
		_, err := first.Step(ctx)
		return err
	}))
	if _, err := second.Step(t.Context()); err == nil {
		t.Error("both moved the cursor")
	}
	if more, err := w.streamer("file", inner).Step(t.Context()); more || err != nil || len(inner.indexes()) != 0 {
		t.Errorf("%v %v", inner.indexes(), err)
	}
}

// Who stops in order sends nothing twice: what was taken counts, though the end
// came meanwhile.
func TestStopInOrder(t *testing.T) {
	w := newWorld(t)
	w.happens(3)
	ctx, cancel := context.WithCancel(t.Context())
	s := w.streamer("file", sinkFunc(func(context.Context) error {
		cancel()
		return nil
	}))
	if err := s.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if lag, err := s.Lag(t.Context()); err != nil || lag != 0 {
		t.Errorf("a lag of %d, %v", lag, err)
	}
}
