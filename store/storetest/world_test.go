package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// failing is a test that keeps what it fails with.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// saidBy is what fn fails a test with.
func saidBy(w storetest.World, fn func(w *storetest.World)) string {
	f := &failing{TB: w.TB}
	w.TB = f
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn(&w)
	}()
	<-done
	return f.said
}

func write(w *storetest.World, reason string) {
	w.Commit(func(tx *store.Tx) error {
		return audit.Write(context.Background(), tx, audit.Event{Org: id.New(), Actor: audit.Actor{Type: "user"}, Action: audit.SecretRead, Outcome: audit.Refused, Reason: reason, Time: w.Clock.Now()})
	})
}

func TestWorldSeesTheLogAndFailsWhatDiffers(t *testing.T) {
	w := storetest.NewWorld(t)
	write(&w, "before")
	got := w.Logs("secret.read refused no_scopes", func() { write(&w, "no_scopes") })
	if len(got) != 1 || got[0].Reason != "no_scopes" || w.Size() != 2 {
		t.Errorf("got %v", got)
	}
	w.Reopen()
	if all := w.Events(0); len(all) != 2 || all[0].Reason != "before" {
		t.Errorf("after a restart: %v", all)
	}
	for want, fn := range map[string]func(w *storetest.World){
		"audit log":           func(w *storetest.World) { w.Logs("secret.write success", func() { write(w, "x") }) },
		"audit log: got \"\"": func(w *storetest.World) { w.Logs("secret.write success", func() {}) },
		"got error":           func(w *storetest.World) { w.Is(nil, store.ErrFull) },
		"unexpected":          func(w *storetest.World) { w.OK(errors.New("no")) },
	} {
		if said := saidBy(w, fn); !strings.Contains(said, want) {
			t.Errorf("want a failure with %q, got %q", want, said)
		}
	}
}
