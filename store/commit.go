package store

import (
	"errors"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// beginWrite starts the one bbolt write transaction there may be. It is ended
// by finish or abandon.
func (db *DB) beginWrite() (*bolt.Tx, error) {
	if db.broken.Load() {
		return nil, errBroken
	}
	if db.doubt.Load() {
		if err := db.settle(); err != nil {
			db.failing.Store(true)
			return nil, ErrUnwritable.Because(err)
		}
	}
	var tx *bolt.Tx
	err := guard(func() (err error) {
		tx, err = db.bolt.Begin(true)
		return err
	})
	if err != nil {
		return nil, classify(err)
	}
	return tx, nil
}

// abandon ends tx without a trace.
func (db *DB) abandon(tx *bolt.Tx) error {
	return guard(tx.Rollback)
}

// finish commits tx. A nil error means that it is durable; ErrInDoubt that it
// is visible now but may be gone after a power cut; any other error that
// nothing changed.
//
// The doubtful case: bbolt writes the new pages and syncs, then writes the
// meta page that points to them and syncs again. When only the last sync
// fails, bbolt reports an error although the file, as everybody reads it, has
// the change. Taking it back is impossible, and the kernel forgets the failed
// page, so syncing again proves nothing. But writing the same meta page again
// and syncing that does, and it is all there is to do: the other pages were
// synced before. Until it succeeds nothing else may be written, since that
// could overwrite pages which the older meta page, perhaps still the one on
// disk, points to.
func (db *DB) finish(tx *bolt.Tx) error {
	id := tx.ID()
	err := guard(func() error { return db.commitBolt(tx) })
	if err == nil {
		db.full.Store(false)
		db.failing.Store(false)
		return nil
	}
	if errors.Is(err, ErrFileDamaged) {
		// bbolt panicked halfway. Its free list may be wrong; stop writing.
		db.broken.Store(true)
		_ = db.abandon(tx)
	}
	visible, verr := db.visible()
	if verr != nil || visible < id {
		err = classify(err)
		db.full.Store(errors.Is(err, ErrFull))
		db.failing.Store(errors.Is(err, ErrUnwritable))
		if db.full.Load() {
			db.ranOut()
		}
		return err
	}
	db.doubt.Store(true)
	if serr := db.settle(); serr != nil {
		db.failing.Store(true)
		return ErrInDoubt.Because(errors.Join(err, serr))
	}
	return nil
}

func inDoubt(err error) bool { return errors.Is(err, ErrInDoubt) }

// visible returns the id of the commit that a new snapshot would show.
func (db *DB) visible() (id int, err error) {
	err = guard(func() error {
		return db.bolt.View(func(tx *bolt.Tx) error { id = tx.ID(); return nil })
	})
	return id, err
}

// settle makes the newest meta page durable by writing it again. It also waits
// for the snapshots that began before: bbolt's rollback has declared the pages
// they read to be free.
func (db *DB) settle() error {
	if err := db.rewrite(); err != nil {
		return err
	}
	db.backups.Lock() // first: a Snapshot's View comes to using with backups held
	defer db.backups.Unlock()
	db.using.Lock()
	defer db.using.Unlock()
	db.doubt.Store(false)
	return nil
}

// rewrite writes the newest meta page again, which changes nothing and shows
// whether the file can be written.
func (db *DB) rewrite() error {
	id, err := db.visible()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(db.cfg.Path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := make([]byte, db.bolt.Info().PageSize)
	at := int64(id%2) * int64(len(buf))
	if _, err := f.ReadAt(buf, at); err != nil {
		return fmt.Errorf("reading the meta page: %w", err)
	}
	if _, err := f.WriteAt(buf, at); err != nil {
		return fmt.Errorf("writing the meta page: %w", err)
	}
	if err := unix.Fdatasync(int(f.Fd())); err != nil {
		return fmt.Errorf("syncing the meta page: %w", err)
	}
	return nil
}

// direct runs fn in a transaction of its own, past the writer: for the little
// that is written while sealed.
func (db *DB) direct(fn func(*bolt.Tx) error) error {
	tx, err := db.beginWrite()
	if err != nil {
		return err
	}
	if err := guard(func() error { return fn(tx) }); err != nil {
		_ = db.abandon(tx)
		return err
	}
	return db.finish(tx)
}
