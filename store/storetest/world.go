package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/clocktest"
	"github.com/oneclaw/oneclawd/store"
)

// World is what tests of services begin with: a store beside the services, a clock, and
// what a call left in the audit log.
type World struct {
	testing.TB
	Ctx   context.Context
	Store *store.DB
	Clock *clocktest.Clock
}

// NewWorld is one with an empty store, at noon.
func NewWorld(t testing.TB) World {
	t.Helper()
	return World{TB: t, Ctx: t.Context(), Store: Open(t), Clock: clocktest.At(clocktest.Noon)}
}

// Reopen is what a restart does to the store.
func (w *World) Reopen() {
	w.Helper()
	w.Store = Reopen(w, w.Store)
}

// Commit changes the store beside the services.
func (w *World) Commit(fn func(*store.Tx) error) {
	w.Helper()
	w.OK(store.Runner[*store.Tx](w.Store).Update(w.Ctx, fn))
}

// Inspect looks at the store. It may do so when the test's own context is over.
func (w *World) Inspect(fn func(*store.Tx) error) {
	w.Helper()
	w.OK(store.Runner[*store.Tx](w.Store).View(context.WithoutCancel(w.Ctx), fn))
}

// OK ends the test on an error.
func (w *World) OK(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("unexpected: %v", err)
	}
}

// Is wants err to be want; nil wants none.
func (w *World) Is(err, want error) {
	w.Helper()
	if (err == nil) != (want == nil) || !errors.Is(err, want) {
		w.Fatalf("got error %v, want %v", err, want)
	}
}

// Equal wants two values to be written alike.
func Equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if a, b := fmt.Sprintf("%v", got), fmt.Sprintf("%v", want); a != b {
		t.Fatalf("%s: got %s, want %s", what, a, b)
	}
}

// Unchanged wants what state says to be the same after fn.
func (w *World) Unchanged(state func() string, fn func()) {
	w.Helper()
	before := state()
	fn()
	if after := state(); after != before {
		w.Fatal("something changed: " + firstDifference(before, after))
	}
}

// firstDifference shows two lines of the first place where texts differ.
func firstDifference(a, b string) string {
	before, after := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(before), len(after)) {
		if before[i] != after[i] {
			return fmt.Sprintf("line %d: %s, before %s", i, after[i], before[i])
		}
	}
	return fmt.Sprintf("%d lines, before %d", len(after), len(before))
}
