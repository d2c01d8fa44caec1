package events

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"
)

// ErrDamaged is an archive with a file that is gone or altered, or lost its end, as
// after a disk failed.
var ErrDamaged = errors.New("events: a file of the archive is damaged")

// Sizes at the end of a table of Badger's: index, its size, checksum, its size.
const (
	sizeField   = 4
	maxChecksum = 64 // a record with two numbers
	minIndex    = 16 // its initialisation vector: every table is encrypted
)

// checkTables looks at the end of each table that belongs to the archive; others are
// what a crash left, and Badger removes them. Badger believes the sizes that it finds
// there, and what it does then is no error but a panic, in a goroutine that nobody
// can recover.
func checkTables(o badger.Options) error {
	f, err := os.Open(filepath.Join(o.Dir, badger.ManifestFilename))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a new archive
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	manifest, _, err := badger.ReplayManifestFile(f, o.ExternalMagicVersion, o)
	if err != nil {
		return nil // opening says it, too, or repairs it
	}
	for id := range manifest.Tables {
		name := table.NewFilename(id, o.Dir)
		if err := checkTable(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s: %w; restore a backup, or put the file back", ErrDamaged, filepath.Base(name), err)
		}
	}
	return nil
}

// isDamage tells what Badger finds wrong with its files from what keeps it from
// reading them. It formats most of its errors into others.
func isDamage(err error) bool {
	for _, text := range []string{"checksum mismatch", "bad magic", "file does not exist for table"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

var errSizes = errors.New("its end has wrong sizes")

func checkTable(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return nil // of a crash, which Badger repairs
	}
	at := info.Size()
	for _, part := range []struct{ least, most int64 }{{1, maxChecksum}, {minIndex, info.Size()}} {
		at -= sizeField
		var b [sizeField]byte
		if at < 0 {
			return errSizes
		}
		if _, err := f.ReadAt(b[:], at); err != nil {
			return err
		}
		size := int64(binary.BigEndian.Uint32(b[:]))
		if size < part.least || size > part.most || size > at {
			return errSizes
		}
		at -= size
	}
	return nil
}
