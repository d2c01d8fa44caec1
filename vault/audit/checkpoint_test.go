package audit

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/oneclaw/oneclawd/internal/id"
)

// The note is a c2sp tlog-checkpoint that other software opens with the pinned
// key alone.
func TestCheckpointText(t *testing.T) {
	w := newWorld(t)
	w.grow(300)
	cp := w.checkpoint()
	v := must[note.Verifier](t)(note.NewVerifier(w.vkey))
	n := must[*note.Note](t)(note.Open(cp.Note, note.VerifierList(v)))
	want := fmt.Sprintf("oneclawd/%s\n300\n%s\ntime 2026-03-01T12:00:00Z\n",
		w.log.Checkpoints.Instance, base64.StdEncoding.EncodeToString(cp.Root[:]))
	if n.Text != want {
		t.Errorf("%q", n.Text)
	}
	if !strings.HasPrefix(w.vkey, Origin(w.log.Checkpoints.Instance)+"+") || strings.ContainsAny(w.vkey, " \n") {
		t.Errorf("verifier key %q", w.vkey)
	}
	again := must[Checkpoint](t)(OpenCheckpoint(cp.Note, w.vkey+"\n"))
	if again.Size != 300 || again.Root != cp.Root || !again.Time.Equal(w.now) {
		t.Errorf("%+v", again)
	}
}

func TestOpenCheckpointRefuses(t *testing.T) {
	w := newWorld(t)
	w.grow(3)
	cp := w.checkpoint()
	other := newWorld(t)
	text := string(cp.Note)
	resign := func(text string) string {
		k := w.log.Checkpoints.Key
		v := must[note.Verifier](t)(note.NewVerifier(w.vkey))
		return string(must[[]byte](t)(note.Sign(&note.Note{Text: text}, signer{v, t.Context(), k})))
	}
	body, _, _ := strings.Cut(text, "\n\n")
	body += "\n"
	if resign(body) != text {
		t.Fatal("the test does not sign as the appliance does")
	}
	for name, s := range map[string]string{
		"nothing":      "",
		"size":         strings.Replace(text, "\n3\n", "\n4\n", 1),
		"unsigned":     body,
		"leading zero": resign(strings.Replace(body, "\n3\n", "\n03\n", 1)),
		"negative":     resign(strings.Replace(body, "\n3\n", "\n-3\n", 1)),
		"too large":    resign(strings.Replace(body, "\n3\n", "\n9223372036854775808\n", 1)),
		"root":         resign(strings.Replace(body, "\n3\n", "\n3\nAA", 1)),
		"more lines":   resign(body + "more\n"),
		"no time":      resign(strings.Replace(body, "time ", "", 1)),
		"other origin": resign("else\n" + strings.SplitN(body, "\n", 2)[1]),
	} {
		if _, err := OpenCheckpoint([]byte(s), w.vkey); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OpenCheckpoint(cp.Note, other.vkey); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("another's key: %v", err)
	}
	if _, err := OpenCheckpoint(cp.Note, "x"); !errors.Is(err, errVerifierKey) {
		t.Errorf("no key: %v", err)
	}
}

func TestCheckpointOnlyWhenGrown(t *testing.T) {
	w := newWorld(t)
	signed := 0
	sign := w.log.Checkpoints.Key.Sign
	w.log.Checkpoints.Key.Sign = func(ctx context.Context, m []byte) ([]byte, error) {
		signed++
		return sign(ctx, m)
	}
	w.grow(2)
	a, b := w.checkpoint(), w.checkpoint()
	if string(a.Note) != string(b.Note) || signed != 1 {
		t.Errorf("signed %d times", signed)
	}
	w.grow(1)
	if c := w.checkpoint(); c.Size != 3 || signed != 2 {
		t.Errorf("%d, signed %d times", c.Size, signed)
	}
}

// A module that signs wrongly, or not at all, leaves no checkpoint behind.
func TestCheckpointSignatureIsVerified(t *testing.T) {
	w := newWorld(t)
	w.grow(2)
	for _, sign := range []func(context.Context, []byte) ([]byte, error){
		func(context.Context, []byte) ([]byte, error) { return make([]byte, ed25519.SignatureSize), nil },
		func(context.Context, []byte) ([]byte, error) { return nil, errors.New("gone") },
	} {
		w.log.Checkpoints.Key.Sign = sign
		if _, err := w.log.Checkpoint(t.Context()); err == nil || w.db.state.checkpoint != nil || w.anchor.bytes != nil {
			t.Errorf("%v", err)
		}
	}
}

// A crash between keeping a checkpoint and anchoring it is made good.
func TestCheckpointAnchorsLater(t *testing.T) {
	w := newWorld(t)
	w.grow(5)
	w.checkpoint()
	w.grow(5)
	w.anchor.fail = errors.New("HSM gone")
	if _, err := w.log.Checkpoint(t.Context()); err == nil {
		t.Fatal("no error")
	}
	w.anchor.fail = nil
	w.restart(w.db)
	w.must(w.log.Checkpoints.CheckAnchor(t.Context()))
	w.checkpoint()
	if a := must[*Checkpoint](t)(readAnchor(t.Context(), w.anchor)); a.Size != 10 {
		t.Errorf("anchor at %d", a.Size)
	}
}

