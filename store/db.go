package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Config says where the data is. Only Path has no default.
type Config struct {
	Path       string // of the file; its folder is made if need be
	CacheBytes int    // bound of the opened records kept in memory; 0 means DefaultCacheBytes

	// FullCheck makes Open walk every page of the file even if it is large.
	// Otherwise files over quickCheckBytes have only their upper levels
	// checked, so that a restart stays fast.
	FullCheck bool

	// Observe is told of each group of updates once its callers are answered: their
	// contexts, the size of what they changed, when the group began, and whether it
	// could be committed. The writer waits for it. It may be nil.
	Observe func(callers []context.Context, bytes int, began time.Time, err error)

	// Ballast is the path of a file of BallastBytes that is given up when the disk is
	// full, so that the audit log can go on. "" or 0 means none.
	Ballast      string
	BallastBytes int64

	quickCheck int64 // for tests: instead of quickCheckBytes
}

// DB is the open data file.
type DB struct {
	cfg      Config
	layout   layout
	journals map[string]bool
	spare    map[string]bool // tables that may grow during an outage of space
	rights   map[string]bool // tables that Generation counts the changes of
	sparse   map[string]bool // tables of which the cache remembers what is not there
	ballast  ballast
	lock     *os.File
	bolt     *bolt.DB
	cache    *cache

	// keys is nil while sealed. It is read under using or grouping, and
	// changed under both.
	keys     *keyring
	outdated int          // the file's schema if Migrate has to raise it, else 0; as keys
	unsealed atomic.Bool  // keys != nil, for Sealed
	using    sync.RWMutex // held for reading by each View
	backups  sync.RWMutex // held for reading by each Snapshot
	grouping sync.Mutex   // held by the writer for each group
	queue    chan *call
	closing  chan struct{}
	stopped  chan struct{} // the writer has ended
	close    sync.Once
	closeErr error

	generation atomic.Uint64
	waiting    atomic.Int64 // calls of Update that are not answered
	full       atomic.Bool  // the last commit found no space
	readOnly   atomic.Bool  // the ballast was given up: nothing but the log grows
	outages    atomic.Uint64
	doubt      atomic.Bool // a commit is visible and perhaps not durable
	failing    atomic.Bool // the last commit could not be written, for another reason than space
	broken     atomic.Bool // bbolt panicked while writing
	commitBolt func(*bolt.Tx) error
}

// lockWait is how long Open waits for another process to let go of the file: for
// what a killed daemon left running, which ends by itself within two seconds.
const lockWait = 3 * time.Second

// Open checks, locks and opens the file, or makes an empty one. It is sealed.
func Open(cfg Config) (*DB, error) { return open(cfg, current) }

func open(cfg Config, l layout) (_ *DB, err error) {
	if cfg.CacheBytes == 0 {
		cfg.CacheBytes = DefaultCacheBytes
	}
	if err := os.MkdirAll(filepath.Dir(cfg.Path), 0o700); err != nil {
		return nil, fmt.Errorf("store: making the data folder: %w", err)
	}
	db := &DB{
		cfg: cfg, layout: l, journals: map[string]bool{}, spare: map[string]bool{}, rights: map[string]bool{}, sparse: map[string]bool{}, cache: newCache(cfg.CacheBytes),
		queue: make(chan *call), closing: make(chan struct{}), stopped: make(chan struct{}),
		commitBolt: (*bolt.Tx).Commit,
	}
	for _, b := range l.buckets {
		db.journals[b.name], db.spare[b.name], db.rights[b.name], db.sparse[b.name] = b.journal, b.spare, b.rights, b.sparse
	}
	if db.lock, err = lockFile(cfg.Path+".lock", lockWait); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = db.closeFiles()
		}
	}()
	if err := db.check(); err != nil {
		return nil, err
	}
	if err := guard(db.create); err != nil {
		return nil, err
	}
	if err := guard(db.openBolt); err != nil {
		return nil, err
	}
	if err := db.checkSchema(); err != nil {
		return nil, err
	}
	if err := db.openBallast(); err != nil {
		return nil, err
	}
	go db.write()
	return db, nil
}

