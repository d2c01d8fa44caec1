package seal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// readPrivate reads a small file that nobody else may read. The permissions are
// those of the file that was opened, not of a path that may change meanwhile.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the sealed PIN: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, ErrFile.Detail("the sealed PIN can be read by others; run chmod 600 on it")
	}
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// tempName is beside the file, and always the same, so that what a crash left
// behind is replaced by the next write.
func tempName(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
}

// writeTemp writes data, synced, to a new file with mode 0600.
func writeTemp(path string, data []byte) (temp string, err error) {
	temp = tempName(path)
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("writing the sealed PIN: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(temp)
		return "", fmt.Errorf("writing the sealed PIN: %w", err)
	}
	return temp, nil
}

// createFile writes a file that must not exist, so that after a crash there is all
// of it or none.
func createFile(path string, data []byte) error {
	temp, err := writeTemp(path, data)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	// Link and not rename: it fails where another process was first.
	if err := os.Link(temp, path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return ErrExists
		}
		return err
	}
	return syncDir(filepath.Dir(path))
}

// replaceFile writes a file so that a crash leaves the old or the new one.
func replaceFile(path string, data []byte, beforeRename func()) error {
	temp, err := writeTemp(path, data)
	if err != nil {
		return err
	}
	if beforeRename != nil {
		beforeRename()
	}
	if err := os.Rename(temp, path); err != nil {
		_ = os.Remove(temp)
		return fmt.Errorf("writing the sealed PIN: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
