package events

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"
	"golang.org/x/sys/unix"
)

// Badger writes through mapped files that it makes without blocks, so that a
// full disk is no error to it but a signal that ends the process. Nobody can
// take that signal, or allocate a table before it is written: its file has to be
// new. What can be done is here: no work begins without room for it, the log of
// the memtable has its blocks before it is written, and as much again is kept in
// a file, to be given up when something else takes the room during the work.

// What Badger writes for one Append and what follows from it, at most, were
// nothing compressed (events shrink to a third).
const (
	// fullTable is a memtable with the last transaction that it took (15 %), and
	// the index of the table that it becomes.
	fullTable = memTable + memTable/4
	// One more log; the memtable that is flushed and the one that waits; and a
	// compaction of level 0, which takes along the tables that hold the newest
	// event and the number of events.
	work = fullTable + (memTables+1)*fullTable + zeroStall*fullTable + 2*tableSize
	// What a start or a stop may take, of an archive that had caught up: two
	// memtables are flushed, and compacted with the table that was there.
	turn = 2*fullTable + (zeroTables+1)*fullTable + 2*tableSize
	// The reserve is larger by half, for who else takes of it when it is given up.
	held = work + work/2
)

// margin is what has to be free beside the reserve for work to begin: as much as
// something else can fill while Badger works, which takes a tenth of a second. Of a
// disk that is too small for that it is a quarter.
const (
	margin      = 128 << 20
	marginShare = 4
)

// Bounds of the watch over the space.
const (
	spent    = fullTable // what is left when the disk counts as full: the next table might not fit
	piece    = 2 * spent // of the reserve that is given up at once, as whoever fills the disk takes the first ones
	fastest  = 2         // bytes a nanosecond that a disk, or memory, can be filled with
	shortest = 200 * time.Microsecond
	pause    = 2 * time.Millisecond // after a piece: whoever fills the disk meets its end, and stops
	idle     = 5 * time.Millisecond // between looks at a full disk that has no work to wait for
	longest  = 100 * time.Millisecond
	// settling is how long after an Append compactions may run that Badger does
	// not show.
	settling = 50 * time.Millisecond
	patience = 5 * time.Second
	// calm is how long there has to be room before work begins: what has just filled
	// the disk may be at it still, and take all that is given up too.
	calm = 2 * time.Second
)

// ErrNoRoom: the disk is nearly full. Events wait in the outbox, which can be
// refused space without harm.
var ErrNoRoom = errors.New("events: the disk is nearly full; free space, and the archive goes on by itself")

// Room reports ErrNoRoom if the disk of dir has less space than an archive needs
// to take anything, and need bytes on top. An archive that is made on a fuller
// disk could end the process, for the reason above.
func Room(dir string, need int64) error {
	d, err := diskOf(dir)
	if err != nil {
		return err
	}
	return d.has(held + d.margin() + max(need, 0))
}

// disk is the space of one, in bytes.
type disk struct{ free, size int64 }

func diskOf(dir string) (disk, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return disk{}, fmt.Errorf("events: free space: %w", err)
	}
	return disk{int64(s.Bavail) * s.Bsize, int64(s.Blocks) * s.Bsize}, nil
}

func (d disk) has(need int64) error {
	if d.free < need {
		return ErrNoRoom
	}
	return nil
}

func (d disk) margin() int64 { return max(work, min(margin, d.size/marginShare)) }

// reserve is a file that has its blocks and no other purpose.
type reserve struct {
	mu    sync.Mutex
	dir   string
	never bool // the file system allocates nothing ahead: what is free has to do
}

func (r *reserve) path() string { return filepath.Join(r.dir, "reserve") }

// has is how much is kept.
func (r *reserve) has() int64 {
	var s unix.Stat_t
	if unix.Stat(r.path(), &s) != nil {
		return 0
	}
	return min(s.Size, s.Blocks*512)
}

// hold takes all of the space, if the margin and more are left then.
func (r *reserve) hold(more int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	d, err := diskOf(r.dir)
	if err != nil {
		return err
	}
	missing := held - r.has()
	if err := d.has(d.margin() + missing + more); err != nil || missing <= 0 || r.never {
		return err
	}
	return r.take(held)
}

// keep takes what there is of it, if that would do for a start.
func (r *reserve) keep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	d, err := diskOf(r.dir)
	had := r.has()
	if err == nil && !r.never && had < held && d.free+had >= turn {
		_ = r.take(min(held, d.free+had)) // or tried again
	}
}

