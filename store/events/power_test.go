package events_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/cutfs"
	"github.com/oneclaw/oneclawd/internal/cutfs/cutfstest"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// powered is a log on a disk with power cuts, and what its writers were told is
// durable. The anchor is elsewhere, as the memory of an HSM is.
type powered struct {
	t      *testing.T
	disk   *cutfstest.Disk
	anchor string
	acked  map[uint64]string
}

func newPowered(t *testing.T) *powered {
	return &powered{t: t, disk: cutfstest.New(t), anchor: filepath.Join(t.TempDir(), "anchor"), acked: map[uint64]string{}}
}

func (p *powered) child(test, dir string, env ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), append(env, childDir+"="+dir, anchorVar+"="+p.anchor)...)
	return cmd
}

// run lets a child write until the power is cut: a while after it is ready, or
// by the disk itself if while is negative.
func (p *powered) run(while time.Duration, onSync func(cutfs.Sync) cutfs.Verdict) {
	p.t.Helper()
	power := p.disk.Mount(onSync)
	cmd := p.child("TestCrashChild", p.disk.Dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		<-power.Down()
		_ = cmd.Process.Kill()
	}()
	failed := readChild(p.t, out, p.acked, func(int) {
		if while >= 0 {
			time.AfterFunc(while, power.Cut)
		}
	})
	_ = cmd.Wait()
	select {
	case <-power.Down(): // what it complained of may be just that
	default:
		p.t.Errorf("the child ended before the power was cut: %s", failed)
		power.Cut()
	}
	p.disk.Unmount()
}

const (
	judgeAcked = "ONECLAW_EVENTS_ACKED"
	judgedFine = "judged: fine"
)

// judge has a process look at what is on the disk, which may be the end of it.
// It returns "" or what is wrong.
func (p *powered) judge() string {
	p.t.Helper()
	text, err := json.Marshal(p.acked)
	if err != nil {
		p.t.Fatal(err)
	}
	acked := filepath.Join(p.t.TempDir(), "acked")
	if err := os.WriteFile(acked, text, 0o600); err != nil {
		p.t.Fatal(err)
	}
	out, _ := p.child("TestPowerJudge", p.disk.Backing, judgeAcked+"="+acked).CombinedOutput()
	if strings.Contains(string(out), judgedFine) {
		return ""
	}
	return "judged: " + string(out)
}