// check looks at the structure of the file before bbolt does, which panics or
// faults on a file that is damaged or cut short.
func (db *DB) check() error {
	info, err := os.Stat(db.cfg.Path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return checkFile(db.cfg.Path, db.cfg.FullCheck || info.Size() <= cmp.Or(db.cfg.quickCheck, quickCheckBytes))
}

// create makes the file if there is none. It is written under another name, so
// that a power cut never leaves half of one that every later start refuses.
func (db *DB) create() error {
	_, err := os.Stat(db.cfg.Path)
	if !errors.Is(err, os.ErrNotExist) {
		return nil // what is there, opening it will tell
	}
	draft := db.cfg.Path + ".new"
	if err := os.Remove(draft); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("store: making the data file: %w", err)
	}
	b, err := bolt.Open(draft, 0o600, &bolt.Options{Timeout: lockWait})
	if err == nil {
		err = b.Close()
	}
	if err == nil {
		err = os.Rename(draft, db.cfg.Path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(db.cfg.Path))
	}
	if err != nil {
		return fmt.Errorf("store: making the data file: %w", err)
	}
	return nil
}

// syncFolder makes the names in a folder durable.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// initialMap is address space, not memory or disk. As long as the file is
// smaller, growing it needs no new mapping, for which bbolt waits until all
// snapshots have ended, a backup's among them.
const initialMap = 1 << 30

// mapSize leaves room for the file to double before it is mapped anew.
func (db *DB) mapSize() int {
	size := int64(initialMap)
	if info, err := os.Stat(db.cfg.Path); err == nil && 2*info.Size() > size {
		size = 2 * info.Size()
	}
	return int(size)
}

// The free list is written with each commit. Leaving it out makes a write no
// faster as long as the list is short, but opening then walks the whole file:
// 38 ms instead of 10 ms at 114 MB, and so does taking back a failed commit.
func (db *DB) openBolt() (err error) {
	db.bolt, err = bolt.Open(db.cfg.Path, 0o600, &bolt.Options{
		Timeout:         lockWait,
		FreelistType:    bolt.FreelistMapType,
		InitialMmapSize: db.mapSize(),
		NoStatistics:    true,
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return ErrInUse.Because(err)
	case err != nil:
		return fmt.Errorf("store: opening the data file: %w", err)
	}
	return nil
}

// Config returns what the file was opened with.
func (db *DB) Config() Config { return db.cfg }

// Lock is the file whose lock keeps other processes away. A process that
// inherits it holds the lock too, until it ends.
func (db *DB) Lock() *os.File { return db.lock }

// Seal forgets the keys and everything opened with them, after the
// transactions that are running have ended. Sealing twice is fine.
func (db *DB) Seal() {
	db.grouping.Lock()
	defer db.grouping.Unlock()
	db.using.Lock()
	defer db.using.Unlock()
	if db.keys == nil {
		return
	}
	db.keys.wipe()
	db.keys = nil
	db.unsealed.Store(false)
	db.cache.wipe()
}

// Sealed reports whether the store key is missing. It never waits.
func (db *DB) Sealed() bool { return !db.unsealed.Load() }

// Close finishes the group that is running, refuses the calls that wait with
// ErrClosed, seals and closes the file. Closing twice is fine.
func (db *DB) Close() error {
	db.close.Do(func() {
		close(db.closing)
		<-db.stopped
		db.Seal()
		db.closeErr = db.closeFiles()
	})
	return db.closeErr
}

func (db *DB) closeFiles() (err error) {
	if db.bolt != nil {
		err = db.bolt.Close() // waits for backups
	}
	if db.lock != nil {
		err = errors.Join(err, db.lock.Close())
	}
	return err
}

// closedOr returns ErrClosed once Close was called, err before.
func (db *DB) closedOr(err error) error {
	select {
	case <-db.closing:
		return ErrClosed
	default:
		return err
	}
}

// Stats is what there is to know about the file's health.
type Stats struct {
	Waiting    int   // updates that are under way
	Bytes      int64 // of the file that are in use or can be used again
	CacheBytes int   // of opened records in memory
	Full       bool  // the last commit found no space; the next may
	ReadOnly   bool  // the disk is full, or was, and only the audit log grows
	Outages    int   // how often ReadOnly began since the file was opened
	Unwritable bool  // nothing can be written, until the disk is back or, after damage, before a restart
}

// Stats returns the present state.
func (db *DB) Stats() Stats {
	s := Stats{Waiting: int(db.waiting.Load()), CacheBytes: db.cache.size(), Full: db.full.Load(), Unwritable: db.broken.Load() || db.failing.Load(), ReadOnly: db.readOnly.Load(), Outages: int(db.outages.Load())}
	_ = guard(func() error {
		return db.bolt.View(func(tx *bolt.Tx) error { s.Bytes = tx.Size(); return nil })
	})
	return s
}
