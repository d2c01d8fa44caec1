// Package events keeps, in Badger, what was observed and decides nothing: the
// audit archive, and the calls of models, which are in no backup.
//
// The split follows from what is lost if a file is lost. The store's bbolt file
// holds everything that decides, the tree of the audit log and its newest
// events among it. Here are the events' bytes, which are many, compress well
// and may have a lifetime. Should this folder be lost, changed or put back from
// an older copy, the appliance works on and the audit log can still tell which
// events are missing or wrong, since their hashes are in the store.
//
// Everything in the folder is encrypted under a key that the caller derives
// from the appliance's keys. The memory that Badger takes is bounded tightly:
// the appliance is meant for small machines, and audit queries are rare.
package events

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// Config says where the archive is and how long it remembers.
type Config struct {
	Dir       string
	Key       []byte        // 32 bytes
	Retention time.Duration // of each event since it was archived; 0: forever
	Log       *slog.Logger  // nil means the default
}

// ErrKey: the folder was written under another key.
var ErrKey = errors.New("events: the archive does not open with this key")

// KeyPurpose is what the key is for, to those who derive it from the store key.
const KeyPurpose = "audit archive"

// keySize is what makes Badger use AES-256.
const keySize = 32

// Archive is an audit.Archive in a folder.
type Archive struct {
	db  *badger.DB
	dir string
	ttl time.Duration
	log *slog.Logger

	writing   sync.Mutex // one batch at a time
	reserve   reserve
	appending atomic.Int32 // how many are
	appended  atomic.Int64 // when one last ended, in nanoseconds
	refused   atomic.Int64 // when there was last no room, in nanoseconds
	closing   chan struct{}
	watched   chan struct{} // closed when nobody watches the space any more
	closeOnce sync.Once
}

var _ audit.Archive = (*Archive)(nil)

// Open opens the archive, making it if there is none.
func Open(c Config) (*Archive, error) {
	if len(c.Key) != keySize {
		return nil, fmt.Errorf("events: the key has %d bytes instead of %d", len(c.Key), keySize)
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	log := &logger{log: c.Log}
	if log.log == nil {
		log.log = slog.Default()
	}
	if err := checkTables(tuned(c, log)); err != nil {
		return nil, err
	}
	a := &Archive{
		dir: c.Dir, ttl: c.Retention, log: log.log, reserve: reserve{dir: c.Dir},
		closing: make(chan struct{}), watched: make(chan struct{}),
	}
	// Logs that a crash left are flushed at once.
	if err := a.reserve.lend(); err != nil {
		return nil, err
	}
	db, err := openAgain(c, log)
	switch {
	case errors.Is(err, badger.ErrEncryptionKeyMismatch):
		return nil, ErrKey
	case err != nil && isDamage(err):
		return nil, fmt.Errorf("%w: %w; restore a backup, or put the file back", ErrDamaged, err)
	case err != nil:
		return nil, fmt.Errorf("events: open: %w", err)
	}
	log.open.Store(true)
	a.db = db
	go a.watch()
	return a, nil
}

// openAgain opens the folder as often as that may help. A crash between making a
// file and sizing it leaves one of zero bytes. Badger fails on that, once for
// each: failing also repairs it.
func openAgain(c Config, log *logger) (*badger.DB, error) {
	for tries := max(1, hollow(c.Dir)); ; tries-- {
		db, err := badger.Open(tuned(c, log))
		if err == nil || tries == 0 || errors.Is(err, badger.ErrEncryptionKeyMismatch) {
			return db, err
		}
		log.log.Warn("events: the archive is opened again", "err", err)
	}
}

// hollow is how many files in dir have zero bytes.
func hollow(dir string) (n int) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
			n++
		}
	}
	return n
}