func TestPowerJudge(t *testing.T) {
	if os.Getenv(judgeAcked) == "" {
		t.Skip("only as a child")
	}
	text, err := os.ReadFile(os.Getenv(judgeAcked))
	if err != nil {
		t.Fatal(err)
	}
	acked := map[uint64]string{}
	if err := json.Unmarshal(text, &acked); err != nil {
		t.Fatal(err)
	}
	h := openHouse(t, os.Getenv(childDir))
	if err := h.log.Checkpoints.CheckAnchor(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.redelivered(t)
	h.hasAll(t, acked)
	fmt.Println(judgedFine)
	// In order, the files would be left tidier than the power cut left them.
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

// hasAll: each event that was durable is there, and the log holds.
func (h *house) hasAll(t *testing.T, acked map[uint64]string) *audit.Report {
	t.Helper()
	for index, leaf := range acked {
		raw, err := h.log.Leaf(t.Context(), org, index)
		if err != nil || fmt.Sprintf("%x", leafHash(raw)) != leaf {
			t.Fatalf("event %d, which was durable: %v", index, err)
		}
	}
	rep, err := h.log.Verify(t.Context(), audit.Scope{Everyone: true})
	if err != nil || !rep.OK() || rep.Checked < uint64(len(acked)) {
		t.Fatalf("%+v, %v", rep, err)
	}
	return rep
}

func powerRounds(t *testing.T, n int) int {
	t.Helper()
	if testing.Short() {
		n = 3
	}
	if text := os.Getenv("ONECLAW_CUTS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 {
			t.Fatalf("ONECLAW_CUTS=%q is not a number", text)
		}
	}
	return n
}

// The power is cut at a random instant while events are written, drained into
// the archive and sealed with checkpoints, again and again.
func TestPowerCut(t *testing.T) {
	var p *powered
	rounds := powerRounds(t, 12)
	total := 0
	for round := range rounds {
		if round%30 == 0 { // each check reads all there is
			p = newPowered(t)
		}
		p.run(time.Duration(rand.IntN(150))*time.Millisecond, nil)
		if wrong := p.judge(); wrong != "" {
			t.Fatal(wrong)
		}
		total += len(p.acked)
		clear(p.acked) // of these, verifying the log tells from now on
	}
	t.Logf("%d cuts, %d events reported durable", rounds, total)
	if total == 0 {
		t.Error("nothing was reported")
	}
}

// cutAt cuts the power at the n-th sync, of those that are meant.
func cutAt(n int, verdict cutfs.Verdict, meant func(name string) bool) func(cutfs.Sync) cutfs.Verdict {
	return func(s cutfs.Sync) cutfs.Verdict {
		if meant(s.Name) {
			if n--; n == 0 {
				return verdict
			}
		}
		return cutfs.Done
	}
}

var bothSides = []struct {
	name    string
	verdict cutfs.Verdict
}{{"before", cutfs.CutBefore}, {"after", cutfs.CutAfter}}

// The power is cut at each of the syncs that make a new log.
func TestPowerCutWhileMaking(t *testing.T) {
	for n := 1; n <= 14; n++ {
		for _, side := range bothSides {
			t.Run(fmt.Sprint(side.name, " ", n), func(t *testing.T) {
				p := newPowered(t)
				p.run(-1, cutAt(n, side.verdict, func(string) bool { return true }))
				if wrong := p.judge(); wrong != "" {
					t.Error(wrong)
				}
			})
		}
	}
}

// The power is cut around the syncs of what moves events out of the store: the
// append to the archive, and the commit behind it that forgets them.
func TestPowerCutWhileDraining(t *testing.T) {
	suffix := func(end string) func() func(string) bool {
		return func() func(string) bool {
			return func(name string) bool { return strings.HasSuffix(name, end) }
		}
	}
	afterAppend := func() func(string) bool {
		appended := false
		return func(name string) bool {
			appended = appended || strings.HasSuffix(name, ".mem")
			return appended && name == "state.db"
		}
	}
	for _, c := range []struct {
		name  string
		n     int
		meant func() func(string) bool
	}{
		{"a sync of the store's pages", 1, suffix("state.db")},
		{"a sync of the store's meta page", 2, suffix("state.db")},
		{"an append's sync, of the archive's tail", 1, suffix(".mem")},
		{"a later one", 3, suffix(".mem")},
		{"the archive's value log", 1, suffix(".vlog")},
		{"the archive's new table", 1, suffix(".sst")},
		{"the archive's manifest", 1, suffix("MANIFEST")},
		{"the pages of a commit after an append", 1, afterAppend},
		{"the meta page of a commit after an append", 2, afterAppend},
		{"a commit later", 4, afterAppend},
	} {
		for _, side := range bothSides {
			t.Run(side.name+" "+c.name, func(t *testing.T) {
				p := newPowered(t)
				// The start after this has a tail to make a table of.
				p.run(-1, cutAt(4, cutfs.CutAfter, suffix(".mem")()))
				p.run(-1, cutAt(c.n, side.verdict, c.meant()))
				if wrong := p.judge(); wrong != "" {
					t.Error(wrong)
				}
			})
		}
	}
}

// Without the archive's syncs, or without any, the same checks fail: they see
// what a cut does.
func TestPowerCutIsSeen(t *testing.T) {
	const rounds = 5
	for name, meant := range map[string]func(string) bool{
		"archive": func(name string) bool { return !strings.HasPrefix(name, "state.db") },
		"all":     func(string) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			caught := 0
			for range rounds {
				p := newPowered(t)
				p.run(20*time.Millisecond, nil)
				p.run(150*time.Millisecond, func(s cutfs.Sync) cutfs.Verdict {
					if meant(s.Name) {
						return cutfs.Swallowed
					}
					return cutfs.Done
				})
				if wrong := p.judge(); wrong != "" {
					t.Logf("caught: %.300s", wrong)
					caught++
				}
			}
			t.Logf("%d of %d rounds caught", caught, rounds)
			if caught == 0 {
				t.Error("a log that syncs nothing passes")
			}
		})
	}
}
