package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// lockFile takes the lock that keeps a second process away from the data,
// already while the first one checks the file. The lock is the kernel's and
// ends with the process; the pid inside only makes the refusal clearer.
func lockFile(path string, wait time.Duration) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: the data folder cannot be written: %w", err)
	}
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) || time.Since(start) >= wait {
			break
		}
	}
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		pid, _ := io.ReadAll(io.LimitReader(f, 20))
		_ = f.Close()
		return nil, ErrInUse.Detail("another oneclawd (pid %s) is using this data", bytes.TrimSpace(pid))
	case err != nil:
		_ = f.Close()
		return nil, fmt.Errorf("store: locking the data: %w", err)
	}
	// A full disk must not keep the daemon from starting: no pid, then.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return f, nil
}
