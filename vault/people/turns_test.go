package people

import (
	"context"
	"errors"
	"testing"

	"github.com/oneclaw/oneclawd/vault/identity"
)

// Attempts on one account wait for each other, but not in any number.
func TestAttemptsQueueInABoundedLine(t *testing.T) {
	line := newTurns()
	first, err := line.take(t.Context(), "ann@example.org")
	if err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan error)
	for range turnsWaiting {
		go func() {
			_, err := line.take(ctx, "ann@example.org")
			ended <- err
		}()
	}
	place := &line.place[0]
	for i := range line.place {
		if line.place[i].in.Load() > 0 {
			place = &line.place[i]
		}
	}
	for place.in.Load() != 1+turnsWaiting {
		select {
		case err := <-ended:
			t.Fatal(err)
		default:
		}
	}
	if _, err := line.take(t.Context(), "ann@example.org"); !errors.Is(err, identity.ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	leave()
	for range turnsWaiting {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("who left: %v", err)
		}
	}
	first()
	again, err := line.take(t.Context(), "ann@example.org")
	if err != nil {
		t.Fatalf("nobody is there, and still: %v", err)
	}
	again()
	if place.in.Load() != 0 {
		t.Error("somebody is still counted")
	}
}
