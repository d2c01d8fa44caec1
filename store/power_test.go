package store

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/cutfs"
	"github.com/oneclaw/oneclawd/internal/cutfs/cutfstest"
)

// cuts is how often the power goes: ONECLAW_CUTS, or 50 times.
func cuts(t *testing.T) int {
	t.Helper()
	n, err := 50, error(nil)
	if testing.Short() {
		n = 5
	}
	if text := os.Getenv("ONECLAW_CUTS"); text != "" {
		if n, err = strconv.Atoi(text); err != nil || n < 1 {
			t.Fatalf("ONECLAW_CUTS=%q is not a number", text)
		}
	}
	return n
}

// The power is cut at a random instant, again and again: what was acknowledged
// is there, no update is there by half, and the file is whole.
func TestPowerCut(t *testing.T) {
	var d *cutfstest.Disk
	var acked [crashWorkers]int
	total := 0
	for round := range cuts(t) {
		if round%50 == 0 { // each check reads all there is
			d, acked = cutfstest.New(t), [crashWorkers]int{}
		}
		total += writeUntilCut(t, d, d.Mount(nil), &acked, time.Duration(rand.IntN(40))*time.Millisecond)
		d.Unmount()
		checkAfterCrash(t, filepath.Join(d.Backing, "state.db"), acked)
	}
	t.Logf("%d updates acknowledged", total)
	if total == 0 {
		t.Error("nothing was acknowledged")
	}
}

// never is for cuts that a sync makes.
const never = time.Duration(-1)

// writeUntilCut runs a writer on the disk until the power is cut: after the
// first acknowledgement and a while, or by the disk itself. It returns how many
// updates were acknowledged.
func writeUntilCut(t *testing.T, d *cutfstest.Disk, power *cutfs.FS, acked *[crashWorkers]int, while time.Duration) (total int) {
	t.Helper()
	cmd := child(t, "write", filepath.Join(d.Dir, "state.db"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		<-power.Down()
		_ = cmd.Process.Kill()
	}()
	in := bufio.NewScanner(out)
	for first := true; in.Scan(); first = false {
		if first && while != never {
			time.AfterFunc(while, power.Cut)
		}
		var w, n int
		if c, err := fmt.Sscanf(in.Text(), "%d %d", &w, &n); c == 2 && err == nil {
			acked[w] = max(acked[w], n)
			total++
		}
	}
	_ = cmd.Wait()
	select {
	case <-power.Down():
	default:
		t.Error("the writer ended before the power was cut")
		power.Cut()
	}
	return total
}

// The same around each of the first syncs, in a folder that is new, where the
// file has to be made, and in one that is not. bbolt syncs twice a commit: the
// pages, and then the meta page that points to them.
func TestPowerCutAtSync(t *testing.T) {
	for _, used := range []bool{false, true} {
		for n := 1; n <= 9; n++ {
			for _, verdict := range []cutfs.Verdict{cutfs.CutBefore, cutfs.CutAfter} {
				when := map[cutfs.Verdict]string{cutfs.CutBefore: "before", cutfs.CutAfter: "after"}[verdict]
				t.Run(fmt.Sprintf("used=%v/%s %d", used, when, n), func(t *testing.T) { cutAtSync(t, used, n, verdict) })
			}
		}
	}
}

// A file of which the power cut left half would be refused by every later start.
func TestPowerCutWhileMakingTheFile(t *testing.T) {
	for range 20 {
		cutAtSync(t, false, 1, cutfs.CutBefore)
	}
}

// cutAtSync cuts the power at the n-th sync of a writer.
func cutAtSync(t *testing.T, used bool, n int, verdict cutfs.Verdict) {
	t.Helper()
	d := cutfstest.New(t)
	path := filepath.Join(d.Backing, "state.db")
	var acked [crashWorkers]int
	if used {
		db := openAt(t, path)
		put(t, db, "a", thing{"before", 1})
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	syncs := 0
	power := d.Mount(func(cutfs.Sync) cutfs.Verdict {
		if syncs++; syncs == n {
			return verdict
		}
		return cutfs.Done
	})
	writeUntilCut(t, d, power, &acked, never)
	d.Unmount()
	db := openAt(t, path) // as the daemon would, which makes it if need be
	if used && get(t, db, "a").N != 1 {
		t.Error("what was there before is gone")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	checkAfterCrash(t, path, acked)
}

// Without syncs the same checks fail, nearly every time: they see what a cut
// does.
func TestPowerCutIsSeen(t *testing.T) {
	const rounds = 10
	caught := 0
	for range rounds {
		d := cutfstest.New(t)
		var acked [crashWorkers]int
		writeUntilCut(t, d, d.Mount(nil), &acked, 5*time.Millisecond)
		d.Unmount()
		power := d.Mount(func(cutfs.Sync) cutfs.Verdict { return cutfs.Swallowed })
		writeUntilCut(t, d, power, &acked, 20*time.Millisecond)
		d.Unmount()
		// Not in this process: a map of a damaged file may end it.
		judge := child(t, "judge", filepath.Join(d.Backing, "state.db"))
		text, err := json.Marshal(acked)
		if err != nil {
			t.Fatal(err)
		}
		judge.Stdin = strings.NewReader(string(text))
		if out, err := judge.CombinedOutput(); err != nil {
			t.Logf("caught: %.200s", out)
			caught++
		}
	}
	t.Logf("%d of %d rounds caught", caught, rounds)
	if caught == 0 {
		t.Error("a store that syncs nothing passes")
	}
}

// childJudge ends with an error if the file has not what was acknowledged.
func childJudge(path string) {
	var acked [crashWorkers]int
	text, err := io.ReadAll(os.Stdin)
	if err := errors.Join(err, json.Unmarshal(text, &acked)); err != nil {
		fatal(err)
	}
	db, err := openChild(Config{Path: path})
	if err != nil {
		fatal(err)
	}
	if err := checkAcked(db, acked); err != nil {
		fatal(err)
	}
	os.Exit(0)
}
