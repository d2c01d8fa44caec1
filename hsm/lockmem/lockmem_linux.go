package lockmem

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// reserve maps size bytes outside the Go heap, so that the collector never
// copies them, and asks that they stay out of swap, core dumps and forks. Only
// the mapping itself must succeed.
func reserve(size int) (mem []byte, locked bool, err error) {
	mem, err = unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, false, fmt.Errorf("mapping memory for keys: %w", err)
	}
	locked = unix.Mlock(mem) == nil
	_ = unix.Madvise(mem, unix.MADV_DONTDUMP)
	_ = unix.Madvise(mem, unix.MADV_WIPEONFORK)
	return mem, locked, nil
}

func release(mem []byte) error { return unix.Munmap(mem) }
