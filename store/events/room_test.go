package events_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/store/events"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// tmpfs mounts a small file system of its own.
func tmpfs(t *testing.T, size string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "mode=0700,size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		if slices.Contains(strings.Split(os.Getenv("ONECLAW_REQUIRE"), ","), "tmpfs") {
			t.Fatalf("mounting a tmpfs: %s", out)
		}
		t.Skipf("mounting a tmpfs: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return dir
}

// fill leaves no byte free in dir and returns the file that took them.
func fill(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(dir, "filler")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size >= 1; size >>= 4 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	return name
}

const perBatch = 100

// random are events that do not compress, of 100 kB in all, the same for the same
// numbers.
func random(from uint64) []audit.Entry {
	out := entries(from, from+perBatch)
	for i := range out {
		r := rand.New(rand.NewPCG(out[i].Seq, 0))
		out[i].Leaf = make([]byte, 1000)
		for j := range out[i].Leaf {
			out[i].Leaf[j] = byte(r.Uint32())
		}
	}
	return out
}

func hasAll(t *testing.T, a *events.Archive, all []audit.Entry) {
	t.Helper()
	for _, e := range all {
		if raw, err := a.Leaf(e.Seq); err != nil || !bytes.Equal(raw, e.Leaf) {
			t.Fatalf("event %d of %d: %d bytes, %v", e.Seq, len(all), len(raw), err)
		}
	}
}

// A disk that is full takes no events and lets the archive close and open, with
// all that it took, or says why not, and goes on when there is space. Who loses the
// race for the last bytes (see the package) ends, and has lost nothing. Each step
// is a process, as an archive that closes without a flush needs another to open it.
func TestFullDisk(t *testing.T) {
	disk := tmpfs(t, "96m")
	taken := 0
	for range 3 {
		taken += strings.Count(process(t, "TestFullDiskFills", disk, taken), took)
		process(t, "TestFullDiskStays", disk, taken)
		if err := os.Remove(filepath.Join(disk, "filler")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if taken < 6 {
		t.Errorf("only %d batches were taken", taken)
	}
	hasAll(t, open(t, events.Config{Dir: filepath.Join(disk, "events")}), batches(taken))
}

// took is what a process says when it has been promised a batch.
const took = "a batch was taken\n"

const (
	fullDir   = "ONECLAW_EVENTS_FULL"
	fullTaken = "ONECLAW_EVENTS_TAKEN"
)

// process runs a test in a process of its own and returns what it said.
func process(t *testing.T, test, disk string, taken int) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), fullDir+"="+disk, fullTaken+"="+strconv.Itoa(taken))
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(out), "SIGBUS") {
		t.Log("the race was lost")
	} else if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// inProcess is what process gave this one.
func inProcess(t *testing.T) (disk string, taken int) {
	t.Helper()
	disk = os.Getenv(fullDir)
	if disk == "" {
		t.Skip("runs in a process of its own")
	}
	taken, _ = strconv.Atoi(os.Getenv(fullTaken)) // not all are given it
	return disk, taken
}

func batches(n int) (all []audit.Entry) {
	for range n {
		all = append(all, random(uint64(len(all)))...)
	}
	return all
}

