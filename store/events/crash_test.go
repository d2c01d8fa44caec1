package events_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/events"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// A child process writes events, drains them and signs checkpoints, on the real
// store and archive, until it is killed, again and again. No event that it
// reported as durable may be gone or another, the chains and the tree must be
// whole, and what is delivered twice must be the same bytes.
func TestKilledWhileDraining(t *testing.T) {
	rounds := 8
	if testing.Short() {
		rounds = 3
	}
	if s := os.Getenv("ONECLAW_CRASH_ROUNDS"); s != "" {
		rounds, _ = strconv.Atoi(s)
	}
	dir := t.TempDir()
	acked := map[uint64]string{}
	again := 0
	for range rounds {
		again += runChild(t, dir, acked)
	}
	h := openHouse(t, dir)
	h.redelivered(t)
	rep := h.hasAll(t, acked)
	t.Logf("%d kills, %d events reported durable of %d, %d delivered twice", rounds, len(acked), rep.Checked, again)
}

// runChild starts the child, collects what it reports, kills it and returns how
// many deliveries the kill before it had left half done.
func runChild(t *testing.T, dir string, acked map[uint64]string) (again int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashChild$", "-test.v")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := false
	failed := readChild(t, out, acked, func(n int) {
		ready, again = true, n
		time.AfterFunc(time.Duration(50+rand.IntN(400))*time.Millisecond, func() { _ = cmd.Process.Kill() })
	})
	_ = cmd.Wait()
	if !ready || failed != "" {
		t.Fatalf("the child failed: %s", failed)
	}
	return again
}

// readChild collects what a child reports until it ends: once, how many
// deliveries it found half done, and then events. It returns what it complains
// of.
func readChild(t *testing.T, out io.Reader, acked map[uint64]string, ready func(again int)) (failed string) {
	t.Helper()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) == 2 && f[0] == "ready":
			again, _ := strconv.Atoi(f[1])
			ready(again)
		case len(f) == 3 && f[0] == "ack" && len(f[2]) == 2*sha256.Size: // or it is cut off
			index, _ := strconv.ParseUint(f[1], 10, 64)
			if old, ok := acked[index]; ok {
				t.Errorf("event %d was reported twice: %s, %s", index, old, f[2])
			}
			acked[index] = f[2]
		case strings.Contains(lines.Text(), "crash_test.go"):
			failed += lines.Text()
		}
	}
	return failed
}

// childDir names the folder to a process that is a child. anchorVar is where the
// anchor is, if it is not in there.
const (
	childDir  = "ONECLAW_EVENTS_CHILD"
	anchorVar = "ONECLAW_EVENTS_ANCHOR"
)

func TestCrashChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("only as a child of TestKilledWhileDraining")
	}
	h := openHouse(t, dir)
	if err := h.log.Checkpoints.CheckAnchor(t.Context()); err != nil {
		t.Fatal(err)
	}
	fmt.Println("ready", h.redelivered(t))
	ctx := t.Context()
	go func() { _ = (&audit.Drainer{DB: h.db, Archive: h.log.Archive, Pause: 5 * time.Millisecond}).Run(ctx) }()
	go func() { _ = h.log.Checkpoints.Run(ctx) }()
	for w := range 4 {
		go func() {
			for n := 0; ; n++ {
				r, err := h.write(ctx, w, n)
				if err != nil {
					t.Error(err)
					return
				}
				fmt.Printf("ack %d %x\n", r.Index, r.Leaf)
			}
		}()
	}
	time.Sleep(time.Minute)
}

// leafHash is RFC 6962's.
func leafHash(leaf []byte) [32]byte { return sha256.Sum256(append([]byte{0}, leaf...)) }

var org = id.ID{1}

// house is what the appliance would have of the audit log.
type house struct {
	db  runner
	log *audit.Log
}

type runner interface {
	View(ctx context.Context, fn func(audit.Tx) error) error
	Update(ctx context.Context, fn func(audit.Tx) error) error
}

func openHouse(t testing.TB, dir string) *house {
	t.Helper()
	path := filepath.Join(dir, "state.db")
	db, err := store.Open(store.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	storeKey := func() plain.Bytes { return plain.New(bytes.Repeat([]byte{9}, store.KeySize)) }
	if _, err := db.Meta(); errors.Is(err, store.ErrEmpty) {
		if err := db.Init(store.Meta{Instance: id.ID{2}, CreatedAt: time.Now().UTC()}, storeKey()); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Unseal(storeKey()); err != nil {
		t.Fatal(err)
	}
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	run := store.Runner[audit.Tx](db)
	return &house{run, &audit.Log{
		DB: run, Archive: open(t, events.Config{Dir: filepath.Join(dir, "events")}),
		Checkpoints: &audit.Checkpointer{
			DB: run, Anchor: fileAnchor(cmp.Or(os.Getenv(anchorVar), filepath.Join(dir, "anchor"))), Instance: id.ID{2}, Events: 50,
			Key: audit.Key{Public: private.Public().(ed25519.PublicKey), Sign: func(_ context.Context, m []byte) ([]byte, error) {
				return ed25519.Sign(private, m), nil
			}},
		},
	}}
}

func (h *house) write(ctx context.Context, w, n int) (r audit.Receipt, err error) {
	err = h.db.Update(ctx, func(tx audit.Tx) error {
		r, err = audit.Append(tx, audit.Event{
			Org: org, Actor: audit.Actor{Type: "agent", ID: id.ID{3}}, Action: audit.SecretRead,
			Resource: audit.Resource{Type: "secret", ID: fmt.Sprintf("%d/%d", w, n)},
			Details:  audit.Details{"path": fmt.Sprintf("%d/%d", w, n)},
		})
		return err
	})
	return r, err
}

// redelivered returns how many events are in the archive and still in the
// outbox, and fails if one differs.
func (h *house) redelivered(t *testing.T) (n int) {
	t.Helper()
	err := h.db.View(t.Context(), func(tx audit.Tx) error {
		drained, err := tx.AuditDrained()
		if err != nil {
			return err
		}
		size, err := tx.AuditSize()
		if err != nil {
			return err
		}
		for seq := drained; seq < size; seq++ {
			archived, err := h.log.Archive.Leaf(seq)
			if err != nil || archived == nil {
				return err
			}
			waiting, err := tx.AuditLeaf(seq)
			if err != nil || !bytes.Equal(archived, waiting) {
				return fmt.Errorf("event %d differs in the archive: %w", seq, err)
			}
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fileAnchor stands for the HSM's memory.
type fileAnchor string

func (f fileAnchor) Anchor(context.Context) ([]byte, error) {
	b, err := os.ReadFile(string(f))
	if os.IsNotExist(err) {
		return nil, nil
	}
	return b, err
}

func (f fileAnchor) SetAnchor(_ context.Context, b []byte) error {
	if err := os.WriteFile(string(f)+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(string(f)+".new", string(f))
}