// tuned returns Badger's options for a few small batches per second and rare
// reads, in little memory.
func tuned(c Config, log *logger) badger.Options {
	return badger.DefaultOptions(c.Dir).
		WithLogger(log).
		WithMetricsEnabled(false).
		WithSyncWrites(true).
		WithDetectConflicts(false). // one writer
		WithEncryptionKey(c.Key).
		WithCompression(options.Snappy).
		WithBlockSize(blockSize).
		WithMemTableSize(memTable).
		WithNumMemtables(memTables).
		WithNumLevelZeroTables(zeroTables).
		WithNumLevelZeroTablesStall(zeroStall).
		WithBaseTableSize(tableSize).
		WithNumCompactors(2). // the least there can be
		WithNumGoroutines(1).
		WithBlockCacheSize(cacheSize).
		WithIndexCacheSize(cacheSize).
		// Events stay in the tree; the value log is not used, and so needs no
		// collecting.
		WithValueThreshold(64 << 10).
		WithValueLogFileSize(16 << 20)
}

// Sizes in bytes. The memtable bounds what one transaction may hold (15 %); a
// WriteBatch splits what is larger.
// Measured over 100,000 events with memtables of 2 MB: 12 MB resident after a restart, 38 MB at rest
// after archiving them all at once (20 of these are mapped files), 65 MB while
// doing so. With 8 MB memtables the last is 120 MB, with Badger's own several
// hundred; the speed is the same.
// Of everything there is as little as Badger works with, since what is in the
// works when a disk is full decides how much has to be kept free (room.go).
//
// An event of 980 bytes takes 311 on the disk with Snappy in blocks of 32 kB, and 33 µs
// until its table is where it stays. With ZSTD and Badger's own 4 kB it is 313 bytes
// and 83 µs, which was an eighth of what a signed transaction costs; with 32 kB 164
// bytes and 57 µs.
const (
	blockSize  = 32 << 10
	memTable   = 1 << 20
	memTables  = 1 // that wait to be flushed
	zeroTables = 2 // of level 0 that are compacted
	zeroStall  = 4 // of level 0 that there can be
	tableSize  = 1 << 20
	cacheSize  = 2 << 20
)

// Close flushes and closes the archive. If there is no room for that, not even in
// reserve, or the disk takes nothing any more, it leaves all as after a crash: what
// was appended is in the log of the memtable, which the next Open reads. The folder
// stays locked by the process then.
func (a *Archive) Close() (err error) {
	a.closeOnce.Do(func() {
		close(a.closing)
		<-a.watched
		if err = a.reserve.lend(); errors.Is(err, ErrNoRoom) {
			a.log.Warn("events: the disk is full; the archive is closed without a flush, and loses nothing")
			err = nil
			return
		}
		err = a.flush(err)
	})
	return err
}

// flush closes Badger, which tries to flush until it can: on a disk that was taken
// away or made read-only, for ever.
func (a *Archive) flush(before error) error {
	closed := make(chan error, 1)
	go func() { closed <- a.db.Close() }()
	select {
	case err := <-closed:
		if err = errors.Join(before, err); err != nil {
			return fmt.Errorf("events: close: %w", err)
		}
		a.reserve.keep() // for the next start
	case <-time.After(patience):
		a.log.Warn("events: the folder takes nothing; the archive is closed without a flush, and loses nothing", "err", before)
	}
	return nil
}

// Keys: leafPrefix and the big-endian index for a leaf; nextKey for the index
// after the newest, which outlives leaves that have expired.
const leafPrefix = 'a'

var nextKey = []byte("next/a")

func leafKey(seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{leafPrefix}, seq)
}

// Append implements audit.Archive. It takes nothing (ErrNoRoom) while the disk has
// too little space for what may follow from it. Badger does not share syncs between
// transactions, so a batch is what makes it fast.
func (a *Archive) Append(batch []audit.Entry) error {
	if len(batch) == 0 {
		return nil
	}
	var size int64
	for _, e := range batch {
		size += int64(len(e.Leaf))
	}
	return a.append(size, func(wb *badger.WriteBatch) error { return a.fill(wb, batch) })
}