func TestFullDiskFills(t *testing.T) {
	disk, taken := inProcess(t)
	dir := filepath.Join(disk, "events")
	a := open(t, events.Config{Dir: dir})
	all := batches(taken)
	for range 2 + taken%2 { // so that a memtable is and is not flushed
		batch := random(uint64(len(all)))
		add(t, a, batch)
		_, _ = os.Stdout.WriteString(took)
		all = append(all, batch...)
	}
	hold(t, dir)
	fill(t, disk)
	if err := a.Append(random(uint64(len(all)))); !errors.Is(err, events.ErrNoRoom) {
		t.Fatalf("a full disk took events: %v", err)
	}
	hasAll(t, a, all)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFullDiskStays(t *testing.T) {
	disk, taken := inProcess(t)
	a, err := events.Open(events.Config{Dir: filepath.Join(disk, "events"), Key: key})
	if errors.Is(err, events.ErrNoRoom) { // whoever fills the disk has had of the reserve
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	hasAll(t, a, batches(taken))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

// hold waits until there is a reserve, and returns its file.
func hold(t *testing.T, dir string) string {
	t.Helper()
	reserve := filepath.Join(dir, "reserve")
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if info, err := os.Stat(reserve); err == nil && info.Size() > 0 {
			return reserve
		}
		if time.Now().After(deadline) {
			t.Fatal("there is no reserve")
		}
	}
}

// What is refused is no work, and no reason to give up the reserve, which would
// only end up with whoever fills the disk.
func TestReserveOutlastsRefusals(t *testing.T) {
	disk := tmpfs(t, "96m")
	a := open(t, events.Config{Dir: filepath.Join(disk, "events")})
	reserve := hold(t, filepath.Join(disk, "events"))
	fill(t, disk)
	for range 5000 {
		if err := a.Append(entries(0, 1)); !errors.Is(err, events.ErrNoRoom) {
			t.Fatalf("a full disk took an event: %v", err)
		}
	}
	if info, err := os.Stat(reserve); err != nil || info.Sys().(*syscall.Stat_t).Blocks*512 < info.Size() {
		t.Errorf("the reserve: %v", err)
	}
}

// A disk that was full a moment ago may be again, in the middle of work that began
// too soon: there has to be room for a while.
func TestRoomHasToLast(t *testing.T) {
	disk := tmpfs(t, "96m")
	a := open(t, events.Config{Dir: filepath.Join(disk, "events")})
	hold(t, filepath.Join(disk, "events"))
	fill(t, disk)
	if err := a.Append(entries(0, 1)); !errors.Is(err, events.ErrNoRoom) {
		t.Fatalf("a full disk took an event: %v", err)
	}
	if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
		t.Fatal(err)
	}
	if err := a.Append(entries(0, 1)); !errors.Is(err, events.ErrNoRoom) {
		t.Errorf("work began at once: %v", err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := a.Append(entries(0, 1))
		if err == nil {
			break
		}
		if !errors.Is(err, events.ErrNoRoom) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// Without a reserve, as when something took that too, an archive does not open,
// and one that is open closes, in another process, without a flush.
func TestFullDiskWithoutReserve(t *testing.T) {
	disk := tmpfs(t, "96m")
	dir := filepath.Join(disk, "events")
	if out := process(t, "TestFullDiskChild", disk, 0); !strings.Contains(out, "closed without a flush") {
		t.Fatal(out)
	}
	if _, err := events.Open(events.Config{Dir: dir, Key: key}); !errors.Is(err, events.ErrNoRoom) {
		t.Fatalf("opened on a full disk: %v", err)
	}
	if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
		t.Fatal(err)
	}
	if got := seqs(t, open(t, events.Config{Dir: dir}).Ascend, 0, 500, 500); len(got) != 300 {
		t.Errorf("%d events", len(got))
	}
}

func TestFullDiskChild(t *testing.T) {
	disk, _ := inProcess(t)
	dir := filepath.Join(disk, "events")
	a, err := events.Open(events.Config{Dir: dir, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	add(t, a, entries(0, 300))
	for { // it is taken back as long as there is space
		fill(t, disk)
		if err := os.Remove(filepath.Join(dir, "reserve")); errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err := a.Append(entries(300, 400)); !errors.Is(err, events.ErrNoRoom) {
		t.Errorf("a full disk took events: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// The archive fills the disk itself, and something else fills it while tables are
// written: nothing that was taken is lost, whoever wins.
func TestDiskFillsWhileFlushing(t *testing.T) {
	disk := tmpfs(t, "640m")
	taken := 0
	for range 2 {
		taken += strings.Count(process(t, "TestFullDiskRace", disk, taken), took)
		if err := os.Remove(filepath.Join(disk, "filler")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if taken < 5 {
		t.Errorf("only %d batches were taken", taken)
	}
	hasAll(t, open(t, events.Config{Dir: filepath.Join(disk, "events")}), batches(taken))
}

func TestFullDiskRace(t *testing.T) {
	disk, taken := inProcess(t)
	a := open(t, events.Config{Dir: filepath.Join(disk, "events")})
	filled := make(chan struct{})
	go func() {
		defer close(filled)
		time.Sleep(rand.N(30 * time.Millisecond))
		fill(t, disk)
	}()
	for from := uint64(taken * perBatch); ; from += perBatch {
		err := a.Append(random(from))
		if errors.Is(err, events.ErrNoRoom) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.WriteString(took)
	}
	<-filled
}
