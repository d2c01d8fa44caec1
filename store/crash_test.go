package store

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// A writer is killed again and again: what it acknowledged is there, and no
// update is there by half.
func TestKilledWriterLosesNothing(t *testing.T) {
	rounds := 50
	if testing.Short() {
		rounds = 5
	}
	path := filepath.Join(t.TempDir(), "state.db")
	var acked [crashWorkers]int
	total := 0
	for round := range rounds {
		cmd := child(t, "write", path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.Duration(rand.IntN(60)) * time.Millisecond
		in := bufio.NewScanner(out)
		for first := true; in.Scan(); first = false {
			if first {
				if round == 0 {
					refusedWhileRunning(t, path, cmd.Process.Pid)
				}
				time.AfterFunc(kill, func() { _ = cmd.Process.Kill() })
			}
			var w, n int
			// The last line may be cut off by the kill; then it is no promise.
			if c, err := fmt.Sscanf(in.Text(), "%d %d", &w, &n); c == 2 && err == nil {
				acked[w] = max(acked[w], n)
				total++
			}
		}
		_ = cmd.Wait()
		checkAfterCrash(t, path, acked)
	}
	t.Logf("%d updates acknowledged in %d lives", total, rounds)
}

func refusedWhileRunning(t *testing.T, path string, pid int) {
	t.Helper()
	_, err := open(Config{Path: path}, testLayout)
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), fmt.Sprint("pid ", pid)) {
		t.Errorf("a second process: %v, and the first is %d", err, pid)
	}
}

func checkAfterCrash(t *testing.T, path string, acked [crashWorkers]int) {
	t.Helper()
	if err := CheckFile(path); err != nil {
		t.Fatal(err)
	}
	boltCheck(t, path)
	db := openAt(t, path)
	defer db.Close()
	if err := checkAcked(db, acked); err != nil {
		t.Fatal(err)
	}
}

// checkAcked looks for what each worker was told is there, and for halves.
func checkAcked(db *DB, acked [crashWorkers]int) error {
	return db.view(bg, func(tx *Tx) error {
		for w := range crashWorkers {
			c, _, err := things.get(tx, counterKey(w))
			if err != nil || c.N < acked[w] {
				return fmt.Errorf("worker %d: %d acknowledged, %d kept: %w", w, acked[w], c.N, err)
			}
			for i := max(1, c.N-200); i <= c.N+1; i++ {
				l, _, err := things.get(tx, crashKey("left", w, i))
				r, there, err2 := things.get(tx, crashKey("right", w, i))
				if err := errors.Join(err, err2); err != nil || l != r || there != (i <= c.N) {
					return fmt.Errorf("worker %d, update %d of %d: %v and %v: %w", w, i, c.N, l, r, err)
				}
			}
		}
		return nil
	})
}

// boltCheck is bbolt's own opinion.
func boltCheck(t *testing.T, path string) {
	t.Helper()
	b, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	_ = b.View(func(tx *bolt.Tx) error {
		for err := range tx.Check() {
			t.Error(err)
		}
		return nil
	})
}
