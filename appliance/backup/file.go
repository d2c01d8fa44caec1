package backup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// partSuffix ends the name of a backup that is being written.
const partSuffix = ".part"

// CreateFile is Create into a file that only its owner can read. It is there
// under its name only once it is whole and on the disk; a file of that name is
// replaced. On an error nothing is left.
func CreateFile(ctx context.Context, src Source, path string, progress func(Progress)) (m Manifest, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*"+partSuffix) // 0600
	if err != nil {
		return m, writing("making the file", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // gone already if it has its name
		}
	}()
	m, err = Create(ctx, src, f, progress)
	if err == nil {
		err = writing("syncing the file", f.Sync())
	}
	if cerr := f.Close(); err == nil {
		err = writing("closing the file", cerr)
	}
	if err == nil {
		err = writing("naming the file", os.Rename(f.Name(), path))
	}
	if err != nil {
		return Manifest{}, err
	}
	return m, writing("syncing the folder", syncPath(filepath.Dir(path)))
}

// syncPath makes a file, or the names in a folder, durable.
func syncPath(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