func (r *reserve) take(size int64) error {
	f, err := os.OpenFile(r.path(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("events: the reserve: %w", err)
	}
	had := r.has()
	err = errors.Join(unix.Fallocate(int(f.Fd()), 0, 0, size), f.Close())
	if err != nil {
		r.shrink(had)
	}
	if unsupported(err) {
		r.never = true
		return nil
	}
	return full(err)
}

// shrink leaves size of it. A file of no bytes is removed: those are what crashes
// of Badger's leave.
func (r *reserve) shrink(size int64) {
	// What cannot be given back is no help, and no harm.
	if size <= 0 {
		_ = os.Remove(r.path())
		return
	}
	_ = os.Truncate(r.path(), size)
}

func unsupported(err error) bool {
	return errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS)
}

// full is ErrNoRoom for what a system call says of a full disk.
func full(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return ErrNoRoom
	}
	return err
}

// release gives up a part of the space.
func (r *reserve) release(part int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shrink(r.has() - part)
}

// lend gives the space up for work that cannot be put off, if it may be needed and
// is enough.
func (r *reserve) lend() error {
	d, err := diskOf(r.dir)
	if err != nil || d.free >= d.margin() {
		return err
	}
	if d.free+r.has() < turn {
		return ErrNoRoom
	}
	r.release(held)
	if d, err = diskOf(r.dir); err != nil {
		return err
	}
	return d.has(turn)
}

// begin makes sure that a batch of size bytes, and all that follows from it, has
// room. What it needs for certain is allocated.
func (a *Archive) begin(size int64) error {
	if err := a.reserve.hold(2 * size); err != nil {
		if errors.Is(err, ErrNoRoom) {
			a.refused.Store(time.Now().UnixNano())
		}
		return err
	}
	if time.Now().UnixNano()-a.refused.Load() < int64(calm) {
		return ErrNoRoom
	}
	logs, err := filepath.Glob(filepath.Join(a.dir, "*.mem"))
	if err != nil {
		return err
	}
	for _, name := range logs {
		err := allocateLog(name)
		if err != nil && !errors.Is(err, os.ErrNotExist) { // flushed meanwhile
			return fmt.Errorf("events: the log of a memtable: %w", full(err))
		}
	}
	return nil
}

// allocateLog gives the file of a memtable's log the blocks that it may need.
func allocateLog(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	err = unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, fullTable)
	if unsupported(err) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

// watch gives the reserve up when the disk is full while Badger works, and takes
// it back after.
func (a *Archive) watch() {
	defer close(a.watched)
	wait := time.Duration(0)
	for {
		select {
		case <-a.closing:
			return
		case <-time.After(wait):
		}
		wait = a.look()
	}
}

// look is one look at the space. It returns how long the next may wait: as long as
// the disk cannot be full before.
func (a *Archive) look() time.Duration {
	d, err := diskOf(a.dir)
	if err != nil {
		return longest
	}
	if d.free < d.margin() {
		a.refused.Store(time.Now().UnixNano())
	}
	has := a.reserve.has()
	switch {
	case d.free <= spent && has > 0 && a.working():
		a.reserve.release(piece)
		return pause
	case d.free <= spent:
		return idle
	case has < held && !a.working():
		a.reserve.keep()
	}
	return min(max(time.Duration(d.free/fastest), shortest), longest)
}

// working reports whether Badger may be writing.
func (a *Archive) working() bool {
	return a.appending.Load() > 0 || time.Now().UnixNano()-a.appended.Load() < int64(settling) || a.behind()
}

// behind reports whether a memtable waits to be flushed, or a level to be compacted.
func (a *Archive) behind() bool {
	if logs, _ := filepath.Glob(filepath.Join(a.dir, "*.mem")); len(logs) > 1 {
		return true
	}
	return slices.ContainsFunc(a.db.Levels(), func(l badger.LevelInfo) bool { return l.Score >= 1 })
}

// rest waits until Badger has caught up, so that no more work than that of one
// batch is ever open. Nobody waits for the archive to take the next. What takes
// longer than patience failed and is tried again by Badger.
func (a *Archive) rest() {
	for range patience / idle {
		if !a.behind() {
			return
		}
		time.Sleep(idle)
	}
}