// append writes what fill puts into a batch, of size bytes. The next begins when all
// that follows from this one is done, since the room that has to be free is reckoned
// for one. Who waits for that is in the background, and a batch is small.
func (a *Archive) append(size int64, fill func(*badger.WriteBatch) error) error {
	a.writing.Lock()
	defer a.writing.Unlock()
	if err := a.begin(size); err != nil {
		return err // and is no reason to give the reserve up
	}
	a.appending.Add(1)
	defer func() {
		a.appended.Store(time.Now().UnixNano())
		a.appending.Add(-1)
	}()
	wb := a.db.NewWriteBatch()
	defer wb.Cancel()
	if err := fill(wb); err != nil {
		return err
	}
	if err := wb.Flush(); err != nil {
		return fmt.Errorf("events: append: %w", err)
	}
	a.rest()
	return nil
}

func (a *Archive) fill(wb *badger.WriteBatch, batch []audit.Entry) error {
	for _, e := range batch {
		entry := badger.NewEntry(leafKey(e.Seq), e.Leaf)
		if a.ttl > 0 {
			entry = entry.WithTTL(a.ttl)
		}
		if err := wb.SetEntry(entry); err != nil {
			return fmt.Errorf("events: append %d: %w", e.Seq, err)
		}
	}
	next := binary.BigEndian.AppendUint64(nil, batch[len(batch)-1].Seq+1)
	if err := wb.Set(nextKey, next); err != nil {
		return fmt.Errorf("events: append: %w", err)
	}
	return nil
}

// Leaf implements audit.Archive.
func (a *Archive) Leaf(seq uint64) ([]byte, error) { return a.get(leafKey(seq)) }

// Next implements audit.Archive.
func (a *Archive) Next() (uint64, error) {
	b, err := a.get(nextKey)
	if err != nil || b == nil {
		return 0, err
	}
	if len(b) != 8 {
		return 0, errors.New("events: the number of archived events is damaged")
	}
	return binary.BigEndian.Uint64(b), nil
}

func (a *Archive) get(key []byte) (value []byte, err error) {
	err = a.db.View(func(tx *badger.Txn) error {
		item, err := tx.Get(key)
		if err != nil {
			return err
		}
		value, err = item.ValueCopy(nil)
		return err
	})
	switch {
	case errors.Is(err, badger.ErrKeyNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("events: read: %w", err)
	}
	return value, nil
}

// Ascend implements audit.Archive.
func (a *Archive) Ascend(from, to uint64, fn func(audit.Entry) bool) error {
	return a.scan(from, from, to, false, fn)
}

// Descend implements audit.Archive.
func (a *Archive) Descend(from, to uint64, fn func(audit.Entry) bool) error {
	return a.scan(max(to, 1)-1, from, to, true, fn)
}

// scan calls fn with the entries of [from, to), beginning at start.
func (a *Archive) scan(start, from, to uint64, reverse bool, fn func(audit.Entry) bool) error {
	if from >= to {
		return nil
	}
	err := a.db.View(func(tx *badger.Txn) error {
		o := badger.DefaultIteratorOptions
		o.Reverse = reverse
		o.PrefetchValues = false // they are beside the keys
		o.Prefix = []byte{leafPrefix}
		it := tx.NewIterator(o)
		defer it.Close()
		for it.Seek(leafKey(start)); it.Valid(); it.Next() {
			key := it.Item().Key()
			if len(key) != 9 {
				return errors.New("an entry has a damaged key")
			}
			e := audit.Entry{Seq: binary.BigEndian.Uint64(key[1:])}
			if e.Seq < from || e.Seq >= to {
				return nil
			}
			more := true
			err := it.Item().Value(func(v []byte) error {
				e.Leaf = v
				more = fn(e)
				return nil
			})
			if err != nil || !more {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("events: scan [%d, %d): %w", from, min(to, math.MaxInt64), err)
	}
	return nil
}