// An older store put back, a cut tail, another history of the same length and
// another instance's store are all refused, and never re-anchored silently.
func TestRollbackIsNoticed(t *testing.T) {
	w := newWorld(t)
	w.grow(100)
	w.checkpoint()
	yesterday := w.db.snapshot()
	w.grow(50)
	w.must(w.log.Checkpoints.CheckAnchor(t.Context())) // grown since: no rollback
	w.checkpoint()
	today := w.db.snapshot()

	fork := yesterday.snapshot()
	w.db, w.n = fork, 100
	w.grow(50)
	short := today.snapshot()
	short.state.size = 149
	damaged := today.snapshot()
	damaged.state.tiles[tileKey{}] = nil

	for name, db := range map[string]*memDB{"older": yesterday, "forked": fork, "shortened": short, "damaged": damaged, "empty": newMemDB()} {
		w.restart(db)
		err := w.log.Checkpoints.CheckAnchor(t.Context())
		if !errors.Is(err, ErrRolledBack) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := w.log.Checkpoint(t.Context()); !errors.Is(err, ErrRolledBack) {
			t.Errorf("%s: checkpoint %v", name, err)
		}
	}
	w.restart(yesterday)
	if err := w.log.Checkpoints.CheckAnchor(t.Context()); !strings.Contains(err.Error(), "holds 100 audit events, but the HSM remembers 150") {
		t.Errorf("unclear: %v", err)
	}
	w.rewire(today, id.New())
	if err := w.log.Checkpoints.CheckAnchor(t.Context()); !errors.Is(err, ErrRolledBack) {
		t.Errorf("another instance: %v", err)
	}
}

// An operator who restored a backup says so, and the log says that he did.
func TestAcceptRollback(t *testing.T) {
	w := newWorld(t)
	w.grow(10)
	w.checkpoint()
	old := w.db.snapshot()
	w.grow(10)
	w.checkpoint()
	w.restart(old)
	e := w.event(0)
	e.Action = ApplianceAcceptRollback
	cp := must[Checkpoint](t)(w.log.Checkpoints.Accept(t.Context(), e))
	if cp.Size != 11 {
		t.Fatalf("size %d", cp.Size)
	}
	w.restart(old)
	w.must(w.log.Checkpoints.CheckAnchor(t.Context()))
	if rep := must[*Report](t)(w.log.Verify(t.Context(), Scope{Everyone: true})); !rep.OK() {
		t.Errorf("%+v", rep.Problems)
	}
}

func TestCheckpointerRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		cp := w.log.Checkpoints
		cp.Now, cp.Events, cp.Interval = nil, 50, time.Minute
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- cp.Run(ctx) }()
		size := func() uint64 {
			synctest.Wait()
			if w.db.state.checkpoint == nil {
				return 0
			}
			return must[Checkpoint](t)(OpenCheckpoint(w.db.state.checkpoint, w.vkey)).Size
		}
		w.grow(1)
		time.Sleep(1100 * time.Millisecond)
		if n := size(); n != 1 { // the first at once: nothing was anchored yet
			t.Errorf("at start: %d", n)
		}
		w.grow(10)
		time.Sleep(5 * time.Second)
		if n := size(); n != 1 {
			t.Errorf("too early: %d", n)
		}
		w.grow(40)
		time.Sleep(1100 * time.Millisecond)
		if n := size(); n != 51 {
			t.Errorf("after 50 events: %d", n)
		}
		w.grow(1)
		time.Sleep(62 * time.Second)
		if n := size(); n != 52 {
			t.Errorf("after a minute: %d", n)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestCoveringCheckpoint: what was logged before a checkpoint was asked for is under it,
// so that a receipt can be proved at once; and however many ask, the HSM signs at most
// once a second.
func TestCoveringCheckpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.log.Checkpoints.Now = time.Now
		signed := 0
		sign := w.log.Checkpoints.Key.Sign
		w.log.Checkpoints.Key.Sign = func(ctx context.Context, m []byte) ([]byte, error) {
			signed++ // under the checkpointer's lock
			return sign(ctx, m)
		}
		w.grow(3)
		began := time.Now()
		if cp := must[Checkpoint](t)(w.log.CoveringCheckpoint(t.Context())); cp.Size != 3 || time.Since(began) != 0 {
			t.Errorf("the first covers %d after %v", cp.Size, time.Since(began))
		}
		time.Sleep(300 * time.Millisecond)
		if must[Checkpoint](t)(w.log.CoveringCheckpoint(t.Context())); signed != 1 || time.Since(began) != 300*time.Millisecond {
			t.Errorf("a log that did not grow: signed %d times, after %v", signed, time.Since(began))
		}
		var asking sync.WaitGroup
		for n := range uint64(5) {
			w.grow(1)
			asking.Go(func() {
				cp, err := w.log.CoveringCheckpoint(t.Context())
				if err != nil || cp.Size < 4+n {
					t.Errorf("covers %d of %d: %v", cp.Size, 4+n, err)
				}
			})
			synctest.Wait()
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := w.log.CoveringCheckpoint(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("who does not wait: %v", err)
		}
		asking.Wait()
		if signed != 2 || time.Since(began) != time.Second {
			t.Errorf("signed %d times, after %v", signed, time.Since(began))
		}
		w.log.Checkpoints.Now = func() time.Time { return began.Add(-time.Hour) }
		w.grow(1)
		if must[Checkpoint](t)(w.log.CoveringCheckpoint(t.Context())); time.Since(began) != time.Second {
			t.Errorf("a clock that was set back makes them wait until %v", time.Since(began))
		}
	})
}
