package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// ballast is a file that does nothing but take up space, so that there is some
// to give up when the disk is full: what has to be written down about an outage
// can be, and so can who reads what meanwhile. Changes are refused until the
// ballast is back.
//
// It is used by the writer, and by Open before there is one.
type ballast struct {
	path string
	size int64 // 0: none is kept
}

// room is what has to be free, beyond the ballast, before it is made again: the
// first write after must not take it away at once.
func (b ballast) room() int64 { return b.size / 4 }

// whole reports whether the file is there and has its blocks.
func (b ballast) whole() bool {
	var s unix.Stat_t
	return unix.Stat(b.path, &s) == nil && s.Size == b.size && s.Blocks*512 >= b.size
}

// drop gives the space back.
func (b ballast) drop() error {
	err := os.Truncate(b.path, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// hold takes the space, if there is enough of it; ErrFull if there is not.
func (b ballast) hold() error {
	if b.whole() {
		return nil
	}
	f, err := os.OpenFile(b.path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = b.fill(f)
	if err != nil {
		_ = f.Truncate(0)
	}
	return errors.Join(err, f.Close())
}

func (b ballast) fill(f *os.File) error {
	var disk unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &disk); err != nil {
		return err
	}
	if disk.Bavail*uint64(disk.Bsize) < uint64(b.size+b.room()) {
		return ErrFull
	}
	if err := f.Truncate(0); err != nil { // of another size before
		return err
	}
	err := unix.Fallocate(int(f.Fd()), 0, 0, b.size)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		// Random, for file systems that compress.
		_, err = io.CopyN(f, rand.Reader, b.size)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return classify(err)
	}
	return nil
}

// openBallast takes the space at the start. A full disk does not keep anybody
// from starting: nothing but the log grows, then.
func (db *DB) openBallast() error {
	db.ballast = ballast{path: db.cfg.Ballast, size: db.cfg.BallastBytes}
	switch {
	case db.ballast.path == "":
		return nil
	case db.ballast.size == 0: // of another setting before
		if err := os.Remove(db.ballast.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("store: removing the ballast: %w", err)
		}
		return nil
	}
	err := db.ballast.hold()
	if errors.Is(err, ErrFull) {
		db.outage()
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: making the ballast: %w", err)
	}
	return nil
}

// outage lets nothing but the log grow from now on.
func (db *DB) outage() {
	db.readOnly.Store(true)
	db.outages.Add(1)
}

// ranOut gives the ballast up, once, because a commit found no space.
func (db *DB) ranOut() {
	if db.ballast.size == 0 || db.readOnly.Load() {
		return
	}
	db.outage()
	_ = db.ballast.drop() // what cannot be given back is no help, and no harm
}

// endOutage ends one if there is space again, for the ballast and more.
func (db *DB) endOutage() {
	if db.readOnly.Load() && db.ballast.hold() == nil {
		db.readOnly.Store(false)
		db.full.Store(false)
	}
}

// Recover ends an outage of space, or of the disk, if it is over, which the next
// update would do as well. It waits for the group that is running.
func (db *DB) Recover() {
	if !db.readOnly.Load() && !db.failing.Load() {
		return
	}
	db.grouping.Lock()
	defer db.grouping.Unlock()
	db.endOutage()
	if db.failing.Load() && db.rewrite() == nil {
		db.failing.Store(false)
	}
}

// spared reports whether changes may be written while the disk is full: those of
// the audit log, and of who is sent it.
func (db *DB) spared(own changes) bool {
	for id := range own {
		if !db.spare[id.table] {
			return false
		}
	}
	return true
}
